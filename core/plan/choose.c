/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/planner-private.h"

#include "base/spelling.h"

#include <godwit/error.h>

static void
candidate_free (GodwitCandidate *candidate)
{
  g_free (candidate->name);
  g_free (candidate->reason);
  g_clear_pointer (&candidate->disks, g_ptr_array_unref);
  g_free (candidate);
}

guint64
godwit_plan_count_bytes (GPtrArray *disks)
{
  guint64 bytes = 0;

  for (guint i = 0; i < disks->len; i++) {
    GodwitDisk *disk = g_ptr_array_index (disks, i);
    if (disk->treatment != GODWIT_TREATMENT_MIRROR && disk->treatment != GODWIT_TREATMENT_COPY)
      continue;
    for (guint j = 0; j < disk->chain->len; j++) {
      GodwitImage *image = g_ptr_array_index (disk->chain, j);
      /* The top layer always travels; a lower one unless it is there already. */
      if (j == 0 || disk->flatten || !image->present)
        bytes += image->allocated;
    }
  }
  return bytes;
}

static const char *
treatment_verb (GodwitTreatment treatment)
{
  switch (treatment) {
  case GODWIT_TREATMENT_ATTACH:
    return "is attached";
  case GODWIT_TREATMENT_MIRROR:
    return "is mirrored";
  case GODWIT_TREATMENT_COPY:
    return "is copied";
  case GODWIT_TREATMENT_SKIP:
  case GODWIT_TREATMENT_UNDECIDED:
  default:
    return NULL;
  }
}

char *
godwit_plan_describe_disks (GPtrArray *disks)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < disks->len; i++) {
    GodwitDisk *disk = g_ptr_array_index (disks, i);
    const char *verb = treatment_verb (disk->treatment);
    if (verb == NULL)
      continue;
    g_string_append_printf (text, "%s%s %s", text->len > 0 ? ", " : "", disk->target, verb);
    if (disk->treatment != GODWIT_TREATMENT_ATTACH) {
      g_autoptr (GPtrArray) one = g_ptr_array_new ();
      g_ptr_array_add (one, disk);
      g_autofree char *size =
          g_format_size_full (godwit_plan_count_bytes (one), G_FORMAT_SIZE_IEC_UNITS);
      g_string_append_printf (text, " (%s)", size);
    }
  }
  return g_string_free (g_steal_pointer (&text), text->len == 0);
}

/* A copy by way of the journal's form: what a strategy decides must survive that anyway. */
static GPtrArray *
copy_disks (const GodwitGuest *guest, GError **error)
{
  g_autoptr (GVariant) variant = g_variant_ref_sink (godwit_guest_to_variant (guest));
  g_autoptr (GodwitGuest) copy = godwit_guest_from_variant (variant, error);

  return copy != NULL ? g_ptr_array_ref (copy->disks) : NULL;
}

static void
check_downtime (GodwitJob *job, GodwitStrategy *strategy, const char *name, GodwitReport *report)
{
  GodwitGuest *guest = godwit_job_get_guest (job);

  if (!godwit_strategy_stops_guest (strategy) || !godwit_guest_is_active (guest))
    return;
  if (godwit_job_get_option_boolean (job, "allow-downtime"))
    godwit_report_add (report, GODWIT_SEVERITY_WARNING, "needs-downtime", guest->name, NULL,
                       "%s is %s; %s stops it until it has moved", guest->name,
                       godwit_guest_state_to_string (guest->state), name);
  else
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "needs-downtime", guest->name,
                       "add --allow-downtime, or shut the guest down first",
                       "%s is %s, and %s would stop it until it has moved", guest->name,
                       godwit_guest_state_to_string (guest->state), name);
}

/* Runs one strategy's checks on its own copy of the disks: what it decides of a disk must not
 * change what the next one sees. */
static gboolean
examine (GodwitPlan *plan, GodwitJob *job, const GodwitNamed *named, GCancellable *cancellable,
         GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  GodwitCandidate *candidate = g_new0 (GodwitCandidate, 1);
  g_autoptr (GError) local_error = NULL;

  g_ptr_array_add (plan->candidates, candidate);
  candidate->name = g_strdup (named->name);
  if (named->object == NULL) {
    candidate->reason = godwit_error_dup_message (named->error);
    candidate->disks = g_ptr_array_new ();
    return TRUE;
  }
  candidate->disks = copy_disks (guest, error);
  if (candidate->disks == NULL)
    return FALSE;

  GodwitStrategy *strategy = GODWIT_STRATEGY (named->object);
  GPtrArray *original = guest->disks;
  godwit_report_set_scope (plan->report, named->name);
  guest->disks = candidate->disks;
  check_downtime (job, strategy, named->name, plan->report);
  gboolean ok = godwit_strategy_check (strategy, job, plan->report, cancellable, &local_error);
  guest->disks = original;
  if (!ok && !godwit_error_is_cancelled (local_error))
    godwit_report_add_error (plan->report, "check-failed", named->name, local_error);
  godwit_report_set_scope (plan->report, NULL);
  if (!ok && godwit_error_is_cancelled (local_error)) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return FALSE;
  }

  candidate->bytes = godwit_plan_count_bytes (candidate->disks);
  const GodwitFinding *blocker = godwit_report_first_blocker (plan->report, named->name);
  candidate->allowed = blocker == NULL;
  if (blocker != NULL)
    candidate->reason = g_strdup (blocker->message);
  return TRUE;
}

static void
explain_choice (GodwitPlan *plan, GodwitCandidate *chosen, gboolean asked)
{
  g_autofree char *disks = godwit_plan_describe_disks (chosen->disks);
  g_autoptr (GString) text = g_string_new (disks);

  if (asked)
    g_string_append_printf (text, "%sasked for", text->len > 0 ? "; " : "");
  for (guint i = 0; !asked && i < plan->candidates->len; i++) {
    GodwitCandidate *other = g_ptr_array_index (plan->candidates, i);
    if (other == chosen)
      break;
    g_string_append_printf (text, "%snot %s: %s", text->len > 0 ? "; " : "", other->name,
                            other->reason);
  }
  if (text->len == 0)
    g_string_append (text, "first in the order of preference");
  g_free (chosen->reason);
  chosen->reason = g_strdup (text->str);
}

static GodwitNamed *
find_named (GPtrArray *strategies, const char *name)
{
  for (guint i = 0; i < strategies->len; i++) {
    GodwitNamed *named = g_ptr_array_index (strategies, i);
    if (g_str_equal (named->name, name))
      return named;
  }
  return NULL;
}

static GodwitCandidate *
find_candidate (GodwitPlan *plan, const char *asked)
{
  for (guint i = 0; i < plan->candidates->len; i++) {
    GodwitCandidate *candidate = g_ptr_array_index (plan->candidates, i);
    if (candidate->allowed && (asked == NULL || g_str_equal (candidate->name, asked)))
      return candidate;
  }
  return NULL;
}

/* The operator asked for one that does not fit: say which one does. */
static void
suggest_other (GodwitPlan *plan, const char *asked)
{
  GodwitCandidate *other = find_candidate (plan, NULL);

  if (other == NULL)
    return;
  const GodwitFinding *blocker = godwit_report_first_blocker (plan->report, asked);
  gboolean wants_yes = blocker != NULL && g_str_equal (blocker->id, "needs-downtime");
  g_autofree char *remedy = g_strdup_printf ("%s%s--strategy %s", wants_yes ? blocker->remedy : "",
                                             wants_yes ? "; or " : "", other->name);
  g_autofree char *disks = godwit_plan_describe_disks (other->disks);
  godwit_report_set_scope (plan->report, asked);
  godwit_report_add (plan->report, GODWIT_SEVERITY_INFO, "strategy-that-fits", other->name, remedy,
                     "%s fits this guest%s%s", other->name, disks != NULL && *disks ? ": " : "",
                     disks != NULL ? disks : "");
  godwit_report_set_scope (plan->report, NULL);
}

static gboolean
take (GodwitPlan *plan, GodwitJob *job, GodwitCandidate *candidate, GodwitStrategy *strategy,
      GError **error)
{
  g_autoptr (GVariant) variant =
      g_variant_ref_sink (godwit_guest_to_variant (godwit_job_get_guest (job)));
  g_autoptr (GodwitGuest) guest = godwit_guest_from_variant (variant, error);

  if (guest == NULL)
    return FALSE;
  /* From here on the job's guest is the one whose disks have the chosen treatment. */
  g_ptr_array_unref (guest->disks);
  guest->disks = g_ptr_array_ref (candidate->disks);
  if (!godwit_job_set_guest (job, g_steal_pointer (&guest), error))
    return FALSE;
  plan->steps = godwit_strategy_plan (strategy, job, error);
  if (plan->steps == NULL) {
    g_prefix_error (error, "strategy %s: ", candidate->name);
    return FALSE;
  }
  guint commits = 0;
  for (guint i = 0; i < plan->steps->len; i++) {
    GodwitStep *step = g_ptr_array_index (plan->steps, i);
    commits += (step->flags & GODWIT_STEP_COMMIT) != 0;
  }
  if (commits != 1) {
    godwit_set_error (error, GODWIT_ERROR_INTERNAL, "report it to the author of the plugin",
                      "strategy %s planned %u commit points; a plan has exactly one",
                      candidate->name, commits);
    return FALSE;
  }
  plan->chosen = g_strdup (candidate->name);
  plan->strategy = g_object_ref (strategy);
  return TRUE;
}

/* Adds `strategy-known` and returns FALSE if there is no such strategy. */
static gboolean
check_asked (GodwitPlan *plan, GPtrArray *strategies, const char *asked)
{
  GodwitNamed *named = find_named (strategies, asked);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  if (named != NULL && named->object != NULL)
    return TRUE;
  for (guint i = 0; i < strategies->len; i++) {
    GodwitNamed *other = g_ptr_array_index (strategies, i);
    if (other->object != NULL)
      g_ptr_array_add (names, other->name);
  }
  g_ptr_array_add (names, NULL);
  g_autofree char *known = g_strjoinv (", ", (char **)names->pdata);
  const char *nearest = godwit_spelling_nearest (asked, (const char *const *)names->pdata);
  g_autofree char *why = named != NULL ? godwit_error_dup_message (named->error) : NULL;
  const char *remedy = named != NULL ? godwit_error_get_remedy (named->error) : NULL;
  godwit_report_add (plan->report, GODWIT_SEVERITY_BLOCKER, "strategy-known", asked,
                     remedy != NULL ? remedy : "godwit plugins",
                     "unknown strategy %s%s%s%s%s%s; known: auto%s%s", asked, why ? ": " : "",
                     why ? why : "", nearest ? "; did you mean " : "", nearest ? nearest : "",
                     nearest ? "?" : "", *known ? ", " : "", known);
  return FALSE;
}

/* `plan` shows every check of every strategy. A migration stops at the first strategy that fits:
 * checks cost round trips, and may read whole base images. */
static gboolean
examine_all (GodwitPlan *plan, GodwitJob *job, GPtrArray *strategies, const char *asked,
             GCancellable *cancellable, GError **error)
{
  gboolean hurry = godwit_job_may_touch (job);
  GodwitNamed *first = hurry && asked != NULL ? find_named (strategies, asked) : NULL;

  if (first != NULL) {
    if (!examine (plan, job, first, cancellable, error))
      return FALSE;
    if (find_candidate (plan, asked) != NULL)
      return TRUE;
  }
  for (guint i = 0; i < strategies->len; i++) {
    GodwitNamed *named = g_ptr_array_index (strategies, i);
    if (named == first)
      continue;
    if (!examine (plan, job, named, cancellable, error))
      return FALSE;
    if (hurry && find_candidate (plan, NULL) != NULL)
      break;
  }
  return TRUE;
}

gboolean
godwit_plan_choose (GodwitPlan *plan, GodwitJob *job, GPtrArray *strategies, const char *asked,
                    GCancellable *cancellable, GError **error)
{
  if (plan->candidates == NULL)
    plan->candidates = g_ptr_array_new_with_free_func ((GDestroyNotify)candidate_free);
  if (asked != NULL && !check_asked (plan, strategies, asked))
    asked = ""; /* nothing can be chosen, but every check is still shown */

  if (!examine_all (plan, job, strategies, asked, cancellable, error))
    return FALSE;

  GodwitCandidate *candidate = find_candidate (plan, asked);
  if (candidate == NULL || godwit_report_is_blocked (plan->report, NULL)) {
    if (asked != NULL && *asked != '\0')
      suggest_other (plan, asked);
    return TRUE;
  }
  explain_choice (plan, candidate, asked != NULL);
  return take (plan, job, candidate,
               GODWIT_STRATEGY (find_named (strategies, candidate->name)->object), error);
}
