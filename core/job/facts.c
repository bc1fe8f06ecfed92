/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/job-struct.h"

#include <godwit/error.h>

#include <string.h>

static gboolean
is_valid_name (const char *name)
{
  return *name != '\0' && strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789./-") == strlen (name);
}

static void
remember (GodwitJob *self, const char *name, GVariant *value)
{
  guint index;
  gboolean known = g_ptr_array_find_with_equal_func (self->fact_names, name, g_str_equal, &index);
  if (value == NULL) {
    if (known)
      g_ptr_array_remove_index (self->fact_names, index);
    g_hash_table_remove (self->facts, name);
    return;
  }
  if (!known)
    g_ptr_array_add (self->fact_names, g_strdup (name));
  g_hash_table_insert (self->facts, g_strdup (name), g_variant_ref (value));
}

static gboolean
is_known (GodwitJob *self, const char *name, GVariant *value)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  GVariant *old = g_hash_table_lookup (self->facts, name);
  return old == value || (old != NULL && value != NULL && g_variant_equal (old, value));
}

gboolean
godwit_job_set_fact (GodwitJob *self, const char *name, GVariant *value, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self) && name != NULL, FALSE);
  g_autoptr (GVariant) sunk = value != NULL ? g_variant_ref_sink (value) : NULL;
  if (!is_valid_name (name)) {
    godwit_set_error (
        error, GODWIT_ERROR_INTERNAL, NULL,
        "'%s' is no valid name of a fact: only a-z, 0-9, '.', '/' and '-' are allowed", name);
    return FALSE;
  }
  /* What is on disk already need not be synced again. */
  if (is_known (self, name, sunk))
    return TRUE;
  if (self->journal != NULL &&
      !godwit_journal_set_fact (self->journal, self->record, name, sunk, error))
    return FALSE;
  g_mutex_lock (&self->mutex);
  remember (self, name, sunk);
  g_mutex_unlock (&self->mutex);
  /* Names are known to whoever may have to clean up before what they name exists. What was
   * measured is of no use to him. */
  if (!g_str_has_suffix (name, "-us"))
    godwit_job_send_copies (self);
  return TRUE;
}

GVariant *
godwit_job_get_fact (GodwitJob *self, const char *name)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self) && name != NULL, NULL);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  GVariant *value = g_hash_table_lookup (self->facts, name);
  return value != NULL ? g_variant_ref (value) : NULL;
}

GStrv
godwit_job_list_facts (GodwitJob *self, const char *prefix)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), NULL);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  for (guint i = 0; i < self->fact_names->len; i++) {
    const char *name = g_ptr_array_index (self->fact_names, i);
    if (prefix == NULL || g_str_has_prefix (name, prefix))
      g_strv_builder_add (names, name);
  }
  return g_strv_builder_end (names);
}

static gboolean
load_guest (GodwitJob *self, GError **error)
{
  if (self->record->guest_facts == NULL)
    return TRUE;
  GodwitGuest *guest = godwit_guest_from_variant (self->record->guest_facts, error);
  if (guest == NULL)
    return FALSE;
  godwit_guest_free (self->guest);
  self->guest = guest;
  return TRUE;
}

gboolean
godwit_job_load (GodwitJob *self, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self) && self->journal != NULL, FALSE);
  g_autoptr (GVariant) facts = godwit_journal_get_facts (self->journal, self->record->id, error);
  if (facts == NULL)
    return FALSE;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  g_ptr_array_set_size (self->fact_names, 0);
  g_hash_table_remove_all (self->facts);
  GVariantIter iter;
  const char *name;
  GVariant *value;
  g_variant_iter_init (&iter, facts);
  while (g_variant_iter_loop (&iter, "(&sv)", &name, &value))
    remember (self, name, value);
  return load_guest (self, error);
}
