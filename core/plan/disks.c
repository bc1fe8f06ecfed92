/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/planner-private.h"

#include <godwit/error.h>

#include <string.h>

static GodwitStorage *
find_storage (GPtrArray *storages, const GodwitDisk *disk, const char **name)
{
  for (guint i = 0; i < storages->len; i++) {
    GodwitNamed *named = g_ptr_array_index (storages, i);
    if (named->object == NULL)
      continue;
    if (godwit_storage_claims (GODWIT_STORAGE (named->object), disk)) {
      *name = named->name;
      return GODWIT_STORAGE (named->object);
    }
  }
  return NULL;
}

static void
report_unclaimed (const GodwitDisk *disk, GPtrArray *storages, GodwitReport *report)
{
  g_autoptr (GString) known = g_string_new (NULL);
  GodwitImage *top = godwit_disk_get_top (disk);

  for (guint i = 0; i < storages->len; i++) {
    GodwitNamed *named = g_ptr_array_index (storages, i);
    g_string_append_printf (known, "%s%s", i > 0 ? ", " : "", named->name);
  }
  godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "disk-storage", disk->target,
                     "install the plugin for that kind of storage; `godwit plugins` lists them",
                     "no storage plugin serves %s (type %s, %s); installed: %s", disk->target,
                     disk->type, top != NULL ? top->path : "empty",
                     known->len > 0 ? known->str : "none");
}

/* Sharing matters for a disk that has contents and for two hosts that both answer. */
static void
compare_disk (GodwitJob *job, GodwitStorage *storage, GodwitDisk *disk, GodwitReport *report,
              GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;

  if (godwit_job_get_destination (job) == NULL)
    return;
  if (!godwit_storage_check_sharing (storage, job, disk, cancellable, &error)) {
    disk->sharing = GODWIT_SHARING_UNKNOWN;
    g_free (disk->proof);
    disk->proof = godwit_error_dup_message (error);
  }
  godwit_report_add (report, GODWIT_SEVERITY_INFO, "disk-sharing", disk->target, NULL,
                     "%s: same object on both hosts: %s (%s)", disk->target,
                     godwit_sharing_to_string (disk->sharing),
                     disk->proof != NULL ? disk->proof : "no proof given");
}

/* FALSE if so little is known of the disk that no strategy can be asked about it. */
static gboolean
inspect_disk (GodwitJob *job, GodwitDisk *disk, GPtrArray *storages, GodwitReport *report,
              GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;
  const char *name = NULL;

  if (godwit_disk_get_top (disk) == NULL) {
    disk->treatment = GODWIT_TREATMENT_SKIP;
    return TRUE;
  }
  GodwitStorage *storage = find_storage (storages, disk, &name);
  if (storage == NULL) {
    report_unclaimed (disk, storages, report);
    return FALSE;
  }
  g_free (disk->storage);
  disk->storage = g_strdup (name);
  godwit_job_add_storage (job, name, storage);
  if (!godwit_storage_inspect (storage, job, disk, report, cancellable, &error)) {
    godwit_report_add_error (report, "disk-inspect", disk->target, error);
    return FALSE;
  }
  compare_disk (job, storage, disk, report, cancellable);
  return TRUE;
}

static gboolean
lies_in (const char *path, const char *directory)
{
  gsize length = strlen (directory);

  while (length > 1 && directory[length - 1] == '/')
    length--;
  return strncmp (path, directory, length) == 0 && path[length] == '/';
}

/* The paths of the files that are the guest's own: read-only media are often shared by many. */
static GPtrArray *
own_files (const GodwitGuest *guest)
{
  GPtrArray *paths = g_ptr_array_new ();

  for (guint i = 0; i < guest->disks->len; i++) {
    GodwitDisk *disk = g_ptr_array_index (guest->disks, i);
    GodwitImage *top = godwit_disk_get_top (disk);
    if (top != NULL && !disk->read_only && !disk->shareable &&
        g_strcmp0 (disk->type, "file") == 0 && g_path_is_absolute (top->path))
      g_ptr_array_add (paths, top->path);
  }
  return paths;
}

/* @pattern may name the guest, "/srv/vm/{name}"; without that it is the directory below which
 * each guest has one of its own. */
static char *
expand_pattern (const char *pattern, const GodwitGuest *guest, const char *file)
{
  g_autoptr (GString) text = g_string_new (pattern);

  if (strstr (pattern, "{name}") == NULL && strstr (pattern, "{uuid}") == NULL) {
    if (!lies_in (file, pattern))
      return NULL;
    g_autofree char *parent = g_canonicalize_filename (pattern, "/");
    const char *child = file + strlen (parent) + 1;
    const char *end = strchr (child, '/');
    return end != NULL ? g_strndup (file, end - file) : NULL;
  }

  g_string_replace (text, "{name}", guest->name, 0);
  g_string_replace (text, "{uuid}", guest->uuid, 0);
  return g_strdup (text->str);
}

char *
godwit_plan_find_instance_directory (const GodwitGuest *guest, const char *pattern)
{
  g_autoptr (GPtrArray) files = own_files (guest);
  g_autofree char *directory = NULL;

  if (files->len == 0)
    return NULL;
  if (pattern != NULL && *pattern != '\0') {
    directory = expand_pattern (pattern, guest, g_ptr_array_index (files, 0));
    if (directory == NULL)
      return NULL;
  } else {
    directory = g_path_get_dirname (g_ptr_array_index (files, 0));
    g_autofree char *base = g_path_get_basename (directory);
    if (g_strcmp0 (base, guest->name) != 0 && g_ascii_strcasecmp (base, guest->uuid) != 0)
      return NULL;
  }
  for (guint i = 0; i < files->len; i++)
    if (!lies_in (g_ptr_array_index (files, i), directory))
      return NULL;
  return g_steal_pointer (&directory);
}

gboolean
godwit_plan_inspect_disks (GodwitJob *job, GPtrArray *storages, GodwitReport *report,
                           gboolean *complete, GCancellable *cancellable, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);

  /* Storage plugins look at it, so it is known before they are asked. */
  if (guest->instance_directory == NULL)
    guest->instance_directory = godwit_plan_find_instance_directory (
        guest, godwit_host_get_config (godwit_job_get_source (job), "instance-directory"));
  *complete = TRUE;
  for (guint i = 0; i < guest->disks->len; i++) {
    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
    if (!inspect_disk (job, g_ptr_array_index (guest->disks, i), storages, report, cancellable))
      *complete = FALSE;
  }
  return TRUE;
}
