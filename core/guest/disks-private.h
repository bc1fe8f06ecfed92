/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/disks.h>
#include <godwit/storage.h>

G_BEGIN_DECLS

typedef gboolean (*GodwitDiskFunc) (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage,
                                    gpointer user_data, GCancellable *cancellable, GError **error);

typedef enum {
  GODWIT_WALK_FORWARD = 0,
  GODWIT_WALK_REVERSE = 1 << 0, /* undo: last made, first removed */
  GODWIT_WALK_ALL = 1 << 1,     /* clean-up: go on after a failure, report the first one */
} GodwitWalkFlags;

/* Calls @func for every disk that has something to do and a storage plugin that does it. */
gboolean godwit_disks_walk (GodwitJob *job, GodwitDiskFunc func, gpointer user_data,
                            GodwitWalkFlags flags, GCancellable *cancellable, GError **error);

/* MIRROR or COPY: there is an object of our making at the destination. */
gboolean godwit_disk_travels (const GodwitDisk *disk);

/* Makes what the guest writes to and both hosts see usable at the source again. */
gboolean godwit_disks_repair_shared (GodwitJob *job, GCancellable *cancellable, GError **error);

/* Keeps size and time of the source's image, for godwit_disks_check_sources(). */
gboolean godwit_disks_note_source (GodwitJob *job, const GodwitDisk *disk,
                                   GCancellable *cancellable, GError **error);
/* Copies one disk with treatment COPY and leaves its digest as a fact; nothing if it did. */
gboolean godwit_disks_copy_one (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage,
                                GCancellable *cancellable, GError **error);
/* Compares what the destination reads with that digest. */
gboolean godwit_disks_verify_one (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage,
                                  GCancellable *cancellable, GError **error);

G_END_DECLS
