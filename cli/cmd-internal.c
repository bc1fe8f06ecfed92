/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What godwit starts itself: on the hosts the agent, here supervisor, worker and probe. */
#include "cli.h"

#include "agent/agent.h"
#include "builtins.h"

static int
run_agent (CliContext *context, int argc, char **argv)
{
  return godwit_agent_main (argc, argv);
}

static int
run_supervise (CliContext *context, int argc, char **argv)
{
  return godwit_supervisor_main (argc, argv);
}

static int
run_work (CliContext *context, int argc, char **argv)
{
  return godwit_worker_main (argc, argv, cli_builtins);
}

static int
run_plugin_probe (CliContext *context, int argc, char **argv)
{
  return godwit_probe_main (argc, argv);
}

const CliCommand cli_command_agent = {
    .name = "agent",
    .arguments = "--stdio",
    .summary = "Serve a controller over standard input and output (started on each host)",
    .flags = CLI_COMMAND_RAW,
    .run_raw = run_agent,
};

const CliCommand cli_command_supervise = {
    .name = "supervise",
    .arguments = "JOB PURPOSE",
    .summary = "Watch over the worker of a job",
    .flags = CLI_COMMAND_RAW | CLI_COMMAND_HIDDEN,
    .run_raw = run_supervise,
};

const CliCommand cli_command_work = {
    .name = "work",
    .arguments = "JOB PURPOSE",
    .summary = "Do the work of a job",
    .flags = CLI_COMMAND_RAW | CLI_COMMAND_HIDDEN,
    .run_raw = run_work,
};

const CliCommand cli_command_plugin_probe = {
    .name = "plugin-probe",
    .arguments = "PATH",
    .summary = "Load one plugin and describe it",
    .flags = CLI_COMMAND_RAW | CLI_COMMAND_HIDDEN,
    .run_raw = run_plugin_probe,
};
