/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "request.h"

#include "output.h"

CliRequest cli_request;

/* The option means what the configuration's key of that name means. */
static const GodwitConfigKey *
find_key (const char *name)
{
  gsize n_keys = 0;
  const GodwitConfigKey *keys = godwit_config_get_schema (&n_keys);

  for (gsize i = 0; i < n_keys; i++)
    if (g_str_equal (keys[i].group, "migration") && g_str_equal (keys[i].key, name))
      return &keys[i];
  g_return_val_if_reached (NULL);
}

static gboolean
add_duration (GVariantDict *options, const char *name, const char *text, GError **error)
{
  const GodwitConfigKey *key;
  g_autofree char *allowed = NULL;
  g_autofree char *remedy = NULL;
  guint64 ms;

  if (text == NULL)
    return TRUE;
  key = find_key (name);
  if (godwit_config_parse_duration (text, &ms) && ms >= key->minimum && ms <= key->maximum) {
    g_variant_dict_insert (options, name, "s", text);
    return TRUE;
  }
  allowed = godwit_config_key_describe (key);
  remedy = g_strdup_printf ("for example --%s %s", name, key->fallback);
  godwit_set_error (error, GODWIT_ERROR_CONFIG, remedy, "--%s: %s is not allowed: it must be %s",
                    name, text, allowed);
  return FALSE;
}

static void
add_boolean (GVariantDict *options, const char *name, gboolean value)
{
  if (value)
    g_variant_dict_insert (options, name, "s", "true");
}

/* The journal keeps options as a{ss}. */
static GVariant *
to_text_variant (GVariantDict *options)
{
  g_autoptr (GVariant) values = g_variant_ref_sink (g_variant_dict_end (options));
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{ss}"));
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, values);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value))
    g_variant_builder_add (&builder, "{ss}", name, g_variant_get_string (value, NULL));
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

GodwitJobRecord *
cli_request_make_record (const char *guest, GError **error)
{
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  GodwitJobRecord *record;

  if (*guest == '\0' || cli_request.to == NULL || *cli_request.to == '\0') {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "godwit hosts lists the known ones",
                      *guest == '\0' ? "the guest's name is empty"
                                     : "the destination is missing: write --to HOST");
    return NULL;
  }
  if (!add_duration (&options, "max-downtime", cli_request.max_downtime, error) ||
      !add_duration (&options, "shutdown-timeout", cli_request.shutdown_timeout, error))
    return NULL;
  if (cli_request.strategy != NULL)
    g_variant_dict_insert (&options, "strategy", "s", cli_request.strategy);
  add_boolean (&options, "allow-downtime", cli_request.allow_downtime);
  add_boolean (&options, "auto-confirm", cli_request.auto_confirm);
  add_boolean (&options, "no-forecast", cli_request.no_forecast);

  record = godwit_job_record_new ();
  record->guest = g_strdup (guest);
  record->source = g_strdup (cli_request.from);
  record->destination = g_strdup (cli_request.to);
  record->strategy = g_strdup (cli_request.strategy != NULL ? cli_request.strategy : "auto");
  record->options = to_text_variant (&options);
  return record;
}
