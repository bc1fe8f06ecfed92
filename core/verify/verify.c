/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel/wire.h"
#include "host/host-internal.h"
#include "verify/task.h"

#include <godwit/error.h>
#include <godwit/verify.h>

struct _GodwitVerify {
  GObject parent_instance;
  GodwitHost *host;
  char *path;
  GVariant *disks; /* GODWIT_VERIFY_DISKS_TYPE */
  guint task;
  GVariant *figures; /* GODWIT_VERIFY_FIGURES_TYPE; NULL before the first look */
  guint passes;
};

G_DEFINE_FINAL_TYPE (GodwitVerify, godwit_verify, G_TYPE_OBJECT)

static guint
start (GodwitVerify *self, gboolean rest, GCancellable *cancellable, GError **error)
{
  GVariantDict options;

  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "path", "s", self->path);
  g_variant_dict_insert (&options, "rest", "b", rest);
  g_variant_dict_insert_value (&options, "disks", self->disks);
  return godwit_host_start (self->host, "StartVerify",
                            g_variant_new ("(@a{sv})", g_variant_dict_end (&options)), cancellable,
                            error);
}

static GVariant *
pack_disks (const GodwitVerifyDisk *disks, gsize n_disks)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE (GODWIT_VERIFY_DISKS_TYPE));
  for (gsize i = 0; i < n_disks; i++)
    g_variant_builder_add (&builder, "(ssssb)", disks[i].name, disks[i].export, disks[i].image,
                           disks[i].format, disks[i].fresh);
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

GodwitVerify *
godwit_verify_new (GodwitTunnel *tunnel, const GodwitVerifyDisk *disks, gsize n_disks,
                   GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_TUNNEL (tunnel), NULL);
  g_autoptr (GodwitVerify) self = g_object_new (GODWIT_TYPE_VERIFY, NULL);

  self->host = g_object_ref (godwit_tunnel_get_target (tunnel));
  self->path = g_strdup (godwit_tunnel_get_target_path (tunnel));
  self->disks = pack_disks (disks, n_disks);
  self->task = start (self, FALSE, cancellable, error);
  return self->task != 0 ? g_steal_pointer (&self) : NULL;
}

static void
take_details (GodwitVerify *self, GVariant *details)
{
  GVariant *figures =
      g_variant_lookup_value (details, "figures", G_VARIANT_TYPE (GODWIT_VERIFY_FIGURES_TYPE));
  guint32 passes = 0;

  if (figures != NULL) {
    g_clear_pointer (&self->figures, g_variant_unref);
    self->figures = figures;
  }
  if (g_variant_lookup (details, "passes", "u", &passes) && passes > 0)
    self->passes = passes;
}

gboolean
godwit_verify_check (GodwitVerify *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_VERIFY (self), FALSE);
  g_autoptr (GVariant) details = NULL;
  gboolean done = FALSE;

  if (self->task == 0) {
    godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL, "the verification was closed");
    return FALSE;
  }
  if (!godwit_host_poll (self->host, self->task, 0, &done, &details, cancellable, error))
    return FALSE;
  take_details (self, details);
  return TRUE;
}

/* The guest stands still meanwhile. What is not read by then is said to be unverified: a guest that
 * is stopped for minutes is no lesser evil. */
#define REST_MS 2000

gboolean
godwit_verify_rest (GodwitVerify *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_VERIFY (self), FALSE);
  guint id = start (self, TRUE, cancellable, error);

  if (id == 0)
    return FALSE;
  g_autoptr (GVariant) details = NULL;
  gboolean done = FALSE;
  gboolean ok = TRUE;
  gint64 deadline = g_get_monotonic_time () + (gint64)REST_MS * 1000;
  /* The task is forgotten with the host's session: to forget it here would be downtime. */
  while (ok && !done) {
    g_clear_pointer (&details, g_variant_unref);
    gint64 left = deadline - g_get_monotonic_time ();
    if (left <= 0) {
      godwit_set_error (error, GODWIT_ERROR_TRANSIENT, NULL,
                        "what was left to be read when the guest stood still took more than %d s",
                        REST_MS / 1000);
      ok = FALSE;
      break;
    }
    ok = godwit_host_poll (self->host, id, MIN (GODWIT_AGENT_POLL_MS, (guint)(left / 1000) + 1),
                           &done, &details, cancellable, error);
  }
  godwit_host_post_cancel (self->host, id);
  if (ok)
    take_details (self, details);
  return ok;
}

void
godwit_verify_get_figures (GodwitVerify *self, const char *disk, GodwitVerifyFigures *figures)
{
  g_return_if_fail (GODWIT_IS_VERIFY (self));
  *figures = (GodwitVerifyFigures){.passes = self->passes};
  for (gsize i = 0; self->figures != NULL && i < g_variant_n_children (self->figures); i++) {
    const char *name;
    guint64 verified, waiting, unknown;
    g_variant_get_child (self->figures, i, "(&sttt)", &name, &verified, &waiting, &unknown);
    if (disk != NULL && !g_str_equal (disk, name))
      continue;
    figures->verified += verified;
    figures->waiting += waiting;
    figures->unknown += unknown;
  }
}

void
godwit_verify_close (GodwitVerify *self)
{
  g_return_if_fail (GODWIT_IS_VERIFY (self));
  guint task = self->task;
  self->task = 0;
  if (task != 0)
    godwit_host_cancel (self->host, task);
}

static void
godwit_verify_finalize (GObject *object)
{
  GodwitVerify *self = GODWIT_VERIFY (object);

  if (self->host != NULL)
    godwit_verify_close (self);
  g_clear_object (&self->host);
  g_clear_pointer (&self->disks, g_variant_unref);
  g_clear_pointer (&self->figures, g_variant_unref);
  g_free (self->path);
  G_OBJECT_CLASS (godwit_verify_parent_class)->finalize (object);
}

static void
godwit_verify_class_init (GodwitVerifyClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = godwit_verify_finalize;
}

static void
godwit_verify_init (GodwitVerify *self)
{
}
