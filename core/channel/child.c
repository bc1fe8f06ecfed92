/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel/child.h"

#include "channel/fd.h"

#include <godwit/error.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Big pipes halve the number of system calls of a bulk stream. */
#define PIPE_SIZE (1024 * 1024)

struct _GodwitChild {
  pid_t pid;
  int pidfd;
  int input;
  int output;
  int errors;
  gboolean own_session;
  GMutex lock;
  gboolean reaped;
  int status;
};

typedef struct {
  const GodwitChildOptions *options;
  GodwitChild *child;
  GError *error;
  gboolean done;
} Request;

static GMutex spawner_lock;
static GCond spawner_done;
static GAsyncQueue *spawner_queue;

static void
limit (int resource, rlim_t value)
{
  struct rlimit bound = {value, value};
  setrlimit (resource, &bound);
}

/* Runs in the child between fork and exec: system calls only. */
static void
set_up_child (gpointer user_data)
{
  const GodwitChildOptions *options = user_data;
  if (options->own_session)
    setsid ();
  if (options->death_signal != 0)
    prctl (PR_SET_PDEATHSIG, options->death_signal);
  if (options->limits) {
    limit (RLIMIT_CORE, 0);
    limit (RLIMIT_AS, (rlim_t)8 << 30);
    limit (RLIMIT_NOFILE, 1024);
    if (options->cpu_seconds > 0)
      limit (RLIMIT_CPU, options->cpu_seconds);
  }
  /* We ignore SIGPIPE and an ignored signal stays ignored over exec. */
  signal (SIGPIPE, SIG_DFL);
}

static GodwitChild *
spawn_here (const GodwitChildOptions *options, GError **error)
{
  GSpawnFlags flags = G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CLOEXEC_PIPES;
  flags |= options->envp != NULL ? G_SPAWN_SEARCH_PATH_FROM_ENVP : G_SPAWN_SEARCH_PATH;
  GPid pid = 0;
  int input = -1, output = -1, errors = -1;
  if (!g_spawn_async_with_pipes (NULL, (char **)options->argv, (char **)options->envp, flags,
                                 set_up_child, (gpointer)options, &pid, &input, &output,
                                 options->merge_stderr ? NULL : &errors, error))
    return NULL;
  GodwitChild *self = g_new0 (GodwitChild, 1);
  g_mutex_init (&self->lock);
  self->pid = pid;
  self->input = input;
  self->output = output;
  self->errors = errors;
  self->own_session = options->own_session;
  self->pidfd = pidfd_open (pid, 0);
  godwit_fd_prepare (self->input);
  godwit_fd_prepare (self->output);
  fcntl (self->input, F_SETPIPE_SZ, PIPE_SIZE);
  fcntl (self->output, F_SETPIPE_SZ, PIPE_SIZE);
  if (errors >= 0)
    godwit_fd_prepare (errors);
  return self;
}

/* The kernel sends the death signal when the *thread* that forked ends. So one thread, which
 * lives as long as the process, starts all children. */
static gpointer
run_spawner (gpointer queue)
{
  while (TRUE) {
    Request *request = g_async_queue_pop (queue);
    request->child = spawn_here (request->options, &request->error);
    g_mutex_lock (&spawner_lock);
    request->done = TRUE;
    g_cond_broadcast (&spawner_done);
    g_mutex_unlock (&spawner_lock);
  }
  return NULL;
}

GodwitChild *
godwit_child_spawn (const GodwitChildOptions *options, GError **error)
{
  Request request = {.options = options};
  g_mutex_lock (&spawner_lock);
  if (spawner_queue == NULL) {
    spawner_queue = g_async_queue_new ();
    g_thread_unref (g_thread_new ("godwit-spawn", run_spawner, spawner_queue));
  }
  g_async_queue_push (spawner_queue, &request);
  while (!request.done)
    g_cond_wait (&spawner_done, &spawner_lock);
  g_mutex_unlock (&spawner_lock);

  if (request.child != NULL && request.child->pidfd < 0) {
    g_clear_pointer (&request.child, godwit_child_free);
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, "use Linux 5.4 or newer",
                      "cannot start %s: this kernel has no pidfd_open", options->argv[0]);
    return NULL;
  }
  if (request.child == NULL) {
    GodwitErrorCode code = g_error_matches (request.error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT)
                               ? GODWIT_ERROR_NOT_FOUND
                               : GODWIT_ERROR_UNAVAILABLE;
    godwit_set_error (error, code, NULL, "cannot start %s: %s", options->argv[0],
                      request.error->message);
    g_clear_error (&request.error);
  }
  return request.child;
}

static void
close_once (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

void
godwit_child_close_input (GodwitChild *self)
{
  close_once (&self->input);
}

void
godwit_child_steal_pipes (GodwitChild *self, int *input, int *output)
{
  *input = self->input;
  *output = self->output;
  self->input = self->output = -1;
}

int
godwit_child_get_pid (GodwitChild *self)
{
  return self->pid;
}

int
godwit_child_get_pidfd (GodwitChild *self)
{
  return self->pidfd;
}

int
godwit_child_get_input (GodwitChild *self)
{
  return self->input;
}

int
godwit_child_get_output (GodwitChild *self)
{
  return self->output;
}

int
godwit_child_get_errors (GodwitChild *self)
{
  return self->errors;
}

void
godwit_child_signal (GodwitChild *self, int number)
{
  g_mutex_lock (&self->lock);
  /* Until it is reaped its id, and so its session's, cannot belong to another. */
  if (!self->reaped) {
    if (self->own_session)
      kill (-self->pid, number);
    kill (self->pid, number);
  }
  g_mutex_unlock (&self->lock);
}

static gboolean
reap (GodwitChild *self, int flags)
{
  g_mutex_lock (&self->lock);
  siginfo_t info = {0};
  if (!self->reaped && waitid (P_PID, self->pid, &info, WEXITED | flags) == 0 &&
      info.si_pid == self->pid) {
    self->reaped = TRUE;
    self->status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
  }
  gboolean reaped = self->reaped;
  g_mutex_unlock (&self->lock);
  return reaped;
}

gboolean
godwit_child_wait (GodwitChild *self, int timeout_ms, GCancellable *cancellable, int *status)
{
  gint64 deadline = timeout_ms < 0 ? -1 : godwit_deadline_in_ms (timeout_ms);
  if (!reap (self, WNOHANG) &&
      (!godwit_fd_wait (self->pidfd, POLLIN, deadline, cancellable, NULL) || !reap (self, WNOHANG)))
    return FALSE;
  if (status != NULL)
    *status = self->status;
  return TRUE;
}

void
godwit_child_free (GodwitChild *self)
{
  if (self == NULL)
    return;
  close_once (&self->input);
  godwit_child_signal (self, SIGKILL);
  reap (self, 0);
  close_once (&self->output);
  close_once (&self->errors);
  close_once (&self->pidfd);
  g_mutex_clear (&self->lock);
  g_free (self);
}
