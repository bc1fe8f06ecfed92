/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-private.h"

#include <libvirt/virterror.h>

/* Events tell of changes at once; asking makes up for one that is lost with its connection. */
#define STATE_INTERVAL_MS 100
/* Between the source's stop and the commit every millisecond is downtime. */
#define SWITCHOVER_INTERVAL_MS 5
#define STATS_INTERVAL_MS      250
#define ABORT_INTERVAL_MS      100
/* A daemon that does not answer is not helped by asking faster. */
#define RETRY_INTERVAL_MS 1000

#define CALLBACKS 3

/* One side as the thread that asks for its state sees it. */
typedef struct {
  GodwitLibvirtLive *live; /* a reference */
  LvSide side;
  virConnectPtr connection;
  int callbacks[CALLBACKS];
  guint64 events; /* seen so far */
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

static int
on_lifecycle (virConnectPtr connection, virDomainPtr domain, int event, int detail, void *data)
{
  const Hook *hook = data;

  if (!is_ours (hook, domain))
    return 0;
  g_mutex_lock (&hook->live->mutex);
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

static int
listen_to (Watch *watch, int event, virConnectDomainEventGenericCallback callback)
{
  Hook *hook = g_new0 (Hook, 1);

  hook->live = g_object_ref (watch->live);
  hook->side = watch->side;
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
  g_clear_pointer (&watch->connection, virConnectClose);
}

/* Follows the host's connection, which is another one after the daemon was away. */
static gboolean
watch_connect (Watch *watch)
{
  GodwitLibvirtHypervisor *hypervisor = watch->live->hypervisors[watch->side];
  virConnectPtr connection = lv_hypervisor_ref (hypervisor, NULL, NULL);

  if (connection == NULL)
    return FALSE;
  if (connection == watch->connection) {
    virConnectClose (connection);
    return TRUE;
  }
  watch_disconnect (watch);
  watch->connection = connection;
  watch->callbacks[0] =
      listen_to (watch, VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK (on_lifecycle));
  if (watch->side == LV_SOURCE) {
    watch->callbacks[1] = listen_to (watch, VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION,
                                     VIR_DOMAIN_EVENT_CALLBACK (on_iteration));
    watch->callbacks[2] = listen_to (watch, VIR_DOMAIN_EVENT_ID_JOB_COMPLETED,
                                     VIR_DOMAIN_EVENT_CALLBACK (on_completed));
  }
  return TRUE;
}

/* --- states ----------------------------------------------------------------------------------- */

static void
note_state (GodwitLibvirtLive *self, LvSide side, GodwitGuestState state)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  GodwitGuestState *known =
      side == LV_SOURCE ? &self->status.source_state : &self->status.destination_state;

  /* The call's own last look is the newest. */
  if (self->status.returned || *known == state)
    return;
  *known = state;
  self->serial++;
  g_cond_broadcast (&self->changed);
}

/* Called with the lock held. */
static guint
choose_interval (const Watch *watch, gboolean answered)
{
  if (!answered)
    return RETRY_INTERVAL_MS;
  if (watch->side == LV_DESTINATION &&
      watch->live->status.source_state == GODWIT_GUEST_PAUSED_MIGRATION &&
      watch->live->status.destination_state != GODWIT_GUEST_PAUSED)
    return SWITCHOVER_INTERVAL_MS;
  return STATE_INTERVAL_MS;
}

/* Waits for an event or until it is time to ask. FALSE when there is nothing more to watch. */
static gboolean
wait_for_turn (Watch *watch, gboolean answered)
{
  GodwitLibvirtLive *self = watch->live;
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  /* The interval shrinks when the other side's thread sees the switchover begin. */
  while (!self->status.returned && self->events[watch->side] == watch->events) {
    gint64 deadline = begin + (gint64)choose_interval (watch, answered) * 1000;
    if (!g_cond_wait_until (&self->changed, &self->mutex, deadline))
      break;
  }
  watch->events = self->events[watch->side];
  return !self->status.returned;
}

static gpointer
run_watch (gpointer data)
{
  Watch *watch = data;
  gboolean answered;

  do {
    GodwitGuestState state = GODWIT_GUEST_UNKNOWN;
    answered =
        watch_connect (watch) && lv_read_state (watch->connection, watch->live->uuid, &state);
    note_state (watch->live, watch->side, state);
  } while (wait_for_turn (watch, answered));
  watch_disconnect (watch);
  g_object_unref (watch->live);
  g_free (watch);
  return NULL;
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

static gboolean
wait_for_stats (GodwitLibvirtLive *self, gboolean *aborting)
{
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  while (!self->status.returned && *aborting == self->abort_wanted) {
    guint interval = self->abort_wanted ? ABORT_INTERVAL_MS : STATS_INTERVAL_MS;
    if (!g_cond_wait_until (&self->changed, &self->mutex, begin + (gint64)interval * 1000))
      break;
  }
  *aborting = self->abort_wanted;
  return !self->status.returned;
}

/* Apart from the watching of states, because libvirt may take its time for these answers. */
static gpointer
run_stats (gpointer data)
{
  g_autoptr (GodwitLibvirtLive) self = data;
  gboolean aborting = FALSE;

  while (wait_for_stats (self, &aborting)) {
    g_autoptr (virConnect) connection =
        lv_hypervisor_ref (self->hypervisors[LV_SOURCE], NULL, NULL);
    g_autoptr (virDomain) domain =
        connection != NULL ? virDomainLookupByUUIDString (connection, self->uuid) : NULL;
    if (domain == NULL)
      continue;
    if (should_abort (self))
      virDomainAbortJob (domain);
    read_stats (self, domain);
  }
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
  g_thread_unref (g_thread_new (name, run_watch, watch));
}

void
lv_live_watch (GodwitLibvirtLive *self)
{
  start_watch (self, LV_SOURCE, "libvirt-source");
  start_watch (self, LV_DESTINATION, "libvirt-dest");
  g_thread_unref (g_thread_new ("libvirt-stats", run_stats, g_object_ref (self)));
}
