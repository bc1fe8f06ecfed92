/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/host-private.h"

#include <godwit/error.h>
#include <godwit/hypervisor.h>
#include <godwit/live.h>

/* Between the commit and the moment at which the source forgets the guest, a source that boots
 * would start it a second time. So its autostart is off from before the commit on. */

#define STEP      "hold-autostart"
#define FACT_BOOT "autostart.boot"

GPtrArray *
godwit_guest_plan_steps (GodwitJob *job, const GodwitStepEntry *entries)
{
  GPtrArray *steps = godwit_step_entries_plan (entries);
  const GodwitGuest *guest = godwit_job_get_guest (job);
  for (guint i = 0; !guest->autostart && i < steps->len; i++) {
    const GodwitStep *step = g_ptr_array_index (steps, i);
    if (g_str_equal (step->name, STEP))
      g_ptr_array_remove_index (steps, i--);
  }
  return steps;
}

static gboolean
set (GodwitJob *job, gboolean on, GCancellable *cancellable, GError **error)
{
  GodwitHypervisor *source = godwit_job_get_source_hypervisor (job);
  if (source == NULL) {
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, "godwit hosts",
                      "the source host cannot be reached");
    return FALSE;
  }
  return godwit_hypervisor_set_autostart (source, godwit_job_get_guest (job)->uuid, on, cancellable,
                                          error);
}

gboolean
godwit_guest_hold_autostart (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  GodwitHost *source = godwit_job_get_source (job);
  const char *boot = source != NULL ? godwit_host_get_boot_id (source) : NULL;
  return godwit_job_set_fact (job, FACT_BOOT, g_variant_new_string (boot != NULL ? boot : ""),
                              error) &&
         set (job, FALSE, cancellable, error);
}

/* Whether the source has booted since, and would have started the guest. */
static gboolean
missed_a_boot (GodwitJob *job)
{
  g_autoptr (GVariant) held = godwit_job_get_fact (job, FACT_BOOT);
  const char *boot = godwit_job_get_source (job) != NULL
                         ? godwit_host_get_boot_id (godwit_job_get_source (job))
                         : NULL;
  return held != NULL && boot != NULL && *g_variant_get_string (held, NULL) != '\0' &&
         !g_str_equal (g_variant_get_string (held, NULL), boot);
}

static gboolean
make_up_for_it (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  GodwitHypervisor *source = godwit_job_get_source_hypervisor (job);
  GodwitGuestState state = GODWIT_GUEST_UNKNOWN;
  if (!godwit_hypervisor_get_state (source, guest->uuid, &state, NULL, cancellable, error))
    return FALSE;
  if (state != GODWIT_GUEST_SHUT_OFF)
    return TRUE;
  godwit_job_log (job, GODWIT_SEVERITY_INFO, godwit_host_get_name (godwit_job_get_source (job)),
                  "starting %s: this host has booted while its autostart was held", guest->name);
  return godwit_hypervisor_start (source, guest->uuid, cancellable, error);
}

gboolean
godwit_guest_release_autostart (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  g_autoptr (GVariant) held = godwit_job_get_fact (job, FACT_BOOT);
  if (held == NULL)
    return TRUE;
  return set (job, TRUE, cancellable, error) &&
         (!missed_a_boot (job) || make_up_for_it (job, cancellable, error)) &&
         godwit_job_set_fact (job, FACT_BOOT, NULL, error);
}
