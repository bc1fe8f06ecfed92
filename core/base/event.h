/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/report.h>

G_BEGIN_DECLS

typedef enum {
  GODWIT_EVENT_LOG,      /* a sentence */
  GODWIT_EVENT_STATE,    /* the job's state changed; `what` is the new state */
  GODWIT_EVENT_STEP,     /* a step began, ended, failed, is undone; `what` is its name */
  GODWIT_EVENT_PROGRESS, /* `what` is "disk vda", "memory"; not kept in the journal */
  GODWIT_EVENT_FINDING,  /* a check's verdict; `what` is its id */
  GODWIT_EVENT_RESULT,   /* the last event of a job: figures in data */
} GodwitEventKind;

/* What happens in a job, for every front end alike: the journal keeps them, the control socket
 * sends them, the command line prints them. */
typedef struct {
  guint64 serial; /* grows by one within a job; 0 for progress */
  gint64 time_us; /* since the epoch */
  GodwitEventKind kind;
  GodwitSeverity severity;
  char *host;
  char *what;
  char *message;
  guint64 done;
  guint64 total;
  guint64 rate;   /* bytes a second */
  GVariant *data; /* a{sv}, kind by kind */
} GodwitEvent;

GodwitEvent *godwit_event_new (GodwitEventKind kind, const char *what, const char *message);
GodwitEvent *godwit_event_copy (const GodwitEvent *event);
void godwit_event_free (GodwitEvent *event);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitEvent, godwit_event_free)

GVariant *godwit_event_to_variant (const GodwitEvent *event); /* floating a{sv} */
GodwitEvent *godwit_event_from_variant (GVariant *variant);
/* One JSON object on one line, with stable names: time, kind, severity, host, what, message,
 * done, total, rate, and the members of data. */
char *godwit_event_to_json (const GodwitEvent *event, const char *job_id);
const char *godwit_event_kind_to_string (GodwitEventKind kind);

typedef void (*GodwitEventFunc) (const GodwitEvent *event, gpointer user_data);

G_END_DECLS
