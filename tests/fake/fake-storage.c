/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-storage.h"

#include <godwit/error.h>

#include <string.h>

static gboolean
note (gpointer storage, const char *call, const GodwitDisk *disk, GError **error)
{
  FakeStorage *self = FAKE_STORAGE (storage);
  g_autofree char *text = g_strdup_printf ("%s %s", call, disk->target);

  g_string_append_printf (self->calls, "%s%s", self->calls->len > 0 ? ", " : "", text);
  if (g_strcmp0 (self->fail, text) != 0)
    return TRUE;
  g_set_error (error, GODWIT_ERROR, GODWIT_ERROR_PEER, "%s failed", text);
  return FALSE;
}

static gboolean
fake_claims (GodwitStorage *storage, const GodwitDisk *disk)
{
  return g_strcmp0 (disk->type, "fake") == 0;
}

static gboolean
fake_inspect (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GodwitReport *report,
              GCancellable *cancellable, GError **error)
{
  return note (storage, "inspect", disk, error);
}

static gboolean
fake_check_sharing (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk,
                    GCancellable *cancellable, GError **error)
{
  return note (storage, "check_sharing", disk, error);
}

static gboolean
fake_check_target (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GodwitReport *report,
                   GHashTable *needed, GCancellable *cancellable, GError **error)
{
  FakeStorage *self = FAKE_STORAGE (storage);
  GodwitImage *top = godwit_disk_get_top (disk);
  g_autofree char *text = g_strdup_printf ("check_target %s", disk->target);

  if (!note (storage, "check_target", disk, error))
    return FALSE;
  g_free (top->destination);
  top->destination = g_strdup (top->path);
  if (g_strcmp0 (self->blocks, text) == 0)
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "target-exists", disk->target, NULL,
                       "%s is already there", top->path);
  return TRUE;
}

static GObject *
open_end (GodwitHost *host, const char *path, GodwitEnd *end)
{
  *end = (GodwitEnd){.host = host, .path = path};
  return g_object_new (G_TYPE_OBJECT, NULL);
}

static GObject *
fake_open_source (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GodwitEnd *end,
                  GCancellable *cancellable, GError **error)
{
  return open_end (godwit_job_get_source (job), godwit_disk_get_top (disk)->path, end);
}

static GObject *
fake_open_target (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GodwitEnd *end,
                  GCancellable *cancellable, GError **error)
{
  return open_end (godwit_job_get_destination (job), godwit_disk_get_top (disk)->destination, end);
}

static gboolean
fake_finish_target (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, gboolean committed,
                    GCancellable *cancellable, GError **error)
{
  return note (storage, committed ? "hand_over" : "finish", disk, error);
}

static gboolean
fake_repair_access (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GodwitHost *host,
                    GCancellable *cancellable, GError **error)
{
  return note (storage, "repair_access", disk, error);
}

static gboolean
fake_release (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GodwitHost *home,
              GCancellable *cancellable, GError **error)
{
  return note (storage, "release", disk, error);
}

#define FAKE_METHOD(name)                                                                          \
  static gboolean fake_##name (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk,           \
                               GCancellable *cancellable, GError **error)                          \
  {                                                                                                \
    return note (storage, #name, disk, error);                                                     \
  }
FAKE_METHOD (create)
FAKE_METHOD (remove_created)
FAKE_METHOD (park)
FAKE_METHOD (unpark)
FAKE_METHOD (reclaim)

static void
fake_iface_init (GodwitStorageInterface *iface)
{
  iface->claims = fake_claims;
  iface->inspect = fake_inspect;
  iface->check_sharing = fake_check_sharing;
  iface->check_target = fake_check_target;
  iface->create = fake_create;
  iface->remove_created = fake_remove_created;
  iface->open_source = fake_open_source;
  iface->open_target = fake_open_target;
  iface->finish_target = fake_finish_target;
  iface->repair_access = fake_repair_access;
  iface->park = fake_park;
  iface->unpark = fake_unpark;
  iface->release = fake_release;
  iface->reclaim = fake_reclaim;
}

G_DEFINE_TYPE_WITH_CODE (FakeStorage, fake_storage, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (GODWIT_TYPE_STORAGE, fake_iface_init))

static void
fake_storage_finalize (GObject *object)
{
  g_string_free (FAKE_STORAGE (object)->calls, TRUE);
  G_OBJECT_CLASS (fake_storage_parent_class)->finalize (object);
}

static void
fake_storage_class_init (FakeStorageClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = fake_storage_finalize;
}

static void
fake_storage_init (FakeStorage *self)
{
  self->calls = g_string_new (NULL);
}
