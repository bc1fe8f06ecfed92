/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/job.h>
#include <godwit/transfer.h>

G_BEGIN_DECLS

/**
 * GodwitStorage:
 *
 * The contract of a kind of storage: whose disk is this, is it the same object on both hosts,
 * and how is it connected, created, read, written, parked and released. Since: 0.1
 */
#define GODWIT_TYPE_STORAGE (godwit_storage_get_type ())
G_DECLARE_INTERFACE (GodwitStorage, godwit_storage, GODWIT, STORAGE, GObject)

/**
 * GodwitStorageInterface:
 * @claims: required. Whether this kind serves @disk; looks only at the definition.
 * @inspect: required. Fills the disk's chain (each layer's path, format, sizes) and
 *   preallocated, from the source host; adds findings about images that cannot move. Formats
 *   come from the definition and from overlay headers, never from probing.
 * @check_sharing: required. Sets the disk's sharing and proof. With godwit_job_may_touch()
 *   %FALSE it only reads. Never guesses from a file system's name. Whatever it writes carries
 *   the job's token, is named by a fact `marker.TARGET` (`as`, paths) before it is written, and
 *   is gone when it returns.
 * @check_target: required. For a disk whose treatment is MIRROR or COPY: chooses the
 *   destination of each layer, checks that nothing foreign is there, decides which lower
 *   layers are already present and identical, and tells godwit_disks_add_needed() how many
 *   bytes will be allocated on which file system of the destination. May set flatten for COPY,
 *   when a lower layer is not the same there. A top layer that is present (a medium in the
 *   destination's library) is neither created nor copied. Changes nothing on any host.
 * @create: required. Makes the empty target at the destination, owned so that the hypervisor
 *   can use it. Lower layers that are not present it copies and verifies itself, with
 *   godwit_disks_transfer(). Facts first, then exclusively.
 * @remove_created: required. Undoes @create: removes only what carries the token.
 * @open_source: required. Makes the contents readable for a transfer and fills @end; a
 *   flattened read if the disk's flatten is set. The returned object ends with its reference.
 * @open_target: required. The same for writing into what @create made.
 * @finish_target: optional. After the last byte: syncs, sets owner and mode, takes the token
 *   off when @committed.
 * @connect: optional. Attaches a shared disk at @host before the guest needs it.
 * @disconnect: optional. The opposite; also undoes a half-done connect.
 * @repair_access: optional. Makes every attached file usable by the hypervisor at @host: owner,
 *   group, mode. Called before and after the guest resumes. Keeps the former values as facts.
 * @park: optional. Puts the source's copy aside (rename), with the new name as a fact first
 *   whose name begins with `parked.`. What other guests may use too stays where it is.
 * @unpark: optional. Puts it back exactly; also undoes a half-done park.
 * @release: optional. Removes what @park put aside, after proving that it is not what the
 *   guest uses. @home is the host that has the guest: the destination, or the source again
 *   after another job carried the guest back.
 * @reclaim: optional. For a revert, with the facts of the job that it reverts: puts the token
 *   back on what @create made and @finish_target gave away, if it is still the very same object,
 *   so that @remove_created removes it. Fails with %GODWIT_ERROR_DENIED, touching nothing, if
 *   something else is there now.
 *
 * Methods run in the job's worker, one at a time for one disk. Since: 0.1
 */
struct _GodwitStorageInterface {
  GTypeInterface parent_iface;

  gboolean (*claims) (GodwitStorage *self, const GodwitDisk *disk);
  gboolean (*inspect) (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitReport *report,
                       GCancellable *cancellable, GError **error);
  gboolean (*check_sharing) (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                             GCancellable *cancellable, GError **error);
  gboolean (*check_target) (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                            GodwitReport *report, GHashTable *needed, GCancellable *cancellable,
                            GError **error);
  gboolean (*create) (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                      GCancellable *cancellable, GError **error);
  gboolean (*remove_created) (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                              GCancellable *cancellable, GError **error);
  GObject *(*open_source) (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitEnd *end,
                           GCancellable *cancellable, GError **error);
  GObject *(*open_target) (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitEnd *end,
                           GCancellable *cancellable, GError **error);
  gboolean (*finish_target) (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                             gboolean committed, GCancellable *cancellable, GError **error);
  gboolean (*connect) (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitHost *host,
                       GCancellable *cancellable, GError **error);
  gboolean (*disconnect) (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitHost *host,
                          GCancellable *cancellable, GError **error);
  gboolean (*repair_access) (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                             GodwitHost *host, GCancellable *cancellable, GError **error);
  gboolean (*park) (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                    GCancellable *cancellable, GError **error);
  gboolean (*unpark) (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                      GCancellable *cancellable, GError **error);
  gboolean (*release) (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitHost *home,
                       GCancellable *cancellable, GError **error);
  gboolean (*reclaim) (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                       GCancellable *cancellable, GError **error);

  gpointer _reserved[7];
};

gboolean godwit_storage_claims (GodwitStorage *self, const GodwitDisk *disk);
gboolean godwit_storage_inspect (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                                 GodwitReport *report, GCancellable *cancellable, GError **error);
gboolean godwit_storage_check_sharing (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                                       GCancellable *cancellable, GError **error);
gboolean godwit_storage_check_target (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                                      GodwitReport *report, GHashTable *needed,
                                      GCancellable *cancellable, GError **error);
gboolean godwit_storage_create (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                                GCancellable *cancellable, GError **error);
gboolean godwit_storage_remove_created (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                                        GCancellable *cancellable, GError **error);
GObject *godwit_storage_open_source (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                                     GodwitEnd *end, GCancellable *cancellable, GError **error);
GObject *godwit_storage_open_target (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                                     GodwitEnd *end, GCancellable *cancellable, GError **error);
gboolean godwit_storage_finish_target (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                                       gboolean committed, GCancellable *cancellable,
                                       GError **error);
gboolean godwit_storage_connect (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                                 GodwitHost *host, GCancellable *cancellable, GError **error);
gboolean godwit_storage_disconnect (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                                    GodwitHost *host, GCancellable *cancellable, GError **error);
gboolean godwit_storage_repair_access (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                                       GodwitHost *host, GCancellable *cancellable, GError **error);
gboolean godwit_storage_park (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                              GCancellable *cancellable, GError **error);
gboolean godwit_storage_unpark (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                                GCancellable *cancellable, GError **error);
gboolean godwit_storage_release (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                                 GodwitHost *home, GCancellable *cancellable, GError **error);
gboolean godwit_storage_reclaim (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                                 GCancellable *cancellable, GError **error);

G_END_DECLS
