/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/agent-private.h"
#include "channel/child.h"
#include "channel/fd.h"

#include <godwit/error.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#define OUTPUT_MAX   (4 * 1024 * 1024)
#define ERRORS_MAX   (64 * 1024)
#define READY_MS     10000
#define GRACE_MS     2000
#define DEADLINE_MAX 86400

static const char *const clean_environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
                                                NULL};

/* Our argv: the program by its absolute path. */
static GStrv
resolve_argv (GodwitPolicy *policy, const char *const *argv, GError **error)
{
  if (argv[0] == NULL) {
    godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL, "no program to run");
    return NULL;
  }
  char *program = godwit_policy_find_program (policy, argv[0], error);
  if (program == NULL || !godwit_policy_check_arguments (policy, argv, error)) {
    g_free (program);
    return NULL;
  }
  GStrv copy = g_strdupv ((char **)argv);
  g_free (copy[0]);
  copy[0] = program;
  return copy;
}

/* --- run to the end ------------------------------------------------------------------------- */

typedef struct {
  GStrv argv;
  guint deadline;
} Run;

static void
run_free (gpointer data)
{
  Run *run = data;
  g_strfreev (run->argv);
  g_free (run);
}

static GVariant *
bytes_to_variant (GBytes *bytes)
{
  return g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE);
}

static GVariant *
run_program (GodwitTask *task, gpointer data, GError **error)
{
  Run *run = data;
  GodwitChildOptions options = {.argv = (const char *const *)run->argv,
                                .envp = clean_environment,
                                .death_signal = SIGKILL,
                                .own_session = TRUE,
                                .limits = TRUE};
  g_autoptr (GodwitChild) child = godwit_child_spawn (&options, error);
  if (child == NULL)
    return NULL;
  godwit_child_close_input (child);
  g_autoptr (GodwitTail) output = godwit_tail_new (godwit_child_get_output (child), OUTPUT_MAX);
  g_autoptr (GodwitTail) errors = godwit_tail_new (godwit_child_get_errors (child), ERRORS_MAX);
  int status;
  if (!godwit_child_wait (child, (int)run->deadline * 1000, godwit_task_get_cancellable (task),
                          &status)) {
    if (g_cancellable_is_cancelled (godwit_task_get_cancellable (task)))
      godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "%s was cancelled", run->argv[0]);
    else
      godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, NULL,
                        "%s did not end within %u s and was killed", run->argv[0], run->deadline);
    return NULL;
  }
  gboolean lost;
  g_autoptr (GBytes) printed = godwit_tail_dup_bytes (output, 1000, &lost);
  g_autoptr (GBytes) complained = godwit_tail_dup_bytes (errors, 200, NULL);
  if (lost) {
    godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL, "%s printed more than %d bytes",
                      run->argv[0], OUTPUT_MAX);
    return NULL;
  }
  GVariantDict dict;
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "status", "i", status);
  g_variant_dict_insert_value (&dict, "output", bytes_to_variant (printed));
  g_variant_dict_insert_value (&dict, "errors", bytes_to_variant (complained));
  return g_variant_dict_end (&dict);
}

guint
godwit_agent_start_run (GodwitAgent *self, const char *const *argv, guint deadline, GError **error)
{
  static const GodwitTaskClass klass = {.run = run_program, .free_data = run_free};
  GStrv resolved = resolve_argv (self->policy, argv, error);
  if (resolved == NULL)
    return 0;
  Run *run = g_new0 (Run, 1);
  run->argv = resolved;
  run->deadline = CLAMP (deadline, 1, DEADLINE_MAX);
  return godwit_tasks_start (self->tasks, &klass, run, NULL);
}

/* --- services ------------------------------------------------------------------------------- */

typedef struct {
  GStrv argv;
  char *ready_path;
  GodwitPolicy *policy;
  gint ready; /* atomic */
} Service;

static void
service_free (gpointer data)
{
  Service *service = data;
  g_strfreev (service->argv);
  g_free (service->ready_path);
  g_free (service);
}

static GVariant *
describe_service (gpointer data)
{
  Service *service = data;
  GVariantDict dict;
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "ready", "b", g_atomic_int_get (&service->ready));
  return g_variant_dict_end (&dict);
}

static gboolean
path_is_there (GodwitPolicy *policy, const char *path)
{
  int fd = godwit_policy_open (policy, path, O_PATH | O_NOFOLLOW, NULL);
  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

/* Waits for the ready path. FALSE if the child ended first, time is over, or it is cancelled. */
static gboolean
wait_ready (Service *service, GodwitChild *child, GCancellable *cancellable)
{
  gint64 deadline = godwit_deadline_in_ms (READY_MS);
  while (*service->ready_path != '\0' && !path_is_there (service->policy, service->ready_path)) {
    if (godwit_child_wait (child, 10, cancellable, NULL) ||
        g_cancellable_is_cancelled (cancellable) || g_get_monotonic_time () > deadline)
      return FALSE;
  }
  return TRUE;
}

static GVariant *
fail_service (Service *service, GodwitChild *child, GodwitTail *printed, GError **error)
{
  int status = -1;
  gboolean ended = godwit_child_wait (child, 0, NULL, &status);
  g_autofree char *text = godwit_tail_dup_text (printed, ended ? 200 : 0);
  g_autofree char *how = ended ? g_strdup_printf ("ended with status %d", status)
                               : g_strdup_printf ("did not make %s in time", service->ready_path);
  godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "%s %s%s%s", service->argv[0], how,
                    *text != '\0' ? ": " : "", text);
  return NULL;
}

static GVariant *
run_service (GodwitTask *task, gpointer data, GError **error)
{
  Service *service = data;
  GCancellable *cancellable = godwit_task_get_cancellable (task);
  GodwitChildOptions options = {.argv = (const char *const *)service->argv,
                                .envp = clean_environment,
                                .death_signal = SIGTERM,
                                .own_session = TRUE,
                                .limits = TRUE};
  g_autoptr (GodwitChild) child = godwit_child_spawn (&options, error);
  if (child == NULL)
    return NULL;
  godwit_child_close_input (child);
  g_autoptr (GodwitTail) output = godwit_tail_new (godwit_child_get_output (child), ERRORS_MAX);
  g_autoptr (GodwitTail) errors = godwit_tail_new (godwit_child_get_errors (child), ERRORS_MAX);
  int status = -1;
  if (!wait_ready (service, child, cancellable)) {
    if (!g_cancellable_is_cancelled (cancellable))
      return fail_service (service, child, errors, error);
  } else {
    g_atomic_int_set (&service->ready, TRUE);
    godwit_task_notify (task);
  }
  if (!godwit_child_wait (child, -1, cancellable, &status)) {
    godwit_child_signal (child, SIGTERM);
    godwit_child_wait (child, GRACE_MS, NULL, &status);
  }
  GVariantDict dict;
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "status", "i", status);
  return g_variant_dict_end (&dict);
}

guint
godwit_agent_start_service (GodwitAgent *self, const char *const *argv, const char *ready_path,
                            GError **error)
{
  static const GodwitTaskClass klass = {.run = run_service,
                                        .describe = describe_service,
                                        .free_data = service_free};
  GStrv resolved = resolve_argv (self->policy, argv, error);
  if (resolved == NULL)
    return 0;
  Service *service = g_new0 (Service, 1);
  service->argv = resolved;
  service->ready_path = g_strdup (ready_path);
  service->policy = self->policy;
  return godwit_tasks_start (self->tasks, &klass, service, NULL);
}

/* --- foreign processes ---------------------------------------------------------------------- */

static GVariant *
run_watch (GodwitTask *task, gpointer data, GError **error)
{
  int pidfd = GPOINTER_TO_INT (data);
  gboolean exited = godwit_fd_wait (pidfd, POLLIN, -1, godwit_task_get_cancellable (task), NULL);
  close (pidfd);
  if (exited)
    return g_variant_new ("a{sv}", NULL);
  godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "no longer watched");
  return NULL;
}

static int
read_pid (GodwitPolicy *policy, const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  int fd = godwit_policy_open (policy, path, O_RDONLY | O_NONBLOCK, error);
  if (fd < 0)
    return 0;
  char text[32] = "";
  gssize n = read (fd, text, sizeof text - 1);
  close (fd);
  guint64 pid;
  if (n > 0 && g_ascii_string_to_unsigned (g_strstrip (text), 10, 1, G_MAXINT, &pid, NULL))
    return (int)pid;
  godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "%s holds no process id", path);
  return 0;
}

guint
godwit_agent_watch (GodwitAgent *self, const char *pid_file, GError **error)
{
  static const GodwitTaskClass klass = {.run = run_watch};
  /* The id might be another's by the time the pidfd is open: the file must still say the same
   * then. */
  for (int tries = 0; tries < 5; tries++) {
    int pid = read_pid (self->policy, pid_file, error);
    if (pid == 0)
      return 0;
    int pidfd = pidfd_open (pid, 0);
    /* No such process: a stale file, or one of another namespace. That it has ended is more than
     * this can prove. */
    if (pidfd < 0) {
      godwit_set_errno (error, errno, "watch the process of", pid_file);
      return 0;
    }
    if (read_pid (self->policy, pid_file, NULL) == pid)
      return godwit_tasks_start (self->tasks, &klass, GINT_TO_POINTER (pidfd), NULL);
    close (pidfd);
  }
  godwit_set_error (error, GODWIT_ERROR_TRANSIENT, NULL, "%s changes all the time", pid_file);
  return 0;
}
