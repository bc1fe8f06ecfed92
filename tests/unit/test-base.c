/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scratch.h"

#include "base/durable.h"
#include "base/event.h"
#include "base/paths.h"
#include "contracts/contracts.h"

#include <godwit/error.h>
#include <godwit/guest.h>
#include <godwit/report.h>
#include <godwit/step.h>

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/stat.h>

/* --- errors ------------------------------------------------------------------------------- */

static void
test_error (void)
{
  g_autoptr (GError) error = NULL;
  godwit_set_error (&error, GODWIT_ERROR_BUSY, "wait for job 7", "guest %s is in use", "web");
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
  g_assert_cmpstr (error->message, ==, "guest web is in use\nNext: wait for job 7");
  g_prefix_error (&error, "host b: ");
  g_assert_cmpstr (godwit_error_get_remedy (error), ==, "wait for job 7");
  g_autofree char *message = godwit_error_dup_message (error);
  g_assert_cmpstr (message, ==, "host b: guest web is in use");
  godwit_set_error (NULL, GODWIT_ERROR_BUSY, "x", "nobody listens");
}

static void
test_error_without_remedy (void)
{
  g_autoptr (GError) error = NULL;
  godwit_set_error (&error, GODWIT_ERROR_PEER, NULL, "line one\nline two");
  g_assert_null (godwit_error_get_remedy (error));
  g_autofree char *message = godwit_error_dup_message (error);
  g_assert_cmpstr (message, ==, "line one\nline two");
}

/* What quotes another error has one remedy: its own, else the quoted one's. */
static void
test_error_nested (void)
{
  g_autoptr (GError) inner = NULL;
  g_autoptr (GError) outer = NULL;
  g_autoptr (GError) plain = NULL;
  godwit_set_error (&inner, GODWIT_ERROR_DENIED, "chmod", "no permission");
  godwit_set_error (&outer, GODWIT_ERROR_PEER, "godwit recover", "step copy: %s (twice)",
                    inner->message);
  g_assert_cmpstr (outer->message, ==, "step copy: no permission\nNext: godwit recover");
  godwit_set_error (&plain, GODWIT_ERROR_PEER, NULL, "step copy: %s", inner->message);
  g_assert_cmpstr (godwit_error_get_remedy (plain), ==, "chmod");
}

static void
test_error_cancelled (void)
{
  g_autoptr (GError) ours = g_error_new (GODWIT_ERROR, GODWIT_ERROR_CANCELLED, "x");
  g_autoptr (GError) theirs = g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "x");
  g_autoptr (GError) other = g_error_new (GODWIT_ERROR, GODWIT_ERROR_BUSY, "x");
  g_assert_true (godwit_error_is_cancelled (ours));
  g_assert_true (godwit_error_is_cancelled (theirs));
  g_assert_false (godwit_error_is_cancelled (other));
  g_assert_false (godwit_error_is_cancelled (NULL));
}

/* --- reports ------------------------------------------------------------------------------ */

static void
test_report (void)
{
  g_autoptr (GodwitReport) report = godwit_report_new ();
  g_assert_false (godwit_report_is_blocked (report, NULL));
  godwit_report_add (report, GODWIT_SEVERITY_WARNING, "slow", "vda", NULL, "%d bytes", 7);
  godwit_report_set_scope (report, "cold");
  godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "running", NULL, "shut it down", "it runs");
  g_assert_false (godwit_report_is_blocked (report, NULL));
  g_assert_false (godwit_report_is_blocked (report, "live-block"));
  g_assert_true (godwit_report_is_blocked (report, "cold"));
  g_assert_cmpstr (godwit_report_first_blocker (report, "cold")->id, ==, "running");

  godwit_report_set_scope (report, NULL);
  g_autoptr (GError) error = NULL;
  godwit_set_error (&error, GODWIT_ERROR_PEER, "godwit hosts b", "b did not answer");
  godwit_report_add_error (report, "host", "b", error);
  g_assert_true (godwit_report_is_blocked (report, NULL));
  g_assert_true (godwit_report_is_blocked (report, "live-block"));

  GPtrArray *findings = godwit_report_get_findings (report);
  g_assert_cmpuint (findings->len, ==, 3);
  const GodwitFinding *first = g_ptr_array_index (findings, 0);
  g_assert_cmpstr (first->message, ==, "7 bytes");
  g_assert_cmpstr (first->subject, ==, "vda");
  g_assert_null (first->scope);
  const GodwitFinding *last = g_ptr_array_index (findings, 2);
  g_assert_cmpstr (last->message, ==, "b did not answer");
  g_assert_cmpstr (last->remedy, ==, "godwit hosts b");
}

/* --- guests ------------------------------------------------------------------------------- */

/* Two guests are equal if their records are, byte for byte. */
static void
assert_round_trip (const GodwitGuest *guest)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) before = g_variant_ref_sink (godwit_guest_to_variant (guest));
  g_autoptr (GodwitGuest) copy = godwit_guest_from_variant (before, &error);
  g_assert_no_error (error);
  g_autoptr (GVariant) after = g_variant_ref_sink (godwit_guest_to_variant (copy));
  g_autofree char *a = g_variant_print (before, TRUE);
  g_autofree char *b = g_variant_print (after, TRUE);
  g_assert_cmpstr (a, ==, b);
}

static GodwitGuest *
make_guest (void)
{
  GodwitGuest *guest = godwit_guest_new ("web", "6e0d1c2b-5f4a-4c3d-8e9f-0a1b2c3d4e5f");
  guest->state = GODWIT_GUEST_RUNNING;
  guest->persistent = TRUE;
  guest->autostart = TRUE;
  guest->memory = G_GUINT64_CONSTANT (1) << 40;
  guest->vcpus = 3;
  guest->definition = g_strdup ("<domain/>");
  guest->live_definition = g_strdup ("<domain id='1'/>");
  guest->snapshots = 2;
  guest->busy = g_strdup ("backup");
  guest->passthrough = g_strsplit ("pci 0000:01:00.0|usb", "|", -1);
  guest->nvram = g_strdup ("/nvram/web.fd");
  /* A path is bytes, not always text. */
  guest->instance_directory = g_strdup ("/srv/\xff\xfe/web");

  GodwitDisk *disk = godwit_disk_new ("vda");
  disk->device = g_strdup ("disk");
  disk->type = g_strdup ("file");
  disk->bus = g_strdup ("virtio");
  disk->cache = g_strdup ("none");
  disk->read_only = disk->shareable = disk->preallocated = disk->flatten = TRUE;
  disk->storage = g_strdup ("file");
  disk->sharing = GODWIT_SHARING_YES;
  disk->proof = g_strdup ("");
  disk->treatment = GODWIT_TREATMENT_MIRROR;
  GodwitImage *top = godwit_image_new ("/srv/web/disk.qcow2", "qcow2");
  top->virtual_size = 10;
  top->allocated = 5;
  top->destination = g_strdup ("/mnt/disk.qcow2");
  top->present = TRUE;
  g_ptr_array_add (disk->chain, top);
  g_ptr_array_add (disk->chain, godwit_image_new ("/srv/base", "raw"));
  g_ptr_array_add (guest->disks, disk);
  g_ptr_array_add (guest->disks, godwit_disk_new ("sda"));
  return guest;
}

static void
test_guest_round_trip (void)
{
  g_autoptr (GodwitGuest) full = make_guest ();
  assert_round_trip (full);
  g_autoptr (GVariant) variant = g_variant_ref_sink (godwit_guest_to_variant (full));
  g_autoptr (GodwitGuest) copy = godwit_guest_from_variant (variant, NULL);
  g_assert_cmpstr (copy->instance_directory, ==, "/srv/\xff\xfe/web");
  g_assert_cmpuint (copy->memory, ==, G_GUINT64_CONSTANT (1) << 40);
  g_assert_cmpuint (g_strv_length (copy->passthrough), ==, 2);
  const GodwitDisk *disk = godwit_guest_find_disk (copy, "vda");
  g_assert_true (disk->read_only && disk->shareable && disk->preallocated && disk->flatten);
  g_assert_cmpint (disk->treatment, ==, GODWIT_TREATMENT_MIRROR);
  g_assert_cmpint (disk->sharing, ==, GODWIT_SHARING_YES);
  /* Empty is not absent. */
  g_assert_cmpstr (disk->proof, ==, "");
  g_assert_cmpuint (disk->chain->len, ==, 2);
  g_assert_true (godwit_disk_get_top (disk)->present);
  g_assert_null (godwit_disk_get_top (godwit_guest_find_disk (copy, "sda")));
  g_assert_null (godwit_guest_find_disk (copy, "vdz"));
}

static void
test_guest_empty_round_trip (void)
{
  g_autoptr (GodwitGuest) empty = godwit_guest_new ("e", "u");
  assert_round_trip (empty);
  g_autoptr (GVariant) variant = g_variant_ref_sink (godwit_guest_to_variant (empty));
  g_autoptr (GodwitGuest) copy = godwit_guest_from_variant (variant, NULL);
  g_assert_null (copy->live_definition);
  g_assert_null (copy->passthrough);
  g_assert_null (copy->busy);
  g_assert_cmpint (copy->state, ==, GODWIT_GUEST_UNKNOWN);
}

static void
test_guest_corrupt (void)
{
  const char *texts[] = {
      "'no dictionary'",
      "@a{sv} {}",
      "{'name': <'a'>, 'uuid': <'b'>, 'state': <uint32 99>, 'disks': <@aa{sv} []>}",
      "{'name': <'a'>, 'uuid': <'b'>, 'state': <uint32 1>}",
      "{'name': <'a'>, 'uuid': <7>, 'state': <uint32 1>, 'disks': <@aa{sv} []>}",
      "{'name': <'a'>, 'uuid': <'b'>, 'state': <uint32 1>, 'disks': <[{'target': <'vda'>}]>}",
      "{'name': <'a'>, 'uuid': <'b'>, 'state': <uint32 1>, 'disks': <[{'target': <'vda'>, "
      "'chain': <@aa{sv} []>, 'treatment': <uint32 50>}]>}",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) variant = g_variant_parse (NULL, texts[i], NULL, NULL, &error);
    g_assert_no_error (error);
    g_assert_null (godwit_guest_from_variant (variant, &error));
    g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CORRUPT);
  }
}

static void
test_guest_active (void)
{
  g_autoptr (GodwitGuest) guest = godwit_guest_new ("a", "b");
  const GodwitGuestState active[] = {GODWIT_GUEST_RUNNING, GODWIT_GUEST_PAUSED,
                                     GODWIT_GUEST_PAUSED_MIGRATION, GODWIT_GUEST_SHUTTING_DOWN};
  const GodwitGuestState passive[] = {GODWIT_GUEST_ABSENT, GODWIT_GUEST_SHUT_OFF,
                                      GODWIT_GUEST_CRASHED, GODWIT_GUEST_UNKNOWN};
  for (gsize i = 0; i < 4; i++) {
    guest->state = active[i];
    g_assert_true (godwit_guest_is_active (guest));
    guest->state = passive[i];
    g_assert_false (godwit_guest_is_active (guest));
  }
}

/* --- steps -------------------------------------------------------------------------------- */

static void
test_step_round_trip (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitStep) step =
      godwit_step_new ("copy-disks", "copy the disks", GODWIT_PHASE_COPYING, 80, 0,
                       GODWIT_STEP_UNDO | GODWIT_STEP_VOLATILE,
                       g_variant_new_parsed ("{'disk': <'vda'>}"));
  g_autoptr (GVariant) variant = g_variant_ref_sink (godwit_step_to_variant (step));
  g_autoptr (GodwitStep) copy = godwit_step_from_variant (variant, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (copy->name, ==, "copy-disks");
  g_assert_cmpstr (copy->summary, ==, "copy the disks");
  g_assert_cmpint (copy->phase, ==, GODWIT_PHASE_COPYING);
  g_assert_cmpuint (copy->weight, ==, 80);
  g_assert_cmpuint (copy->flags, ==, GODWIT_STEP_UNDO | GODWIT_STEP_VOLATILE);
  g_assert_true (g_variant_equal (copy->arguments, step->arguments));

  g_autoptr (GodwitStep) bare =
      godwit_step_new ("commit", NULL, GODWIT_PHASE_FROZEN, 0, 30, GODWIT_STEP_COMMIT, NULL);
  g_autoptr (GVariant) bare_variant = g_variant_ref_sink (godwit_step_to_variant (bare));
  g_autoptr (GodwitStep) bare_copy = godwit_step_from_variant (bare_variant, &error);
  g_assert_null (bare_copy->arguments);
  g_assert_null (bare_copy->summary);
  g_assert_cmpuint (bare_copy->deadline, ==, 30);

  g_autoptr (GVariant) bad = g_variant_ref_sink (g_variant_new_parsed ("{'name': <'x'>}"));
  g_assert_null (godwit_step_from_variant (bad, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CORRUPT);
}

/* --- events ------------------------------------------------------------------------------- */

static GodwitEvent *
make_event (void)
{
  GodwitEvent *event = godwit_event_new (GODWIT_EVENT_PROGRESS, "disk vda", "line 1\nline \xff");
  event->serial = 12;
  event->time_us = 1700000000000042;
  event->severity = GODWIT_SEVERITY_WARNING;
  event->host = g_strdup ("b");
  event->done = 5;
  event->total = G_GUINT64_CONSTANT (1) << 50;
  event->rate = 3;
  event->data = g_variant_ref_sink (
      g_variant_new_parsed ("{'iteration': <uint32 4>, 'kind': <'forged'>, 'flag': <true>}"));
  return event;
}

static void
test_event_round_trip (void)
{
  g_autoptr (GodwitEvent) event = make_event ();
  g_autoptr (GodwitEvent) twin = godwit_event_copy (event);
  g_autoptr (GVariant) variant = g_variant_ref_sink (godwit_event_to_variant (twin));
  g_autoptr (GodwitEvent) copy = godwit_event_from_variant (variant);
  g_assert_cmpuint (copy->serial, ==, 12);
  g_assert_cmpint (copy->time_us, ==, 1700000000000042);
  g_assert_cmpint (copy->kind, ==, GODWIT_EVENT_PROGRESS);
  g_assert_cmpint (copy->severity, ==, GODWIT_SEVERITY_WARNING);
  g_assert_cmpstr (copy->host, ==, "b");
  g_assert_cmpstr (copy->what, ==, "disk vda");
  g_assert_cmpstr (copy->message, ==, "line 1\nline \xff");
  g_assert_cmpuint (copy->total, ==, G_GUINT64_CONSTANT (1) << 50);
  g_assert_cmpuint (copy->done, ==, 5);
  g_assert_cmpuint (copy->rate, ==, 3);
  g_assert_true (g_variant_equal (copy->data, event->data));

  g_autoptr (GVariant) bad = g_variant_ref_sink (g_variant_new_parsed ("{'kind': <uint32 77>}"));
  g_assert_null (godwit_event_from_variant (bad));
  g_assert_null (godwit_event_from_variant (NULL));
}

static void
test_event_json (void)
{
  g_autoptr (GodwitEvent) event = make_event ();
  g_autofree char *text = godwit_event_to_json (event, "j1");
  g_assert_null (strchr (text, '\n'));
  g_assert_true (g_utf8_validate (text, -1, NULL));

  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) root = json_from_string (text, &error);
  g_assert_no_error (error);
  JsonObject *object = json_node_get_object (root);
  g_assert_cmpstr (json_object_get_string_member (object, "time"), ==,
                   "2023-11-14T22:13:20.000042Z");
  g_assert_cmpstr (json_object_get_string_member (object, "job"), ==, "j1");
  g_assert_cmpstr (json_object_get_string_member (object, "kind"), ==, "progress");
  g_assert_cmpstr (json_object_get_string_member (object, "severity"), ==, "warning");
  g_assert_cmpstr (json_object_get_string_member (object, "host"), ==, "b");
  g_assert_cmpstr (json_object_get_string_member (object, "what"), ==, "disk vda");
  g_assert_cmpint (json_object_get_int_member (object, "done"), ==, 5);
  g_assert_cmpint (json_object_get_int_member (object, "iteration"), ==, 4);
  g_assert_true (json_object_get_boolean_member (object, "flag"));

  g_autoptr (GodwitEvent) log = godwit_event_new (GODWIT_EVENT_LOG, NULL, "hello");
  g_autofree char *short_text = godwit_event_to_json (log, NULL);
  g_autoptr (JsonNode) short_root = json_from_string (short_text, &error);
  JsonObject *short_object = json_node_get_object (short_root);
  g_assert_false (json_object_has_member (short_object, "job"));
  g_assert_false (json_object_has_member (short_object, "done"));
  g_assert_false (json_object_has_member (short_object, "what"));
}

/* --- directories -------------------------------------------------------------------------- */

static void
test_make_dir (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *top = g_dir_make_tmp ("godwit-base-XXXXXX", &error);
  g_autofree char *middle = g_build_filename (top, "a", NULL);
  g_autofree char *path = g_build_filename (middle, "b", NULL);
  g_autofree char *link = g_build_filename (top, "link", NULL);
  mode_t old = umask (077);
  g_assert_true (godwit_paths_make_dir (path, 0750, &error));
  umask (old);
  struct stat st;
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 07777, ==, 0750);
  g_assert_true (godwit_paths_make_dir (path, 0750, &error));
  g_assert_no_error (error);

  /* Somebody may have put a link there to lead us elsewhere. */
  g_assert_cmpint (symlink (path, link), ==, 0);
  g_assert_false (godwit_paths_make_dir (link, 0750, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_unlink (link);
  g_rmdir (path);
  g_rmdir (middle);
  g_rmdir (top);
}

/* --- contracts ---------------------------------------------------------------------------- */

static void
test_contracts (void)
{
  guint n = 0;
  for (const GodwitContract *contract = godwit_contracts_get (); contract->name != NULL;
       contract++) {
    gpointer vtable = g_type_default_interface_ref (contract->get_type ());
    g_assert_true (godwit_contracts_find (contract->get_type ()) == contract);
    /* A required slot has no default, or nobody would see that it is missing; one that belongs
     * to another has one. */
    for (const GodwitContractSlot *slot = contract->required; slot->name != NULL; slot++) {
      gpointer value = G_STRUCT_MEMBER (gpointer, vtable, slot->offset);
      g_assert_true ((value == NULL) == (slot->with == 0));
    }
    g_type_default_interface_unref (vtable);
    n++;
  }
  g_assert_cmpuint (n, ==, 5);
  g_assert_null (godwit_contracts_find (G_TYPE_OBJECT));
}

static void
test_words (void)
{
  g_assert_cmpstr (godwit_guest_state_to_string (GODWIT_GUEST_SHUT_OFF), ==, "shut off");
  g_assert_cmpstr (godwit_guest_state_to_string (GODWIT_GUEST_UNKNOWN), ==, "unknown");
  g_assert_cmpstr (godwit_sharing_to_string (GODWIT_SHARING_YES), ==, "yes");
  g_assert_cmpstr (godwit_treatment_to_string (GODWIT_TREATMENT_SKIP), ==, "skip");
  g_assert_cmpstr (godwit_phase_to_string (GODWIT_PHASE_RETIRING), ==, "retiring");
  g_assert_cmpstr (godwit_severity_to_string (GODWIT_SEVERITY_BLOCKER), ==, "blocker");
  g_assert_cmpstr (godwit_event_kind_to_string (GODWIT_EVENT_RESULT), ==, "result");
  g_assert_cmpstr (godwit_event_kind_to_string (99), ==, "unknown");
}

static void
test_unfinished (void)
{
  static const struct {
    const char *name;
    gboolean stays;
  } files[] = {{"web-1", TRUE},         {"web-1.AB3DE9", FALSE}, {"web-1.log", TRUE},
               {"web-12.AB3DE9", TRUE}, {"web-1.AB3DE99", TRUE}, {"web-1x.B3DE9", TRUE}};
  g_autoptr (Scratch) dir = scratch_new ();
  g_autofree char *finished = g_build_filename (dir, "web-1", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_build_filename (dir, files[i].name, NULL);
    g_assert_true (g_file_set_contents (path, "x", 1, NULL));
  }
  godwit_remove_unfinished (finished);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_build_filename (dir, files[i].name, NULL);
    g_assert_cmpint (g_file_test (path, G_FILE_TEST_EXISTS), ==, files[i].stays);
  }
  /* Where nothing was ever written there is nothing to remove. */
  g_autofree char *nowhere = g_build_filename (dir, "none", "web-1", NULL);
  godwit_remove_unfinished (nowhere);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/error", test_error);
  g_test_add_func ("/base/error/without-remedy", test_error_without_remedy);
  g_test_add_func ("/base/error/nested", test_error_nested);
  g_test_add_func ("/base/error/cancelled", test_error_cancelled);
  g_test_add_func ("/base/report", test_report);
  g_test_add_func ("/base/guest/round-trip", test_guest_round_trip);
  g_test_add_func ("/base/guest/empty", test_guest_empty_round_trip);
  g_test_add_func ("/base/guest/corrupt", test_guest_corrupt);
  g_test_add_func ("/base/guest/active", test_guest_active);
  g_test_add_func ("/base/step", test_step_round_trip);
  g_test_add_func ("/base/event", test_event_round_trip);
  g_test_add_func ("/base/event/json", test_event_json);
  g_test_add_func ("/base/make-dir", test_make_dir);
  g_test_add_func ("/base/unfinished", test_unfinished);
  g_test_add_func ("/base/contracts", test_contracts);
  g_test_add_func ("/base/words", test_words);
  return g_test_run ();
}
