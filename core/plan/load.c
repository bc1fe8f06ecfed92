/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/planner-private.h"

#include <godwit/error.h>

#include <string.h>

GObject *
godwit_plan_load_one (GodwitJob *job, GodwitRegistry *registry, GType contract, const char *name,
                      GError **error)
{
  g_autoptr (GObject) object = godwit_registry_create (registry, contract, name, error);

  if (object == NULL ||
      !godwit_config_apply (godwit_job_get_config (job), object,
                            godwit_contract_to_string (contract), name, NULL, error))
    return NULL;
  return g_steal_pointer (&object);
}

GPtrArray *
godwit_plan_load_storages (GodwitJob *job, GodwitRegistry *registry, GodwitReport *report)
{
  GPtrArray *storages = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_named_free);
  g_autoptr (GError) error = NULL;

  if (!godwit_registry_load_contract (registry, GODWIT_TYPE_STORAGE, &error)) {
    godwit_report_add_error (report, "storage-plugins", NULL, error);
    return storages;
  }
  g_auto (GStrv) names = godwit_registry_list (registry, GODWIT_TYPE_STORAGE);
  for (gsize i = 0; names != NULL && names[i] != NULL; i++) {
    g_autoptr (GError) local_error = NULL;
    g_autoptr (GObject) object =
        godwit_plan_load_one (job, registry, GODWIT_TYPE_STORAGE, names[i], &local_error);
    if (object == NULL)
      godwit_report_add_error (report, "storage-plugins", names[i], local_error);
    else
      g_ptr_array_add (storages, godwit_named_new (names[i], object, NULL));
  }
  return storages;
}

/* The configured order; whatever the operator asked for is in it even if the order left it out. */
static GStrv
strategy_order (GodwitJob *job, const char *asked)
{
  GodwitConfig *config = godwit_job_get_config (job);
  GodwitGuest *guest = godwit_job_get_guest (job);
  const char *text = godwit_config_get_for_guest (config, guest->name, guest->uuid, "order");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) words = g_strsplit_set (text != NULL ? text : "", ";, ", -1);
  gboolean seen = FALSE;

  for (gsize i = 0; words[i] != NULL; i++) {
    g_strstrip (words[i]);
    gboolean again = FALSE;
    for (gsize j = 0; j < i; j++)
      again = again || g_str_equal (words[i], words[j]);
    if (*words[i] == '\0' || again)
      continue;
    seen = seen || g_strcmp0 (words[i], asked) == 0;
    g_strv_builder_add (builder, words[i]);
  }
  if (asked != NULL && !seen)
    g_strv_builder_add (builder, asked);
  return g_strv_builder_end (builder);
}

GPtrArray *
godwit_plan_load_strategies (GodwitJob *job, GodwitRegistry *registry, const char *asked)
{
  GPtrArray *strategies = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_named_free);
  g_auto (GStrv) order = strategy_order (job, asked);

  for (gsize i = 0; order[i] != NULL; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GObject) object =
        godwit_plan_load_one (job, registry, GODWIT_TYPE_STRATEGY, order[i], &error);
    g_ptr_array_add (strategies, godwit_named_new (order[i], object, error));
  }
  return strategies;
}
