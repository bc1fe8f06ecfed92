/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "qcow2.h"
#include "sharing.h"

#include <godwit/godwit.h>

G_BEGIN_DECLS

#define PARK_SUFFIX "_migrate"
/* The guest's directory, if this job had to make it; a fact of the job, not of one disk. */
#define DIRECTORY_FACT "created.directory"
#define RUNTIME_FACT   "file.runtime"

/* Removes the job's runtime directories, if a chain was served in them. */
gboolean file_remove_runtime (GodwitJob *job, GCancellable *cancellable, GError **error);

/* --- the contract, one file each -------------------------------------------------------- */

gboolean file_inspect (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk,
                       GodwitReport *report, GCancellable *cancellable, GError **error);
gboolean file_check_sharing (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk,
                             GCancellable *cancellable, GError **error);
gboolean file_check_target (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk,
                            GodwitReport *report, GHashTable *needed, GCancellable *cancellable,
                            GError **error);
gboolean file_create (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk,
                      GCancellable *cancellable, GError **error);
gboolean file_remove_created (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk,
                              GCancellable *cancellable, GError **error);
GObject *file_open_source (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GodwitEnd *end,
                           GCancellable *cancellable, GError **error);
GObject *file_open_target (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GodwitEnd *end,
                           GCancellable *cancellable, GError **error);
gboolean file_finish_target (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk,
                             gboolean committed, GCancellable *cancellable, GError **error);
gboolean file_reclaim (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk,
                       GCancellable *cancellable, GError **error);
gboolean file_repair_access (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk,
                             GodwitHost *host, GCancellable *cancellable, GError **error);
gboolean file_park (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk,
                    GCancellable *cancellable, GError **error);
gboolean file_unpark (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk,
                      GCancellable *cancellable, GError **error);
gboolean file_release (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GodwitHost *home,
                       GCancellable *cancellable, GError **error);

/* --- what they share -------------------------------------------------------------------- */

/* layout.c: pure decisions about paths and sizes. */

/* MIRROR or COPY. */
gboolean disk_travels (const GodwitDisk *disk);
/* The copy is one image although the source has several layers. */
gboolean disk_is_flattened (const GodwitDisk *disk);
/* Layers that have an object of their own at the destination: 1 if flattened. */
guint disk_count_targets (const GodwitDisk *disk);
GodwitImage *disk_get_layer (const GodwitDisk *disk, guint layer);
gboolean path_is_below (const char *path, const char *directory);
/* Bytes that layer will allocate at the destination. */
guint64 disk_needed_bytes (const GodwitDisk *disk, guint layer);
/* What park renames for that disk: its directory, its file, or NULL for nothing because the
 * file may belong to other guests too. (transfer full) */
char *disk_get_parkable (const GodwitGuest *guest, const GodwitDisk *disk);
char *file_find_parkable (GodwitJob *job, const GodwitDisk *disk, GCancellable *cancellable,
                          GError **error);
/* "vda", and only what a fact's name may have. */
char *disk_fact (const GodwitDisk *disk, const char *what);

typedef enum {
  PARK_RENAME,   /* to be done */
  PARK_DONE,     /* done before */
  PARK_CONFLICT, /* both names are taken */
  PARK_MISSING,  /* neither is there as it should be */
} ParkAction;

/* What to do next, from what is at both names; @token lies on what was put aside. */
ParkAction park_decide (const GodwitFileInfo *from, const GodwitFileInfo *to, const char *token);

/* observe.c: what both hosts show of one path. */
gboolean observe (GodwitJob *job, const char *path, const char *destination_path,
                  Observation *observation, GCancellable *cancellable, GError **error);

/* inspect.c */
gboolean read_qcow2_header (GodwitHost *host, const char *path, Qcow2Header *header,
                            GCancellable *cancellable, GError **error);

/* The destination's guests' user, and the source's. */
gboolean get_guest_owner (GodwitHypervisor *hypervisor, guint32 *uid, guint32 *gid,
                          GCancellable *cancellable, GError **error);

G_END_DECLS
