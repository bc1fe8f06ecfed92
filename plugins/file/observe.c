/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file.h"

/* The destination's agent may be refused what the source's is not; that is an answer about this
 * path. A host that cannot be asked at all is not. */
static gboolean
is_answer (const GError *error)
{
  return g_error_matches (error, GODWIT_ERROR, GODWIT_ERROR_DENIED) ||
         g_error_matches (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
}

/* Opening makes the client of a network file system ask its server, so that what is seen next
 * is no memory of an earlier state. Failing to open is no failure here. */
static void
revalidate (GodwitHost *host, const char *path, gboolean directory, GCancellable *cancellable)
{
  if (directory) {
    g_auto (GStrv) names = godwit_host_list (host, path, cancellable, NULL);
  } else {
    g_autoptr (GBytes) bytes = godwit_host_read_file (host, path, 0, 1, cancellable, NULL);
  }
}

static gboolean
look_there (GodwitJob *job, const char *path, gboolean directory, Observation *observation,
            GodwitFileInfo *info, GCancellable *cancellable, GError **error)
{
  GodwitHost *host = godwit_job_get_destination (job);
  g_autoptr (GError) local = NULL;

  if (godwit_host_stat (host, path, info, cancellable, &local)) {
    if (info->type == GODWIT_FILE_ABSENT)
      return TRUE;
    revalidate (host, path, directory, cancellable);
    if (godwit_host_stat (host, path, info, cancellable, &local))
      return TRUE;
  }
  if (!is_answer (local)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  info->type = GODWIT_FILE_ABSENT;
  g_free (observation->trouble);
  observation->trouble = g_strdup_printf ("%s cannot be looked at on %s: %s", path,
                                          observation->destination_name, local->message);
  return TRUE;
}

/* The file is absent there: finds the nearest directory above it that is not. */
static gboolean
observe_directory (GodwitJob *job, const char *path, Observation *observation,
                   GCancellable *cancellable, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);

  while (TRUE) {
    if (!look_there (job, directory, TRUE, observation, &observation->directory_destination,
                     cancellable, error))
      return FALSE;
    if (observation->trouble != NULL ||
        observation->directory_destination.type != GODWIT_FILE_ABSENT ||
        g_str_equal (directory, "/"))
      break;
    g_autofree char *child = g_steal_pointer (&directory);
    directory = g_path_get_dirname (child);
  }
  if (observation->trouble != NULL)
    return TRUE;
  GodwitHost *source = godwit_job_get_source (job);
  if (!godwit_host_stat (source, directory, &observation->directory_before, cancellable, error) ||
      !look_there (job, directory, TRUE, observation, &observation->directory_destination,
                   cancellable, error) ||
      !godwit_host_stat (source, directory, &observation->directory_after, cancellable, error))
    return FALSE;
  observation->directory = g_steal_pointer (&directory);
  return TRUE;
}

gboolean
observe (GodwitJob *job, const char *path, const char *destination_path, Observation *observation,
         GCancellable *cancellable, GError **error)
{
  GodwitHost *source = godwit_job_get_source (job);

  g_clear_pointer (&observation->directory, g_free);
  g_clear_pointer (&observation->trouble, g_free);
  observation->source_name = godwit_host_get_name (source);
  observation->destination_name = godwit_host_get_name (godwit_job_get_destination (job));
  revalidate (source, path, FALSE, cancellable);
  if (!godwit_host_stat (source, path, &observation->before, cancellable, error) ||
      !look_there (job, destination_path, FALSE, observation, &observation->destination,
                   cancellable, error) ||
      !godwit_host_stat (source, path, &observation->after, cancellable, error))
    return FALSE;
  if (observation->trouble != NULL || observation->destination.type != GODWIT_FILE_ABSENT)
    return TRUE;
  return observe_directory (job, path, observation, cancellable, error);
}
