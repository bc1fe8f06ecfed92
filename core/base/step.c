/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/variant.h"

#include <godwit/error.h>
#include <godwit/step.h>

GodwitStep *
godwit_step_new (const char *name, const char *summary, GodwitPhase phase, guint weight,
                 guint deadline, GodwitStepFlags flags, GVariant *arguments)
{
  GodwitStep *step = g_new0 (GodwitStep, 1);
  step->name = g_strdup (name);
  step->summary = g_strdup (summary);
  step->phase = phase;
  step->weight = weight;
  step->deadline = deadline;
  step->flags = flags;
  step->arguments = arguments != NULL ? g_variant_ref_sink (arguments) : NULL;
  return step;
}

void
godwit_step_free (GodwitStep *step)
{
  if (step == NULL)
    return;
  g_free (step->name);
  g_free (step->summary);
  g_clear_pointer (&step->arguments, g_variant_unref);
  g_free (step);
}

GVariant *
godwit_step_to_variant (const GodwitStep *step)
{
  g_return_val_if_fail (step != NULL, NULL);
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  godwit_variant_add_text (&builder, "name", step->name);
  godwit_variant_add_text (&builder, "summary", step->summary);
  g_variant_builder_add (&builder, "{sv}", "phase", g_variant_new_uint32 (step->phase));
  g_variant_builder_add (&builder, "{sv}", "weight", g_variant_new_uint32 (step->weight));
  g_variant_builder_add (&builder, "{sv}", "deadline", g_variant_new_uint32 (step->deadline));
  g_variant_builder_add (&builder, "{sv}", "flags", g_variant_new_uint32 (step->flags));
  if (step->arguments != NULL)
    g_variant_builder_add (&builder, "{sv}", "arguments", step->arguments);
  return g_variant_builder_end (&builder);
}

GodwitStep *
godwit_step_from_variant (GVariant *variant, GError **error)
{
  g_autofree char *name = NULL;
  guint32 phase = G_MAXUINT32;
  if (variant != NULL && g_variant_is_of_type (variant, G_VARIANT_TYPE_VARDICT)) {
    name = godwit_variant_dup_text (variant, "name");
    g_variant_lookup (variant, "phase", "u", &phase);
  }
  if (name == NULL || phase > GODWIT_PHASE_RETIRING) {
    godwit_set_error (error, GODWIT_ERROR_CORRUPT, NULL,
                      "the record of a step has no valid name or phase");
    return NULL;
  }

  g_autofree char *summary = godwit_variant_dup_text (variant, "summary");
  g_autoptr (GVariant) arguments = g_variant_lookup_value (variant, "arguments", NULL);
  return godwit_step_new (name, summary, phase, godwit_variant_get_uint32 (variant, "weight"),
                          godwit_variant_get_uint32 (variant, "deadline"),
                          godwit_variant_get_uint32 (variant, "flags"), arguments);
}

const char *
godwit_phase_to_string (GodwitPhase phase)
{
  static const char *const names[] = {"preparing", "copying", "frozen", "resuming", "retiring"};
  return (guint)phase < G_N_ELEMENTS (names) ? names[phase] : "unknown";
}
