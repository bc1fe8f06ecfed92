/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/host-internal.h"

gboolean
godwit_host_keep_record (GodwitHost *self, const char *job_id, guint64 epoch, GBytes *record,
                         GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && record != NULL, FALSE);
  GVariant *bytes = g_variant_new_from_bytes (G_VARIANT_TYPE ("ay"), record, TRUE);
  return godwit_host_call_nothing (self, "KeepRecord",
                                   g_variant_new ("(st@ay)", job_id, epoch, bytes), cancellable,
                                   error);
}

GStrv
godwit_host_list_records (GodwitHost *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), NULL);
  g_autoptr (GVariant) reply =
      godwit_host_call (self, "ListRecords", NULL, "(as)", 0, cancellable, error);
  GStrv jobs = NULL;
  if (reply != NULL)
    g_variant_get (reply, "(^as)", &jobs);
  return jobs;
}

GBytes *
godwit_host_read_record (GodwitHost *self, const char *job_id, GCancellable *cancellable,
                         GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), NULL);
  g_autoptr (GVariant) reply = godwit_host_call (self, "ReadRecord", g_variant_new ("(s)", job_id),
                                                 "(ay)", 0, cancellable, error);
  if (reply == NULL)
    return NULL;
  g_autoptr (GVariant) bytes = g_variant_get_child_value (reply, 0);
  return g_variant_get_data_as_bytes (bytes);
}
