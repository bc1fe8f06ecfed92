/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two hosts, a live migration and everything that can go wrong with them, in memory: many random
 * interleavings, each named by its seed. `GODWIT_SIM_SEED=N` plays one, `-m slow` plays more. */
#include "scratch.h"

#include "engine/engine.h"

#include <godwit/error.h>
#include <godwit/hypervisor.h>
#include <godwit/strategy.h>

#define SEEDS      250
#define SLOW_SEEDS 20000
#define RECOVERIES 12

typedef struct {
  GRand *chance;
  double trouble; /* of something happening at each point */
  GodwitGuestState home;
  GodwitGuestState target;
  gboolean home_cut, target_cut;
  gboolean tunnel, disk, defined_there, defined_here;
  gboolean dead;      /* the worker is; whatever it still does is an error of the test */
  gboolean committed; /* the journal has it */
  GodwitGuestEnd home_end;
  gboolean ended;     /* somebody killed the guest, or it shut down by itself */
  const char *broken; /* the first rule that was */
  GString *story;
} Sim;

static void
tell (Sim *sim, const char *what)
{
  g_string_append_printf (sim->story, "%s; ", what);
}

static void
judge (Sim *sim)
{
  const char *broken = NULL;
  if (sim->home == GODWIT_GUEST_RUNNING && sim->target == GODWIT_GUEST_RUNNING)
    broken = "the guest runs on both hosts";
  else if (sim->target == GODWIT_GUEST_RUNNING && !sim->committed)
    broken = "it runs at the target before the commit";
  else if (sim->home == GODWIT_GUEST_RUNNING && sim->committed)
    broken = "it runs at home after the commit";
  else if (sim->home != GODWIT_GUEST_RUNNING && sim->target == GODWIT_GUEST_ABSENT && !sim->ended &&
           sim->home != GODWIT_GUEST_PAUSED_MIGRATION)
    broken = "nobody has its memory any more";
  if (broken != NULL && sim->broken == NULL) {
    sim->broken = broken;
    tell (sim, broken);
  }
}

/* What the daemons do when their client is gone: a migration that has not switched over is
 * aborted, an incoming guest that is not complete is ended. */
static void
lose_client (Sim *sim)
{
  sim->tunnel = FALSE;
  if (sim->target == GODWIT_GUEST_PAUSED_MIGRATION) {
    sim->target = GODWIT_GUEST_ABSENT;
    if (sim->home == GODWIT_GUEST_PAUSED_MIGRATION && g_rand_boolean (sim->chance))
      sim->home = GODWIT_GUEST_RUNNING;
  }
}

static void
end_guest (Sim *sim)
{
  gboolean at_target = sim->target == GODWIT_GUEST_RUNNING || sim->home == GODWIT_GUEST_SHUT_OFF;
  if (!at_target && sim->home == GODWIT_GUEST_RUNNING) {
    sim->home = GODWIT_GUEST_SHUT_OFF;
    sim->home_end = GODWIT_END_SHUT_DOWN;
    if (sim->target == GODWIT_GUEST_PAUSED_MIGRATION)
      sim->target = GODWIT_GUEST_ABSENT;
    sim->ended = TRUE;
    tell (sim, "the guest ends at home");
  } else if (at_target &&
             (sim->target == GODWIT_GUEST_RUNNING || sim->target == GODWIT_GUEST_PAUSED)) {
    sim->target = sim->defined_there ? GODWIT_GUEST_SHUT_OFF : GODWIT_GUEST_ABSENT;
    sim->ended = TRUE;
    tell (sim, "the guest ends at the target");
  }
}

static void
kill_copy (Sim *sim)
{
  if (sim->target == GODWIT_GUEST_PAUSED_MIGRATION) {
    sim->target = GODWIT_GUEST_ABSENT;
    if (sim->home == GODWIT_GUEST_PAUSED_MIGRATION)
      sim->home = GODWIT_GUEST_RUNNING;
    tell (sim, "the incoming guest is killed");
  }
}

/* A point at which the world may go its own way. */
static void
happen (Sim *sim)
{
  if (g_rand_double (sim->chance) >= sim->trouble)
    return;
  switch (g_rand_int_range (sim->chance, 0, 6)) {
  case 0:
    sim->home_cut = !sim->home_cut;
    tell (sim, sim->home_cut ? "home is cut off" : "home is back");
    break;
  case 1:
    sim->target_cut = !sim->target_cut;
    tell (sim, sim->target_cut ? "the target is cut off" : "the target is back");
    break;
  case 2:
    kill_copy (sim);
    break;
  case 3:
    if (g_rand_double (sim->chance) < 0.2)
      end_guest (sim);
    break;
  default:
    break;
  }
  judge (sim);
}

static gboolean
reach (Sim *sim, gboolean home, GError **error)
{
  happen (sim);
  g_assert_false (sim->dead);
  if (!(home ? sim->home_cut : sim->target_cut))
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, NULL, "no route");
  return FALSE;
}

static gboolean
fail (const char *why, GError **error)
{
  godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "%s", why);
  return FALSE;
}

/* --- the hypervisors ---------------------------------------------------------------------- */

#define SIM_TYPE_HYPERVISOR (sim_hypervisor_get_type ())
G_DECLARE_FINAL_TYPE (SimHypervisor, sim_hypervisor, SIM, HYPERVISOR, GObject)

struct _SimHypervisor {
  GObject parent_instance;
  Sim *sim;
  gboolean home;
};

static void sim_hypervisor_iface_init (GodwitHypervisorInterface *iface);
G_DEFINE_TYPE_WITH_CODE (SimHypervisor, sim_hypervisor, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (GODWIT_TYPE_HYPERVISOR, sim_hypervisor_iface_init))

static void
sim_hypervisor_class_init (SimHypervisorClass *klass)
{
}

static void
sim_hypervisor_init (SimHypervisor *self)
{
}

static gboolean
get_state (GodwitHypervisor *hypervisor, const char *uuid, GodwitGuestState *state,
           gboolean *persistent, GCancellable *cancellable, GError **error)
{
  SimHypervisor *self = SIM_HYPERVISOR (hypervisor);
  if (!reach (self->sim, self->home, error))
    return FALSE;
  *state = self->home ? self->sim->home : self->sim->target;
  return TRUE;
}

static gboolean
destroy (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable, GError **error)
{
  SimHypervisor *self = SIM_HYPERVISOR (hypervisor);
  Sim *sim = self->sim;
  if (!reach (sim, self->home, error))
    return FALSE;
  tell (sim, self->home ? "destroy at home" : "destroy at the target");
  if (self->home)
    sim->home = GODWIT_GUEST_SHUT_OFF;
  else
    sim->target = GODWIT_GUEST_ABSENT;
  judge (sim);
  return TRUE;
}

static gboolean
resume (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable, GError **error)
{
  SimHypervisor *self = SIM_HYPERVISOR (hypervisor);
  Sim *sim = self->sim;
  if (!reach (sim, self->home, error))
    return FALSE;
  GodwitGuestState *state = self->home ? &sim->home : &sim->target;
  if (*state != GODWIT_GUEST_RUNNING && *state != GODWIT_GUEST_PAUSED &&
      *state != GODWIT_GUEST_PAUSED_MIGRATION)
    return fail ("it has no process", error);
  tell (sim, self->home ? "resume at home" : "resume at the target");
  *state = GODWIT_GUEST_RUNNING;
  judge (sim);
  /* The answer may be lost though it was done. */
  return reach (sim, self->home, error);
}

static gboolean
get_end (GodwitHypervisor *hypervisor, const char *uuid, GodwitGuestEnd *end,
         GCancellable *cancellable, GError **error)
{
  SimHypervisor *self = SIM_HYPERVISOR (hypervisor);
  if (!reach (self->sim, self->home, error))
    return FALSE;
  *end = self->home ? self->sim->home_end : GODWIT_END_UNKNOWN;
  return TRUE;
}

static void
sim_hypervisor_iface_init (GodwitHypervisorInterface *iface)
{
  iface->get_end = get_end;
  iface->get_state = get_state;
  iface->destroy = destroy;
  iface->resume = resume;
}

/* --- the strategy ------------------------------------------------------------------------- */

#define SIM_TYPE_STRATEGY (sim_strategy_get_type ())
G_DECLARE_FINAL_TYPE (SimStrategy, sim_strategy, SIM, STRATEGY, GObject)

struct _SimStrategy {
  GObject parent_instance;
  Sim *sim;
};

static void sim_strategy_iface_init (GodwitStrategyInterface *iface);
G_DEFINE_TYPE_WITH_CODE (SimStrategy, sim_strategy, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (GODWIT_TYPE_STRATEGY, sim_strategy_iface_init))

static void
sim_strategy_class_init (SimStrategyClass *klass)
{
}

static void
sim_strategy_init (SimStrategy *self)
{
}

static gboolean
stops_guest (GodwitStrategy *strategy)
{
  return FALSE;
}

static gboolean
prepare (Sim *sim, GodwitJob *job, GError **error)
{
  if (!reach (sim, FALSE, error))
    return FALSE;
  sim->disk = TRUE;
  return TRUE;
}

static gboolean
open_tunnel (Sim *sim, GodwitJob *job, GError **error)
{
  if (!reach (sim, TRUE, error) || !reach (sim, FALSE, error))
    return FALSE;
  sim->tunnel = TRUE;
  return TRUE;
}

/* Begin and Prepare; the mirror and the memory; Finish; Confirm. At each of them either side may
 * have gone its own way. */
static gboolean
copy (Sim *sim, GodwitJob *job, GError **error)
{
  if (sim->home != GODWIT_GUEST_RUNNING || !sim->tunnel || !reach (sim, FALSE, error))
    return *error != NULL ? FALSE : fail ("it does not run", error);
  sim->target = GODWIT_GUEST_PAUSED_MIGRATION;
  if (!godwit_job_set_fact (job, "copy.begun", g_variant_new_boolean (TRUE), error))
    return FALSE;
  happen (sim);
  if (sim->home != GODWIT_GUEST_RUNNING || sim->target != GODWIT_GUEST_PAUSED_MIGRATION)
    return fail ("the migration has failed", error);
  sim->home = GODWIT_GUEST_PAUSED_MIGRATION;
  if (!godwit_job_set_fact (job, "copy.switching", g_variant_new_boolean (TRUE), error) ||
      !reach (sim, FALSE, error))
    return FALSE;
  if (sim->home != GODWIT_GUEST_PAUSED_MIGRATION || sim->target != GODWIT_GUEST_PAUSED_MIGRATION)
    return fail ("the migration has failed", error);
  sim->target = GODWIT_GUEST_PAUSED;
  /* Finish was done, and its answer may be lost: then the source is resumed by its own daemon. */
  if (sim->target_cut || g_rand_double (sim->chance) < sim->trouble) {
    sim->home = GODWIT_GUEST_RUNNING;
    tell (sim, "the last answer is lost");
    return fail ("the migration has failed", error);
  }
  if (!reach (sim, TRUE, error) || sim->target != GODWIT_GUEST_PAUSED)
    return *error != NULL ? FALSE : fail ("it is gone", error);
  sim->home = GODWIT_GUEST_SHUT_OFF;
  sim->home_end = GODWIT_END_MIGRATED;
  tell (sim, "it has left home");
  judge (sim);
  return TRUE;
}

static gboolean
prove (Sim *sim, GodwitJob *job, GError **error)
{
  if (!reach (sim, FALSE, error) || !reach (sim, TRUE, error))
    return FALSE;
  return (sim->home == GODWIT_GUEST_SHUT_OFF && sim->target == GODWIT_GUEST_PAUSED) ||
         fail ("it is not there alone", error);
}

/* As godwit_live_resume(): what has ended there is not waited for. */
static gboolean
start (Sim *sim, GodwitJob *job, GError **error)
{
  if (!reach (sim, FALSE, error))
    return FALSE;
  if (sim->target == GODWIT_GUEST_PAUSED) {
    tell (sim, "started at the target");
    sim->target = GODWIT_GUEST_RUNNING;
    judge (sim);
  }
  return TRUE;
}

static gboolean
define (Sim *sim, GodwitJob *job, GError **error)
{
  if (!reach (sim, FALSE, error))
    return FALSE;
  sim->defined_there = TRUE;
  if (sim->target == GODWIT_GUEST_ABSENT)
    sim->target = GODWIT_GUEST_SHUT_OFF;
  return TRUE;
}

static gboolean
undefine (Sim *sim, GodwitJob *job, GError **error)
{
  if (!reach (sim, TRUE, error))
    return FALSE;
  sim->defined_here = FALSE;
  return TRUE;
}

static gboolean
undo_prepare (Sim *sim, GodwitJob *job, GError **error)
{
  if (!reach (sim, FALSE, error))
    return FALSE;
  sim->disk = FALSE;
  return TRUE;
}

static gboolean
close_tunnel (Sim *sim, GodwitJob *job, GError **error)
{
  sim->tunnel = FALSE;
  return TRUE;
}

/* As the live driver: never takes away the only copy of the guest's memory. */
static gboolean
undo_copy (Sim *sim, GodwitJob *job, GError **error)
{
  if (!reach (sim, TRUE, error) || !reach (sim, FALSE, error))
    return FALSE;
  if (sim->target == GODWIT_GUEST_RUNNING)
    return fail ("it runs there", error);
  if (sim->home == GODWIT_GUEST_SHUT_OFF && sim->target == GODWIT_GUEST_PAUSED && !sim->ended)
    return fail ("its memory is only there", error);
  sim->target = GODWIT_GUEST_ABSENT;
  if (sim->home == GODWIT_GUEST_PAUSED_MIGRATION)
    sim->home = GODWIT_GUEST_RUNNING;
  judge (sim);
  return TRUE;
}

typedef gboolean (*Deed) (Sim *sim, GodwitJob *job, GError **error);

static const struct {
  const char *name;
  GodwitPhase phase;
  GodwitStepFlags flags;
  Deed run, undo;
} steps[] = {
    {"prepare", GODWIT_PHASE_PREPARING, GODWIT_STEP_UNDO, prepare, undo_prepare},
    {"tunnel", GODWIT_PHASE_PREPARING, GODWIT_STEP_UNDO | GODWIT_STEP_VOLATILE, open_tunnel,
     close_tunnel},
    {"copy", GODWIT_PHASE_COPYING, GODWIT_STEP_UNDO, copy, undo_copy},
    {"commit", GODWIT_PHASE_FROZEN, GODWIT_STEP_COMMIT, prove, NULL},
    {"resume", GODWIT_PHASE_RESUMING, 0, start, NULL},
    {"define", GODWIT_PHASE_RESUMING, 0, define, NULL},
    {"undefine", GODWIT_PHASE_RETIRING, GODWIT_STEP_MAY_OWE, undefine, NULL},
};

static gboolean
do_step (GodwitStrategy *strategy, GodwitJob *job, const GodwitStep *step, gboolean undo,
         GError **error)
{
  Sim *sim = SIM_STRATEGY (strategy)->sim;
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++) {
    if (!g_str_equal (steps[i].name, step->name))
      continue;
    g_string_append_printf (sim->story, "%s%s; ", undo ? "undo " : "", step->name);
    g_autoptr (GError) local = NULL;
    gboolean ok = (undo ? steps[i].undo : steps[i].run) (sim, job, &local);
    if (!ok)
      g_propagate_error (error, g_steal_pointer (&local));
    return ok;
  }
  g_assert_not_reached ();
}

static gboolean
run_step (GodwitStrategy *strategy, GodwitJob *job, const GodwitStep *step,
          GCancellable *cancellable, GError **error)
{
  return do_step (strategy, job, step, FALSE, error);
}

static gboolean
undo_step (GodwitStrategy *strategy, GodwitJob *job, const GodwitStep *step,
           GCancellable *cancellable, GError **error)
{
  return do_step (strategy, job, step, TRUE, error);
}

static void
sim_strategy_iface_init (GodwitStrategyInterface *iface)
{
  iface->stops_guest = stops_guest;
  iface->run_step = run_step;
  iface->undo_step = undo_step;
}

/* --- the engine's surroundings ------------------------------------------------------------ */

/* A host that is cut off when the worker starts is not opened at all. */
static void
open_hosts (Sim *sim, GodwitJob *job)
{
  g_autoptr (SimHypervisor) home = g_object_new (SIM_TYPE_HYPERVISOR, NULL);
  g_autoptr (SimHypervisor) target = g_object_new (SIM_TYPE_HYPERVISOR, NULL);
  home->sim = target->sim = sim;
  home->home = TRUE;
  godwit_job_set_hosts (job, NULL, sim->home_cut ? NULL : GODWIT_HYPERVISOR (home), NULL,
                        sim->target_cut ? NULL : GODWIT_HYPERVISOR (target));
}

static GodwitStrategy *
make_strategy (Sim *sim)
{
  SimStrategy *strategy = g_object_new (SIM_TYPE_STRATEGY, NULL);
  strategy->sim = sim;
  return GODWIT_STRATEGY (strategy);
}

static gboolean
plan (GodwitJob *job, GodwitStrategy **strategy, GPtrArray **list, gpointer data,
      GCancellable *cancellable, GError **error)
{
  Sim *sim = data;
  GodwitGuest *guest = godwit_guest_new ("web", "0c1d");
  open_hosts (sim, job);
  guest->state = GODWIT_GUEST_RUNNING;
  if (!godwit_job_set_guest (job, guest, error))
    return FALSE;
  *strategy = make_strategy (sim);
  *list = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_step_free);
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
    g_ptr_array_add (*list, godwit_step_new (steps[i].name, steps[i].name, steps[i].phase, 1, 0,
                                             steps[i].flags, NULL));
  return TRUE;
}

static GodwitStrategy *
reopen (GodwitJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  open_hosts (data, job);
  return make_strategy (data);
}

/* A worker may die before or after each record that it writes. */
static gboolean
on_record (guint64 number, gboolean after, gpointer data)
{
  Sim *sim = data;
  if (sim->dead)
    return FALSE;
  if (g_rand_double (sim->chance) >= sim->trouble / 4)
    return TRUE;
  tell (sim, "the worker dies");
  sim->dead = TRUE;
  return FALSE;
}

/* --- one play ----------------------------------------------------------------------------- */

static GodwitJobRecord *
look (Sim *sim, GodwitJournal *journal, const char *id)
{
  GodwitJobRecord *record = godwit_journal_get_job (journal, id, NULL);
  g_assert_nonnull (record);
  sim->committed = record->committed;
  return record;
}

/* The commit is in the journal the moment that its record is, and the world must know at once. */
static void
on_event (const GodwitEvent *event, gpointer data)
{
  Sim *sim = data;
  if (event->kind == GODWIT_EVENT_STATE && g_strcmp0 (event->what, "committed") == 0)
    sim->committed = TRUE;
}

static void
work (Sim *sim, GodwitJournal *journal, const char *id, gboolean first)
{
  const GodwitEngineBackend backend = {.plan = plan, .reopen = reopen, .pause_ms = 1, .data = sim};
  g_autoptr (GError) error = NULL;
  GodwitJobRecord *record = godwit_journal_claim_job (journal, id, getpid (), &error);
  g_assert_no_error (error);
  g_autoptr (GodwitJob) job = godwit_job_new (journal, record, NULL);
  godwit_job_set_listener (job, on_event, sim);
  godwit_journal_set_hook (journal, on_record, sim);
  if (first)
    godwit_engine_run (job, &backend, NULL, NULL);
  else
    godwit_engine_recover (job, &backend, NULL);
  godwit_journal_set_hook (journal, NULL, NULL);
  sim->dead = FALSE;
  lose_client (sim);
}

static void
check_end (Sim *sim, const GodwitJobRecord *record)
{
  guint running =
      (sim->home == GODWIT_GUEST_RUNNING ? 1 : 0) + (sim->target == GODWIT_GUEST_RUNNING ? 1 : 0);
  if (sim->broken != NULL)
    return;
  if (!godwit_job_state_is_terminal (record->state))
    sim->broken = "it never came to an end";
  else if (!sim->ended && running != 1)
    sim->broken = "the guest does not run";
  else if (sim->ended && running != 0)
    sim->broken = "a guest that ended runs again";
  else if (record->state == GODWIT_JOB_DONE ? sim->defined_here || !sim->defined_there
                                            : !sim->defined_here || sim->defined_there)
    sim->broken = "it is not defined where it belongs";
  else if (record->state != GODWIT_JOB_DONE && (sim->disk || sim->target != GODWIT_GUEST_ABSENT))
    sim->broken = "something of it is left at the target";
  else if (record->debts > 0)
    sim->broken = "it owes something though every host answers";
}

/* A doubt about a guest that was ended at home is for a person: this one wanted it to end. */
static void
settle_by_hand (Sim *sim, const GodwitJobRecord *record)
{
  if (record->state != GODWIT_JOB_IN_DOUBT || sim->home != GODWIT_GUEST_SHUT_OFF ||
      sim->target != GODWIT_GUEST_PAUSED || sim->home_end != GODWIT_END_SHUT_DOWN)
    return;
  tell (sim, "ended at the target by hand");
  sim->target = GODWIT_GUEST_ABSENT;
}

static void
play (GodwitJournal *journal, guint32 seed)
{
  Sim sim = {.chance = g_rand_new_with_seed (seed),
             .home = GODWIT_GUEST_RUNNING,
             .target = GODWIT_GUEST_ABSENT,
             .defined_here = TRUE,
             .story = g_string_new (NULL)};
  sim.trouble = g_rand_double_range (sim.chance, 0.02, 0.4);
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJobRecord) record = godwit_job_record_new ();
  record->guest = g_strdup ("web");
  record->source = g_strdup ("a");
  record->destination = g_strdup ("b");
  godwit_journal_create_job (journal, record, &error);
  g_assert_no_error (error);
  work (&sim, journal, record->id, TRUE);
  g_autoptr (GodwitJobRecord) last = look (&sim, journal, record->id);
  for (guint n = 0; n < RECOVERIES; n++) {
    /* At last the trouble is over, and a recovery must then bring it to its end. */
    if (n >= RECOVERIES - 4) {
      sim.trouble = 0;
      sim.home_cut = sim.target_cut = FALSE;
    }
    if (n >= RECOVERIES - 3)
      settle_by_hand (&sim, last);
    tell (&sim, "RECOVER");
    work (&sim, journal, record->id, FALSE);
    godwit_job_record_free (last);
    last = look (&sim, journal, record->id);
  }
  check_end (&sim, last);
  if (sim.broken != NULL)
    g_error ("seed %u: %s\n%s\nthe job is %s: %s", seed, sim.broken, sim.story->str,
             godwit_job_state_to_string (last->state), last->error);
  g_string_free (sim.story, TRUE);
  g_rand_free (sim.chance);
}

static void
test_interleavings (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autofree char *path = g_build_filename (dir, "journal.db", NULL);
  g_autoptr (GodwitJournal) journal = godwit_journal_open (path, NULL);
  const char *one = g_getenv ("GODWIT_SIM_SEED");
  if (one != NULL) {
    play (journal, (guint32)g_ascii_strtoull (one, NULL, 10));
    return;
  }
  guint n = g_test_slow () ? SLOW_SEEDS : SEEDS;
  for (guint32 seed = 1; seed <= n; seed++)
    play (journal, seed);
  g_test_message ("%u interleavings, seeds 1 to %u", n, n);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sim/interleavings", test_interleavings);
  return g_test_run ();
}
