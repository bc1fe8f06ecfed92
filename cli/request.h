/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli.h"
#include "journal/journal.h"

G_BEGIN_DECLS

/* What `migrate` and `plan` are asked for: the options that both have. */
typedef struct {
  char *to;
  char *from;
  char *strategy;
  gboolean allow_downtime;
  char *max_downtime;
  char *shutdown_timeout;
  gboolean auto_confirm;
  gboolean no_forecast;
} CliRequest;

extern CliRequest cli_request;

#define CLI_REQUEST_OPTIONS                                                                        \
  {"to",                                                                                           \
   0,                                                                                              \
   0,                                                                                              \
   G_OPTION_ARG_STRING,                                                                            \
   &cli_request.to,                                                                                \
   "Destination: a name of the configuration, an SSH destination or a libvirt URI",                \
   "HOST"},                                                                                        \
      {"from", 0, 0, G_OPTION_ARG_STRING, &cli_request.from, "Source, instead of this machine",    \
       "HOST"},                                                                                    \
      {"strategy",                                                                                 \
       0,                                                                                          \
       0,                                                                                          \
       G_OPTION_ARG_STRING,                                                                        \
       &cli_request.strategy,                                                                      \
       "auto, or a strategy by its name (godwit plugins lists them)",                              \
       "NAME"},                                                                                    \
      {"allow-downtime",                                                                           \
       0,                                                                                          \
       0,                                                                                          \
       G_OPTION_ARG_NONE,                                                                          \
       &cli_request.allow_downtime,                                                                \
       "Let auto stop a running guest if nothing else fits",                                       \
       NULL},                                                                                      \
      {"max-downtime",                                                                             \
       0,                                                                                          \
       0,                                                                                          \
       G_OPTION_ARG_STRING,                                                                        \
       &cli_request.max_downtime,                                                                  \
       "How long a live move may stop the guest, for example 300ms",                               \
       "TIME"},                                                                                    \
      {"shutdown-timeout",                                                                         \
       0,                                                                                          \
       0,                                                                                          \
       G_OPTION_ARG_STRING,                                                                        \
       &cli_request.shutdown_timeout,                                                              \
       "How long a cold move waits for the guest to shut down, for example 90s",                   \
       "TIME"},                                                                                    \
  {                                                                                                \
    "auto-confirm", 0, 0, G_OPTION_ARG_NONE, &cli_request.auto_confirm,                            \
        "Remove the source's copy without waiting for godwit confirm", NULL                        \
  }

/* A record of a job that moves @guest as cli_request asks; refuses what cannot be meant. */
GodwitJobRecord *cli_request_make_record (const char *guest, GError **error);

/* `godwit plan`, also for `migrate --dry-run`. */
CliExit cli_run_plan (CliContext *context, const char *guest, gboolean json);

G_END_DECLS
