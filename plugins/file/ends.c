/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file.h"

static void
stop_service (gpointer data)
{
  g_autoptr (GodwitProcess) process = data;
  godwit_process_stop (process, NULL);
}

/* A plain object with data: a type of our own would be one more name to collide. */
static GObject *
new_end (GodwitEnd *end, GodwitHost *host, const char *path, GodwitProcess *server)
{
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
  char *copy = g_strdup (path);

  g_object_set_data_full (object, "path", copy, g_free);
  if (server != NULL)
    g_object_set_data_full (object, "server", server, stop_service);
  *end = (GodwitEnd){.host = host, .path = copy, .nbd = server != NULL};
  return object;
}

/* The sockets of served chains lie in the job's runtime directories, which nobody else removes in
 * a job without a live migration. */
gboolean
file_remove_runtime (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  GodwitHost *hosts[] = {godwit_job_get_source (job), godwit_job_get_destination (job)};
  g_autoptr (GVariant) served = godwit_job_get_fact (job, RUNTIME_FACT);

  for (gsize i = 0; served != NULL && i < G_N_ELEMENTS (hosts); i++) {
    if (hosts[i] != NULL &&
        !godwit_host_remove_job_directory (hosts[i], godwit_job_get_id (job), cancellable, error))
      return FALSE;
  }
  return served == NULL || godwit_job_set_fact (job, RUNTIME_FACT, NULL, error);
}

/* What the guest sees of a chain, served as one block device. */
static GObject *
serve (GodwitJob *job, GodwitDisk *disk, GodwitHost *host, const char *path, gboolean writable,
       GodwitEnd *end, GCancellable *cancellable, GError **error)
{
  if (!godwit_job_set_fact (job, RUNTIME_FACT, g_variant_new_boolean (TRUE), error))
    return NULL;
  g_autofree char *directory = godwit_host_make_job_directory (host, godwit_job_get_id (job), 0, 0,
                                                               0711, cancellable, error);
  if (directory == NULL)
    return NULL;
  g_autofree char *name =
      g_strdup_printf ("%s-%s.nbd", disk->target, writable ? "target" : "source");
  g_autofree char *socket = g_build_filename (directory, name, NULL);
  const char *readers[] = {"qemu-nbd", "-t",   "-e", "8",  "-f", godwit_disk_get_top (disk)->format,
                           "-k",       socket, "-r", path, NULL};
  const char *keeps[] = {"qemu-nbd", "-t",   "-e", "8", "-f", godwit_disk_get_top (disk)->format,
                         "-k",       socket, path, NULL};
  const char *punches[] = {"qemu-nbd",
                           "-t",
                           "-e",
                           "8",
                           "-f",
                           godwit_disk_get_top (disk)->format,
                           "-k",
                           socket,
                           "--discard=unmap",
                           "--detect-zeroes=unmap",
                           path,
                           NULL};
  const char *const *argv = !writable ? readers : disk->preallocated ? keeps : punches;

  GodwitProcess *server = godwit_host_start_service (host, argv, socket, cancellable, error);
  if (server == NULL)
    return NULL;
  return new_end (end, host, socket, server);
}

GObject *
file_open_source (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GodwitEnd *end,
                  GCancellable *cancellable, GError **error)
{
  GodwitHost *host = godwit_job_get_source (job);
  const char *path = godwit_disk_get_top (disk)->path;

  /* The file itself, holes and header, unless layers have to be merged while they are read. */
  if (!disk_is_flattened (disk))
    return new_end (end, host, path, NULL);
  return serve (job, disk, host, path, FALSE, end, cancellable, error);
}

GObject *
file_open_target (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GodwitEnd *end,
                  GCancellable *cancellable, GError **error)
{
  GodwitHost *host = godwit_job_get_destination (job);
  const char *path = godwit_disk_get_top (disk)->destination;

  if (!disk_is_flattened (disk))
    return new_end (end, host, path, NULL);
  return serve (job, disk, host, path, TRUE, end, cancellable, error);
}
