/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "jobs.h"
#include "output.h"
#include "watching.h"

static gboolean option_discard;
static gboolean option_copy_back;
static gboolean option_detach;
static gboolean option_json;

static const GOptionEntry options[] = {
    {"discard-destination-writes", 0, 0, G_OPTION_ARG_NONE, &option_discard,
     "Give up what the guest wrote at the destination", NULL},
    {"copy-back", 0, 0, G_OPTION_ARG_NONE, &option_copy_back,
     "Carry the disks back to the source, with what the guest wrote", NULL},
    {"detach", 0, 0, G_OPTION_ARG_NONE, &option_detach, "Start the job, print its id and return",
     NULL},
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "Every event as one JSON object a line", NULL},
    {NULL},
};

static GVariant *
make_options (void)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{ss}"));

  if (option_discard)
    g_variant_builder_add (&builder, "{ss}", "discard-destination-writes", "true");
  return g_variant_builder_end (&builder);
}

/* A revert that failed is a newer job of the guest, and not the one that is meant. */
static gboolean
is_migration_done (const GodwitJobRecord *job)
{
  return job->state == GODWIT_JOB_DONE && g_strcmp0 (job->kind, "migrate") == 0;
}

static CliExit
run (CliContext *context, char **arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJobRecord) job = NULL;
  g_autofree char *revert = NULL;
  CliWatch watch = {.json = option_json, .may_abort = TRUE};
  GodwitClient *client;

  if (option_discard && option_copy_back) {
    godwit_set_error (&error, GODWIT_ERROR_CONFIG, "write only one of them",
                      "--discard-destination-writes and --copy-back exclude each other");
    return cli_fail (error);
  }
  job = cli_find_job (context, arguments[0], is_migration_done, &error);
  if (job == NULL)
    return cli_fail (error);
  client = cli_context_get_client (context, &error);
  revert = option_copy_back ? godwit_client_carry_back (client, job->id, &error)
                            : godwit_client_revert (client, job->id, make_options (), &error);
  if (revert == NULL)
    return cli_fail (error);
  if (option_detach) {
    cli_print_job_id (revert, option_json);
    return CLI_DONE;
  }
  return cli_watch_job (context, revert, &watch);
}

const CliCommand cli_command_revert = {
    .name = "revert",
    .arguments = "JOB",
    .summary = "Bring the guest of a done job back to its source",
    .details =
        "A guest that ran at the destination has written to its disks there. Then one of the first"
        "\ntwo options must say what becomes of that.",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
