/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include "builtins.h"

void
cli_context_clear (CliContext *self)
{
  g_clear_object (&self->client);
  g_clear_object (&self->registry);
  g_clear_object (&self->config);
  g_clear_pointer (&self->config_path, g_free);
  g_clear_pointer (&self->plugin_dir, g_free);
}

GodwitConfig *
cli_context_get_config (CliContext *self, GError **error)
{
  if (self->config == NULL)
    self->config = godwit_config_load (self->config_path, error);
  return self->config;
}

GodwitRegistry *
cli_context_get_registry (CliContext *self, GError **error)
{
  g_auto (GStrv) disabled = NULL;
  GodwitConfig *config;

  if (self->registry != NULL)
    return self->registry;
  config = cli_context_get_config (self, error);
  if (config == NULL)
    return NULL;
  self->registry = godwit_registry_new (self->plugin_dir, cli_builtins, error);
  if (self->registry == NULL)
    return NULL;
  disabled = godwit_config_get_list (config, "plugins", "disable");
  if (disabled != NULL)
    godwit_registry_disable (self->registry, (const char *const *)disabled);
  return self->registry;
}

GodwitClient *
cli_context_get_client (CliContext *self, GError **error)
{
  if (self->client != NULL)
    return self->client;
  self->client = godwit_client_new (self->config_path, error);
  if (self->client != NULL)
    godwit_client_set_plugin_dir (self->client, self->plugin_dir);
  return self->client;
}

gboolean
cli_context_get_checked (CliContext *self, GodwitConfig **config, GodwitRegistry **registry,
                         GError **error)
{
  *config = cli_context_get_config (self, error);
  if (*config == NULL)
    return FALSE;
  *registry = cli_context_get_registry (self, error);
  return *registry != NULL && godwit_config_check_plugins (*config, *registry, error);
}
