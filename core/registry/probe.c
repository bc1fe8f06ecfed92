/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "registry/probe.h"

#include "base/paths.h"

#include <godwit/error.h>

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_AT_ONCE 8
#define MAX_PRINTED 4096

static guint cpu_limit_ms = 2000;
static guint wall_limit_ms = 5000;

typedef struct {
  const char *path;
  char *name;
  GPid pid;
  int pid_fd;
  int result_fd;
  int stderr_fd;
  gint64 deadline_us;
  gboolean timed_out;
  GByteArray *result;
  GByteArray *printed;
  GodwitPluginRecord *record;
} Probe;

void
godwit_probe_set_limits (guint cpu_ms, guint wall_ms)
{
  cpu_limit_ms = cpu_ms;
  wall_limit_ms = wall_ms;
}

static void
close_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

static void
probe_clear (Probe *probe)
{
  close_fd (&probe->pid_fd);
  close_fd (&probe->result_fd);
  close_fd (&probe->stderr_fd);
  g_clear_pointer (&probe->result, g_byte_array_unref);
  g_clear_pointer (&probe->printed, g_byte_array_unref);
  g_clear_pointer (&probe->name, g_free);
}

static gboolean
probe_start (Probe *probe, GError **error)
{
  int fds[2];
  if (!g_unix_open_pipe (fds, FD_CLOEXEC, error))
    return FALSE;
  g_unix_set_fd_nonblocking (fds[0], TRUE, NULL);
  probe->result_fd = fds[0];

  g_autofree char *cpu = g_strdup_printf ("%u", cpu_limit_ms);
  const char *argv[] = {godwit_paths_get_self (), "plugin-probe", probe->path, cpu, NULL};
  const int target = GODWIT_PROBE_FD;
  gboolean started =
      g_spawn_async_with_pipes_and_fds ("/", argv, NULL,
                                        G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL,
                                        NULL, NULL, -1, -1, -1, &fds[1], &target, 1, &probe->pid,
                                        NULL, NULL, &probe->stderr_fd, error);
  close (fds[1]);
  if (!started)
    return FALSE;
  g_unix_set_fd_nonblocking (probe->stderr_fd, TRUE, NULL);
  probe->pid_fd = (int)syscall (SYS_pidfd_open, probe->pid, 0);
  if (probe->pid_fd < 0) {
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, "use Linux 5.3 or later",
                      "cannot watch a process: %s", g_strerror (errno));
    kill (probe->pid, SIGKILL);
    waitpid (probe->pid, NULL, 0);
    return FALSE;
  }
  probe->deadline_us = g_get_monotonic_time () + (gint64)wall_limit_ms * 1000;
  probe->result = g_byte_array_new ();
  probe->printed = g_byte_array_new ();
  return TRUE;
}

/* Reads what is there now. What exceeds @limit is thrown away. */
static void
drain (int *fd, GByteArray *into, gsize limit)
{
  guint8 buffer[4096];
  while (*fd >= 0) {
    gssize n = read (*fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno == EAGAIN)
      return;
    if (n <= 0) {
      close_fd (fd);
      return;
    }
    gsize room = limit - MIN (limit, into->len);
    g_byte_array_append (into, buffer, (guint)MIN ((gsize)n, room));
  }
}

static GodwitPluginRecord *
parse_result (Probe *probe)
{
  GodwitProbeHeader header;
  if (probe->result->len < sizeof header)
    return NULL;
  memcpy (&header, probe->result->data, sizeof header);
  if (header.magic != GODWIT_PROBE_MAGIC || header.size > GODWIT_PROBE_MAX_SIZE ||
      probe->result->len != sizeof header + header.size)
    return NULL;
  /* The copy is aligned as GVariant wants it. */
  gpointer copy = g_memdup2 (probe->result->data + sizeof header, header.size);
  g_autoptr (GVariant) variant = g_variant_ref_sink (
      g_variant_new_from_data (G_VARIANT_TYPE_VARDICT, copy, header.size, FALSE, g_free, copy));
  g_autoptr (GodwitPluginRecord) record = godwit_plugin_record_from_variant (variant);
  if (record == NULL || !g_str_equal (record->name, probe->name) ||
      g_strcmp0 (record->path, probe->path) != 0)
    return NULL;
  return g_steal_pointer (&record);
}

static char *
describe_end (const Probe *probe, int status)
{
  if (probe->timed_out)
    return g_strdup_printf ("it did not finish loading within %.3g s of waiting time",
                            wall_limit_ms / 1000.0);
  if (WIFSIGNALED (status) && (WTERMSIG (status) == SIGPROF || WTERMSIG (status) == SIGXCPU))
    return g_strdup_printf ("loading it used more than %.3g s of processor time",
                            cpu_limit_ms / 1000.0);
  if (WIFSIGNALED (status))
    return g_strdup_printf ("it crashed while it was loaded (signal %d, %s)", WTERMSIG (status),
                            g_strsignal (WTERMSIG (status)));
  return g_strdup_printf ("it ended the process that loaded it (exit status %d)",
                          WEXITSTATUS (status));
}

static void
refuse_without_result (Probe *probe, int status)
{
  g_autofree char *what = describe_end (probe, status);
  g_autofree char *bytes = g_strndup ((const char *)probe->printed->data, probe->printed->len);
  g_autofree char *printed = g_utf8_make_valid (bytes != NULL ? bytes : "", -1);
  g_strstrip (printed);
  g_autofree char *remedy =
      g_strdup_printf ("install another build of the plugin, or remove %s", probe->path);
  g_autoptr (GError) error = NULL;
  godwit_set_error (&error, GODWIT_ERROR_UNAVAILABLE, remedy, "%s%s%s", what,
                    *printed != '\0' ? "; it printed: " : "", printed);
  probe->record = godwit_plugin_record_new (probe->name, probe->path);
  godwit_plugin_record_refuse (probe->record, error);
}

static void
probe_finish (Probe *probe)
{
  int status = 0;
  while (waitpid (probe->pid, &status, 0) < 0 && errno == EINTR)
    ;
  drain (&probe->result_fd, probe->result, sizeof (GodwitProbeHeader) + GODWIT_PROBE_MAX_SIZE + 1);
  drain (&probe->stderr_fd, probe->printed, MAX_PRINTED);
  probe->record = parse_result (probe);
  if (probe->record == NULL)
    refuse_without_result (probe, status);
  probe_clear (probe);
}

static void
refuse_unstarted (Probe *probe, const GError *error)
{
  probe->record = godwit_plugin_record_new (probe->name, probe->path);
  godwit_plugin_record_refuse (probe->record, error);
  probe_clear (probe);
}

/* Waits until one of the running probes has something to say, and ends those that are late. */
static void
wait_some (Probe *probes, guint n_probes)
{
  struct pollfd fds[MAX_AT_ONCE * 3];
  guint n_fds = 0;
  gint64 next_us = G_MAXINT64;
  for (guint i = 0; i < n_probes; i++) {
    Probe *probe = &probes[i];
    if (probe->pid_fd < 0)
      continue;
    fds[n_fds++] = (struct pollfd){probe->pid_fd, POLLIN, 0};
    fds[n_fds++] = (struct pollfd){probe->result_fd, POLLIN, 0};
    fds[n_fds++] = (struct pollfd){probe->stderr_fd, POLLIN, 0};
    next_us = MIN (next_us, probe->deadline_us);
  }
  gint64 left_us = next_us - g_get_monotonic_time ();
  (void)poll (fds, n_fds, left_us > 0 ? (int)(left_us / 1000) + 1 : 0);

  for (guint i = 0; i < n_probes; i++) {
    Probe *probe = &probes[i];
    if (probe->pid_fd < 0)
      continue;
    drain (&probe->result_fd, probe->result,
           sizeof (GodwitProbeHeader) + GODWIT_PROBE_MAX_SIZE + 1);
    drain (&probe->stderr_fd, probe->printed, MAX_PRINTED);
    struct pollfd ended = {probe->pid_fd, POLLIN, 0};
    if (poll (&ended, 1, 0) > 0) {
      probe_finish (probe);
    } else if (g_get_monotonic_time () >= probe->deadline_us) {
      probe->timed_out = TRUE;
      kill (probe->pid, SIGKILL);
      probe_finish (probe);
    }
  }
}

GPtrArray *
godwit_probe_files (const char *const *paths)
{
  guint n_probes = g_strv_length ((GStrv)paths);
  g_autofree Probe *probes = g_new0 (Probe, n_probes);
  GPtrArray *records = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_plugin_record_free);
  for (guint i = 0; i < n_probes; i++) {
    probes[i].path = paths[i];
    probes[i].name = godwit_plugin_name_from_path (paths[i]);
    probes[i].pid_fd = probes[i].result_fd = probes[i].stderr_fd = -1;
  }

  for (guint begun = 0, running = 0; begun < n_probes || running > 0;) {
    while (begun < n_probes && running < MAX_AT_ONCE) {
      g_autoptr (GError) error = NULL;
      Probe *probe = &probes[begun++];
      if (probe_start (probe, &error))
        running++;
      else
        refuse_unstarted (probe, error);
    }
    if (running > 0)
      wait_some (probes, begun);
    running = 0;
    for (guint i = 0; i < begun; i++)
      running += probes[i].pid_fd >= 0;
  }

  for (guint i = 0; i < n_probes; i++)
    g_ptr_array_add (records, probes[i].record);
  return records;
}
