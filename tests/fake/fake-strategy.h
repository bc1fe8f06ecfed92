/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fake-world.h"
#include "registry/registry-private.h"

#include <godwit/strategy.h>

/* A strategy through its plugin's front door. */
static inline GodwitStrategy *
fake_load_strategy (const char *name, GodwitPluginQuery query)
{
  static GodwitModule *module;
  g_autoptr (GError) error = NULL;

  if (module == NULL)
    module = godwit_module_load (name, query, &error);
  g_assert_no_error (error);
  GodwitProvided *provided = g_ptr_array_index (godwit_module_get_provided (module), 0);
  g_assert_cmpstr (provided->name, ==, name);
  return GODWIT_STRATEGY (g_object_new (provided->type, NULL));
}

/* Names of a plan's steps up to and after the one commit: "a b [commit] c". Checks what every
 * plan must be. */
static inline char *
fake_check_plan (GPtrArray *steps)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  guint commits = 0;

  for (guint i = 0; i < steps->len; i++) {
    GodwitStep *step = g_ptr_array_index (steps, i);
    gboolean commit = (step->flags & GODWIT_STEP_COMMIT) != 0;
    commits += commit;
    g_assert_true (g_hash_table_add (names, step->name));
    /* Nothing is undone after the commit, nothing is owed before it. */
    g_assert_false (commits > 0 && (step->flags & (GODWIT_STEP_UNDO | GODWIT_STEP_VOLATILE)));
    g_assert_false (commits == 0 && (step->flags & GODWIT_STEP_MAY_OWE));
    g_string_append_printf (text, commit ? "%s[%s]" : "%s%s", i > 0 ? " " : "", step->name);
  }
  g_assert_cmpuint (commits, ==, 1);
  return g_strdup (text->str);
}

static inline const GodwitStep *
fake_find_step (GPtrArray *steps, const char *name)
{
  for (guint i = 0; i < steps->len; i++) {
    GodwitStep *step = g_ptr_array_index (steps, i);
    if (g_str_equal (step->name, name))
      return step;
  }
  g_assert_not_reached ();
}

/* Runs or undoes one step of a plan. */
static inline gboolean
fake_step (FakeWorld *world, GodwitStrategy *strategy, GPtrArray *steps, const char *name,
           gboolean undo, GError **error)
{
  const GodwitStep *step = fake_find_step (steps, name);

  return undo ? godwit_strategy_undo_step (strategy, world->job, step, NULL, error)
              : godwit_strategy_run_step (strategy, world->job, step, NULL, error);
}
