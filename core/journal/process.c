/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal/journal-private.h"

#include <godwit/error.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEATH_TIMEOUT_MS 5000

char *
godwit_process_get_boot_id (void)
{
  char *text = NULL;
  if (!g_file_get_contents ("/proc/sys/kernel/random/boot_id", &text, NULL, NULL))
    return g_strdup ("unknown");
  return g_strchomp (text);
}

guint64
godwit_process_get_start (int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *text = NULL;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  /* The second field is the program's name in brackets and may hold anything. */
  const char *rest = strrchr (text, ')');
  g_auto (GStrv) fields = g_strsplit (rest != NULL ? rest + 1 : "", " ", -1);
  /* Field 3 follows the bracket, after an empty piece: field 22 is piece 20. */
  return g_strv_length (fields) > 20 ? g_ascii_strtoull (fields[20], NULL, 10) : 0;
}

/* A process id alone may by now belong to anybody. */
static gboolean
is_same_process (const GodwitJobRecord *record)
{
  g_autofree char *boot_id = godwit_process_get_boot_id ();
  return g_strcmp0 (record->worker_boot_id, boot_id) == 0 && record->worker_start != 0 &&
         godwit_process_get_start (record->worker_pid) == record->worker_start;
}

static gboolean
is_zombie (int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *text = NULL;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return TRUE;
  const char *rest = strrchr (text, ')');
  return rest == NULL || strlen (rest) < 3 || rest[2] == 'Z' || rest[2] == 'X';
}

gboolean
godwit_job_record_is_worker_alive (const GodwitJobRecord *record)
{
  g_return_val_if_fail (record != NULL, FALSE);
  return record->worker_pid > 0 && is_same_process (record) && !is_zombie (record->worker_pid);
}

void
godwit_job_record_set_worker (GodwitJobRecord *record, int pid)
{
  g_return_if_fail (record != NULL);
  g_free (record->worker_boot_id);
  record->worker_boot_id = godwit_process_get_boot_id ();
  record->worker_start = godwit_process_get_start (pid);
  record->worker_pid = pid;
}

gboolean
godwit_job_record_kill_worker (const GodwitJobRecord *record, GError **error)
{
  int pid = record->worker_pid;
  if (pid <= 0 || pid == getpid ())
    return TRUE;
  int fd = (int)syscall (SYS_pidfd_open, pid, 0);
  if (fd < 0 && errno == ESRCH)
    return TRUE;
  if (fd < 0) {
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, "free resources of this machine, then again",
                      "whether the former worker of job %s (process %d) is dead cannot be told: %s",
                      record->id, pid, g_strerror (errno));
    return FALSE;
  }
  /* From here on the number cannot be given to another process without this being seen. */
  if (!is_same_process (record)) {
    close (fd);
    return TRUE;
  }

  gboolean leader = getpgid (pid) == pid;
  syscall (SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
  if (leader)
    kill (-pid, SIGKILL);
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  int result;
  do
    result = poll (&wait, 1, DEATH_TIMEOUT_MS);
  while (result < 0 && errno == EINTR);
  close (fd);
  if (result == 1)
    return TRUE;
  g_autofree char *look = g_strdup_printf ("ps -o pid,stat,wchan,args -p %d", pid);
  godwit_set_error (error, GODWIT_ERROR_BUSY, look,
                    "the former worker of job %s (process %d) does not end although it was killed; "
                    "it hangs in the kernel, and nobody may take the job over before it is gone",
                    record->id, pid);
  return FALSE;
}
