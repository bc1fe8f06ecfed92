/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cold.h"

#define CREATED_FACT "firmware.created"
#define DONE_FACT    "firmware.copied"
#define INODE_FACT   "firmware.inode"
#define PARKED_FACT  "parked.firmware"

/* Compares what both hosts have at the path of the guest's firmware variables. */
static gboolean
look (GodwitJob *job, GodwitFileInfo *here, GodwitFileInfo *there, GCancellable *cancellable,
      GError **error)
{
  const char *path = godwit_job_get_guest (job)->nvram;

  return godwit_host_stat (godwit_job_get_source (job), path, here, cancellable, error) &&
         godwit_host_stat (godwit_job_get_destination (job), path, there, cancellable, error);
}

static gboolean
is_same (const GodwitFileInfo *here, const GodwitFileInfo *there)
{
  /* A change time to the nanosecond cannot be forged by a copy. */
  return here->type == GODWIT_FILE_REGULAR && there->type == GODWIT_FILE_REGULAR &&
         here->inode == there->inode && here->size == there->size &&
         here->ctime_ns == there->ctime_ns;
}

gboolean
cold_firmware_check (GodwitJob *job, GodwitReport *report, GCancellable *cancellable,
                     GError **error)
{
  const char *path = godwit_job_get_guest (job)->nvram;
  const char *host = godwit_host_get_name (godwit_job_get_destination (job));
  GodwitFileInfo here, there;

  if (path == NULL)
    return TRUE;
  if (!look (job, &here, &there, cancellable, error)) {
    g_prefix_error (error, "firmware variables: ");
    return FALSE;
  }
  if (there.type == GODWIT_FILE_ABSENT || is_same (&here, &there) ||
      here.type == GODWIT_FILE_ABSENT) {
    godwit_report_add (report, GODWIT_SEVERITY_OK, "firmware-variables", path, NULL,
                       "firmware variables %s %s", path,
                       here.type == GODWIT_FILE_ABSENT    ? "do not exist yet"
                       : there.type == GODWIT_FILE_ABSENT ? "are copied"
                                                          : "are one file on both hosts");
    return TRUE;
  }
  g_autofree char *remedy =
      g_strdup_printf ("look at it on %s; if nobody needs it, move it away there", host);
  godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "target-exists", path, remedy,
                     "firmware variables: %s is already on %s; godwit never overwrites what it "
                     "did not make",
                     path, host);
  return TRUE;
}

gboolean
cold_firmware_copy (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  const char *path = godwit_job_get_guest (job)->nvram;
  GodwitHost *destination = godwit_job_get_destination (job);
  g_autoptr (GVariant) done = godwit_job_get_fact (job, DONE_FACT);
  GodwitFileInfo here, there;

  if (path == NULL || done != NULL)
    return TRUE;
  if (!look (job, &here, &there, cancellable, error))
    return FALSE;
  if (here.type == GODWIT_FILE_ABSENT || is_same (&here, &there))
    return TRUE;
  g_autoptr (GodwitHostFacts) facts =
      godwit_hypervisor_get_facts (godwit_job_get_destination_hypervisor (job), cancellable, error);
  if (facts == NULL ||
      !godwit_job_set_fact (job, CREATED_FACT, g_variant_new_string (path), error) ||
      !godwit_host_create_file (destination, path, here.size, FALSE, 0600, facts->guest_uid,
                                facts->guest_gid, godwit_job_get_token (job), cancellable, error))
    return FALSE;
  GodwitEnd from = {.host = godwit_job_get_source (job), .path = path};
  GodwitEnd to = {.host = destination, .path = path};
  return godwit_disks_transfer (job, "firmware variables", &from, &to, NULL, cancellable, error) &&
         godwit_job_set_fact (job, DONE_FACT, g_variant_new_boolean (TRUE), error);
}

gboolean
cold_firmware_undo (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  g_autoptr (GVariant) created = godwit_job_get_fact (job, CREATED_FACT);

  if (created == NULL)
    return TRUE;
  if (godwit_job_get_destination (job) == NULL) {
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, "godwit hosts",
                      "the copied firmware variables are left: the destination cannot be reached");
    return FALSE;
  }
  return godwit_host_remove_owned (godwit_job_get_destination (job),
                                   g_variant_get_string (created, NULL), godwit_job_get_token (job),
                                   cancellable, error) &&
         godwit_job_set_fact (job, DONE_FACT, NULL, error) &&
         godwit_job_set_fact (job, CREATED_FACT, NULL, error);
}

/* The file becomes the guest's own: it loses the token, and its inode is remembered so that a
 * revert can tell it from another file of that name. */
gboolean
cold_firmware_finish (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  g_autoptr (GVariant) created = godwit_job_get_fact (job, CREATED_FACT);
  GodwitHost *host = godwit_job_get_destination (job);
  GodwitFileInfo info;

  if (created == NULL)
    return TRUE;
  const char *path = g_variant_get_string (created, NULL);
  if (!godwit_host_stat (host, path, &info, cancellable, error))
    return FALSE;
  if (g_strcmp0 (info.token, godwit_job_get_token (job)) != 0)
    return TRUE;
  return godwit_job_set_fact (job, INODE_FACT, g_variant_new_uint64 (info.inode), error) &&
         godwit_host_set_token (host, path, NULL, cancellable, error);
}

gboolean
cold_firmware_reclaim (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  g_autoptr (GVariant) created = godwit_job_get_fact (job, CREATED_FACT);
  g_autoptr (GVariant) inode = godwit_job_get_fact (job, INODE_FACT);
  GodwitHost *host = godwit_job_get_destination (job);
  GodwitFileInfo info;

  if (created != NULL && inode != NULL) {
    const char *path = g_variant_get_string (created, NULL);
    if (!godwit_host_stat (host, path, &info, cancellable, error))
      return FALSE;
    if (info.type == GODWIT_FILE_REGULAR && info.inode == g_variant_get_uint64 (inode) &&
        !godwit_host_set_token (host, path, godwit_job_get_token (job), cancellable, error))
      return FALSE;
  }
  return cold_firmware_undo (job, cancellable, error);
}

/* --- the source's file ------------------------------------------------------------------- */

gboolean
cold_firmware_park (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  g_autoptr (GVariant) created = godwit_job_get_fact (job, CREATED_FACT);
  GodwitHost *host = godwit_job_get_source (job);
  const char *token = godwit_job_get_token (job);
  GodwitFileInfo info;

  /* Only a file that has a copy of its own at the destination is superfluous here. */
  if (created == NULL)
    return TRUE;
  const char *path = g_variant_get_string (created, NULL);
  g_autofree char *parked = g_strconcat (path, "_migrate", NULL);
  if (host == NULL) {
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, "godwit hosts",
                      "the firmware variables are not put aside: the source cannot be reached");
    return FALSE;
  }
  if (!godwit_host_stat (host, path, &info, cancellable, error))
    return FALSE;
  if (info.type == GODWIT_FILE_ABSENT)
    return TRUE;
  return godwit_job_set_fact (job, PARKED_FACT, g_variant_new ("(sss)", path, parked, token),
                              error) &&
         godwit_host_set_token (host, path, token, cancellable, error) &&
         godwit_host_rename (host, path, parked, cancellable, error);
}

/* FALSE if nothing is parked. */
static gboolean
find_parked (GodwitJob *job, char **path, char **parked, char **token)
{
  g_autoptr (GVariant) fact = godwit_job_get_fact (job, PARKED_FACT);

  if (fact == NULL)
    return FALSE;
  g_variant_get (fact, "(sss)", path, parked, token);
  return TRUE;
}

gboolean
cold_firmware_unpark (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  g_autofree char *path = NULL, *parked = NULL, *token = NULL;
  GodwitHost *host = godwit_job_get_source (job);
  GodwitFileInfo info;

  if (!find_parked (job, &path, &parked, &token))
    return TRUE;
  if (!godwit_host_stat (host, parked, &info, cancellable, error))
    return FALSE;
  if (info.type != GODWIT_FILE_ABSENT && g_strcmp0 (info.token, token) == 0 &&
      !godwit_host_rename (host, parked, path, cancellable, error))
    return FALSE;
  return godwit_host_set_token (host, path, NULL, cancellable, error) &&
         godwit_job_set_fact (job, PARKED_FACT, NULL, error);
}

gboolean
cold_firmware_release (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  g_autofree char *path = NULL, *parked = NULL, *token = NULL;

  if (!find_parked (job, &path, &parked, &token))
    return TRUE;
  return godwit_host_remove_owned (godwit_job_get_source (job), parked, token, cancellable,
                                   error) &&
         godwit_job_set_fact (job, PARKED_FACT, NULL, error);
}
