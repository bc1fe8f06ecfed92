/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/agent.h"

#include "agent/agent-private.h"
#include "agent/offers.h"
#include "base/paths.h"
#include "channel/channel.h"
#include "channel/fd.h"
#include "channel/wire.h"
#include "config/config.h"
#include "verify/task.h"

#include <godwit/error.h>

#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <glib-unix.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_LINE_MAX 256
#define FIRST_LINE_MS  60000
/* A controller that is there calls at least every 15 s. Where the way to it is cut, the end of
 * our input may take hours to arrive, and all that time we would hold its tunnels open. */
#define SILENCE_MS 60000
#define STOP_MS    2500

/* Standard input and output belong to the protocol. A library that prints must not reach it. */
static GIOStream *
take_standard_streams (void)
{
  int in = fcntl (STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  int out = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);
  dup2 (null, STDIN_FILENO);
  dup2 (STDERR_FILENO, STDOUT_FILENO);
  close (null);
  g_autoptr (GInputStream) input = g_unix_input_stream_new (in, TRUE);
  g_autoptr (GOutputStream) output = g_unix_output_stream_new (out, TRUE);
  return g_simple_io_stream_new (input, output);
}

static void
on_closed (GDBusConnection *connection, gboolean vanished, GError *error, gpointer loop)
{
  g_main_loop_quit (loop);
}

static gboolean
on_signal (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}

typedef struct {
  GodwitAgent *agent;
  GMainLoop *loop;
} Silence;

static gboolean
check_silence (gpointer user_data)
{
  Silence *silence = user_data;
  gint64 heard = __atomic_load_n (&silence->agent->heard_us, __ATOMIC_RELAXED);
  if (g_get_monotonic_time () - heard > SILENCE_MS * G_GINT64_CONSTANT (1000)) {
    fprintf (stderr, "godwit agent: the controller is silent, giving up\n");
    g_main_loop_quit (silence->loop);
  }
  return G_SOURCE_CONTINUE;
}

static int
serve_control (GodwitAgent *agent)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GIOStream) stream = take_standard_streams ();
  agent->tasks = godwit_tasks_new ();
  agent->taps = godwit_taps_new ();
  agent->offers = godwit_offers_new (&error);
  g_autoptr (GDBusConnection) connection =
      agent->offers != NULL ? godwit_wire_connect (stream, TRUE, FIRST_LINE_MS, NULL, &error)
                            : NULL;
  if (connection == NULL || !godwit_agent_export (agent, connection, &error)) {
    fprintf (stderr, "godwit agent: %s\n", error->message);
    return 1;
  }
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Silence silence = {agent, loop};
  agent->heard_us = g_get_monotonic_time ();
  g_signal_connect (connection, "closed", G_CALLBACK (on_closed), loop);
  g_timeout_add (SILENCE_MS / 12, check_silence, &silence);
  g_unix_signal_add (SIGTERM, on_signal, loop);
  g_unix_signal_add (SIGHUP, on_signal, loop);
  g_unix_signal_add (SIGINT, on_signal, loop);
  g_dbus_connection_start_message_processing (connection);
  if (!g_dbus_connection_is_closed (connection))
    g_main_loop_run (loop);
  godwit_offers_stop (agent->offers);
  godwit_tasks_stop (agent->tasks, STOP_MS);
  godwit_agent_forget_sessions ();
  return 0;
}

static int
serve_channel (const char *token)
{
  g_autoptr (GError) error = NULL;
  if (godwit_offer_take_up (token, &error))
    return 0;
  godwit_channel_send_answer (STDOUT_FILENO, error, godwit_deadline_in_ms (5000), NULL);
  return 1;
}

static gboolean
say_hello (GodwitPurpose *purpose, GError **error)
{
  g_autofree char *nonce = godwit_random_token ();
  g_autofree char *hello = godwit_hello_format (nonce);
  if (!godwit_fd_write_all (STDOUT_FILENO, hello, strlen (hello),
                            godwit_deadline_in_ms (FIRST_LINE_MS), NULL, error))
    return FALSE;
  g_autofree char *line = godwit_fd_read_line (STDIN_FILENO, FIRST_LINE_MAX,
                                               godwit_deadline_in_ms (FIRST_LINE_MS), NULL, error);
  return line != NULL && godwit_purpose_parse (line, nonce, purpose, error);
}

int
godwit_agent_serve (GodwitPolicy *policy, gboolean any_channel)
{
  signal (SIGPIPE, SIG_IGN);
  umask (077);
  g_autoptr (GError) error = NULL;
  g_auto (GodwitPurpose) purpose = {0};
  if (!say_hello (&purpose, &error)) {
    godwit_policy_free (policy);
    fprintf (stderr, "godwit agent: %s\n", error->message);
    return 1;
  }
  if (!purpose.control) {
    godwit_policy_free (policy);
    return serve_channel (purpose.token);
  }
  /* Its sockets and job directories are where the agent itself works. */
  godwit_policy_add_directory (policy, godwit_paths_get_runtime_dir ());
  g_autofree char *jobs = g_build_filename (godwit_paths_get_state_dir (), "jobs", NULL);
  godwit_policy_add_directory (policy, jobs);
  GodwitAgent agent = {.policy = policy, .any_channel = any_channel};
  int status = serve_control (&agent);
  /* A thread may hang in a call on a dead file system; the process must end all the same. */
  fflush (NULL);
  _exit (status);
}

static GodwitPolicy *
load_policy (GError **error)
{
  g_autoptr (GodwitConfig) config = godwit_config_load (NULL, error);
  if (config == NULL)
    return NULL;
  g_auto (GStrv) directories = godwit_config_get_list (config, "agent", "directories");
  g_auto (GStrv) programs = godwit_config_get_list (config, "agent", "programs");
  return godwit_policy_new ((const char *const *)directories, (const char *const *)programs);
}

void
godwit_agent_sweep (void)
{
  godwit_offers_sweep ();
  godwit_agent_sweep_claims ();
}

int
godwit_agent_main (int argc, char **argv)
{
  gboolean stdio = FALSE;
  gboolean any_channel = FALSE;
  const GOptionEntry entries[] = {
      {"stdio", 0, 0, G_OPTION_ARG_NONE, &stdio, "Speak over standard input and output", NULL},
      {"any-channel", 0, 0, G_OPTION_ARG_NONE, &any_channel,
       "Let the controller have any command run as a channel", NULL},
      {NULL},
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || !stdio || argc > 1) {
    fprintf (stderr, "godwit agent: %s\nUsage: godwit agent --stdio\n",
             error != NULL ? error->message : "it only works with --stdio");
    return 2;
  }
  GodwitPolicy *policy = load_policy (&error);
  if (policy == NULL) {
    fprintf (stderr, "godwit agent: %s\n", error->message);
    return 2;
  }
  return godwit_agent_serve (policy, any_channel);
}
