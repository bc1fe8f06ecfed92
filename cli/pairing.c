/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pairing.h"

#include "background.h"
#include "output.h"

#include "plan/machines.h"

typedef struct {
  GodwitMachines *machines;
  const char *from;
  const char *to;
  gboolean both_ways;
} Pairing;

static gboolean
pair_one_way (Pairing *self, const char *from_name, const char *to_name, GCancellable *cancellable,
              GError **error)
{
  g_autoptr (GodwitTransport) from = NULL;
  g_autoptr (GodwitTransport) to = NULL;
  g_auto (GStrv) agent = NULL;

  if (!godwit_machines_get_transport (self->machines, from_name, &from, error) ||
      !godwit_machines_get_transport (self->machines, to_name, &to, error))
    return FALSE;
  if (to == NULL) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG,
                      "name this machine in the configuration with the address that the others "
                      "reach it by, or pair from there",
                      "%s is this machine: it has no address that %s could reach", to_name,
                      from_name);
    return FALSE;
  }
  agent = godwit_machines_get_agent_command (self->machines, to_name, error);
  if (agent == NULL ||
      !godwit_transport_pair (to, from, (const char *const *)agent, cancellable, error))
    return FALSE;
  g_print ("%s may now carry data straight to %s\n", from_name, to_name);
  return TRUE;
}

static gboolean
pair (gpointer data, GCancellable *cancellable, GError **error)
{
  Pairing *self = data;

  return pair_one_way (self, self->from, self->to, cancellable, error) &&
         (!self->both_ways || pair_one_way (self, self->to, self->from, cancellable, error));
}

CliExit
cli_pair_hosts (CliContext *context, const char *from, const char *to, gboolean both_ways)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitMachines) machines = NULL;
  Pairing pairing = {.from = from, .to = to, .both_ways = both_ways};
  GodwitConfig *config;
  GodwitRegistry *registry;

  if (!cli_context_get_checked (context, &config, &registry, &error))
    return cli_fail (error);
  if (g_str_equal (from, to)) {
    godwit_set_error (&error, GODWIT_ERROR_CONFIG, "godwit hosts lists the known ones",
                      "%s cannot be paired with itself", from);
    return cli_fail (error);
  }
  pairing.machines = machines = godwit_machines_new (config, registry, NULL);
  return cli_run_in_background (pair, NULL, &pairing, NULL, &error) ? CLI_DONE : cli_fail (error);
}
