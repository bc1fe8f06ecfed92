/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sharing.h"

/* No client of a network file system keeps attributes longer without asking again. */
#define CACHE_NS (G_GINT64_CONSTANT (120) * G_USEC_PER_SEC * 1000)

void
observation_clear (Observation *observation)
{
  g_clear_pointer (&observation->directory, g_free);
  g_clear_pointer (&observation->trouble, g_free);
  g_clear_pointer (&observation->marker_trouble, g_free);
}

static char *
format_time (gint64 ns)
{
  g_autoptr (GDateTime) time =
      g_date_time_new_from_unix_utc (ns / (G_USEC_PER_SEC * G_GINT64_CONSTANT (1000)));
  g_autofree char *text = time != NULL ? g_date_time_format (time, "%Y-%m-%d %H:%M:%S") : NULL;
  return g_strdup_printf ("%s.%09" G_GINT64_FORMAT " UTC", text != NULL ? text : "?",
                          ABS (ns % (G_USEC_PER_SEC * G_GINT64_CONSTANT (1000))));
}

static gboolean
between (gint64 low, gint64 value, gint64 high)
{
  return low <= value && value <= high;
}

/* A size may shrink as well as grow while it is looked at. */
static gboolean
size_fits (const GodwitFileInfo *before, const GodwitFileInfo *seen, const GodwitFileInfo *after)
{
  return MIN (before->size, after->size) <= seen->size &&
         seen->size <= MAX (before->size, after->size);
}

static gboolean
times_fit (const GodwitFileInfo *before, const GodwitFileInfo *seen, const GodwitFileInfo *after)
{
  return between (before->ctime_ns, seen->ctime_ns, after->ctime_ns) &&
         between (before->mtime_ns, seen->mtime_ns, after->mtime_ns);
}

static gboolean
times_are_close (const GodwitFileInfo *before, const GodwitFileInfo *seen,
                 const GodwitFileInfo *after)
{
  return between (before->ctime_ns - CACHE_NS, seen->ctime_ns, after->ctime_ns + CACHE_NS);
}

/* These keep no attributes of another machine's, so what they show is exact. The name only
 * rules out a stale cache; it is never a reason to call two files one. */
static gboolean
is_exact (const GodwitFileInfo *info)
{
  static const char *const local[] = {"ext2", "ext3",  "ext4",     "xfs",     "btrfs",     "zfs",
                                      "f2fs", "tmpfs", "bcachefs", "overlay", "overlayfs", NULL};
  return g_strv_contains (local, info->fs_type);
}

static Identity
compare (const GodwitFileInfo *before, const GodwitFileInfo *seen, const GodwitFileInfo *after)
{
  gboolean same_inode = before->inode == after->inode && seen->inode == after->inode;
  gboolean fits = times_fit (before, seen, after);

  if (same_inode && fits)
    return IDENTITY_SAME;
  if (is_exact (before) && is_exact (seen))
    return IDENTITY_DIFFERENT;
  /* A stale cache, or a file system that makes up inode numbers on each client. */
  if (same_inode ? times_are_close (before, seen, after)
                 : fits && seen->ctime_ns % G_GINT64_CONSTANT (1000000000) != 0)
    return IDENTITY_UNSURE;
  return IDENTITY_DIFFERENT;
}

/* Only what differs, and it may be read by somebody in a hurry. */
static char *
describe_pair (const Observation *observation, const GodwitFileInfo *here,
               const GodwitFileInfo *there)
{
  const char *source = observation->source_name;
  const char *destination = observation->destination_name;

  if (here->inode != there->inode)
    return g_strdup_printf ("inode %" G_GUINT64_FORMAT " on %s, %" G_GUINT64_FORMAT " on %s",
                            here->inode, source, there->inode, destination);
  if (here->ctime_ns == there->ctime_ns)
    return g_strdup_printf ("inode %" G_GUINT64_FORMAT " on both, %" G_GUINT64_FORMAT
                            " bytes on %s, %" G_GUINT64_FORMAT " bytes on %s",
                            here->inode, here->size, source, there->size, destination);
  g_autofree char *here_time = format_time (here->ctime_ns);
  g_autofree char *there_time = format_time (there->ctime_ns);
  return g_strdup_printf ("inode %" G_GUINT64_FORMAT " on both, changed %s on %s, %s on %s",
                          here->inode, here_time, source, there_time, destination);
}

/* The file is absent at the destination: either its directory is another one, or something
 * hides it. */
static Identity
identify_directory (const Observation *observation, char **why)
{
  const GodwitFileInfo *here = &observation->directory_after;
  const GodwitFileInfo *there = &observation->directory_destination;
  Identity identity;

  if (observation->directory == NULL || there->type != GODWIT_FILE_DIRECTORY) {
    *why = g_strdup_printf ("absent on %s, and no directory above it can be read there",
                            observation->destination_name);
    return IDENTITY_UNSURE;
  }
  identity = compare (&observation->directory_before, there, here);
  g_autofree char *pair = describe_pair (observation, here, there);
  if (identity == IDENTITY_DIFFERENT) {
    *why = g_strdup_printf ("absent on %s, where %s is another directory (%s)",
                            observation->destination_name, observation->directory, pair);
    return IDENTITY_DIFFERENT;
  }
  *why = g_strdup_printf ("absent on %s although %s seems to be the same directory (%s)",
                          observation->destination_name, observation->directory, pair);
  return IDENTITY_UNSURE;
}

Identity
observation_identify (const Observation *observation, char **why)
{
  const GodwitFileInfo *there = &observation->destination;
  const GodwitFileInfo *here = &observation->after;

  if (observation->trouble != NULL) {
    *why = g_strdup (observation->trouble);
    return IDENTITY_UNSURE;
  }
  if (observation->before.type != GODWIT_FILE_REGULAR || here->type != GODWIT_FILE_REGULAR) {
    *why = g_strdup_printf ("no regular file on %s", observation->source_name);
    return IDENTITY_UNSURE;
  }
  if (there->type == GODWIT_FILE_ABSENT)
    return identify_directory (observation, why);
  if (there->type != GODWIT_FILE_REGULAR) {
    *why = g_strdup_printf ("not a regular file on %s", observation->destination_name);
    return IDENTITY_UNSURE;
  }

  Identity identity = compare (&observation->before, there, here);
  if (identity == IDENTITY_SAME && !size_fits (&observation->before, there, here))
    identity = IDENTITY_UNSURE;
  if (identity == IDENTITY_SAME) {
    g_autofree char *time = format_time (there->ctime_ns);
    *why = g_strdup_printf ("inode %" G_GUINT64_FORMAT ", changed %s", there->inode, time);
    return identity;
  }
  g_autofree char *pair = describe_pair (observation, here, there);
  *why = g_strdup_printf ("%s: %s",
                          identity == IDENTITY_DIFFERENT ? "another file"
                                                         : "alike, but not surely the same file",
                          pair);
  return identity;
}

static GodwitSharing
decide_without_marker (const Observation *observation, Identity identity, const char *why,
                       char **proof)
{
  if (identity == IDENTITY_SAME) {
    *proof = g_strdup_printf ("same file on %s and %s: %s", observation->source_name,
                              observation->destination_name, why);
    return GODWIT_SHARING_YES;
  }
  *proof = g_strdup (why);
  return identity == IDENTITY_DIFFERENT ? GODWIT_SHARING_NO : GODWIT_SHARING_UNKNOWN;
}

GodwitSharing
observation_decide (const Observation *observation, char **proof)
{
  g_autofree char *why = NULL;
  Identity identity = observation_identify (observation, &why);
  const char *source = observation->source_name;
  const char *destination = observation->destination_name;
  const char *reason =
      observation->marker_trouble != NULL ? observation->marker_trouble : "no reason given";

  if (observation->trouble != NULL || observation->marker == MARKER_NOT_TRIED)
    return decide_without_marker (observation, identity, why, proof);

  switch (observation->marker) {
  case MARKER_PROVEN:
    if (identity == IDENTITY_SAME) {
      *proof = g_strdup_printf ("marker written on %s, seen and renamed on %s; %s", source,
                                destination, why);
      return GODWIT_SHARING_YES;
    }
    *proof = g_strdup_printf ("the directory is one and the same on %s and %s, but the image is "
                              "not surely: %s",
                              source, destination, why);
    return GODWIT_SHARING_UNKNOWN;
  case MARKER_NOT_SEEN:
    if (identity == IDENTITY_DIFFERENT) {
      *proof =
          g_strdup_printf ("marker written on %s is not seen on %s; %s", source, destination, why);
      return GODWIT_SHARING_NO;
    }
    *proof = g_strdup_printf ("marker written on %s is not seen on %s, and yet: %s", source,
                              destination, why);
    return GODWIT_SHARING_UNKNOWN;
  case MARKER_SEEN:
    *proof = g_strdup_printf ("marker written on %s is seen on %s but could not be changed from "
                              "there: %s",
                              source, destination, reason);
    return GODWIT_SHARING_UNKNOWN;
  case MARKER_REFUSED:
  case MARKER_NOT_TRIED:
  default:
    *proof = g_strdup_printf ("no marker could be written on %s: %s (%s)", source, reason, why);
    return GODWIT_SHARING_UNKNOWN;
  }
}
