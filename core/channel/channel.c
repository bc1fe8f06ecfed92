/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel/channel.h"

#include "channel/fd.h"

#include <godwit/error.h>

#include <signal.h>
#include <string.h>

#define ERRORS_MAX 8192
#define ANSWER_MAX 16384

void
godwit_channel_free (GodwitChannel *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->child, godwit_child_free);
  g_clear_pointer (&self->errors, godwit_tail_free);
  godwit_hello_clear (&self->hello);
  g_free (self);
}

GodwitStream
godwit_channel_steal_stream (GodwitChannel *self)
{
  GodwitStream stream;
  godwit_child_steal_pipes (self->child, &stream.out, &stream.in);
  return stream;
}

char *
godwit_channel_dup_errors (GodwitChannel *self, guint settle_ms)
{
  return godwit_tail_dup_text (self->errors, settle_ms);
}

/* The command ended, or printed too much, before any hello. */
static void
set_no_hello (GodwitChannel *self, const GodwitChannelOptions *options, const char *output,
              GError **error)
{
  int status = -1;
  gboolean ended = godwit_child_wait (self->child, 2000, NULL, &status);
  g_autofree char *errors = godwit_tail_dup_text (self->errors, ended ? 500 : 0);
  g_autofree char *banner = g_utf8_make_valid (output, -1);
  g_strstrip (banner);
  if (strlen (banner) > 400)
    strcpy (g_utf8_offset_to_pointer (banner, 90), "...");
  gboolean missing = status == 127 || (status == 1 && strstr (errors, "command not found"));
  if (missing) {
    g_autofree char *remedy =
        g_strdup_printf ("install godwit on %s, or set agent-command in the group [host %s]",
                         options->host, options->host);
    godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, remedy, "there is no godwit agent on %s: %s",
                      options->host, *errors != '\0' ? errors : "command not found");
    return;
  }
  g_autoptr (GError) explained = NULL;
  if (ended && options->explain != NULL)
    options->explain (status, errors, options->explain_data, &explained);
  if (explained != NULL) {
    g_propagate_prefixed_error (error, g_steal_pointer (&explained),
                                "cannot reach %s: ", options->host);
    return;
  }
  g_autofree char *quoted = g_strjoinv (" ", (char **)options->argv);
  g_autofree char *remedy = g_strdup_printf ("try: %s", quoted);
  g_autofree char *how = ended ? g_strdup_printf ("ended with status %d", status)
                               : g_strdup ("did not introduce itself");
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, remedy, "the agent on %s %s%s%s%s%s",
                    options->host, how, *errors != '\0' ? ": " : "", errors,
                    *banner != '\0' ? "; it printed: " : "", banner);
}

static gboolean
read_hello (GodwitChannel *self, const GodwitChannelOptions *options, GCancellable *cancellable,
            GError **error)
{
  gint64 deadline = godwit_deadline_in_ms (options->connect_ms);
  g_autoptr (GString) text = g_string_new (NULL);
  const char *rest = NULL;
  while (text->len <= GODWIT_BANNER_MAX) {
    char buffer[4096];
    g_autoptr (GError) local = NULL;
    gssize n = godwit_fd_read (godwit_child_get_output (self->child), buffer, sizeof buffer,
                               deadline, cancellable, &local);
    if (n < 0 && godwit_error_is_cancelled (local)) {
      godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "connecting to %s was cancelled",
                        options->host);
      return FALSE;
    }
    if (g_error_matches (local, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
      g_autofree char *errors = godwit_tail_dup_text (self->errors, 0);
      godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE,
                        "check that the host is up and that nothing asks for input there",
                        "%s did not answer within %u s%s%s", options->host,
                        options->connect_ms / 1000, *errors != '\0' ? ": " : "", errors);
      return FALSE;
    }
    if (n <= 0)
      break;
    /* A NUL would end the search early. */
    for (gssize i = 0; i < n; i++)
      g_string_append_c (text, buffer[i] != '\0' ? buffer[i] : '?');
    if (godwit_hello_parse (text->str, &self->hello, &rest))
      break;
  }
  if (rest == NULL) {
    set_no_hello (self, options, text->str, error);
    return FALSE;
  }
  if (*rest != '\0') {
    godwit_set_error (error, GODWIT_ERROR_PEER,
                      "let the login shell's start-up files print nothing in the background",
                      "something else than the agent on %s writes into its channel: %.200s",
                      options->host, rest);
    return FALSE;
  }
  return godwit_hello_agree (self->hello.protocol, options->host, &self->protocol, error);
}

static gboolean
read_answer (GodwitChannel *self, const GodwitChannelOptions *options, GCancellable *cancellable,
             GError **error)
{
  g_autofree char *line =
      godwit_fd_read_line (godwit_child_get_output (self->child), ANSWER_MAX,
                           godwit_deadline_in_ms (options->offer_ms), cancellable, error);
  if (line == NULL) {
    g_prefix_error (error, "the channel to %s: ", options->host);
    return FALSE;
  }
  if (g_str_equal (line, "ok"))
    return TRUE;
  g_auto (GStrv) words = g_strsplit (line, " ", 3);
  guint64 code;
  if (g_strv_length (words) != 3 || !g_str_equal (words[0], "error") ||
      !g_ascii_string_to_unsigned (words[1], 10, 0, GODWIT_ERROR_INTERNAL, &code, NULL)) {
    godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "the agent on %s answered '%.80s'",
                      options->host, line);
    return FALSE;
  }
  g_autofree char *message = g_strcompress (words[2]);
  g_set_error (error, GODWIT_ERROR, (int)code, "%s: %s", options->host, message);
  return FALSE;
}

/* Errors of reading and writing become ours, with what the command said. */
static void
translate (GodwitChannel *self, const GodwitChannelOptions *options, GError **error)
{
  if (error == NULL || *error == NULL || (*error)->domain == GODWIT_ERROR)
    return;
  g_autoptr (GError) inner = g_steal_pointer (error);
  if (godwit_error_is_cancelled (inner)) {
    godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "%s", inner->message);
    return;
  }
  g_autofree char *errors = godwit_tail_dup_text (self->errors, 200);
  godwit_set_error (error, GODWIT_ERROR_TRANSIENT, NULL, "cannot open a channel to %s: %s%s%s",
                    options->host, inner->message, *errors != '\0' ? ": " : "", errors);
}

static gboolean
shake_hands (GodwitChannel *self, const GodwitChannelOptions *options, GCancellable *cancellable,
             GError **error)
{
  if (!read_hello (self, options, cancellable, error))
    return FALSE;
  g_autofree char *answer =
      options->token != NULL
          ? g_strdup_printf ("channel %s %s\n", options->token, self->hello.nonce)
          : g_strdup_printf ("control %u %s\n", self->protocol, self->hello.nonce);
  if (!godwit_fd_write_all (godwit_child_get_input (self->child), answer, strlen (answer),
                            godwit_deadline_in_ms (5000), cancellable, error))
    return FALSE;
  return options->token == NULL || read_answer (self, options, cancellable, error);
}

/* Writing to a channel whose process has ended is an error to report, not a reason to die. */
static void
ignore_broken_pipes (void)
{
  static gsize once;
  if (g_once_init_enter (&once)) {
    signal (SIGPIPE, SIG_IGN);
    g_once_init_leave (&once, 1);
  }
}

GodwitChannel *
godwit_channel_open (const GodwitChannelOptions *options, GCancellable *cancellable, GError **error)
{
  GodwitChildOptions child = {.argv = options->argv, .death_signal = SIGTERM};
  ignore_broken_pipes ();
  g_autoptr (GodwitChannel) self = g_new0 (GodwitChannel, 1);
  self->child = godwit_child_spawn (&child, error);
  if (self->child == NULL) {
    g_prefix_error (error, "cannot reach %s: ", options->host);
    return NULL;
  }
  self->errors = godwit_tail_new (godwit_child_get_errors (self->child), ERRORS_MAX);
  g_autoptr (GError) local = NULL;
  if (!shake_hands (self, options, cancellable, &local)) {
    translate (self, options, &local);
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  return g_steal_pointer (&self);
}

gboolean
godwit_channel_send_answer (int fd, const GError *failure, gint64 deadline_us, GError **error)
{
  g_autofree char *line = NULL;
  if (failure == NULL) {
    line = g_strdup ("ok\n");
  } else {
    int code = failure->domain == GODWIT_ERROR ? failure->code : GODWIT_ERROR_INTERNAL;
    g_autofree char *text = g_strescape (failure->message, NULL);
    line = g_strdup_printf ("error %d %s\n", code, text);
  }
  return godwit_fd_write_all (fd, line, strlen (line), deadline_us, NULL, error);
}
