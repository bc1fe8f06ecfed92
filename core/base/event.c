/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/event.h"

#include "base/variant.h"

#include <json-glib/json-glib.h>

const char *
godwit_event_kind_to_string (GodwitEventKind kind)
{
  static const char *const names[] = {"log", "state", "step", "progress", "finding", "result"};
  return (guint)kind < G_N_ELEMENTS (names) ? names[kind] : "unknown";
}

GodwitEvent *
godwit_event_new (GodwitEventKind kind, const char *what, const char *message)
{
  GodwitEvent *event = g_new0 (GodwitEvent, 1);
  event->kind = kind;
  event->severity = GODWIT_SEVERITY_INFO;
  event->time_us = g_get_real_time ();
  event->what = g_strdup (what);
  event->message = g_strdup (message);
  return event;
}

GodwitEvent *
godwit_event_copy (const GodwitEvent *event)
{
  g_return_val_if_fail (event != NULL, NULL);
  GodwitEvent *copy = g_memdup2 (event, sizeof *event);
  copy->host = g_strdup (event->host);
  copy->what = g_strdup (event->what);
  copy->message = g_strdup (event->message);
  copy->data = event->data != NULL ? g_variant_ref_sink (event->data) : NULL;
  return copy;
}

void
godwit_event_free (GodwitEvent *event)
{
  if (event == NULL)
    return;
  g_free (event->host);
  g_free (event->what);
  g_free (event->message);
  g_clear_pointer (&event->data, g_variant_unref);
  g_free (event);
}

static void
add_number (GVariantBuilder *builder, const char *key, guint64 value)
{
  if (value != 0)
    g_variant_builder_add (builder, "{sv}", key, g_variant_new_uint64 (value));
}

GVariant *
godwit_event_to_variant (const GodwitEvent *event)
{
  g_return_val_if_fail (event != NULL, NULL);
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  add_number (&builder, "serial", event->serial);
  g_variant_builder_add (&builder, "{sv}", "time", g_variant_new_int64 (event->time_us));
  g_variant_builder_add (&builder, "{sv}", "kind", g_variant_new_uint32 (event->kind));
  g_variant_builder_add (&builder, "{sv}", "severity", g_variant_new_uint32 (event->severity));
  godwit_variant_add_text (&builder, "host", event->host);
  godwit_variant_add_text (&builder, "what", event->what);
  godwit_variant_add_text (&builder, "message", event->message);
  add_number (&builder, "done", event->done);
  add_number (&builder, "total", event->total);
  add_number (&builder, "rate", event->rate);
  if (event->data != NULL)
    g_variant_builder_add (&builder, "{sv}", "data", event->data);
  return g_variant_builder_end (&builder);
}

GodwitEvent *
godwit_event_from_variant (GVariant *variant)
{
  if (variant == NULL || !g_variant_is_of_type (variant, G_VARIANT_TYPE_VARDICT))
    return NULL;
  guint32 kind = G_MAXUINT32;
  guint32 severity = godwit_variant_get_uint32 (variant, "severity");
  gint64 time_us = 0;
  if (!g_variant_lookup (variant, "kind", "u", &kind) || kind > GODWIT_EVENT_RESULT ||
      severity > GODWIT_SEVERITY_BLOCKER || !g_variant_lookup (variant, "time", "x", &time_us))
    return NULL;

  GodwitEvent *event = g_new0 (GodwitEvent, 1);
  event->serial = godwit_variant_get_uint64 (variant, "serial");
  event->time_us = time_us;
  event->kind = kind;
  event->severity = severity;
  event->host = godwit_variant_dup_text (variant, "host");
  event->what = godwit_variant_dup_text (variant, "what");
  event->message = godwit_variant_dup_text (variant, "message");
  event->done = godwit_variant_get_uint64 (variant, "done");
  event->total = godwit_variant_get_uint64 (variant, "total");
  event->rate = godwit_variant_get_uint64 (variant, "rate");
  event->data = g_variant_lookup_value (variant, "data", G_VARIANT_TYPE_VARDICT);
  return event;
}

static void
set_text (JsonObject *object, const char *name, const char *text)
{
  if (text == NULL)
    return;
  /* JSON is UTF-8; a message may quote anything. */
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  json_object_set_string_member (object, name, valid);
}

static void
set_time (JsonObject *object, gint64 time_us)
{
  g_autoptr (GDateTime) seconds = g_date_time_new_from_unix_utc (time_us / G_USEC_PER_SEC);
  g_autofree char *date =
      seconds != NULL ? g_date_time_format (seconds, "%Y-%m-%dT%H:%M:%S") : g_strdup ("");
  g_autofree char *full = g_strdup_printf ("%s.%06dZ", date, (int)(time_us % G_USEC_PER_SEC));
  json_object_set_string_member (object, "time", full);
}

static void
set_data (JsonObject *object, GVariant *data)
{
  GVariantIter iter;
  const char *key;
  GVariant *value;
  g_variant_iter_init (&iter, data);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value)) {
    /* The stable names belong to the event itself. */
    if (!json_object_has_member (object, key))
      json_object_set_member (object, key, json_gvariant_serialize (value));
  }
}

char *
godwit_event_to_json (const GodwitEvent *event, const char *job_id)
{
  g_return_val_if_fail (event != NULL, NULL);
  JsonObject *object = json_object_new ();
  set_time (object, event->time_us);
  set_text (object, "job", job_id);
  if (event->serial != 0)
    json_object_set_int_member (object, "serial", (gint64)event->serial);
  set_text (object, "kind", godwit_event_kind_to_string (event->kind));
  set_text (object, "severity", godwit_severity_to_string (event->severity));
  set_text (object, "host", event->host);
  set_text (object, "what", event->what);
  set_text (object, "message", event->message);
  if (event->kind == GODWIT_EVENT_PROGRESS) {
    json_object_set_int_member (object, "done", (gint64)event->done);
    json_object_set_int_member (object, "total", (gint64)event->total);
    json_object_set_int_member (object, "rate", (gint64)event->rate);
  }
  if (event->data != NULL)
    set_data (object, event->data);

  g_autoptr (JsonNode) root = json_node_init_object (json_node_alloc (), object);
  json_object_unref (object);
  return json_to_string (root, FALSE);
}
