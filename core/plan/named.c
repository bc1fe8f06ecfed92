/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/planner-private.h"

GodwitNamed *
godwit_named_new (const char *name, GObject *object, const GError *error)
{
  GodwitNamed *named = g_new0 (GodwitNamed, 1);

  named->name = g_strdup (name);
  named->object = object != NULL ? g_object_ref (object) : NULL;
  named->error = error != NULL ? g_error_copy (error) : NULL;
  return named;
}

void
godwit_named_free (GodwitNamed *named)
{
  g_free (named->name);
  g_clear_object (&named->object);
  g_clear_error (&named->error);
  g_free (named);
}

void
godwit_plan_free (GodwitPlan *plan)
{
  g_clear_object (&plan->report);
  g_clear_pointer (&plan->candidates, g_ptr_array_unref);
  g_free (plan->chosen);
  g_clear_object (&plan->strategy);
  g_clear_pointer (&plan->steps, g_ptr_array_unref);
  g_free (plan);
}
