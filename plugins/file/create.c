/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file.h"

#include <string.h>

#define CREATE_DEADLINE 300

typedef struct {
  GodwitJob *job;
  GodwitDisk *disk;
  GodwitHost *source;
  GodwitHost *destination;
  guint32 source_uid, source_gid; /* that guests run as */
  guint32 uid, gid;
} Create;

static gboolean
create_begin (Create *create, GodwitJob *job, GodwitDisk *disk, GCancellable *cancellable,
              GError **error)
{
  *create = (Create){.job = job,
                     .disk = disk,
                     .source = godwit_job_get_source (job),
                     .destination = godwit_job_get_destination (job)};
  return get_guest_owner (godwit_job_get_source_hypervisor (job), &create->source_uid,
                          &create->source_gid, cancellable, error) &&
         get_guest_owner (godwit_job_get_destination_hypervisor (job), &create->uid, &create->gid,
                          cancellable, error);
}

static char *
layer_fact (const GodwitDisk *disk, const char *what, guint layer)
{
  return g_strdup_printf ("disk.%s.%s.%u", disk->target, what, layer);
}

/* --- the directory ---------------------------------------------------------------------- */

static gboolean
make_directory (const Create *create, GCancellable *cancellable, GError **error)
{
  const GodwitGuest *guest = godwit_job_get_guest (create->job);
  const char *path = godwit_disk_get_top (create->disk)->destination;
  GodwitFileInfo here, there;

  if (!path_is_below (path, guest->instance_directory))
    return TRUE;
  g_autofree char *directory = g_canonicalize_filename (guest->instance_directory, "/");
  if (!godwit_host_stat (create->destination, directory, &there, cancellable, error))
    return FALSE;
  if (there.type == GODWIT_FILE_DIRECTORY)
    return TRUE;
  if (!godwit_host_stat (create->source, directory, &here, cancellable, error) ||
      !godwit_job_set_fact (create->job, DIRECTORY_FACT, g_variant_new_string (directory), error))
    return FALSE;
  /* Users may have other numbers here; the one that matters is the guests' own. */
  return godwit_host_make_directory (create->destination, directory, here.mode,
                                     here.uid == create->source_uid ? create->uid : here.uid,
                                     here.gid == create->source_gid ? create->gid : here.gid,
                                     godwit_job_get_token (create->job), cancellable, error);
}

static gboolean
remove_directory (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  GodwitHost *host = godwit_job_get_destination (job);
  g_autoptr (GVariant) fact = godwit_job_get_fact (job, DIRECTORY_FACT);
  GodwitFileInfo info;

  if (fact == NULL)
    return TRUE;
  const char *path = g_variant_get_string (fact, NULL);
  if (!godwit_host_stat (host, path, &info, cancellable, error))
    return FALSE;
  if (info.type == GODWIT_FILE_DIRECTORY) {
    g_auto (GStrv) names = godwit_host_list (host, path, cancellable, error);
    if (names == NULL)
      return FALSE;
    /* Other disks of the guest are removed after this one; the last takes the directory. */
    if (names[0] != NULL) {
      g_auto (GStrv) facts = godwit_job_list_facts (job, "disk.");
      for (gsize i = 0; facts != NULL && facts[i] != NULL; i++) {
        if (g_strrstr (facts[i], ".created.") != NULL)
          return TRUE;
      }
      godwit_set_error (error, GODWIT_ERROR_BUSY, "move it away, then: godwit recover",
                        "%s on %s was made by this job but now holds '%s', which was not", path,
                        godwit_host_get_name (host), names[0]);
      return FALSE;
    }
    if (!godwit_host_remove_owned (host, path, godwit_job_get_token (job), cancellable, error))
      return FALSE;
  }
  return godwit_job_set_fact (job, DIRECTORY_FACT, NULL, error);
}

/* --- one layer -------------------------------------------------------------------------- */

/* An empty qcow2 image in the file that was created exclusively: like the source's, on the same
 * base unless it is flattened. */
static gboolean
format_qcow2 (const Create *create, const GodwitImage *image, GCancellable *cancellable,
              GError **error)
{
  g_auto (Qcow2Header) header = {0};
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  GodwitFileInfo before, after;
  gboolean backed = create->disk->chain->len > 1 && !disk_is_flattened (create->disk);

  if (!read_qcow2_header (create->source, image->path, &header, cancellable, error))
    return FALSE;
  /* Preallocated data would hide the base. */
  g_autofree char *options =
      qcow2_header_to_options (&header, create->disk->preallocated && !backed);
  g_autofree char *size = g_strdup_printf ("%" G_GUINT64_FORMAT, image->virtual_size);
  const char *words[] = {"qemu-img", "create", "-q", "-f", "qcow2", "-o", options};
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    g_ptr_array_add (argv, (gpointer)words[i]);
  if (backed) {
    /* -u: the base has been compared or copied; it need not be opened again. */
    const GodwitImage *base = disk_get_layer (create->disk, 1);
    const char *more[] = {"-u", "-b", base->destination, "-F", base->format};
    for (gsize i = 0; i < G_N_ELEMENTS (more); i++)
      g_ptr_array_add (argv, (gpointer)more[i]);
  }
  g_ptr_array_add (argv, image->destination);
  g_ptr_array_add (argv, size);
  g_ptr_array_add (argv, NULL);

  if (!godwit_host_stat (create->destination, image->destination, &before, cancellable, error))
    return FALSE;
  g_autofree char *output =
      godwit_host_run_checked (create->destination, (const char *const *)argv->pdata,
                               CREATE_DEADLINE, cancellable, error);
  if (output == NULL ||
      !godwit_host_stat (create->destination, image->destination, &after, cancellable, error))
    return FALSE;
  if (before.inode == after.inode &&
      g_strcmp0 (after.token, godwit_job_get_token (create->job)) == 0)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL,
                    "%s on %s was replaced while it was formatted", image->destination,
                    godwit_host_get_name (create->destination));
  return FALSE;
}

static gboolean
copy_layer (const Create *create, const GodwitImage *image, GCancellable *cancellable,
            GError **error)
{
  GodwitEnd from = {.host = create->source, .path = image->path};
  GodwitEnd to = {.host = create->destination, .path = image->destination};
  g_autofree char *name = g_path_get_basename (image->path);
  g_autofree char *what = g_strdup_printf ("base %s of %s", name, create->disk->target);
  g_autofree char *sent = NULL;

  if (!godwit_disks_transfer (create->job, what, &from, &to, &sent, cancellable, error))
    return FALSE;
  g_autofree char *arrived = godwit_transfer_digest (&to, NULL, NULL, cancellable, error);
  if (arrived == NULL)
    return FALSE;
  if (g_strcmp0 (sent, arrived) == 0)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_CORRUPT, NULL,
                    "%s on %s is not what was sent: SHA-256 %s there, %s at the source",
                    image->destination, godwit_host_get_name (to.host), arrived, sent);
  return FALSE;
}

static gboolean
fill_layer (const Create *create, guint layer, GCancellable *cancellable, GError **error)
{
  const GodwitImage *image = disk_get_layer (create->disk, layer);

  if (layer > 0)
    return copy_layer (create, image, cancellable, error);
  /* A cold copy of the file itself brings its own header. */
  if (g_strcmp0 (image->format, "qcow2") == 0 &&
      (create->disk->treatment == GODWIT_TREATMENT_MIRROR || disk_is_flattened (create->disk)))
    return format_qcow2 (create, image, cancellable, error);
  return TRUE;
}

static gboolean
create_layer (const Create *create, guint layer, GCancellable *cancellable, GError **error)
{
  const GodwitImage *image = disk_get_layer (create->disk, layer);
  g_autofree char *created = layer_fact (create->disk, "created", layer);
  g_autofree char *filled = layer_fact (create->disk, "filled", layer);
  g_autoptr (GVariant) done = godwit_job_get_fact (create->job, filled);
  gboolean formatted =
      layer == 0 && g_strcmp0 (image->format, "qcow2") == 0 &&
      (create->disk->treatment == GODWIT_TREATMENT_MIRROR || disk_is_flattened (create->disk));
  GodwitFileInfo info;

  if (done != NULL)
    return TRUE;
  if (!godwit_host_stat (create->source, image->path, &info, cancellable, error) ||
      !godwit_job_set_fact (create->job, created, g_variant_new_string (image->destination), error))
    return FALSE;
  /* Nobody but its owner reads it before it is complete. */
  return godwit_host_create_file (create->destination, image->destination,
                                  formatted ? 0 : info.size,
                                  layer == 0 && create->disk->preallocated && !formatted, 0600,
                                  create->uid, create->gid, godwit_job_get_token (create->job),
                                  cancellable, error) &&
         fill_layer (create, layer, cancellable, error) &&
         godwit_host_set_owner (create->destination, image->destination, create->uid, create->gid,
                                info.mode, cancellable, error) &&
         godwit_job_set_fact (create->job, filled, g_variant_new_boolean (TRUE), error);
}

/* --- the contract ----------------------------------------------------------------------- */

gboolean
file_create (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GCancellable *cancellable,
             GError **error)
{
  Create create;

  if (!create_begin (&create, job, disk, cancellable, error) ||
      !make_directory (&create, cancellable, error))
    return FALSE;
  for (guint i = disk_count_targets (disk); i > 0; i--) {
    if (!disk_get_layer (disk, i - 1)->present &&
        !create_layer (&create, i - 1, cancellable, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
file_remove_created (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk,
                     GCancellable *cancellable, GError **error)
{
  GodwitHost *host = godwit_job_get_destination (job);
  g_autofree char *prefix = disk_fact (disk, "created.");
  g_auto (GStrv) facts = godwit_job_list_facts (job, prefix);

  for (guint i = g_strv_length (facts); i > 0; i--) {
    const char *layer = strrchr (facts[i - 1], '.') + 1;
    g_autofree char *filled = g_strdup_printf ("disk.%s.filled.%s", disk->target, layer);
    g_autofree char *given = g_strdup_printf ("disk.%s.given.%s", disk->target, layer);
    g_autoptr (GVariant) path = godwit_job_get_fact (job, facts[i - 1]);
    if (path != NULL && !godwit_host_remove_owned (host, g_variant_get_string (path, NULL),
                                                   godwit_job_get_token (job), cancellable, error))
      return FALSE;
    if (!godwit_job_set_fact (job, filled, NULL, error) ||
        !godwit_job_set_fact (job, given, NULL, error) ||
        !godwit_job_set_fact (job, facts[i - 1], NULL, error))
      return FALSE;
  }
  return file_remove_runtime (job, cancellable, error) &&
         remove_directory (job, cancellable, error);
}
