/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "labtest.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *lab_hosts_list;

void
lab_run_free (LabRun *run)
{
  g_free (run->out);
  g_free (run->err);
  g_free (run);
}

static const char *
lab_program (void)
{
  const char *program = g_getenv ("GODWIT_LAB");

  if (program == NULL)
    g_error ("GODWIT_LAB names no lab program; run the tests through ./dev test");
  return program;
}

static LabRun *
run_argv (const char *const *argv)
{
  g_autoptr (GError) error = NULL;
  LabRun *run = g_new0 (LabRun, 1);
  int wait_status = 0;

  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &run->out, &run->err,
                &wait_status, &error);
  g_assert_no_error (error);
  run->status = WIFEXITED (wait_status) ? WEXITSTATUS (wait_status) : 128 + WTERMSIG (wait_status);
  return run;
}

static void
require_success (const LabRun *run, const char *what)
{
  if (run->status != 0)
    g_error ("%s: exit %d\n--- output\n%s\n--- errors\n%s", what, run->status, run->out, run->err);
}

static GPtrArray *
lab_argv (const char *verb, va_list rest)
{
  GPtrArray *argv = g_ptr_array_new ();

  g_ptr_array_add (argv, (gpointer)lab_program ());
  for (const char *word = verb; word != NULL; word = va_arg (rest, const char *))
    g_ptr_array_add (argv, (gpointer)word);
  g_ptr_array_add (argv, NULL);
  return argv;
}

char *
lab (const char *verb, ...)
{
  g_autoptr (GPtrArray) argv = NULL;
  g_autoptr (LabRun) run = NULL;
  g_autofree char *what = NULL;
  va_list rest;

  va_start (rest, verb);
  argv = lab_argv (verb, rest);
  va_end (rest);
  what = g_strjoinv (" ", (char **)argv->pdata);
  run = run_argv ((const char *const *)argv->pdata);
  require_success (run, what);
  return g_strchomp (g_steal_pointer (&run->out));
}

LabRun *
lab_try (const char *verb, ...)
{
  g_autoptr (GPtrArray) argv = NULL;
  va_list rest;

  va_start (rest, verb);
  argv = lab_argv (verb, rest);
  va_end (rest);
  return run_argv ((const char *const *)argv->pdata);
}

static LabRun *
run_shell (const char *host, const char *command)
{
  const char *argv[] = {lab_program (), "exec", host, "--", "bash", "-c", command, NULL};

  return run_argv (argv);
}

char *
lab_sh (const char *host, const char *format, ...)
{
  g_autofree char *command = NULL;
  g_autoptr (LabRun) run = NULL;
  va_list rest;

  va_start (rest, format);
  command = g_strdup_vprintf (format, rest);
  va_end (rest);
  run = run_shell (host, command);
  require_success (run, command);
  return g_strchomp (g_steal_pointer (&run->out));
}

LabRun *
lab_sh_try (const char *host, const char *format, ...)
{
  g_autofree char *command = NULL;
  va_list rest;

  va_start (rest, format);
  command = g_strdup_vprintf (format, rest);
  va_end (rest);
  return run_shell (host, command);
}

LabRun *
lab_godwit (const char *host, int expected_status, const char *format, ...)
{
  g_autofree char *arguments = NULL;
  g_autofree char *command = NULL;
  LabRun *run = NULL;
  va_list rest;

  va_start (rest, format);
  arguments = g_strdup_vprintf (format, rest);
  va_end (rest);
  command = g_strdup_printf ("godwit %s", arguments);
  run = run_shell (host, command);
  if (run->status != expected_status) {
    g_autoptr (LabRun) log = run_shell (host, "godwit log $(godwit jobs --ids | head -n 1) 2>&1");
    g_error ("on %s: %s: exit %d, expected %d\n--- output\n%s\n--- errors\n%s\n--- log\n%s", host,
             command, run->status, expected_status, run->out, run->err, log->out);
  }
  return run;
}

/* --- a running command -------------------------------------------------------------------- */

struct _LabProcess {
  GSubprocess *subprocess;
  GDataInputStream *lines;
  GString *output;
  char *host;
  char *pid_file;
};

LabProcess *
lab_spawn (const char *host, const char *format, ...)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *command = NULL;
  g_autofree char *wrapped = NULL;
  static guint serial;
  LabProcess *process = g_new0 (LabProcess, 1);
  va_list rest;

  va_start (rest, format);
  command = g_strdup_vprintf (format, rest);
  va_end (rest);
  process->host = g_strdup (host);
  process->pid_file = g_strdup_printf ("/run/lab-spawn-%u", serial++);
  /* exec keeps the process id of the shell, so a signal reaches the command itself. */
  wrapped = g_strconcat ("echo $$ > ", process->pid_file, "; exec ", command, " 2>&1", NULL);
  process->subprocess = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, lab_program (),
                                          "exec", host, "--", "bash", "-c", wrapped, NULL);
  g_assert_no_error (error);
  process->lines = g_data_input_stream_new (g_subprocess_get_stdout_pipe (process->subprocess));
  process->output = g_string_new (NULL);
  return process;
}

static gboolean
process_read_line (LabProcess *process)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *line = g_data_input_stream_read_line (process->lines, NULL, NULL, &error);

  g_assert_no_error (error);
  if (line == NULL)
    return FALSE;
  g_string_append_printf (process->output, "%s\n", line);
  return TRUE;
}

void
lab_process_expect (LabProcess *process, const char *text)
{
  gsize seen = process->output->len;

  while (process_read_line (process)) {
    if (strstr (process->output->str + seen, text) != NULL)
      return;
  }
  g_error ("output ended before \"%s\":\n%s", text, process->output->str);
}

void
lab_process_signal (LabProcess *process, int signal_number)
{
  g_free (lab_sh (process->host, "kill -%d $(cat %s)", signal_number, process->pid_file));
}

int
lab_process_finish (LabProcess *process)
{
  g_autoptr (GError) error = NULL;
  int status = 0;

  while (process_read_line (process))
    continue;
  g_subprocess_wait (process->subprocess, NULL, &error);
  g_assert_no_error (error);
  status = g_subprocess_get_if_exited (process->subprocess)
               ? g_subprocess_get_exit_status (process->subprocess)
               : 128 + g_subprocess_get_term_sig (process->subprocess);
  return status;
}

const char *
lab_process_get_output (LabProcess *process)
{
  return process->output->str;
}

/* --- guests ------------------------------------------------------------------------------- */

char *
lab_guest_define (const char *host, const char *name, const char *options)
{
  g_autofree char *command =
      g_strdup_printf ("exec \"$GODWIT_LAB\" guest define %s %s %s", host, name, options);
  const char *argv[] = {"bash", "-c", command, NULL};
  g_autoptr (LabRun) run = run_argv (argv);

  require_success (run, command);
  return g_strchomp (g_steal_pointer (&run->out));
}

void
lab_guest_boot (const char *host, const char *name)
{
  g_free (lab ("guest", "start", host, name, NULL));
  g_free (lab ("guest", "wait-boot", host, name, NULL));
}

void
lab_guest_forget (const char *name)
{
  g_auto (GStrv) hosts = g_strsplit (lab_hosts_list, ",", -1);

  for (guint i = 0; hosts[i] != NULL; i++)
    lab_run_free (lab_sh_try (hosts[i],
                              "virsh -q destroy %s; virsh -q undefine %s --nvram;"
                              "rm -rf /var/lib/libvirt/images/%s* /srv/shared/%s*",
                              name, name, name, name));
}

void
lab_assert_state (const char *host, const char *name, const char *state)
{
  g_autofree char *actual = lab ("guest", "state", host, name, NULL);

  g_assert_cmpstr (actual, ==, state);
}

void
lab_assert_nothing_lost (const char *host, const char *name, const char *image)
{
  g_autofree char *verdict = lab ("guest", "verify", host, image, "--guest", name, NULL);

  g_test_message ("%s on %s: %s", name, host, verdict);
  g_assert_cmpint (lab_json_int (verdict, "records"), >, 0);
}

void
lab_assert_writes (const char *host, const char *name)
{
  g_autofree char *before = lab ("acked", name, "--hosts", host, NULL);
  gint64 last = g_ascii_strtoll (before, NULL, 10);

  /* Each wait ends with a heartbeat, so the guest is alive; records come every 20 ms or so. */
  for (guint i = 0; i < 200; i++) {
    g_autofree char *now = NULL;

    g_free (lab ("guest", "wait-boot", host, name, NULL));
    now = lab ("acked", name, "--hosts", host, NULL);
    if (g_ascii_strtoll (now, NULL, 10) > last)
      return;
  }
  g_error ("%s on %s beats but acknowledges no record after %" G_GINT64_FORMAT, name, host, last);
}

/* --- what is there ------------------------------------------------------------------------ */

char *
lab_snapshot (void)
{
  g_auto (GStrv) hosts = g_strsplit (lab_hosts_list, ",", -1);
  GString *text = g_string_new (NULL);

  for (guint i = 0; hosts[i] != NULL; i++) {
    g_autofree char *domains =
        lab_sh (hosts[i], "virsh -q list --all --uuid --name | sort; for d in $(virsh -q list "
                          "--all --name); do virsh dominfo $d | grep -E '^(State|Autostart|"
                          "Persistent)'; virsh dumpxml --inactive $d | sha256sum; done");
    g_autofree char *files =
        lab_sh (hosts[i], "find /var/lib/libvirt/images /srv /run/godwit /etc/godwit -not -name "
                          "jobs -not -name claims -not -name "
                          "plugins.cache -printf '%%p %%y %%m %%U:%%G %%i\\n' 2>/dev/null | sort");
    g_autofree char *processes =
        lab_sh (hosts[i], "ps -eo comm= | grep -E 'godwit|^ssh$|qemu' | sort; true");
    g_string_append_printf (text, "== %s domains\n%s\n== %s files\n%s\n== %s processes\n%s\n",
                            hosts[i], domains, hosts[i], files, hosts[i], processes);
  }
  return g_string_free (text, FALSE);
}

void
lab_assert_unchanged (const char *before)
{
  g_autofree char *after = lab_snapshot ();

  if (!g_str_equal (before, after))
    g_error ("something changed\n--- before\n%s\n--- after\n%s", before, after);
}

void
lab_assert_clean (void)
{
  g_auto (GStrv) hosts = g_strsplit (lab_hosts_list, ",", -1);

  for (guint i = 0; hosts[i] != NULL; i++) {
    /* A supervisor ends just after the front end has seen the job's end. */
    g_autofree char *left =
        lab_sh (hosts[i], "for try in {1..100}; do "
                          "left=$(pgrep -ax godwit; pgrep -ax ssh; "
                          "find /run/godwit -mindepth 1 -not -name jobs -not -name offers "
                          "-not -name sessions -not -name agents -not -name claims -not -name "
                          "plugins.cache 2>/dev/null); "
                          "[[ -n $left ]] || break; sleep 0.05; done; echo \"$left\"");
    if (*left != '\0')
      g_error ("left behind on %s:\n%s", hosts[i], left);
  }
}

/* --- small things ------------------------------------------------------------------------- */

static JsonObject *
parse_object (JsonParser *parser, const char *text)
{
  g_autoptr (GError) error = NULL;

  json_parser_load_from_data (parser, text, -1, &error);
  if (error != NULL)
    g_error ("no JSON (%s): %s", error->message, text);
  return json_node_get_object (json_parser_get_root (parser));
}

gint64
lab_json_int (const char *text, const char *member)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *object = parse_object (parser, text);

  if (!json_object_has_member (object, member))
    g_error ("no member %s: %s", member, text);
  return json_object_get_int_member (object, member);
}

char *
lab_json_string (const char *text, const char *member)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *object = parse_object (parser, text);

  if (!json_object_has_member (object, member))
    g_error ("no member %s: %s", member, text);
  return g_strdup (json_object_get_string_member (object, member));
}

void
lab_assert_contains_at (const char *file, int line, const char *text, const char *word)
{
  if (strstr (text, word) == NULL)
    g_error ("%s:%d: \"%s\" is not in:\n%s", file, line, word, text);
}

/* A failed test aborts; the lab must be taken down all the same. */
static int
run_in_child (void (*prepare) (void))
{
  int wait_status = 0;
  pid_t child = fork ();

  if (child == 0) {
    if (prepare != NULL)
      prepare ();
    exit (g_test_run ());
  }
  g_assert_cmpint (child, >, 0);
  while (waitpid (child, &wait_status, 0) < 0)
    continue;
  return WIFEXITED (wait_status) ? WEXITSTATUS (wait_status) : 1;
}

int
lab_main (const char *name, const char *hosts, void (*prepare) (void))
{
  const char *stage = g_getenv ("GODWIT_STAGE");
  g_autofree char *instance = g_strdup_printf ("test-%s", name);
  int status = 0;

  if (stage == NULL)
    g_error ("GODWIT_STAGE names no install tree; run the tests through ./dev test");
  /* Whoever runs several programs at once gives each an instance of its own. */
  g_setenv ("LAB", instance, FALSE);
  lab_hosts_list = hosts;
  lab_run_free (lab_try ("down", NULL));
  g_free (lab ("up", "--hosts", hosts, "--stage", stage, NULL));
  status = run_in_child (prepare);
  if (status == 0 || g_getenv ("GODWIT_LAB_KEEP") == NULL)
    g_free (lab ("down", NULL));
  return status;
}
