/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control/client.h"

#include "base/paths.h"
#include "control/connection.h"
#include "control/lock.h"
#include "control/spawn.h"

#include <godwit/error.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define ASK_TIMEOUT_MS 5000
#define START_GRACE_US (5 * G_USEC_PER_SEC)
#define N_ABORT_TRIES  100
/* What a worker may take to end after its job has. */
#define LAST_WORD_US       (5 * G_USEC_PER_SEC)
#define LAST_WORD_PAUSE_US 50000
#define ABORT_PAUSE_US     50000

struct _GodwitClient {
  GObject parent_instance;
  char *config_path;
  char *plugin_dir;
  GodwitJournal *journal;
};

G_DEFINE_TYPE (GodwitClient, godwit_client, G_TYPE_OBJECT)

static void
godwit_client_finalize (GObject *object)
{
  GodwitClient *self = GODWIT_CLIENT (object);
  g_clear_object (&self->journal);
  g_free (self->config_path);
  g_free (self->plugin_dir);
  G_OBJECT_CLASS (godwit_client_parent_class)->finalize (object);
}

static void
godwit_client_class_init (GodwitClientClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = godwit_client_finalize;
}

static void
godwit_client_init (GodwitClient *self)
{
}

/* A worker starts in another directory. */
static char *
make_absolute (const char *path)
{
  return path != NULL ? g_canonicalize_filename (path, NULL) : NULL;
}

GodwitClient *
godwit_client_new (const char *config_path, GError **error)
{
  g_autoptr (GodwitClient) self = g_object_new (GODWIT_TYPE_CLIENT, NULL);
  self->config_path = make_absolute (config_path);
  self->journal = godwit_journal_open (NULL, error);
  return self->journal != NULL ? g_steal_pointer (&self) : NULL;
}

GodwitJournal *
godwit_client_get_journal (GodwitClient *self)
{
  g_return_val_if_fail (GODWIT_IS_CLIENT (self), NULL);
  return self->journal;
}

void
godwit_client_set_plugin_dir (GodwitClient *self, const char *plugin_dir)
{
  g_return_if_fail (GODWIT_IS_CLIENT (self));
  g_free (self->plugin_dir);
  self->plugin_dir = make_absolute (plugin_dir);
}

/* --- starting a supervisor --------------------------------------------------------------- */

/* What a worker or a plugin prints besides events; usually empty. */
static int
open_log (const char *job, GError **error)
{
  g_autofree char *directory = g_build_filename (godwit_paths_get_state_dir (), "jobs", NULL);
  if (!godwit_paths_make_dir (directory, 0750, error))
    return -1;
  g_autofree char *name = g_strconcat (job, ".log", NULL);
  g_autofree char *path = g_build_filename (directory, name, NULL);
  int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0)
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE,
                      "check the permissions and the free space of that directory",
                      "cannot open the job's log file %s: %s", path, g_strerror (errno));
  return fd;
}

static gboolean
start_with_lock (GodwitClient *self, const char *job, const char *purpose, int lock_fd,
                 GError **error)
{
  int log_fd = open_log (job, error);
  if (log_fd < 0)
    return FALSE;
  const GodwitErrand errand = {.job = (char *)job,
                               .purpose = (char *)purpose,
                               .config_path = self->config_path,
                               .plugin_dir = self->plugin_dir,
                               .lock_fd = lock_fd};
  gboolean ok = godwit_errand_start (&errand, "supervise", log_fd, NULL, error);
  close (log_fd);
  return ok;
}

/* The child inherits the lock, so there is no moment at which the job looks abandoned. */
static gboolean
start (GodwitClient *self, const char *job, const char *purpose, GError **error)
{
  int lock_fd = godwit_lock_take (job, error);
  if (lock_fd < 0)
    return FALSE;
  gboolean ok = start_with_lock (self, job, purpose, lock_fd, error);
  close (lock_fd);
  return ok;
}

/* --- migrate and revert ------------------------------------------------------------------ */

/* A job that could not be started must not block its guest. */
static void
bury (GodwitClient *self, GodwitJobRecord *record, const GError *error)
{
  record->state = GODWIT_JOB_FAILED;
  record->ended_us = g_get_real_time ();
  record->error = g_strdup (error->message);
  record->error_code = error->domain == GODWIT_ERROR ? error->code : GODWIT_ERROR_INTERNAL;
  godwit_journal_update_job (self->journal, record, NULL);
}

static char *
create_and_start (GodwitClient *self, GodwitJobRecord *record, GError **error)
{
  if (!godwit_journal_create_job (self->journal, record, error))
    return NULL;
  GError *local = NULL;
  if (start (self, record->id, "run", &local))
    return g_strdup (record->id);
  bury (self, record, local);
  g_propagate_error (error, local);
  return NULL;
}

char *
godwit_client_migrate (GodwitClient *self, GodwitJobRecord *record, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_CLIENT (self) && record != NULL, NULL);
  if (record->guest == NULL || *record->guest == '\0' || record->destination == NULL ||
      *record->destination == '\0') {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "godwit migrate GUEST --to HOST",
                      "a migration needs a guest and a destination");
    return NULL;
  }
  if (record->source == NULL)
    record->source = g_strdup ("localhost");
  if (record->strategy == NULL)
    record->strategy = g_strdup ("auto");
  return create_and_start (self, record, error);
}

char *
godwit_client_revert (GodwitClient *self, const char *job, GVariant *options, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_CLIENT (self) && job != NULL, NULL);
  g_autoptr (GVariant) sunk = options != NULL ? g_variant_ref_sink (options) : NULL;
  g_autoptr (GodwitJobRecord) record = godwit_job_record_new ();
  g_free (record->kind);
  record->kind = g_strdup ("revert");
  record->of_job = g_strdup (job);
  record->options = g_steal_pointer (&sunk);
  return create_and_start (self, record, error);
}

char *
godwit_client_carry_back (GodwitClient *self, const char *job, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_CLIENT (self) && job != NULL, NULL);
  g_autoptr (GodwitJobRecord) record = godwit_job_record_new ();
  record->of_job = g_strdup (job);
  return create_and_start (self, record, error);
}

/* --- confirm and recover ----------------------------------------------------------------- */

gboolean
godwit_client_confirm (GodwitClient *self, const char *job, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_CLIENT (self) && job != NULL, FALSE);
  g_autoptr (GodwitJobRecord) record = godwit_journal_get_job (self->journal, job, error);
  if (record == NULL)
    return FALSE;
  if (godwit_job_record_can_confirm (record))
    return start (self, job, "confirm", error);
  g_autofree char *show = g_strdup_printf ("godwit show %s", job);
  godwit_set_error (error, GODWIT_ERROR_REFUSED, show, "job %s has nothing to confirm: it is %s%s",
                    job, godwit_job_state_to_string (record->state),
                    record->confirmed                  ? " and was confirmed"
                    : record->state == GODWIT_JOB_DONE ? " and left nothing at the source"
                                                       : "");
  return FALSE;
}

/* A worker that answers needs no recovery; one that does not is ended. */
static gboolean
end_hung_worker (const GodwitJobRecord *record, GError **error)
{
  if (!godwit_job_record_is_worker_alive (record))
    return TRUE;
  if (record->control_path != NULL &&
      godwit_connection_ask (record, "GetRecord", ASK_TIMEOUT_MS, NULL)) {
    g_autofree char *watch = g_strdup_printf ("godwit watch %s", record->id);
    godwit_set_error (error, GODWIT_ERROR_BUSY, watch,
                      "job %s needs no recovery: its worker (process %d) is alive and at work",
                      record->id, record->worker_pid);
    return FALSE;
  }
  return godwit_job_record_kill_worker (record, error);
}

/* Of a job that has ended the record names no worker any more; one that stands still after its last
 * word keeps the job's lock all the same, and whoever watches it waits. */
static gboolean
find_last_worker (GodwitJobRecord *record)
{
  if (!godwit_job_state_is_terminal (record->state))
    return FALSE;
  for (guint i = 0; godwit_lock_look (record->id) == GODWIT_LOCK_HELD; i++) {
    if (i * LAST_WORD_PAUSE_US >= LAST_WORD_US)
      break;
    g_usleep (LAST_WORD_PAUSE_US);
  }
  g_autofree char *path = godwit_control_make_path (record->id);
  int pid = godwit_lock_look (record->id) == GODWIT_LOCK_HELD
                ? godwit_connection_find_listener (path)
                : 0;
  if (pid <= 0)
    return FALSE;
  godwit_job_record_set_worker (record, pid);
  g_free (record->control_path);
  record->control_path = g_steal_pointer (&path);
  return TRUE;
}

gboolean
godwit_client_recover (GodwitClient *self, const char *job, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_CLIENT (self) && job != NULL, FALSE);
  g_autoptr (GodwitJobRecord) record = godwit_journal_get_job (self->journal, job, error);
  if (record == NULL)
    return FALSE;
  gboolean hung = godwit_job_record_is_worker_alive (record) || find_last_worker (record);
  if (!end_hung_worker (record, error))
    return FALSE;
  /* A supervisor that survived its worker is recovering the job already. */
  if (hung && godwit_lock_look (job) == GODWIT_LOCK_HELD)
    return TRUE;
  return start (self, job, "recover", error);
}

/* Past the commit the guest belongs to the other host, and what it wrote there is there alone. */
static gboolean
check_off (const GodwitJobRecord *record, gboolean source, GError **error)
{
  gboolean revert = g_strcmp0 (record->kind, "revert") == 0;
  const char *host = source ? record->source : record->destination;
  if (godwit_job_record_is_worker_alive (record)) {
    g_autofree char *abort = g_strdup_printf ("godwit abort %s", record->id);
    godwit_set_error (error, GODWIT_ERROR_BUSY, abort,
                      "job %s has a worker (process %d), which asks the hosts itself", record->id,
                      record->worker_pid);
  } else if (godwit_job_state_is_terminal (record->state)) {
    g_autofree char *show = g_strdup_printf ("godwit show %s", record->id);
    godwit_set_error (error, GODWIT_ERROR_REFUSED, show, "job %s is in no doubt: it is %s",
                      record->id, godwit_job_state_to_string (record->state));
  } else if (record->committed && source == revert) {
    godwit_set_error (error, GODWIT_ERROR_REFUSED, "turn that host on, then recover",
                      "job %s has committed: guest %s belongs to %s, and only there is what it "
                      "wrote since",
                      record->id, record->guest, host);
  } else {
    return TRUE;
  }
  return FALSE;
}

gboolean
godwit_client_state_off (GodwitClient *self, const char *job, gboolean source, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_CLIENT (self) && job != NULL, FALSE);
  g_autoptr (GodwitJobRecord) record = godwit_journal_get_job (self->journal, job, error);
  if (record == NULL || !check_off (record, source, error))
    return FALSE;
  g_autofree char *who = godwit_paths_describe_caller ();
  return godwit_journal_set_fact (self->journal, record,
                                  source ? GODWIT_FACT_SOURCE_OFF : GODWIT_FACT_DESTINATION_OFF,
                                  g_variant_new_string (who), error);
}

static gboolean
is_stranded (const GodwitJobRecord *record)
{
  if (godwit_job_state_is_terminal (record->state) || godwit_job_record_is_worker_alive (record) ||
      godwit_lock_look (record->id) == GODWIT_LOCK_HELD)
    return FALSE;
  /* Whoever created it is just about to start its supervisor. */
  return record->epoch > 0 || g_get_real_time () - record->created_us > START_GRACE_US;
}

static gboolean
is_owing (const GodwitJobRecord *record)
{
  return godwit_job_state_is_terminal (record->state) && record->debts > 0 &&
         !godwit_job_record_is_worker_alive (record) &&
         godwit_lock_look (record->id) != GODWIT_LOCK_HELD;
}

static GPtrArray *
list_jobs (GodwitClient *self, gboolean (*is_wanted) (const GodwitJobRecord *), GError **error)
{
  GPtrArray *jobs = godwit_journal_list_jobs (self->journal, error);
  for (guint i = jobs != NULL ? jobs->len : 0; i > 0; i--) {
    if (!is_wanted (g_ptr_array_index (jobs, i - 1)))
      g_ptr_array_remove_index (jobs, i - 1);
  }
  return jobs;
}

GPtrArray *
godwit_client_list_stranded (GodwitClient *self, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_CLIENT (self), NULL);
  return list_jobs (self, is_stranded, error);
}

GPtrArray *
godwit_client_list_owing (GodwitClient *self, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_CLIENT (self), NULL);
  return list_jobs (self, is_owing, error);
}

/* --- abort ------------------------------------------------------------------------------- */

static gboolean
refuse_abort (const GodwitJobRecord *record, GError **error)
{
  g_autofree char *show = g_strdup_printf ("godwit show %s", record->id);
  g_autofree char *recover = g_strdup_printf ("godwit recover %s", record->id);
  if (godwit_job_state_is_terminal (record->state))
    godwit_set_error (error, GODWIT_ERROR_REFUSED, show,
                      "job %s cannot be aborted any more: it is %s", record->id,
                      godwit_job_state_to_string (record->state));
  else
    godwit_set_error (error, GODWIT_ERROR_REFUSED, recover,
                      "job %s has no worker that could be aborted; recovering it undoes what it "
                      "did, or finishes it if the guest has moved",
                      record->id);
  return FALSE;
}

gboolean
godwit_client_abort_of_root (const char *job, gboolean *found, GError **error)
{
  g_autoptr (GodwitJobRecord) record = godwit_job_record_new ();
  record->id = g_strdup (job);
  record->control_path = godwit_control_find_of_root (job);
  *found = record->control_path != NULL;
  return *found && godwit_connection_ask (record, "Abort", ASK_TIMEOUT_MS, error);
}

gboolean
godwit_client_abort (GodwitClient *self, const char *job, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_CLIENT (self) && job != NULL, FALSE);
  for (guint i = 0; i < N_ABORT_TRIES; i++) {
    g_autoptr (GodwitJobRecord) record = godwit_journal_get_job (self->journal, job, error);
    if (record == NULL)
      return FALSE;
    if (godwit_job_state_is_terminal (record->state) ||
        (godwit_lock_look (job) == GODWIT_LOCK_FREE && !godwit_job_record_is_worker_alive (record)))
      return refuse_abort (record, error);
    if (record->control_path != NULL)
      return godwit_connection_ask (record, "Abort", ASK_TIMEOUT_MS, error);
    /* The worker has not opened its socket yet. */
    g_usleep (ABORT_PAUSE_US);
  }
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, "try again",
                    "the worker of job %s does not come up", job);
  return FALSE;
}
