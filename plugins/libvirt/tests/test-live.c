/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"
#include "live-private.h"

#include <libvirt/virterror.h>
#include <string.h>

#define UUID "11111111-2222-3333-4444-555555555555"

static GodwitGuest *
make_guest (void)
{
  static const char *const targets[] = {"vda", "vdb", "hda", "hdb"};
  GodwitGuest *guest = godwit_guest_new ("moved", UUID);

  for (guint i = 0; i < G_N_ELEMENTS (targets); i++) {
    GodwitDisk *disk = godwit_disk_new (targets[i]);
    disk->read_only = i >= 2;
    if (i < 3)
      g_ptr_array_add (disk->chain, godwit_image_new ("/x", "raw"));
    g_ptr_array_add (guest->disks, disk);
  }
  return guest;
}

#define BASE (VIR_MIGRATE_LIVE | VIR_MIGRATE_PAUSED)

static void
test_export (void)
{
  const char *definition = "<domain><devices>"
                           "<disk><target dev='vda'/><alias name='ua-root'/></disk>"
                           "<disk><target dev='vdb'/></disk>"
                           "<disk><target dev='sda'/><alias name='scsi0-0-0-0'/></disk>"
                           "</devices></domain>";
  g_autoptr (GError) error = NULL;
  g_autofree char *vda = lv_live_find_export (definition, "vda", &error);
  g_autofree char *sda = lv_live_find_export (definition, "sda", &error);

  g_assert_no_error (error);
  g_assert_cmpstr (vda, ==, "drive-ua-root");
  g_assert_cmpstr (sda, ==, "drive-scsi0-0-0-0");
  g_assert_null (lv_live_find_export (definition, "vdb", &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
}

static void
test_flags (void)
{
  static const char *const none[] = {NULL};
  static const char *const one[] = {"vda", NULL};
  static const char *const both[] = {"vda", "vdb", NULL};
  const struct {
    const char *const *mirror;
    gboolean proven;
    unsigned flags;
  } cases[] = {
      {none, TRUE, BASE | VIR_MIGRATE_UNSAFE},
      {NULL, TRUE, BASE | VIR_MIGRATE_UNSAFE},
      /* Without a proof libvirt's own check is all there is. */
      {none, FALSE, BASE},
      {one, TRUE, BASE | VIR_MIGRATE_NON_SHARED_INC | VIR_MIGRATE_UNSAFE},
      {one, FALSE, BASE | VIR_MIGRATE_NON_SHARED_INC},
      /* Nothing writable is attached, so there is nothing to be unsafe about. */
      {both, TRUE, BASE | VIR_MIGRATE_NON_SHARED_INC},
  };
  g_autoptr (GodwitGuest) guest = make_guest ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GodwitLiveParams params = {.mirror = cases[i].mirror, .proven_safe = cases[i].proven};
    g_assert_cmphex (lv_live_choose_flags (guest, &params), ==, cases[i].flags);
  }
  /* A chain that arrives as one image is read through. */
  godwit_guest_find_disk (guest, "vda")->flatten = TRUE;
  GodwitLiveParams params = {.mirror = both};
  g_assert_cmphex (lv_live_choose_flags (guest, &params), ==, BASE | VIR_MIGRATE_NON_SHARED_DISK);
}

static void
add (virTypedParameterPtr *params, int *count, int *room, const char *name,
     unsigned long long value)
{
  g_assert_cmpint (virTypedParamsAddULLong (params, count, room, name, value), ==, 0);
}

static void
test_stats (void)
{
  GodwitLiveStatus status = {0};
  virTypedParameterPtr params = NULL;
  int count = 0;
  int room = 0;

  add (&params, &count, &room, VIR_DOMAIN_JOB_DISK_TOTAL, 1000);
  add (&params, &count, &room, VIR_DOMAIN_JOB_DISK_PROCESSED, 400);
  lv_live_fill_stats (&status, params, count);
  g_assert_cmpuint (status.disk_total, ==, 1000);
  g_assert_cmpuint (status.disk_done, ==, 400);
  g_assert_cmpuint (status.memory_total, ==, 0);
  virTypedParamsFree (params, count);

  params = NULL;
  count = room = 0;
  add (&params, &count, &room, VIR_DOMAIN_JOB_MEMORY_TOTAL, 500);
  add (&params, &count, &room, VIR_DOMAIN_JOB_MEMORY_PROCESSED, 300);
  add (&params, &count, &room, VIR_DOMAIN_JOB_MEMORY_REMAINING, 200);
  add (&params, &count, &room, VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE, 10);
  add (&params, &count, &room, VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE, 4096);
  add (&params, &count, &room, VIR_DOMAIN_JOB_MEMORY_ITERATION, 3);
  add (&params, &count, &room, VIR_DOMAIN_JOB_DOWNTIME, 42);
  lv_live_fill_stats (&status, params, count);
  /* The disk phase is over, not undone. */
  g_assert_cmpuint (status.disk_done, ==, 400);
  g_assert_cmpuint (status.memory_done, ==, 300);
  g_assert_cmpuint (status.memory_remaining, ==, 200);
  g_assert_cmpuint (status.dirty_bps, ==, 40960);
  g_assert_cmpuint (status.iteration, ==, 3);
  g_assert_cmpuint (status.downtime_ms, ==, 42);
  virTypedParamsFree (params, count);
}

static void
test_states (void)
{
  static const struct {
    int state;
    int reason;
    GodwitGuestState is;
  } cases[] = {
      {VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED, GODWIT_GUEST_RUNNING},
      {VIR_DOMAIN_BLOCKED, 0, GODWIT_GUEST_RUNNING},
      {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER, GODWIT_GUEST_PAUSED},
      {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR, GODWIT_GUEST_PAUSED},
      /* Neither is complete: only paused by a person, or by Finish, is. */
      {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION, GODWIT_GUEST_PAUSED_MIGRATION},
      {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP, GODWIT_GUEST_PAUSED_MIGRATION},
      {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY, GODWIT_GUEST_PAUSED_MIGRATION},
      {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY_FAILED, GODWIT_GUEST_PAUSED_MIGRATION},
      {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED, GODWIT_GUEST_CRASHED},
      {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SHUTTING_DOWN, GODWIT_GUEST_SHUTTING_DOWN},
      {VIR_DOMAIN_SHUTDOWN, 0, GODWIT_GUEST_SHUTTING_DOWN},
      {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN, GODWIT_GUEST_SHUT_OFF},
      {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_MIGRATED, GODWIT_GUEST_SHUT_OFF},
      {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED, GODWIT_GUEST_CRASHED},
      {VIR_DOMAIN_CRASHED, 0, GODWIT_GUEST_CRASHED},
      {VIR_DOMAIN_PMSUSPENDED, 0, GODWIT_GUEST_PAUSED},
      {VIR_DOMAIN_NOSTATE, 0, GODWIT_GUEST_UNKNOWN},
      {999, 0, GODWIT_GUEST_UNKNOWN},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (lv_state_from_libvirt (cases[i].state, cases[i].reason), ==, cases[i].is);
}

static void
test_refused_parameters (void)
{
  static const char *const unknown[] = {"vdz", NULL};
  static const char *const read_only[] = {"hda", NULL};
  static const char *const empty[] = {"hdb", NULL};
  static const char *const good[] = {"vda", NULL};
  const struct {
    GodwitLiveParams params;
  } cases[] = {
      {{.memory_socket = "/m", .disk_socket = "/d", .definition = "<domain/>", .mirror = unknown}},
      {{.memory_socket = "/m",
        .disk_socket = "/d",
        .definition = "<domain/>",
        .mirror = read_only}},
      {{.memory_socket = "/m", .disk_socket = "/d", .definition = "<domain/>", .mirror = empty}},
      {{.memory_socket = "/m", .definition = "<domain/>", .mirror = good}},
      {{.definition = "<domain/>"}},
      {{.memory_socket = "/m"}},
  };
  g_autoptr (GodwitHypervisor) hypervisor = fixture_hypervisor ("test:///default");
  g_autoptr (GodwitGuest) guest = make_guest ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (godwit_hypervisor_live_begin (hypervisor, hypervisor, guest, &cases[i].params,
                                                 NULL, &error));
    g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_INTERNAL);
  }
}

static void
test_unknown_guest (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = fixture_hypervisor ("test:///default");
  g_autoptr (GodwitGuest) guest = make_guest ();
  g_autoptr (GError) error = NULL;
  GodwitLiveParams params = {.memory_socket = "/m", .definition = "<domain/>"};

  g_assert_null (
      godwit_hypervisor_live_begin (hypervisor, hypervisor, guest, &params, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
}

/* The test driver cannot migrate, which is all that it takes to see a call fail. */
static GObject *
begin_in_vain (GodwitHypervisor *hypervisor)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitGuest) guest =
      godwit_hypervisor_describe_guest (hypervisor, "test", NULL, &error);
  GodwitLiveParams params = {.memory_socket = "/m",
                             .definition = guest->live_definition,
                             .max_downtime_ms = 50};
  GObject *live =
      godwit_hypervisor_live_begin (hypervisor, hypervisor, guest, &params, NULL, &error);

  g_assert_no_error (error);
  return live;
}

static void
test_call_that_fails (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = fixture_hypervisor ("test:///default");
  g_autoptr (GObject) live = begin_in_vain (hypervisor);
  g_autoptr (GError) error = NULL;
  GodwitLiveStatus status = {0};

  while (!status.returned)
    g_assert_true (godwit_hypervisor_live_wait (hypervisor, live, 5000, &status, &error));
  g_assert_true (status.failed);
  g_assert_cmpint (status.source_state, ==, GODWIT_GUEST_RUNNING);
  for (guint i = 0; i < 2; i++) {
    g_assert_false (godwit_hypervisor_live_finish (hypervisor, live, 5000, &error));
    g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_SUPPORTED);
    g_clear_error (&error);
  }
  /* Too late to matter, and no harm. */
  g_assert_true (godwit_hypervisor_live_abort (hypervisor, live, &error));
}

static void
test_handle_dropped_early (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = fixture_hypervisor ("test:///default");
  GObject *live = begin_in_vain (hypervisor);
  gpointer gone = live;

  g_object_add_weak_pointer (live, &gone);
  g_object_unref (live);
  for (guint i = 0; i < 500 && g_atomic_pointer_get (&gone) != NULL; i++)
    g_usleep (10000);
  g_assert_null (g_atomic_pointer_get (&gone));
}

static void
test_foreign_handle (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = fixture_hypervisor ("test:///default");
  g_autoptr (GObject) foreign = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr (GError) error = NULL;
  GodwitLiveStatus status;

  g_assert_false (godwit_hypervisor_live_wait (hypervisor, foreign, 0, &status, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_INTERNAL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Before this its thread-local error is somebody else's memory. */
  g_assert_cmpint (virInitialize (), ==, 0);
  g_test_add_func ("/libvirt/live/export", test_export);
  g_test_add_func ("/libvirt/live/flags", test_flags);
  g_test_add_func ("/libvirt/live/stats", test_stats);
  g_test_add_func ("/libvirt/live/states", test_states);
  g_test_add_func ("/libvirt/live/refused-parameters", test_refused_parameters);
  g_test_add_func ("/libvirt/live/unknown-guest", test_unknown_guest);
  g_test_add_func ("/libvirt/live/call-that-fails", test_call_that_fails);
  g_test_add_func ("/libvirt/live/handle-dropped-early", test_handle_dropped_early);
  g_test_add_func ("/libvirt/live/foreign-handle", test_foreign_handle);
  return g_test_run ();
}
