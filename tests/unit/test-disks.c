/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/job-private.h"

#include <godwit/disks.h>
#include <godwit/error.h>

/* --- a storage kind that only writes down what it is asked ------------------------------- */

#define TOY_TYPE_STORAGE (toy_storage_get_type ())
G_DECLARE_FINAL_TYPE (ToyStorage, toy_storage, TOY, STORAGE, GObject)

struct _ToyStorage {
  GObject parent_instance;
  GString *calls;
  const char *fail; /* the call that fails: "create vda" */
};

static gboolean
note (GodwitStorage *storage, const GodwitDisk *disk, const char *what, GError **error)
{
  ToyStorage *self = TOY_STORAGE (storage);
  g_autofree char *call = g_strdup_printf ("%s %s", what, disk->target);

  g_string_append_printf (self->calls, "%s%s", self->calls->len > 0 ? ", " : "", call);
  if (g_strcmp0 (self->fail, call) != 0)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_PEER, "try it again", "the toy broke");
  return FALSE;
}

#define TOY_METHOD(name)                                                                           \
  static gboolean toy_##name (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,               \
                              GCancellable *cancellable, GError **error)                           \
  {                                                                                                \
    return note (self, disk, #name, error);                                                        \
  }
#define TOY_HOST_METHOD(name)                                                                      \
  static gboolean toy_##name (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,               \
                              GodwitHost *host, GCancellable *cancellable, GError **error)         \
  {                                                                                                \
    return note (self, disk, #name, error);                                                        \
  }

TOY_METHOD (check_sharing)
TOY_METHOD (create)
TOY_METHOD (remove_created)
TOY_METHOD (park)
TOY_METHOD (unpark)
TOY_HOST_METHOD (connect)
TOY_HOST_METHOD (disconnect)
TOY_HOST_METHOD (repair_access)
TOY_HOST_METHOD (release)

static gboolean
toy_claims (GodwitStorage *self, const GodwitDisk *disk)
{
  return TRUE;
}

static gboolean
toy_inspect (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitReport *report,
             GCancellable *cancellable, GError **error)
{
  return note (self, disk, "inspect", error);
}

static gboolean
toy_check_target (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitReport *report,
                  GHashTable *needed, GCancellable *cancellable, GError **error)
{
  godwit_disks_add_needed (needed, 1, 100);
  return note (self, disk, "check_target", error);
}

static GObject *
toy_open (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitEnd *end,
          GCancellable *cancellable, GError **error)
{
  note (self, disk, "open", NULL);
  godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "the toy holds no data");
  return NULL;
}

static gboolean
toy_finish_target (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, gboolean committed,
                   GCancellable *cancellable, GError **error)
{
  return note (self, disk, committed ? "release_token" : "finish", error);
}

static void
toy_storage_iface_init (GodwitStorageInterface *iface)
{
  iface->claims = toy_claims;
  iface->inspect = toy_inspect;
  iface->check_sharing = toy_check_sharing;
  iface->check_target = toy_check_target;
  iface->create = toy_create;
  iface->remove_created = toy_remove_created;
  iface->open_source = toy_open;
  iface->open_target = toy_open;
  iface->finish_target = toy_finish_target;
  iface->connect = toy_connect;
  iface->disconnect = toy_disconnect;
  iface->repair_access = toy_repair_access;
  iface->park = toy_park;
  iface->unpark = toy_unpark;
  iface->release = toy_release;
}

G_DEFINE_TYPE_WITH_CODE (ToyStorage, toy_storage, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (GODWIT_TYPE_STORAGE, toy_storage_iface_init))

static void
toy_storage_finalize (GObject *object)
{
  g_string_free (TOY_STORAGE (object)->calls, TRUE);
  G_OBJECT_CLASS (toy_storage_parent_class)->finalize (object);
}

static void
toy_storage_class_init (ToyStorageClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = toy_storage_finalize;
}

static void
toy_storage_init (ToyStorage *self)
{
  self->calls = g_string_new (NULL);
}

/* --- a job about a guest with one disk of every treatment -------------------------------- */

typedef struct {
  GodwitJob *job;
  GodwitGuest *guest;
  ToyStorage *storage;
} Fixture;

static GodwitDisk *
add_disk (GodwitGuest *guest, const char *target, GodwitTreatment treatment)
{
  GodwitDisk *disk = godwit_disk_new (target);
  disk->type = g_strdup ("toy");
  disk->storage = g_strdup ("toy");
  disk->treatment = treatment;
  if (treatment != GODWIT_TREATMENT_SKIP)
    g_ptr_array_add (disk->chain, godwit_image_new ("toy:image", "raw"));
  g_ptr_array_add (guest->disks, disk);
  return disk;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitJobRecord) record = g_new0 (GodwitJobRecord, 1);
  GodwitGuest *guest = godwit_guest_new ("web", "00000000-0000-4000-8000-000000000001");
  g_autoptr (GError) error = NULL;

  record->id = g_strdup ("j1");
  record->token = g_strdup ("t1");
  add_disk (guest, "vda", GODWIT_TREATMENT_MIRROR);
  add_disk (guest, "vdb", GODWIT_TREATMENT_ATTACH);
  add_disk (guest, "vdc", GODWIT_TREATMENT_COPY);
  add_disk (guest, "sda", GODWIT_TREATMENT_SKIP);
  fixture->storage = g_object_new (TOY_TYPE_STORAGE, NULL);
  fixture->guest = guest;
  fixture->job = godwit_job_new (NULL, g_steal_pointer (&record), NULL);
  godwit_job_add_storage (fixture->job, "toy", GODWIT_STORAGE (fixture->storage));
  godwit_job_set_guest (fixture->job, guest, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_object (&fixture->job);
  g_clear_object (&fixture->storage);
}

static void
assert_calls (Fixture *fixture, const char *calls)
{
  g_assert_cmpstr (fixture->storage->calls->str, ==, calls);
  g_string_truncate (fixture->storage->calls, 0);
}

/* --- tests ------------------------------------------------------------------------------- */

/* A volume that cannot be connected must be found before anything is created. */
static void
test_prepare_connects_first (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (godwit_disks_prepare (fixture->job, NULL, &error));
  g_assert_no_error (error);
  assert_calls (fixture, "connect vdb, create vda, create vdc");

  fixture->storage->fail = "connect vdb";
  g_assert_false (godwit_disks_prepare (fixture->job, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_PEER);
  g_assert_true (g_str_has_prefix (error->message, "disk vdb: "));
  g_assert_cmpstr (godwit_error_get_remedy (error), ==, "try it again");
  assert_calls (fixture, "connect vdb");
}

static void
test_prepare_stops_when_cancelled (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_false (godwit_disks_prepare (fixture->job, cancellable, &error));
  g_assert_true (godwit_error_is_cancelled (error));
  assert_calls (fixture, "");
}

/* What is at the destination already is not made again. */
static void
test_prepare_leaves_present (Fixture *fixture, gconstpointer data)
{
  godwit_disk_get_top (godwit_guest_find_disk (fixture->guest, "vdc"))->present = TRUE;
  g_assert_true (godwit_disks_prepare (fixture->job, NULL, NULL));
  assert_calls (fixture, "connect vdb, create vda");
}

/* Read-only media travel while the guest runs; writable ones wait for it to stop. */
static void
test_prepare_copies_media (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  godwit_guest_find_disk (fixture->guest, "vdc")->read_only = TRUE;
  g_assert_false (godwit_disks_prepare (fixture->job, NULL, &error));
  assert_calls (fixture, "connect vdb, create vda, create vdc, open vdc");
  g_assert_true (godwit_disks_copy (fixture->job, NULL, NULL));
  assert_calls (fixture, "");
}

static void
test_undo_goes_on (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->storage->fail = "remove_created vdc";
  g_assert_false (godwit_disks_undo_prepare (fixture->job, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_PEER);
  assert_calls (fixture, "remove_created vdc, disconnect vdb, remove_created vda");
}

/* After an undo nothing may be taken for copied. */
static void
test_undo_forgets_the_copy (Fixture *fixture, gconstpointer data)
{
  godwit_job_set_fact (fixture->job, "disk.vdc.digest", g_variant_new_string ("00"), NULL);
  godwit_job_set_fact (fixture->job, "disk.vdc.verified", g_variant_new_boolean (TRUE), NULL);
  g_assert_true (godwit_disks_copy (fixture->job, NULL, NULL));
  g_assert_true (godwit_disks_verify (fixture->job, NULL, NULL));
  assert_calls (fixture, "");
  g_assert_true (godwit_disks_undo_prepare (fixture->job, NULL, NULL));
  assert_calls (fixture, "remove_created vdc, disconnect vdb, remove_created vda");
  g_assert_false (godwit_disks_copy (fixture->job, NULL, NULL));
  assert_calls (fixture, "open vdc");
}

static void
test_verify_needs_a_copy (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (godwit_disks_verify (fixture->job, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_INTERNAL);
  assert_calls (fixture, "");
}

static void
test_finish (Fixture *fixture, gconstpointer data)
{
  fixture->storage->fail = "release_token vda";
  g_assert_true (godwit_disks_finish_targets (fixture->job, FALSE, NULL, NULL));
  assert_calls (fixture, "finish vda, finish vdc");
  g_assert_false (godwit_disks_finish_targets (fixture->job, TRUE, NULL, NULL));
  assert_calls (fixture, "release_token vda, release_token vdc");
}

static void
test_park (Fixture *fixture, gconstpointer data)
{
  g_assert_true (godwit_disks_park_source (fixture->job, NULL, NULL));
  assert_calls (fixture, "park vda, disconnect vdb, park vdc");
  g_assert_true (godwit_disks_unpark_source (fixture->job, NULL, NULL));
  assert_calls (fixture, "unpark vdc, connect vdb, unpark vda");
}

/* Nothing is removed while the destination cannot say that the guest is there. */
static void
test_release_asks_the_destination (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (godwit_disks_has_parked (fixture->job));
  g_assert_true (godwit_disks_release_parked (fixture->job, NULL, NULL));
  godwit_job_set_fact (fixture->job, "parked.vda", g_variant_new_string ("x"), NULL);
  g_assert_true (godwit_disks_has_parked (fixture->job));
  g_assert_false (godwit_disks_release_parked (fixture->job, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_UNAVAILABLE);
  assert_calls (fixture, "");
}

static void
test_repair_everything (Fixture *fixture, gconstpointer data)
{
  g_assert_true (godwit_disks_repair_access (fixture->job, NULL, NULL, NULL));
  assert_calls (fixture, "repair_access vda, repair_access vdb, repair_access vdc");
}

static void
test_check_targets (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitReport) report = godwit_report_new ();

  g_assert_true (godwit_disks_check_targets (fixture->job, report, NULL, NULL));
  assert_calls (fixture, "check_target vda, check_target vdc");
}

static void
test_no_storage (Fixture *fixture, gconstpointer data)
{
  GodwitDisk *disk = godwit_guest_find_disk (fixture->guest, "vdb");
  g_autoptr (GError) error = NULL;

  g_free (disk->storage);
  disk->storage = g_strdup ("absent");
  g_assert_false (godwit_disks_prepare (fixture->job, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_SUPPORTED);
  assert_calls (fixture, "");
}

static void
test_needed (void)
{
  g_autoptr (GHashTable) needed = godwit_disks_new_needed ();
  guint64 filesystem = 7;

  godwit_disks_add_needed (needed, filesystem, 100);
  godwit_disks_add_needed (needed, filesystem, 23);
  godwit_disks_add_needed (needed, 8, 1);
  g_assert_cmpuint (g_hash_table_size (needed), ==, 2);
  g_assert_cmpuint (*(guint64 *)g_hash_table_lookup (needed, &filesystem), ==, 123);
  /* A size from a hostile header must not wrap around to "enough space". */
  godwit_disks_add_needed (needed, filesystem, G_MAXUINT64 - 5);
  g_assert_cmpuint (*(guint64 *)g_hash_table_lookup (needed, &filesystem), ==, G_MAXUINT64);
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/disks/prepare/connects-first", test_prepare_connects_first);
  ADD ("/disks/prepare/cancelled", test_prepare_stops_when_cancelled);
  ADD ("/disks/prepare/present", test_prepare_leaves_present);
  ADD ("/disks/prepare/media", test_prepare_copies_media);
  ADD ("/disks/undo/goes-on", test_undo_goes_on);
  ADD ("/disks/undo/forgets", test_undo_forgets_the_copy);
  ADD ("/disks/verify", test_verify_needs_a_copy);
  ADD ("/disks/finish", test_finish);
  ADD ("/disks/park", test_park);
  ADD ("/disks/release", test_release_asks_the_destination);
  ADD ("/disks/repair", test_repair_everything);
  ADD ("/disks/check-targets", test_check_targets);
  ADD ("/disks/no-storage", test_no_storage);
  g_test_add_func ("/disks/needed", test_needed);
  return g_test_run ();
}
