/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * GodwitGuestState:
 * @GODWIT_GUEST_ABSENT: the host answered that it does not know the guest.
 * @GODWIT_GUEST_SHUT_OFF: defined, not running.
 * @GODWIT_GUEST_RUNNING: vCPUs run.
 * @GODWIT_GUEST_PAUSED: complete and paused, by a person or by godwit.
 * @GODWIT_GUEST_PAUSED_MIGRATION: paused by a migration: a source that has stopped or a
 *   destination that is still incoming. Undecidable without asking the other side.
 * @GODWIT_GUEST_SHUTTING_DOWN: on its way to shut off.
 * @GODWIT_GUEST_CRASHED: its process or kernel died.
 * @GODWIT_GUEST_UNKNOWN: the host could not be asked.
 *
 * Since: 0.1
 */
typedef enum {
  GODWIT_GUEST_ABSENT,
  GODWIT_GUEST_SHUT_OFF,
  GODWIT_GUEST_RUNNING,
  GODWIT_GUEST_PAUSED,
  GODWIT_GUEST_PAUSED_MIGRATION,
  GODWIT_GUEST_SHUTTING_DOWN,
  GODWIT_GUEST_CRASHED,
  GODWIT_GUEST_UNKNOWN,
} GodwitGuestState;

const char *godwit_guest_state_to_string (GodwitGuestState state);

/**
 * godwit_guest_state_is_down:
 * @state: what a host answered.
 *
 * A crashed guest is down as well: what a hypervisor may keep of it executes nothing any more. That
 * the host could not be asked (%GODWIT_GUEST_UNKNOWN) says nothing and is not down.
 *
 * Returns: %TRUE if the host answered that nothing of the guest runs or can go on there.
 *
 * Since: 0.2
 */
gboolean godwit_guest_state_is_down (GodwitGuestState state);

/**
 * GodwitSharing:
 * @GODWIT_SHARING_UNKNOWN: it could not be proven either way; the proof text says why.
 * @GODWIT_SHARING_NO: proven to be different objects.
 * @GODWIT_SHARING_YES: proven to be one and the same object on both hosts.
 *
 * Since: 0.1
 */
typedef enum {
  GODWIT_SHARING_UNKNOWN,
  GODWIT_SHARING_NO,
  GODWIT_SHARING_YES,
} GodwitSharing;

const char *godwit_sharing_to_string (GodwitSharing sharing);

/**
 * GodwitTreatment:
 * @GODWIT_TREATMENT_UNDECIDED: no strategy has planned yet.
 * @GODWIT_TREATMENT_ATTACH: reachable at the destination; nothing is copied.
 * @GODWIT_TREATMENT_MIRROR: copied live while the guest writes to it.
 * @GODWIT_TREATMENT_COPY: copied while nobody writes to it (cold, or read-only media).
 * @GODWIT_TREATMENT_SKIP: nothing to do, for example an empty CD-ROM drive.
 *
 * What a strategy does with one disk. Since: 0.1
 */
typedef enum {
  GODWIT_TREATMENT_UNDECIDED,
  GODWIT_TREATMENT_ATTACH,
  GODWIT_TREATMENT_MIRROR,
  GODWIT_TREATMENT_COPY,
  GODWIT_TREATMENT_SKIP,
} GodwitTreatment;

const char *godwit_treatment_to_string (GodwitTreatment treatment);

/**
 * GodwitImage:
 * @path: where the image is on the source host, or its URI
 * @format: `raw`, `qcow2`, ... as the definition or the overlay's header says; never probed
 * @virtual_size: bytes that the guest sees
 * @allocated: bytes that it occupies
 * @destination: (nullable): where it will be at the destination
 * @present: %TRUE if an identical copy is already at @destination and must not be sent
 *
 * One layer of a backing chain. Since: 0.1
 */
typedef struct {
  char *path;
  char *format;
  guint64 virtual_size;
  guint64 allocated;
  char *destination;
  gboolean present;
} GodwitImage;

GodwitImage *godwit_image_new (const char *path, const char *format);
void godwit_image_free (GodwitImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitImage, godwit_image_free)

/**
 * GodwitDisk:
 * @target: the guest's name of the device, `vda`
 * @device: `disk`, `cdrom` or `floppy`
 * @type: `file`, `block`, `network` or `volume`, as the definition says
 * @bus: (nullable): `virtio`, `scsi`, ...
 * @cache: (nullable): cache mode of the definition; %NULL means the hypervisor's default
 * @read_only: the guest cannot write to it
 * @shareable: the definition says that several guests use it
 * @chain: (element-type GodwitImage): the layers, top first; empty for an empty drive. The
 *   hypervisor plugin fills the first one; the storage plugin's inspect fills the rest
 * @preallocated: every byte was allocated on purpose and must be so at the destination
 * @storage: (nullable): name of the storage plugin that claims it
 * @sharing: whether it is the same object on both hosts
 * @proof: (nullable): what was seen that led to @sharing
 * @treatment: what the chosen strategy does with it
 * @flatten: %TRUE if the copy is one image without backing files
 * @live_only: the running guest has it and its persistent definition does not: a shutdown would
 *   take it away
 *
 * One disk of a guest. The planner and the storage plugin fill it in; it travels through the
 * journal, so a worker that takes a job over sees the same. Since: 0.1
 */
typedef struct {
  char *target;
  char *device;
  char *type;
  char *bus;
  char *cache;
  gboolean read_only;
  gboolean shareable;
  GPtrArray *chain;
  gboolean preallocated;
  char *storage;
  GodwitSharing sharing;
  char *proof;
  GodwitTreatment treatment;
  gboolean flatten;
  gboolean live_only;
} GodwitDisk;

GodwitDisk *godwit_disk_new (const char *target);
void godwit_disk_free (GodwitDisk *disk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitDisk, godwit_disk_free)

/**
 * godwit_disk_get_top:
 *
 * Returns: (nullable) (transfer none): the image that the guest writes to; %NULL for an empty
 *   drive. Since: 0.1
 */
GodwitImage *godwit_disk_get_top (const GodwitDisk *disk);

/**
 * GodwitGuest:
 * @name: its name
 * @uuid: its UUID in lower case
 * @state: as it was when it was described
 * @persistent: it has a definition that survives a shutdown
 * @autostart: it is started when its host boots
 * @memory: bytes of RAM that it may use
 * @vcpus: number of virtual CPUs
 * @definition: the persistent definition in the hypervisor's own language, secrets included;
 *   never logged
 * @live_definition: (nullable): the definition of the running guest; %NULL if it does not run
 * @disks: (element-type GodwitDisk): its disks
 * @snapshots: number of snapshots that the hypervisor knows
 * @busy: (nullable): what already works on the guest (another migration, a backup)
 * @passthrough: (array zero-terminated=1): devices of the host that cannot move
 * @nvram: (nullable): path of its firmware variables
 * @instance_directory: (nullable): the directory that holds this guest's files and no other's
 *
 * What a hypervisor says of a guest. Since: 0.1
 */
typedef struct {
  char *name;
  char *uuid;
  GodwitGuestState state;
  gboolean persistent;
  gboolean autostart;
  guint64 memory;
  guint vcpus;
  char *definition;
  char *live_definition;
  GPtrArray *disks;
  guint snapshots;
  char *busy;
  GStrv passthrough;
  char *nvram;
  char *instance_directory;
} GodwitGuest;

GodwitGuest *godwit_guest_new (const char *name, const char *uuid);
void godwit_guest_free (GodwitGuest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitGuest, godwit_guest_free)

/**
 * godwit_guest_is_active:
 *
 * Returns: %TRUE if the guest has a process: running, paused or shutting down. Since: 0.1
 */
gboolean godwit_guest_is_active (const GodwitGuest *guest);

/**
 * godwit_guest_find_disk:
 *
 * Returns: (nullable) (transfer none): the disk with that target name. Since: 0.1
 */
GodwitDisk *godwit_guest_find_disk (const GodwitGuest *guest, const char *target);

/**
 * godwit_guest_to_variant:
 *
 * Returns: (transfer floating): everything of @guest as `a{sv}`, for the journal. Since: 0.1
 */
GVariant *godwit_guest_to_variant (const GodwitGuest *guest);

/**
 * godwit_guest_from_variant:
 *
 * Returns: (transfer full) (nullable): the guest; %NULL with @error set (CORRUPT) if the
 *   variant is not one of godwit_guest_to_variant(). Since: 0.1
 */
GodwitGuest *godwit_guest_from_variant (GVariant *variant, GError **error);

G_END_DECLS
