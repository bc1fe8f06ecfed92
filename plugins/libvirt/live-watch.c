/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-private.h"

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

/* Events tell of changes at once; asking makes up for one that is lost with its connection. */
#define INTERVAL_MS 100
/* Between the source's stop and the commit every millisecond is downtime. */
#define SWITCHOVER_INTERVAL_MS 5
#define STATS_INTERVAL_MS      250
/* A daemon that does not answer is not helped by asking faster. */
#define RETRY_INTERVAL_MS 1000

#define CALLBACKS 3

/* One side as the thread that asks for its state sees it. */
typedef struct {
  GodwitLibvirtLive *live; /* a reference */
  LvSide side;
  virConnectPtr connection;
  int callbacks[CALLBACKS];
  int panic;       /* the callback for it, of another kind than the others */
  guint64 events;  /* seen so far */
  gint64 stats_us; /* when figures were last asked for */
  gboolean aborting;
} Watch;

/* What an event handler needs; libvirt frees it when no handler can run any more. */
typedef struct {
  GodwitLibvirtLive *live; /* a reference */
  LvSide side;
} Hook;

/* --- events: in the thread of libvirt's event loop, which must not wait for an answer --------- */

static void
hook_free (void *data)
{
  Hook *hook = data;

  g_object_unref (hook->live);
  g_free (hook);
}

static gboolean
is_ours (const Hook *hook, virDomainPtr domain)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";

  return virDomainGetUUIDString (domain, uuid) == 0 && g_str_equal (uuid, hook->live->uuid);
}

/* Called with the lock held. */
static void
note_state (GodwitLibvirtLive *self, LvSide side, GodwitGuestState state)
{
  GodwitGuestState *known =
      side == LV_SOURCE ? &self->status.source_state : &self->status.destination_state;

  /* Its process is told to stop when it panics, and libvirt takes that for the switchover. */
  if (side == LV_SOURCE && self->has_panicked && !godwit_guest_state_is_down (state) &&
      state != GODWIT_GUEST_UNKNOWN)
    state = GODWIT_GUEST_CRASHED;
  /* The call's own last look is the newest. */
  if (self->status.returned || *known == state)
    return;
  *known = state;
  self->serial++;
}

static int
on_lifecycle (virConnectPtr connection, virDomainPtr domain, int event, int detail, void *data)
{
  const Hook *hook = data;

  if (!is_ours (hook, domain))
    return 0;
  g_mutex_lock (&hook->live->mutex);
  /* The switchover begins: its thread may be waiting for figures, and the other side is to be
   * asked more often from now on. */
  if (hook->side == LV_SOURCE && event == VIR_DOMAIN_EVENT_SUSPENDED &&
      detail == VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED)
    note_state (hook->live, LV_SOURCE, GODWIT_GUEST_PAUSED_MIGRATION);
  hook->live->events[hook->side]++;
  g_cond_broadcast (&hook->live->changed);
  g_mutex_unlock (&hook->live->mutex);
  return 0;
}

static void
on_iteration (virConnectPtr connection, virDomainPtr domain, int iteration, void *data)
{
  const Hook *hook = data;
  GodwitLiveStatus *status = &hook->live->status;

  if (!is_ours (hook, domain))
    return;
  g_mutex_lock (&hook->live->mutex);
  if (iteration > 0 && (guint)iteration > status->iteration)
    status->iteration = (guint)iteration;
  g_mutex_unlock (&hook->live->mutex);
}

/* Libvirt itself would tell, and act, only when the guest no longer moves. Where it does not pass
 * the event on either, a guest that panics moves as any other. */
static void
on_panic (virConnectPtr connection, virDomainPtr domain, const char *event, long long seconds,
          unsigned int micros, const char *details, void *data)
{
  const Hook *hook = data;

  if (!is_ours (hook, domain))
    return;
  g_mutex_lock (&hook->live->mutex);
  hook->live->has_panicked = TRUE;
  note_state (hook->live, LV_SOURCE, GODWIT_GUEST_CRASHED);
  g_cond_broadcast (&hook->live->changed);
  g_mutex_unlock (&hook->live->mutex);
}

/* The last figures, the real downtime among them. */
static void
on_completed (virConnectPtr connection, virDomainPtr domain, virTypedParameterPtr params, int count,
              void *data)
{
  const Hook *hook = data;

  if (!is_ours (hook, domain))
    return;
  g_mutex_lock (&hook->live->mutex);
  lv_live_fill_stats (&hook->live->status, params, count);
  g_mutex_unlock (&hook->live->mutex);
}

static Hook *
hook_new (const Watch *watch)
{
  Hook *hook = g_new0 (Hook, 1);

  hook->live = g_object_ref (watch->live);
  hook->side = watch->side;
  return hook;
}

static int
listen_to_panic (Watch *watch)
{
  Hook *hook = hook_new (watch);
  int id = virConnectDomainQemuMonitorEventRegister (watch->connection, NULL, "GUEST_PANICKED",
                                                     on_panic, hook, hook_free, 0);
  if (id < 0)
    hook_free (hook);
  return id;
}

static int
listen_to (Watch *watch, int event, virConnectDomainEventGenericCallback callback)
{
  Hook *hook = hook_new (watch);
  int id =
      virConnectDomainEventRegisterAny (watch->connection, NULL, event, callback, hook, hook_free);
  /* Without events the states are asked for, which is only slower. */
  if (id < 0)
    hook_free (hook);
  return id;
}

static void
watch_disconnect (Watch *watch)
{
  for (guint i = 0; i < CALLBACKS; i++)
    if (watch->callbacks[i] >= 0)
      virConnectDomainEventDeregisterAny (watch->connection, watch->callbacks[i]);
  for (guint i = 0; i < CALLBACKS; i++)
    watch->callbacks[i] = -1;
  if (watch->panic >= 0)
    virConnectDomainQemuMonitorEventDeregister (watch->connection, watch->panic);
  watch->panic = -1;
  g_clear_pointer (&watch->connection, virConnectClose);
}

/* A connection of this thread's own, made again after the daemon was away. */
static gboolean
watch_connect (Watch *watch)
{
  if (watch->connection != NULL && virConnectIsAlive (watch->connection) == 1)
    return TRUE;
  watch_disconnect (watch);
  watch->connection = lv_hypervisor_open (watch->live->hypervisors[watch->side], NULL, NULL);
  if (watch->connection == NULL)
    return FALSE;
  watch->callbacks[0] =
      listen_to (watch, VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK (on_lifecycle));
  if (watch->side == LV_SOURCE) {
    watch->callbacks[1] = listen_to (watch, VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION,
                                     VIR_DOMAIN_EVENT_CALLBACK (on_iteration));
    watch->callbacks[2] = listen_to (watch, VIR_DOMAIN_EVENT_ID_JOB_COMPLETED,
                                     VIR_DOMAIN_EVENT_CALLBACK (on_completed));
    watch->panic = listen_to_panic (watch);
  }
  return TRUE;
}

/* --- figures and the abort -------------------------------------------------------------------- */

static void
read_stats (GodwitLibvirtLive *self, virDomainPtr domain)
{
  virTypedParameterPtr params = NULL;
  int type = VIR_DOMAIN_JOB_NONE;
  int count = 0;

  if (virDomainGetJobStats (domain, &type, &params, &count, 0) < 0)
    return;
  if (type == VIR_DOMAIN_JOB_BOUNDED || type == VIR_DOMAIN_JOB_UNBOUNDED) {
    g_mutex_lock (&self->mutex);
    lv_live_fill_stats (&self->status, params, count);
    g_mutex_unlock (&self->mutex);
  }
  virTypedParamsFree (params, count);
}

/* Before libvirt has a job there is none to abort, so it is asked again until the call returns;
 * but not once the destination is complete, since then there is nothing left to abort. */
static gboolean
should_abort (GodwitLibvirtLive *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return self->abort_wanted && !self->status.returned &&
         self->status.destination_state != GODWIT_GUEST_PAUSED;
}

static void
steer (Watch *watch, GodwitGuestState state)
{
  gint64 now = g_get_monotonic_time ();
  gboolean abort = should_abort (watch->live);
  /* While the guest stands still its state is worth more than figures. */
  gboolean stats = state != GODWIT_GUEST_PAUSED_MIGRATION &&
                   now - watch->stats_us >= STATS_INTERVAL_MS * G_TIME_SPAN_MILLISECOND;

  if (!abort && !stats)
    return;
  g_autoptr (virDomain) domain = virDomainLookupByUUIDString (watch->connection, watch->live->uuid);
  if (domain == NULL)
    return;
  if (abort)
    virDomainAbortJob (domain);
  if (stats) {
    read_stats (watch->live, domain);
    watch->stats_us = now;
  }
}

/* --- the threads --------------------------------------------------------------------------------
 */

/* Called with the lock held. */
static guint
choose_interval (const Watch *watch, gboolean answered)
{
  const GodwitLiveStatus *status = &watch->live->status;

  if (!answered)
    return RETRY_INTERVAL_MS;
  if (watch->side == LV_DESTINATION && status->source_state == GODWIT_GUEST_PAUSED_MIGRATION &&
      status->destination_state != GODWIT_GUEST_PAUSED)
    return SWITCHOVER_INTERVAL_MS;
  return INTERVAL_MS;
}

/* Waits for an event, an abort, or until it is time to ask. FALSE when there is nothing more to
 * watch. */
static gboolean
wait_for_turn (Watch *watch, gboolean answered)
{
  GodwitLibvirtLive *self = watch->live;
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  /* The interval shrinks when the other side's thread sees the switchover begin. */
  while (!self->status.returned && self->events[watch->side] == watch->events &&
         self->abort_wanted == watch->aborting) {
    gint64 deadline = begin + (gint64)choose_interval (watch, answered) * G_TIME_SPAN_MILLISECOND;
    if (!g_cond_wait_until (&self->changed, &self->mutex, deadline))
      break;
  }
  watch->events = self->events[watch->side];
  watch->aborting = self->abort_wanted;
  return !self->status.returned;
}

static gboolean
take_turn (Watch *watch)
{
  GodwitLibvirtLive *self = watch->live;
  GodwitGuestState state = GODWIT_GUEST_UNKNOWN;
  gboolean answered =
      watch_connect (watch) && lv_read_state (watch->connection, self->uuid, &state);

  g_mutex_lock (&self->mutex);
  note_state (self, watch->side, state);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
  if (answered && watch->side == LV_SOURCE)
    steer (watch, state);
  return answered;
}

static gpointer
run_watch (gpointer data)
{
  Watch *watch = data;

  while (wait_for_turn (watch, take_turn (watch)))
    ;
  watch_disconnect (watch);
  g_object_unref (watch->live);
  g_free (watch);
  return NULL;
}

static void
start_watch (GodwitLibvirtLive *self, LvSide side, const char *name)
{
  Watch *watch = g_new0 (Watch, 1);

  watch->live = g_object_ref (self);
  watch->side = side;
  for (guint i = 0; i < CALLBACKS; i++)
    watch->callbacks[i] = -1;
  watch->panic = -1;
  g_thread_unref (g_thread_new (name, run_watch, watch));
}

void
lv_live_watch (GodwitLibvirtLive *self)
{
  start_watch (self, LV_SOURCE, "libvirt-source");
  start_watch (self, LV_DESTINATION, "libvirt-dest");
}
