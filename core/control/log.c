/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control/log.h"

#include <syslog.h>
#include <unistd.h>

static const char *
find_field (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++) {
    if (g_str_equal (fields[i].key, key))
      return fields[i].value;
  }
  return NULL;
}

static int
priority_of (GLogLevelFlags level)
{
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    return LOG_ERR;
  if (level & G_LOG_LEVEL_WARNING)
    return LOG_WARNING;
  return level & G_LOG_LEVEL_DEBUG ? LOG_DEBUG : LOG_INFO;
}

static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  if (level & G_LOG_LEVEL_DEBUG)
    return G_LOG_WRITER_HANDLED;
  if (g_log_writer_journald (level, fields, n_fields, NULL) == G_LOG_WRITER_HANDLED)
    return G_LOG_WRITER_HANDLED;
  const char *message = find_field (fields, n_fields, "MESSAGE");
  const char *job = find_field (fields, n_fields, "GODWIT_JOB");
  if (message == NULL)
    return G_LOG_WRITER_HANDLED;
  if (access ("/dev/log", W_OK) == 0)
    syslog (priority_of (level), "%s%s%s", job != NULL ? job : "", job != NULL ? ": " : "",
            message);
  /* Standard error of a worker is the job's own log file; what it already has from the journal
   * need not be there twice. */
  if (job == NULL)
    return g_log_writer_standard_streams (level, fields, n_fields, NULL);
  return G_LOG_WRITER_HANDLED;
}

void
godwit_log_use_system (void)
{
  static gsize once;
  if (!g_once_init_enter (&once))
    return;
  openlog ("godwit", LOG_PID, LOG_DAEMON);
  g_log_set_writer_func (write_log, NULL, NULL);
  g_once_init_leave (&once, 1);
}

void
godwit_log_event (const char *job, const GodwitEvent *event)
{
  if (event->kind == GODWIT_EVENT_PROGRESS)
    return;
  const char *kind = godwit_event_kind_to_string (event->kind);
  const char *what = event->what != NULL ? event->what : "";
  const char *host = event->host != NULL ? event->host : "";
  g_autofree char *message =
      g_strdup_printf ("%s%s%s%s%s%s", kind, *what != '\0' ? " " : "", what,
                       *host != '\0' ? " on " : "", host, event->message != NULL ? ": " : "");
  g_autofree char *text = g_strconcat (message, event->message, NULL);
  const GLogField fields[] = {{"MESSAGE", text, -1},
                              {"GODWIT_JOB", job, -1},
                              {"GODWIT_KIND", kind, -1},
                              {"GODWIT_WHAT", what, -1},
                              {"GODWIT_HOST", host, -1},
                              {"GLIB_DOMAIN", G_LOG_DOMAIN, -1},
                              {"SYSLOG_IDENTIFIER", "godwit", -1}};
  GLogLevelFlags level =
      event->severity >= GODWIT_SEVERITY_WARNING ? G_LOG_LEVEL_WARNING : G_LOG_LEVEL_INFO;
  g_log_structured_array (level, fields, G_N_ELEMENTS (fields));
}
