/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#include <string.h>

/* libvirt's test driver: a host in memory, private to this process, with one running guest. */
#define URI  "test:///default"
#define UUID "11111111-2222-3333-4444-555555555555"

static const char *const definition =
    "<domain type='test'><name>moved</name><uuid>" UUID "</uuid><memory unit='MiB'>64</memory>"
    "<vcpu>1</vcpu><os><type arch='i686'>hvm</type></os><devices><disk type='file' device='disk'>"
    "<driver name='qemu' type='qcow2'/><source file='/moved.qcow2'/><target dev='vda'/></disk>"
    "</devices></domain>";

static GodwitGuestState
get_state (GodwitHypervisor *hypervisor, gboolean *persistent)
{
  GodwitGuestState state = GODWIT_GUEST_UNKNOWN;
  gboolean dummy;
  g_autoptr (GError) error = NULL;

  g_assert_true (godwit_hypervisor_get_state (hypervisor, UUID, &state,
                                              persistent != NULL ? persistent : &dummy, NULL,
                                              &error));
  g_assert_no_error (error);
  return state;
}

static GodwitHypervisor *
define (gboolean autostart)
{
  GodwitHypervisor *hypervisor = fixture_hypervisor (URI);
  g_autoptr (GError) error = NULL;

  g_assert_true (godwit_hypervisor_define (hypervisor, definition, autostart, NULL, &error));
  g_assert_no_error (error);
  return hypervisor;
}

static void
clean (GodwitHypervisor *hypervisor)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (godwit_hypervisor_destroy (hypervisor, UUID, NULL, &error));
  g_assert_true (godwit_hypervisor_undefine (hypervisor, UUID, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (get_state (hypervisor, NULL), ==, GODWIT_GUEST_ABSENT);
}

static void
test_life (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = define (FALSE);
  g_autoptr (GError) error = NULL;
  gboolean persistent = FALSE;

  g_assert_cmpint (get_state (hypervisor, &persistent), ==, GODWIT_GUEST_SHUT_OFF);
  g_assert_true (persistent);
  /* Each is repeated, as a step is after a crash. */
  for (guint i = 0; i < 2; i++)
    g_assert_true (godwit_hypervisor_start (hypervisor, UUID, NULL, &error));
  g_assert_cmpint (get_state (hypervisor, NULL), ==, GODWIT_GUEST_RUNNING);
  for (guint i = 0; i < 2; i++)
    g_assert_true (godwit_hypervisor_suspend (hypervisor, UUID, NULL, &error));
  g_assert_cmpint (get_state (hypervisor, NULL), ==, GODWIT_GUEST_PAUSED);
  for (guint i = 0; i < 2; i++)
    g_assert_true (godwit_hypervisor_resume (hypervisor, UUID, NULL, &error));
  g_assert_cmpint (get_state (hypervisor, NULL), ==, GODWIT_GUEST_RUNNING);
  for (guint i = 0; i < 2; i++)
    g_assert_true (godwit_hypervisor_shut_down (hypervisor, UUID, NULL, &error));
  g_assert_cmpint (get_state (hypervisor, NULL), ==, GODWIT_GUEST_SHUT_OFF);
  g_assert_no_error (error);
  clean (hypervisor);
}

static void
test_start_what_is_paused (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = define (FALSE);
  g_autoptr (GError) error = NULL;

  /* The test driver cannot start a guest paused, but has paused ones. */
  g_assert_true (godwit_hypervisor_start (hypervisor, UUID, NULL, &error));
  g_assert_false (godwit_hypervisor_start_paused (hypervisor, UUID, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
  g_clear_error (&error);
  g_assert_true (godwit_hypervisor_suspend (hypervisor, UUID, NULL, &error));
  g_assert_true (godwit_hypervisor_start_paused (hypervisor, UUID, NULL, &error));
  g_assert_cmpint (get_state (hypervisor, NULL), ==, GODWIT_GUEST_PAUSED);
  g_assert_false (godwit_hypervisor_start (hypervisor, UUID, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
  clean (hypervisor);
}

/* What is gone already is success for what makes it go, and an error for the rest. */
static void
test_absent_guest (void)
{
  static const struct {
    gboolean (*call) (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
                      GError **error);
    gboolean succeeds;
  } cases[] = {
      {godwit_hypervisor_undefine, TRUE},  {godwit_hypervisor_destroy, TRUE},
      {godwit_hypervisor_shut_down, TRUE}, {godwit_hypervisor_start, FALSE},
      {godwit_hypervisor_suspend, FALSE},  {godwit_hypervisor_resume, FALSE},
  };
  g_autoptr (GodwitHypervisor) hypervisor = fixture_hypervisor (URI);

  g_assert_cmpint (get_state (hypervisor, NULL), ==, GODWIT_GUEST_ABSENT);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_cmpint (cases[i].call (hypervisor, UUID, NULL, &error), ==, cases[i].succeeds);
    if (!cases[i].succeeds)
      g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
  }
}

static void
test_resume_what_does_not_run (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = define (FALSE);
  g_autoptr (GError) error = NULL;

  g_assert_false (godwit_hypervisor_resume (hypervisor, UUID, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_PEER);
  /* In its own words. */
  g_assert_null (strstr (error->message, "no reason"));
  assert_has (error->message, "moved");
  clean (hypervisor);
}

static void
test_describe (void)
{
  static const char *const names[] = {"moved", UUID};
  g_autoptr (GodwitHypervisor) hypervisor = define (TRUE);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GodwitGuest) guest =
        godwit_hypervisor_describe_guest (hypervisor, names[i], NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (guest->name, ==, "moved");
    g_assert_cmpstr (guest->uuid, ==, UUID);
    g_assert_cmpint (guest->state, ==, GODWIT_GUEST_SHUT_OFF);
    g_assert_true (guest->persistent);
    g_assert_true (guest->autostart);
    g_assert_null (guest->live_definition);
    g_assert_null (guest->busy);
    g_assert_cmpuint (guest->snapshots, ==, 0);
    g_assert_cmpuint (guest->disks->len, ==, 1);
  }
  /* Defining it again changes autostart too. */
  g_assert_true (godwit_hypervisor_define (hypervisor, definition, FALSE, NULL, NULL));
  g_assert_true (godwit_hypervisor_start (hypervisor, UUID, NULL, NULL));
  g_autoptr (GodwitGuest) running =
      godwit_hypervisor_describe_guest (hypervisor, "moved", NULL, NULL);
  g_assert_false (running->autostart);
  g_assert_cmpint (running->state, ==, GODWIT_GUEST_RUNNING);
  g_assert_nonnull (running->live_definition);
  clean (hypervisor);
}

static void
test_describe_unknown (void)
{
  static const char *const names[] = {"nobody", "99999999-2222-3333-4444-555555555555", ""};
  g_autoptr (GodwitHypervisor) hypervisor = fixture_hypervisor (URI);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (godwit_hypervisor_describe_guest (hypervisor, names[i], NULL, &error));
    g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
    g_assert_nonnull (godwit_error_get_remedy (error));
  }
}

static void
test_snapshots_are_counted (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = define (FALSE);
  virConnectPtr connection = GODWIT_LIBVIRT_HYPERVISOR (hypervisor)->connection;
  g_autoptr (virDomain) domain = virDomainLookupByName (connection, "moved");
  virDomainSnapshotPtr snapshot =
      virDomainSnapshotCreateXML (domain, "<domainsnapshot><name>before</name></domainsnapshot>",
                                  0);

  g_assert_nonnull (snapshot);
  g_autoptr (GodwitGuest) guest =
      godwit_hypervisor_describe_guest (hypervisor, "moved", NULL, NULL);
  g_assert_cmpuint (guest->snapshots, ==, 1);

  /* A guest with snapshots is not forgotten on the quiet. */
  g_autoptr (GError) error = NULL;
  g_assert_false (godwit_hypervisor_undefine (hypervisor, UUID, NULL, &error));
  g_assert_nonnull (error);
  g_assert_cmpint (get_state (hypervisor, NULL), ==, GODWIT_GUEST_SHUT_OFF);
  virDomainSnapshotDelete (snapshot, 0);
  virDomainSnapshotFree (snapshot);
  clean (hypervisor);
}

static void
test_saved_memory_is_work (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = define (FALSE);
  virConnectPtr connection = GODWIT_LIBVIRT_HYPERVISOR (hypervisor)->connection;
  g_autoptr (virDomain) domain = virDomainLookupByName (connection, "moved");

  g_assert_true (godwit_hypervisor_start (hypervisor, UUID, NULL, NULL));
  g_assert_cmpint (virDomainManagedSave (domain, 0), ==, 0);
  g_autoptr (GodwitGuest) guest =
      godwit_hypervisor_describe_guest (hypervisor, "moved", NULL, NULL);
  g_assert_nonnull (guest->busy);
  assert_has (guest->busy, "managedsave-remove moved");
  g_assert_false (godwit_hypervisor_undefine (hypervisor, UUID, NULL, NULL));
  virDomainManagedSaveRemove (domain, 0);
  clean (hypervisor);
}

static void
test_list (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = define (FALSE);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = godwit_hypervisor_list_guests (hypervisor, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (names), ==, 2);
  g_assert_cmpstr (names[0], ==, "moved");
  g_assert_cmpstr (names[1], ==, "test");
  clean (hypervisor);
}

static void
test_bad_definition (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = fixture_hypervisor (URI);
  g_autoptr (GError) error = NULL;

  g_assert_false (godwit_hypervisor_define (hypervisor, "<domain/>", FALSE, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_PEER);
  /* Nothing may be printed, and one error is one line and its remedy. */
  g_autofree char *message = godwit_error_dup_message (error);
  g_assert_null (strchr (message, '\n'));
}

static void
test_facts (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = fixture_hypervisor (URI);
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitHostFacts) facts = godwit_hypervisor_get_facts (hypervisor, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (facts->hostname);
  g_assert_cmpuint (facts->memory_total, >, 0);
  g_assert_cmpuint (facts->guest_uid, ==, G_MAXUINT32);
  assert_has (facts->version, "libvirt ");
}

static void
test_only_qemu_has_pid_files (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = define (FALSE);
  g_autoptr (GError) error = NULL;

  g_assert_null (godwit_hypervisor_get_pid_file (hypervisor, UUID, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_SUPPORTED);
  clean (hypervisor);
}

static gpointer
hammer (gpointer data)
{
  GodwitHypervisor *hypervisor = data;

  for (guint i = 0; i < 50; i++) {
    g_auto (GStrv) names = godwit_hypervisor_list_guests (hypervisor, NULL, NULL);
    g_assert_nonnull (names);
    g_assert_cmpint (get_state (hypervisor, NULL), ==, GODWIT_GUEST_SHUT_OFF);
  }
  return NULL;
}

static void
test_threads (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = define (FALSE);
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("hammer", hammer, hypervisor);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  clean (hypervisor);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/libvirt/driver/life", test_life);
  g_test_add_func ("/libvirt/driver/start-what-is-paused", test_start_what_is_paused);
  g_test_add_func ("/libvirt/driver/absent-guest", test_absent_guest);
  g_test_add_func ("/libvirt/driver/resume-what-does-not-run", test_resume_what_does_not_run);
  g_test_add_func ("/libvirt/driver/describe", test_describe);
  g_test_add_func ("/libvirt/driver/describe-unknown", test_describe_unknown);
  g_test_add_func ("/libvirt/driver/snapshots-are-counted", test_snapshots_are_counted);
  g_test_add_func ("/libvirt/driver/saved-memory-is-work", test_saved_memory_is_work);
  g_test_add_func ("/libvirt/driver/list", test_list);
  g_test_add_func ("/libvirt/driver/bad-definition", test_bad_definition);
  g_test_add_func ("/libvirt/driver/facts", test_facts);
  g_test_add_func ("/libvirt/driver/only-qemu-has-pid-files", test_only_qemu_has_pid_files);
  g_test_add_func ("/libvirt/driver/threads", test_threads);
  return g_test_run ();
}
