/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/agent-private.h"
#include "base/durable.h"
#include "base/paths.h"
#include "channel/fd.h"

#include <godwit/error.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <unistd.h>

/* Fencing across machines. Whoever takes a job over has a higher epoch. This host remembers the
 * highest one for ever, turns lower ones away, and ends their sessions before it answers: the
 * agent of such a session and with it all it carries. */

#define KILL_MS 3000

char *
godwit_agent_make_job_path (const char *kind, const char *job, GError **error)
{
  if (*job == '\0' || strpbrk (job, "/@.") != NULL) {
    godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL, "'%s' is not the name of a job", job);
    return NULL;
  }
  const char *state = godwit_paths_get_state_dir ();
  g_autofree char *directory = g_build_filename (state, kind, NULL);
  if (!godwit_paths_make_dir (state, 0755, error) ||
      !godwit_paths_make_dir (directory, 0700, error))
    return NULL;
  return g_build_filename (directory, job, NULL);
}

static char *
claims_dir (void)
{
  return g_build_filename (godwit_paths_get_runtime_dir (), "claims", NULL);
}

/* Ticks after boot at which the process started: with the id it names a process for ever. */
static guint64
get_start_time (int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *text = NULL;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  /* The program's name may hold blanks and brackets; field 3 follows the last bracket. */
  const char *rest = strrchr (text, ')');
  g_auto (GStrv) fields = g_strsplit (rest != NULL ? rest + 1 : "", " ", -1);
  return g_strv_length (fields) > 20 ? g_ascii_strtoull (fields[20], NULL, 10) : 0;
}

/* What cannot be looked at may be alive. */
static gboolean
is_alive (int pid, guint64 start)
{
  guint64 found = get_start_time (pid);
  return found != 0 ? found == start : kill (pid, 0) == 0 || errno != ESRCH;
}

static gboolean
end_session (int pid, guint64 start, GError **error)
{
  int pidfd = pidfd_open (pid, 0);
  if (pidfd < 0)
    return TRUE;
  gboolean ended = get_start_time (pid) != start;
  if (!ended) {
    /* It may be stopped, or stuck in a call; SIGKILL works all the same. */
    pidfd_send_signal (pidfd, SIGKILL, NULL, 0);
    ended = godwit_fd_wait (pidfd, POLLIN, godwit_deadline_in_ms (KILL_MS), NULL, NULL);
  }
  close (pidfd);
  if (!ended)
    godwit_set_error (error, GODWIT_ERROR_BUSY, "end it by hand, or restart that host",
                      "the agent of an older worker (process %d) cannot be ended", pid);
  return ended;
}

/* Claims are files named JOB@EPOCH@PID and hold the start time. Those of agents that were killed
 * are swept on the way. */
static gboolean
end_lower_sessions (const char *job, guint64 epoch, GError **error)
{
  g_autofree char *path = claims_dir ();
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
    g_auto (GStrv) words = g_strsplit (name, "@", -1);
    g_autofree char *file = g_build_filename (path, name, NULL);
    g_autofree char *text = NULL;
    if (g_strv_length (words) != 3 || !g_file_get_contents (file, &text, NULL, NULL))
      continue;
    int pid = (int)g_ascii_strtoull (words[2], NULL, 10);
    guint64 start = g_ascii_strtoull (text, NULL, 10);
    gboolean lower = g_str_equal (words[0], job) && g_ascii_strtoull (words[1], NULL, 10) < epoch;
    if (!lower && is_alive (pid, start))
      continue;
    /* Whoever takes his own job over must not end himself. */
    if (lower && pid != getppid () && !end_session (pid, start, error))
      return FALSE;
    unlink (file);
  }
  return TRUE;
}

static gboolean
write_durably (const char *path, const char *text, GError **error)
{
  g_autoptr (GError) local = NULL;
  godwit_remove_unfinished (path);
  if (g_file_set_contents_full (path, text, -1,
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                &local))
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, "free space, or repair its permissions",
                    "cannot keep the job's epoch: %s", local->message);
  return FALSE;
}

static guint64
read_epoch (const char *path)
{
  g_autofree char *text = NULL;
  return g_file_get_contents (path, &text, NULL, NULL) ? g_ascii_strtoull (text, NULL, 10) : 0;
}

static gboolean
check_epoch (const char *job, guint64 stored, guint64 epoch, GError **error)
{
  if (epoch >= stored)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_DENIED, "leave the job to the worker that has it",
                    "job %s was taken over by another worker (epoch %" G_GUINT64_FORMAT
                    ", this one has %" G_GUINT64_FORMAT ")",
                    job, stored, epoch);
  return FALSE;
}

gboolean
godwit_agent_check_epoch (const char *job, guint64 epoch, GError **error)
{
  g_autofree char *path = godwit_agent_make_job_path ("epochs", job, error);
  return path != NULL && check_epoch (job, read_epoch (path), epoch, error);
}

static gboolean
write_claim (const char *job, guint64 epoch, int pid, GError **error)
{
  g_autofree char *claims = claims_dir ();
  g_autofree char *path =
      g_strdup_printf ("%s/%s@%" G_GUINT64_FORMAT "@%d", claims, job, epoch, pid);
  g_autofree char *start = g_strdup_printf ("%" G_GUINT64_FORMAT "\n", get_start_time (pid));
  /* It is of no use after a boot, and whoever reads it holds the lock. */
  g_autoptr (GError) local = NULL;
  if (g_file_set_contents_full (path, start, -1, G_FILE_SET_CONTENTS_NONE, 0600, &local))
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, "free space, or repair its permissions",
                    "cannot note the job's session: %s", local->message);
  return FALSE;
}

static gboolean
claim_locked (const char *path, const char *job, guint64 epoch, int worker, GError **error)
{
  guint64 stored = read_epoch (path);
  if (!check_epoch (job, stored, epoch, error))
    return FALSE;
  g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT "\n", epoch);
  if (epoch > stored && !write_durably (path, number, error))
    return FALSE;
  return write_claim (job, epoch, (int)getpid (), error) &&
         (worker <= 0 || write_claim (job, epoch, worker, error)) &&
         end_lower_sessions (job, epoch, error);
}

/* One at a time reads and writes what was claimed here. Closing it is the end of the lock. */
static int
lock_epochs (const char *epochs, int operation, GError **error)
{
  int lock = open (epochs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock >= 0 && flock (lock, operation) == 0)
    return lock;
  godwit_set_errno (error, errno, "lock", epochs);
  if (lock >= 0)
    close (lock);
  return -1;
}

void
godwit_agent_sweep_claims (void)
{
  g_autofree char *epochs = g_build_filename (godwit_paths_get_state_dir (), "epochs", NULL);
  int lock = lock_epochs (epochs, LOCK_EX | LOCK_NB, NULL);
  if (lock < 0)
    return;
  /* No job has that name, so only claims of the dead are met. */
  end_lower_sessions ("", 0, NULL);
  close (lock);
}

gboolean
godwit_agent_claim_job (const char *job, guint64 epoch, int worker, GError **error)
{
  g_autofree char *path = godwit_agent_make_job_path ("epochs", job, error);
  if (path == NULL)
    return FALSE;
  g_autofree char *epochs = g_path_get_dirname (path);
  g_autofree char *claims = claims_dir ();
  if (!godwit_paths_make_dir (godwit_paths_get_runtime_dir (), 0755, error) ||
      !godwit_paths_make_dir (claims, 0700, error))
    return FALSE;
  int lock = lock_epochs (epochs, LOCK_EX, error);
  if (lock < 0)
    return FALSE;
  gboolean ok = claim_locked (path, job, epoch, worker, error);
  close (lock);
  return ok;
}

void
godwit_agent_forget_sessions (void)
{
  g_autofree char *path = claims_dir ();
  g_autofree char *mine = g_strdup_printf ("@%d", (int)getpid ());
  g_autofree char *workers = g_strdup_printf ("@%d", (int)getppid ());
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (g_str_has_suffix (name, mine) || g_str_has_suffix (name, workers)) {
      g_autofree char *file = g_build_filename (path, name, NULL);
      unlink (file);
    }
}
