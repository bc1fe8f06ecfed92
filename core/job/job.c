/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/job-struct.h"

#include "job/progress.h"

#include <godwit/error.h>

G_DEFINE_TYPE (GodwitJob, godwit_job, G_TYPE_OBJECT)

static void
kept_free (gpointer data)
{
  GodwitKept *kept = data;
  g_free (kept->name);
  g_clear_object (&kept->object);
  g_free (kept);
}

static void
godwit_job_dispose (GObject *object)
{
  GodwitJob *self = GODWIT_JOB (object);
  godwit_job_drop_kept (self);
  g_clear_object (&self->source_hypervisor);
  g_clear_object (&self->destination_hypervisor);
  g_clear_object (&self->source);
  g_clear_object (&self->destination);
  g_clear_object (&self->journal);
  g_clear_object (&self->config);
  g_clear_object (&self->cancellable);
  G_OBJECT_CLASS (godwit_job_parent_class)->dispose (object);
}

static void
godwit_job_finalize (GObject *object)
{
  GodwitJob *self = GODWIT_JOB (object);
  godwit_job_record_free (self->record);
  godwit_guest_free (self->guest);
  g_hash_table_unref (self->storages);
  g_ptr_array_unref (self->fact_names);
  g_hash_table_unref (self->facts);
  g_hash_table_unref (self->progress);
  g_ptr_array_unref (self->kept);
  g_string_chunk_free (self->texts);
  g_free (self->aborted_by);
  g_mutex_clear (&self->mutex);
  g_mutex_clear (&self->commit_mutex);
  G_OBJECT_CLASS (godwit_job_parent_class)->finalize (object);
}

static void
godwit_job_class_init (GodwitJobClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = godwit_job_dispose;
  G_OBJECT_CLASS (klass)->finalize = godwit_job_finalize;
}

static void
godwit_job_init (GodwitJob *self)
{
  g_mutex_init (&self->mutex);
  g_mutex_init (&self->commit_mutex);
  self->storages = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  self->fact_names = g_ptr_array_new_with_free_func (g_free);
  self->facts =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref);
  self->progress =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)godwit_progress_free);
  self->kept = g_ptr_array_new_with_free_func (kept_free);
  self->texts = g_string_chunk_new (256);
}

GodwitJob *
godwit_job_new (GodwitJournal *journal, GodwitJobRecord *record, GodwitConfig *config)
{
  g_return_val_if_fail (record != NULL, NULL);
  GodwitJob *self = g_object_new (GODWIT_TYPE_JOB, NULL);
  g_set_object (&self->journal, journal);
  g_set_object (&self->config, config);
  self->record = record;
  self->announced = record->state;
  self->committed = record->committed;
  self->aborted_by = g_strdup (record->aborted_by);
  self->bytes = record->bytes;
  return self;
}

/* --- what it is about -------------------------------------------------------------------- */

const char *
godwit_job_get_id (GodwitJob *self)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), NULL);
  /* A plan is no job yet. */
  return self->record->id != NULL ? self->record->id : "plan";
}

const char *
godwit_job_get_token (GodwitJob *self)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), NULL);
  return self->record->token;
}

GodwitHost *
godwit_job_get_source (GodwitJob *self)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), NULL);
  return self->source;
}

GodwitHost *
godwit_job_get_destination (GodwitJob *self)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), NULL);
  return self->destination;
}

GodwitHypervisor *
godwit_job_get_source_hypervisor (GodwitJob *self)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), NULL);
  return self->source_hypervisor;
}

GodwitHypervisor *
godwit_job_get_destination_hypervisor (GodwitJob *self)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), NULL);
  return self->destination_hypervisor;
}

GodwitGuest *
godwit_job_get_guest (GodwitJob *self)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), NULL);
  return self->guest;
}

GodwitJobRecord *
godwit_job_get_record (GodwitJob *self)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), NULL);
  return self->record;
}

GodwitJournal *
godwit_job_get_journal (GodwitJob *self)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), NULL);
  return self->journal;
}

GodwitConfig *
godwit_job_get_config (GodwitJob *self)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), NULL);
  return self->config;
}

gboolean
godwit_job_may_touch (GodwitJob *self)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), FALSE);
  return self->may_touch;
}

void
godwit_job_set_may_touch (GodwitJob *self, gboolean may_touch)
{
  g_return_if_fail (GODWIT_IS_JOB (self));
  self->may_touch = may_touch;
}

void
godwit_job_set_hosts (GodwitJob *self, GodwitHost *source, GodwitHypervisor *source_hypervisor,
                      GodwitHost *destination, GodwitHypervisor *destination_hypervisor)
{
  g_return_if_fail (GODWIT_IS_JOB (self));
  g_set_object (&self->source, source);
  g_set_object (&self->source_hypervisor, source_hypervisor);
  g_set_object (&self->destination, destination);
  g_set_object (&self->destination_hypervisor, destination_hypervisor);
}

static void
replace_text (char **place, const char *text)
{
  if (g_strcmp0 (*place, text) == 0)
    return;
  g_free (*place);
  *place = g_strdup (text);
}

gboolean
godwit_job_set_guest (GodwitJob *self, GodwitGuest *guest, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self) && guest != NULL, FALSE);
  godwit_guest_free (self->guest);
  self->guest = guest;
  replace_text (&self->record->guest, guest->name);
  replace_text (&self->record->uuid, guest->uuid);
  if (self->journal == NULL)
    return TRUE;
  godwit_job_refresh_record (self);
  return godwit_journal_update_job (self->journal, self->record, error);
}

void
godwit_job_add_storage (GodwitJob *self, const char *name, GodwitStorage *storage)
{
  g_return_if_fail (GODWIT_IS_JOB (self) && name != NULL);
  g_hash_table_insert (self->storages, g_strdup (name), g_object_ref (storage));
}

GodwitStorage *
godwit_job_get_storage (GodwitJob *self, const GodwitDisk *disk)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self) && disk != NULL, NULL);
  return disk->storage != NULL ? g_hash_table_lookup (self->storages, disk->storage) : NULL;
}

/* --- events ------------------------------------------------------------------------------ */

void
godwit_job_set_listener (GodwitJob *self, GodwitEventFunc listener, gpointer user_data)
{
  g_return_if_fail (GODWIT_IS_JOB (self));
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  self->listener = listener;
  self->listener_data = user_data;
}

void
godwit_job_emit (GodwitJob *self, GodwitEvent *event)
{
  g_return_if_fail (GODWIT_IS_JOB (self) && event != NULL);
  g_autoptr (GodwitEvent) owned = event;
  /* A log that cannot be written is no reason to stop a migration: records are checked. */
  if (self->journal != NULL && event->kind != GODWIT_EVENT_PROGRESS)
    godwit_journal_add_event (self->journal, self->record, event, NULL);

  g_mutex_lock (&self->mutex);
  GodwitEventFunc listener = self->listener;
  gpointer listener_data = self->listener_data;
  g_mutex_unlock (&self->mutex);
  if (listener != NULL)
    listener (event, listener_data);
}

void
godwit_job_log (GodwitJob *self, GodwitSeverity severity, const char *host, const char *format, ...)
{
  g_return_if_fail (GODWIT_IS_JOB (self));
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  GodwitEvent *event = godwit_event_new (GODWIT_EVENT_LOG, NULL, message);
  event->severity = severity;
  event->host = g_strdup (host);
  godwit_job_emit (self, event);
}

static GodwitEvent *
take_progress (GodwitJob *self, const char *what, guint64 done, guint64 total)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  GodwitProgress *progress = g_hash_table_lookup (self->progress, what);
  if (progress == NULL) {
    progress = godwit_progress_new ();
    g_hash_table_insert (self->progress, g_strdup (what), progress);
  }
  return godwit_progress_report (progress, what, done, total, g_get_monotonic_time ());
}

void
godwit_job_progress (GodwitJob *self, const char *what, guint64 done, guint64 total)
{
  g_return_if_fail (GODWIT_IS_JOB (self) && what != NULL);
  GodwitEvent *event = take_progress (self, what, done, total);
  if (event != NULL)
    godwit_job_emit (self, event);
}

void
godwit_job_add_bytes (GodwitJob *self, guint64 bytes)
{
  g_return_if_fail (GODWIT_IS_JOB (self));
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  self->bytes += bytes;
}

guint64
godwit_job_get_bytes (GodwitJob *self)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), 0);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  return self->bytes;
}

/* --- the record -------------------------------------------------------------------------- */

void
godwit_job_refresh_record (GodwitJob *self)
{
  g_return_if_fail (GODWIT_IS_JOB (self));
  self->record->bytes = godwit_job_get_bytes (self);
  if (self->guest == NULL)
    return;
  g_clear_pointer (&self->record->guest_facts, g_variant_unref);
  self->record->guest_facts = g_variant_ref_sink (godwit_guest_to_variant (self->guest));
}

static void
announce (GodwitJob *self)
{
  if (self->record->state == self->announced)
    return;
  self->announced = self->record->state;
  const char *name = godwit_job_state_to_string (self->announced);
  godwit_job_emit (self, godwit_event_new (GODWIT_EVENT_STATE, name, NULL));
}

gboolean
godwit_job_set_state (GodwitJob *self, GodwitJobState state, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), FALSE);
  self->record->state = state;
  if (godwit_job_state_is_terminal (state) && self->record->ended_us == 0)
    self->record->ended_us = g_get_real_time ();
  godwit_job_refresh_record (self);
  if (self->journal != NULL && !godwit_journal_update_job (self->journal, self->record, error))
    return FALSE;
  announce (self);
  return TRUE;
}

gboolean
godwit_job_set_step (GodwitJob *self, guint position, GodwitStepState state, const char *message,
                     GError **error)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self) && self->journal != NULL, FALSE);
  godwit_job_refresh_record (self);
  if (!godwit_journal_set_step (self->journal, self->record, position, state, message, error))
    return FALSE;
  announce (self);
  return TRUE;
}

/* --- what lives only in this worker ------------------------------------------------------ */

static gboolean
find_kept (GodwitJob *self, const char *name, guint *index)
{
  for (guint i = 0; i < self->kept->len; i++) {
    const GodwitKept *kept = g_ptr_array_index (self->kept, i);
    if (g_str_equal (kept->name, name)) {
      *index = i;
      return TRUE;
    }
  }
  return FALSE;
}

static GodwitKept *
take_kept (GodwitJob *self, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  guint index;
  return find_kept (self, name, &index) ? g_ptr_array_steal_index (self->kept, index) : NULL;
}

void
godwit_job_keep (GodwitJob *self, const char *name, GObject *object)
{
  g_return_if_fail (GODWIT_IS_JOB (self) && name != NULL);
  /* Dropped outside the lock: ending a tunnel may log. */
  GodwitKept *old = take_kept (self, name);
  if (old != NULL)
    kept_free (old);
  if (object == NULL)
    return;
  GodwitKept *kept = g_new0 (GodwitKept, 1);
  kept->name = g_strdup (name);
  kept->object = object;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  g_ptr_array_add (self->kept, kept);
}

GObject *
godwit_job_kept (GodwitJob *self, const char *name)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self) && name != NULL, NULL);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  guint index;
  if (!find_kept (self, name, &index))
    return NULL;
  const GodwitKept *kept = g_ptr_array_index (self->kept, index);
  return kept->object;
}

static GodwitKept *
take_last_kept (GodwitJob *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  return self->kept->len > 0 ? g_ptr_array_steal_index (self->kept, self->kept->len - 1) : NULL;
}

void
godwit_job_drop_kept (GodwitJob *self)
{
  g_return_if_fail (GODWIT_IS_JOB (self));
  GodwitKept *kept;
  while ((kept = take_last_kept (self)) != NULL)
    kept_free (kept);
}
