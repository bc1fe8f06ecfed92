/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "jobs.h"
#include "output.h"
#include "watching.h"

static gboolean option_json;
static int option_timeout;

static const GOptionEntry watch_options[] = {
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "Every event as one JSON object a line", NULL},
    {NULL},
};

static const GOptionEntry wait_options[] = {
    {"timeout", 0, 0, G_OPTION_ARG_INT, &option_timeout, "Stop waiting then; 0 is never",
     "SECONDS"},
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "The job's end as one JSON object", NULL},
    {NULL},
};

static CliExit
watch_job (CliContext *context, const char *name, const CliWatch *watch)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJobRecord) job = cli_find_job (context, name, NULL, &error);

  return job != NULL ? cli_watch_job (context, job->id, watch) : cli_fail (error);
}

static CliExit
run_watch (CliContext *context, char **arguments)
{
  CliWatch watch = {.json = option_json};

  return watch_job (context, arguments[0], &watch);
}

static CliExit
run_wait (CliContext *context, char **arguments)
{
  CliWatch watch = {.quiet = TRUE, .json = option_json, .timeout_s = MAX (0, option_timeout)};

  return watch_job (context, arguments[0], &watch);
}

const CliCommand cli_command_watch = {
    .name = "watch",
    .arguments = "JOB",
    .summary = "Show what a job did and does, until it ends",
    .details =
        "JOB is a job's id, the beginning of one if no other begins so, or a guest's name for\n"
        "its newest job. An interrupt stops watching; the job goes on.",
    .options = watch_options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run_watch,
};

const CliCommand cli_command_wait = {
    .name = "wait",
    .arguments = "JOB",
    .summary = "Wait for the end of a job; exit as it did",
    .options = wait_options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run_wait,
};
