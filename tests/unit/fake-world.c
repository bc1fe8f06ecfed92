/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-world.h"

#include "guest/past.h"

#include <godwit/error.h>
#include <godwit/strategy.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* --- the hypervisor ---------------------------------------------------------------------- */

#define FAKE_TYPE_HYPERVISOR (fake_hypervisor_get_type ())
G_DECLARE_FINAL_TYPE (FakeHypervisor, fake_hypervisor, FAKE, HYPERVISOR, GObject)

struct _FakeHypervisor {
  GObject parent_instance;
  FakeWorld *world;
  gboolean source;
};

static void fake_hypervisor_iface_init (GodwitHypervisorInterface *iface);
G_DEFINE_TYPE_WITH_CODE (FakeHypervisor, fake_hypervisor, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (GODWIT_TYPE_HYPERVISOR, fake_hypervisor_iface_init))

static void
fake_hypervisor_class_init (FakeHypervisorClass *klass)
{
}

static void
fake_hypervisor_init (FakeHypervisor *self)
{
}

static void
touch (FakeWorld *world)
{
  if (world->dead)
    world->touched_when_dead = TRUE;
  if (world->source == GODWIT_GUEST_RUNNING && world->destination == GODWIT_GUEST_RUNNING)
    world->ran_twice = TRUE;
}

static gboolean
get_state (GodwitHypervisor *hypervisor, const char *uuid, GodwitGuestState *state,
           gboolean *persistent, GCancellable *cancellable, GError **error)
{
  FakeHypervisor *self = FAKE_HYPERVISOR (hypervisor);
  self->world->looks++;
  if (self->source ? self->world->source_unreachable : self->world->destination_unreachable) {
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, NULL, "no route");
    return FALSE;
  }
  *state = self->source ? self->world->source : self->world->destination;
  return TRUE;
}

static gboolean
set_state (GodwitHypervisor *hypervisor, GodwitGuestState state)
{
  FakeHypervisor *self = FAKE_HYPERVISOR (hypervisor);
  GodwitGuestState *place = self->source ? &self->world->source : &self->world->destination;
  *place = state;
  touch (self->world);
  return TRUE;
}

static gboolean
destroy (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable, GError **error)
{
  return set_state (self, GODWIT_GUEST_SHUT_OFF);
}

static gboolean
resume (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable, GError **error)
{
  return set_state (self, GODWIT_GUEST_RUNNING);
}

static gboolean
get_end (GodwitHypervisor *hypervisor, const char *uuid, GodwitGuestEnd *end,
         GCancellable *cancellable, GError **error)
{
  FakeHypervisor *self = FAKE_HYPERVISOR (hypervisor);
  *end = self->source && !self->world->cold ? GODWIT_END_MIGRATED : GODWIT_END_UNKNOWN;
  return TRUE;
}

static void
fake_hypervisor_iface_init (GodwitHypervisorInterface *iface)
{
  iface->get_state = get_state;
  iface->get_end = get_end;
  iface->destroy = destroy;
  iface->resume = resume;
}

/* --- the strategy ------------------------------------------------------------------------ */

#define FAKE_TYPE_STRATEGY (fake_strategy_get_type ())
G_DECLARE_FINAL_TYPE (FakeStrategy, fake_strategy, FAKE, STRATEGY, GObject)

struct _FakeStrategy {
  GObject parent_instance;
  FakeWorld *world;
};

static void fake_strategy_iface_init (GodwitStrategyInterface *iface);
G_DEFINE_TYPE_WITH_CODE (FakeStrategy, fake_strategy, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (GODWIT_TYPE_STRATEGY, fake_strategy_iface_init))

static void
fake_strategy_class_init (FakeStrategyClass *klass)
{
}

static void
fake_strategy_init (FakeStrategy *self)
{
}

static gboolean
stops_guest (GodwitStrategy *strategy)
{
  return FAKE_STRATEGY (strategy)->world->cold;
}

static void
add (GPtrArray *steps, const char *name, GodwitPhase phase, GodwitStepFlags flags)
{
  g_ptr_array_add (steps, godwit_step_new (name, name, phase, 1, 1, flags, NULL));
}

static void
drop_deadlines (GPtrArray *steps)
{
  for (guint i = 0; i < steps->len; i++)
    ((GodwitStep *)g_ptr_array_index (steps, i))->deadline = 0;
}

static GPtrArray *
plan (GodwitStrategy *strategy, GodwitJob *job, GError **error)
{
  gboolean cold = FAKE_STRATEGY (strategy)->world->cold;
  GPtrArray *steps = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_step_free);
  add (steps, "prepare", GODWIT_PHASE_PREPARING, GODWIT_STEP_UNDO);
  if (cold)
    add (steps, "shut-down", GODWIT_PHASE_COPYING, GODWIT_STEP_UNDO);
  else
    add (steps, "tunnel", GODWIT_PHASE_PREPARING, GODWIT_STEP_UNDO | GODWIT_STEP_VOLATILE);
  add (steps, "copy", GODWIT_PHASE_COPYING, GODWIT_STEP_UNDO);
  add (steps, "prove", GODWIT_PHASE_FROZEN, GODWIT_STEP_COMMIT);
  add (steps, "resume", GODWIT_PHASE_RESUMING, 0);
  add (steps, "define", GODWIT_PHASE_RETIRING, 0);
  add (steps, "undefine", GODWIT_PHASE_RETIRING, GODWIT_STEP_MAY_OWE);
  add (steps, "park", GODWIT_PHASE_RETIRING, GODWIT_STEP_MAY_OWE);
  if (FAKE_STRATEGY (strategy)->world->no_deadlines)
    drop_deadlines (steps);
  return steps;
}

static gboolean
note (GodwitJob *job, const char *fact, GError **error)
{
  return godwit_job_set_fact (job, fact, g_variant_new_boolean (TRUE), error);
}

/* Each fact is one more record at which a worker may die in the middle of the step. */
static gboolean
copy_live (FakeWorld *world, GodwitJob *job, GError **error)
{
  if (!world->tunnel || !world->disk_at_destination) {
    godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL, "no tunnel or no disk");
    return FALSE;
  }
  world->destination = GODWIT_GUEST_PAUSED_MIGRATION;
  if (!note (job, "copy.begun", error))
    return FALSE;
  world->source = GODWIT_GUEST_PAUSED_MIGRATION;
  if (!note (job, "copy.switching", error))
    return FALSE;
  world->destination = GODWIT_GUEST_PAUSED;
  if (!note (job, "copy.complete", error))
    return FALSE;
  world->source = GODWIT_GUEST_SHUT_OFF;
  return note (job, "copy.gone", error);
}

static gboolean
prove (FakeWorld *world, GError **error)
{
  gboolean ok = world->cold ? world->copied && world->source == GODWIT_GUEST_SHUT_OFF
                            : world->source == GODWIT_GUEST_SHUT_OFF &&
                                  world->destination == GODWIT_GUEST_PAUSED;
  if (!ok)
    godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "the guest is not frozen");
  return ok;
}

static gboolean
start_at_destination (FakeWorld *world, GodwitJob *job, GError **error)
{
  if (!godwit_job_get_record (job)->committed)
    world->early_start = TRUE;
  if (g_strcmp0 (world->ends_before, "resume") == 0)
    return godwit_guest_note_ended_there (job, error);
  if (!world->cold && world->destination != GODWIT_GUEST_PAUSED &&
      world->destination != GODWIT_GUEST_RUNNING) {
    godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "there is nothing to resume");
    return FALSE;
  }
  world->destination = GODWIT_GUEST_RUNNING;
  return TRUE;
}

static gboolean
do_step (FakeWorld *world, GodwitJob *job, const char *name, GError **error)
{
  if (g_str_equal (name, "prepare"))
    world->disk_at_destination = TRUE;
  else if (g_str_equal (name, "tunnel"))
    world->tunnel = TRUE;
  else if (g_str_equal (name, "shut-down"))
    world->source = GODWIT_GUEST_SHUT_OFF;
  else if (g_str_equal (name, "copy") && !world->cold)
    return copy_live (world, job, error);
  else if (g_str_equal (name, "copy"))
    world->copied = TRUE;
  else if (g_str_equal (name, "prove"))
    return prove (world, error);
  else if (g_str_equal (name, "resume"))
    return start_at_destination (world, job, error);
  else if (g_str_equal (name, "define"))
    world->defined_at_destination = TRUE;
  else if (g_str_equal (name, "undefine"))
    world->defined_at_source = FALSE;
  else if (g_str_equal (name, "park"))
    world->parked = TRUE;
  return TRUE;
}

static gboolean
run_step (GodwitStrategy *strategy, GodwitJob *job, const GodwitStep *step,
          GCancellable *cancellable, GError **error)
{
  FakeWorld *world = FAKE_STRATEGY (strategy)->world;
  touch (world);
  g_string_append_printf (world->calls, "+%s ", step->name);
  if (g_strcmp0 (world->hang_step, step->name) == 0) {
    for (guint64 n = 0; !g_cancellable_set_error_if_cancelled (cancellable, error); n++) {
      godwit_job_progress (job, "disk vda", n, 1000000);
      g_usleep (1000);
    }
    return FALSE;
  }
  if (g_strcmp0 (world->kill_step, step->name) == 0)
    kill (getpid (), SIGKILL);
  if (g_strcmp0 (world->abort_step, step->name) == 0)
    godwit_job_abort (job, "alice", NULL);
  if (g_strcmp0 (world->fail_step, step->name) == 0 && world->fail_times > 0) {
    world->fail_times--;
    godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "it broke");
    return FALSE;
  }
  if (g_strcmp0 (world->ends_before, step->name) == 0)
    world->destination = GODWIT_GUEST_SHUT_OFF;
  if (!do_step (world, job, step->name, error))
    return FALSE;
  touch (world);
  return TRUE;
}

/* As the live driver does: it never takes away the only copy of the guest's memory. */
static gboolean
undo_copy (FakeWorld *world, GError **error)
{
  if (world->cold) {
    world->copied = FALSE;
    return TRUE;
  }
  if (world->source == GODWIT_GUEST_SHUT_OFF && world->destination == GODWIT_GUEST_PAUSED)
    world->lost_memory = TRUE;
  if (world->destination != GODWIT_GUEST_ABSENT)
    world->destination = GODWIT_GUEST_ABSENT;
  if (world->source == GODWIT_GUEST_PAUSED_MIGRATION)
    world->source = GODWIT_GUEST_RUNNING;
  return TRUE;
}

static gboolean
undo_step (GodwitStrategy *strategy, GodwitJob *job, const GodwitStep *step,
           GCancellable *cancellable, GError **error)
{
  FakeWorld *world = FAKE_STRATEGY (strategy)->world;
  touch (world);
  g_string_append_printf (world->calls, "-%s ", step->name);
  if (g_strcmp0 (world->fail_undo, step->name) == 0 && world->fail_undo_times > 0) {
    world->fail_undo_times--;
    godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "it cannot be undone");
    return FALSE;
  }
  if (g_str_equal (step->name, "prepare"))
    world->disk_at_destination = FALSE;
  else if (g_str_equal (step->name, "tunnel"))
    world->tunnel = FALSE;
  else if (g_str_equal (step->name, "shut-down"))
    world->source = GODWIT_GUEST_RUNNING;
  else if (g_str_equal (step->name, "copy"))
    return undo_copy (world, error);
  touch (world);
  return TRUE;
}

static gboolean
confirm (GodwitStrategy *strategy, GodwitJob *job, GCancellable *cancellable, GError **error)
{
  FakeWorld *world = FAKE_STRATEGY (strategy)->world;
  touch (world);
  g_string_append (world->calls, "confirm ");
  if (world->fail_release)
    godwit_job_set_fact (job, "release.begun", g_variant_new_boolean (TRUE), NULL);
  if (world->fail_confirm || world->fail_release) {
    godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "it cannot be removed");
    return FALSE;
  }
  world->parked = FALSE;
  return TRUE;
}

static void
fake_strategy_iface_init (GodwitStrategyInterface *iface)
{
  iface->stops_guest = stops_guest;
  iface->plan = plan;
  iface->run_step = run_step;
  iface->undo_step = undo_step;
  iface->confirm = confirm;
}

/* --- the world --------------------------------------------------------------------------- */

void
fake_world_init (FakeWorld *world)
{
  memset (world, 0, sizeof *world);
  world->source = GODWIT_GUEST_RUNNING;
  world->destination = GODWIT_GUEST_ABSENT;
  world->defined_at_source = TRUE;
  world->calls = g_string_new (NULL);
}

void
fake_world_clear (FakeWorld *world)
{
  g_string_free (world->calls, TRUE);
}

void
fake_world_kill_worker (FakeWorld *world)
{
  world->dead = FALSE;
  world->tunnel = FALSE;
  if (world->source == GODWIT_GUEST_RUNNING && world->destination == GODWIT_GUEST_PAUSED_MIGRATION)
    world->destination = GODWIT_GUEST_ABSENT;
}

static void
attach_hosts (FakeWorld *world, GodwitJob *job)
{
  g_autoptr (FakeHypervisor) source = g_object_new (FAKE_TYPE_HYPERVISOR, NULL);
  g_autoptr (FakeHypervisor) destination = g_object_new (FAKE_TYPE_HYPERVISOR, NULL);
  source->world = destination->world = world;
  source->source = TRUE;
  godwit_job_set_hosts (job, NULL, world->source_unreachable ? NULL : GODWIT_HYPERVISOR (source),
                        NULL,
                        world->destination_unreachable ? NULL : GODWIT_HYPERVISOR (destination));
}

GodwitJob *
fake_world_make_job (FakeWorld *world, GodwitJournal *journal)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJobRecord) record = godwit_job_record_new ();
  record->guest = g_strdup ("web");
  record->source = g_strdup ("a");
  record->destination = g_strdup ("b");
  godwit_journal_create_job (journal, record, &error);
  g_assert_no_error (error);
  return fake_world_take_over (world, journal, record->id);
}

GodwitJob *
fake_world_take_over (FakeWorld *world, GodwitJournal *journal, const char *id)
{
  g_autoptr (GError) error = NULL;
  GodwitJobRecord *record = godwit_journal_claim_job (journal, id, getpid (), &error);
  g_assert_no_error (error);
  return godwit_job_new (journal, record, NULL);
}

static gboolean
backend_plan (GodwitJob *job, GodwitStrategy **strategy, GPtrArray **steps, gpointer data,
              GCancellable *cancellable, GError **error)
{
  FakeWorld *world = data;
  if (g_strcmp0 (world->fail_step, "plan") == 0) {
    godwit_set_error (error, GODWIT_ERROR_REFUSED, "buy a disk", "no space");
    return FALSE;
  }
  if (g_strcmp0 (world->abort_step, "plan") == 0)
    godwit_job_abort (job, "alice", NULL);
  attach_hosts (world, job);
  GodwitGuest *guest = godwit_guest_new ("web", "0c1d");
  guest->state = GODWIT_GUEST_RUNNING;
  if (!godwit_job_set_guest (job, guest, error))
    return FALSE;
  FakeStrategy *self = g_object_new (FAKE_TYPE_STRATEGY, NULL);
  self->world = world;
  *strategy = GODWIT_STRATEGY (self);
  *steps = plan (*strategy, job, error);
  return TRUE;
}

static GodwitStrategy *
backend_reopen (GodwitJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  attach_hosts (data, job);
  FakeStrategy *self = g_object_new (FAKE_TYPE_STRATEGY, NULL);
  self->world = data;
  return GODWIT_STRATEGY (self);
}

static gboolean
backend_has_parked (GodwitJob *job)
{
  return TRUE;
}

static void
backend_expire (const char *what, guint seconds, gpointer data)
{
  FakeWorld *world = data;
  g_string_append (world->calls, "expired ");
}

GodwitEngineBackend
fake_world_make_backend (FakeWorld *world)
{
  return (GodwitEngineBackend){.plan = backend_plan,
                               .reopen = backend_reopen,
                               .has_parked = backend_has_parked,
                               .expire = backend_expire,
                               .pause_ms = 1,
                               .grace_ms = 1000,
                               .data = world};
}
