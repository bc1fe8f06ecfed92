/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/job.h>

G_BEGIN_DECLS

/**
 * GodwitHostFacts:
 * @uuid: the hypervisor's own identity of the host
 * @hostname: what the host calls itself
 * @version: versions of the hypervisor's parts, for people
 * @memory_free: bytes that a new guest could use
 * @memory_total: bytes of RAM
 * @guest_uid: user that guests' processes run as
 * @guest_gid: group that guests' processes run as
 * @security: what confines guests, `none`, `apparmor`, ...
 *
 * What a hypervisor says of its host. Since: 0.1
 */
typedef struct {
  char *uuid;
  char *hostname;
  char *version;
  guint64 memory_free;
  guint64 memory_total;
  guint32 guest_uid;
  guint32 guest_gid;
  char *security;
} GodwitHostFacts;

void godwit_host_facts_free (GodwitHostFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitHostFacts, godwit_host_facts_free)

/**
 * GodwitLiveParams:
 * @memory_socket: socket on the source that leads to the same path at the destination
 * @disk_socket: the same for mirrored disks
 * @mirror: (array zero-terminated=1): targets of the disks to mirror; empty for none
 * @proven_safe: every disk that is neither mirrored nor read-only has been proven to be the
 *   same object on both hosts, and cache modes are safe
 * @definition: definition for the running guest at the destination
 * @max_downtime_ms: first downtime limit
 *
 * Since: 0.1
 */
typedef struct {
  const char *memory_socket;
  const char *disk_socket;
  const char *const *mirror;
  gboolean proven_safe;
  const char *definition;
  guint max_downtime_ms;
} GodwitLiveParams;

/**
 * GodwitLiveStatus:
 * @returned: the hypervisor's migration call has returned
 * @failed: it returned an error; godwit_hypervisor_live_finish() gives it
 * @source_state: the guest at the source, as last seen
 * @destination_state: the guest at the destination, as last seen; PAUSED only once memory and
 *   device state are complete there
 * @disk_total: bytes of disks to mirror
 * @disk_done: bytes mirrored
 * @memory_total: bytes of RAM to send
 * @memory_remaining: bytes still dirty or unsent
 * @memory_done: bytes of RAM sent so far, repeats counted
 * @iteration: pass over memory, from 1; 0 before
 * @dirty_bps: bytes a second that the guest dirties; 0 if unknown
 * @memory_bps: bytes a second that memory moves at; 0 if unknown
 * @downtime_ms: expected or actual downtime; 0 if unknown
 *
 * Since: 0.1
 */
typedef struct {
  gboolean returned;
  gboolean failed;
  GodwitGuestState source_state;
  GodwitGuestState destination_state;
  guint64 disk_total;
  guint64 disk_done;
  guint64 memory_total;
  guint64 memory_remaining;
  guint64 memory_done;
  guint iteration;
  guint64 dirty_bps;
  guint64 memory_bps;
  guint downtime_ms;
} GodwitLiveStatus;

/**
 * GodwitGuestEnd:
 * @GODWIT_END_UNKNOWN: the host does not know, or does not know the guest any more
 * @GODWIT_END_MIGRATED: it was migrated away
 * @GODWIT_END_SHUT_DOWN: it shut itself down, so it had run to its end there
 * @GODWIT_END_DESTROYED: somebody ended its process
 * @GODWIT_END_CRASHED: its process ended without anybody's wish
 *
 * How a guest that is shut off came to be so. Since: 0.1
 */
typedef enum {
  GODWIT_END_UNKNOWN,
  GODWIT_END_MIGRATED,
  GODWIT_END_SHUT_DOWN,
  GODWIT_END_DESTROYED,
  GODWIT_END_CRASHED,
} GodwitGuestEnd;

/**
 * GodwitHypervisor:
 *
 * The contract of a hypervisor: describe guests and hosts; define, start and stop guests;
 * migrate live. One object serves one host. Since: 0.1
 */
#define GODWIT_TYPE_HYPERVISOR (godwit_hypervisor_get_type ())
G_DECLARE_INTERFACE (GodwitHypervisor, godwit_hypervisor, GODWIT, HYPERVISOR, GObject)

/**
 * GodwitHypervisorInterface:
 * @claims: optional. Whether @name, which is no group of the configuration, is a URI of this
 *   hypervisor. Sets @address (transfer full) (nullable) to the address for the transport;
 *   %NULL for the controller's own machine. Then the object's properties are set from it.
 * @connect: required. Connects to the hypervisor of @host through
 *   godwit_host_forward_socket(). Idempotent.
 * @get_facts: required. (transfer full).
 * @list_guests: required. Names, sorted, (transfer full).
 * @describe_guest: required. By name or UUID. NOT_FOUND if there is none. Fills everything of
 *   the guest but what the storage plugin's inspect fills. (transfer full).
 * @check_guest: required. Called at the destination: adds a finding for every reason why the
 *   guest could not be defined or run there (name or UUID taken, CPU model, machine type,
 *   devices, networks, memory).
 * @adapt_definition: required. Called at the destination: the definition for this host, with
 *   each disk's destination paths; @live for the running guest, else the persistent one. In
 *   the live one a mirrored disk that is not preallocated keeps holes. (transfer full).
 * @get_state: required. Asks the hypervisor now. A host that answers "unknown guest" is
 *   ABSENT; only a failure to ask is an error.
 * @define: required. Defines @definition persistently, also beneath the running guest. Carries
 *   autostart if @autostart.
 * @undefine: required. Forgets the persistent definition and keeps all files; absent is
 *   success.
 * @start: required. Starts a defined guest.
 * @start_paused: optional. Starts it with its vCPUs stopped.
 * @shut_down: required. Asks the guest to shut down; returns at once.
 * @destroy: required. Ends the guest's process now; not running is success.
 * @suspend: required. Stops the vCPUs.
 * @resume: required. Runs the vCPUs; running already is success.
 * @get_pid_file: optional. (transfer full) path of a file on the host with the process id of
 *   the guest.
 * @live_begin: optional. Called at the source: starts a live migration that leaves the
 *   destination paused, in a thread of the plugin's own. Returns (transfer full) a handle.
 * @live_wait: required with @live_begin. Waits up to @timeout_ms for something to change and
 *   fills @status.
 * @live_set_downtime: optional. Changes the downtime limit while it runs.
 * @live_abort: required with @live_begin. Asks for an abort; live_wait tells the outcome.
 * @live_finish: required with @live_begin. Waits up to @timeout_ms for the migration call to
 *   return; its error if it failed.
 * @get_written: optional. Bytes that the running guest has written to its disks since it was
 *   started here.
 * @set_autostart: optional. Whether the host starts the defined guest when it boots; idempotent.
 *   A guest that the host does not know is success when it is switched off.
 * @get_end: optional. How a guest that is shut off ended.
 * @get_export: optional. (transfer full): the name by which the NBD server that a live migration
 *   of the running @guest mirrors to offers the disk @target. Asked of the source. Without it
 *   mirrored disks are not verified.
 *
 * Methods may be called from several threads at once. Since: 0.1
 */
struct _GodwitHypervisorInterface {
  GTypeInterface parent_iface;

  gboolean (*claims) (GodwitHypervisor *self, const char *name, char **address);
  gboolean (*connect) (GodwitHypervisor *self, GodwitHost *host, GCancellable *cancellable,
                       GError **error);
  GodwitHostFacts *(*get_facts) (GodwitHypervisor *self, GCancellable *cancellable, GError **error);
  GStrv (*list_guests) (GodwitHypervisor *self, GCancellable *cancellable, GError **error);
  GodwitGuest *(*describe_guest) (GodwitHypervisor *self, const char *name,
                                  GCancellable *cancellable, GError **error);
  gboolean (*check_guest) (GodwitHypervisor *self, GodwitJob *job, GodwitGuest *guest,
                           GodwitReport *report, GCancellable *cancellable, GError **error);
  char *(*adapt_definition) (GodwitHypervisor *self, GodwitJob *job, GodwitGuest *guest,
                             gboolean live, GCancellable *cancellable, GError **error);
  gboolean (*get_state) (GodwitHypervisor *self, const char *uuid, GodwitGuestState *state,
                         gboolean *persistent, GCancellable *cancellable, GError **error);
  gboolean (*define) (GodwitHypervisor *self, const char *definition, gboolean autostart,
                      GCancellable *cancellable, GError **error);
  gboolean (*undefine) (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                        GError **error);
  gboolean (*start) (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                     GError **error);
  gboolean (*start_paused) (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                            GError **error);
  gboolean (*shut_down) (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                         GError **error);
  gboolean (*destroy) (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                       GError **error);
  gboolean (*suspend) (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                       GError **error);
  gboolean (*resume) (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                      GError **error);
  char *(*get_pid_file) (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                         GError **error);
  GObject *(*live_begin) (GodwitHypervisor *self, GodwitHypervisor *destination, GodwitGuest *guest,
                          const GodwitLiveParams *params, GCancellable *cancellable,
                          GError **error);
  gboolean (*live_wait) (GodwitHypervisor *self, GObject *live, guint timeout_ms,
                         GodwitLiveStatus *status, GError **error);
  gboolean (*live_set_downtime) (GodwitHypervisor *self, GObject *live, guint downtime_ms,
                                 GError **error);
  gboolean (*live_abort) (GodwitHypervisor *self, GObject *live, GError **error);
  gboolean (*live_finish) (GodwitHypervisor *self, GObject *live, guint timeout_ms, GError **error);
  gboolean (*get_written) (GodwitHypervisor *self, const char *uuid, guint64 *bytes,
                           GCancellable *cancellable, GError **error);
  gboolean (*set_autostart) (GodwitHypervisor *self, const char *uuid, gboolean on,
                             GCancellable *cancellable, GError **error);
  gboolean (*get_end) (GodwitHypervisor *self, const char *uuid, GodwitGuestEnd *end,
                       GCancellable *cancellable, GError **error);

  char *(*get_export) (GodwitHypervisor *self, GodwitGuest *guest, const char *target,
                       GError **error);

  gpointer _reserved[5];
};

gboolean godwit_hypervisor_claims (GodwitHypervisor *self, const char *name, char **address);
gboolean godwit_hypervisor_connect (GodwitHypervisor *self, GodwitHost *host,
                                    GCancellable *cancellable, GError **error);
GodwitHostFacts *godwit_hypervisor_get_facts (GodwitHypervisor *self, GCancellable *cancellable,
                                              GError **error);
GStrv godwit_hypervisor_list_guests (GodwitHypervisor *self, GCancellable *cancellable,
                                     GError **error);
GodwitGuest *godwit_hypervisor_describe_guest (GodwitHypervisor *self, const char *name,
                                               GCancellable *cancellable, GError **error);
gboolean godwit_hypervisor_check_guest (GodwitHypervisor *self, GodwitJob *job, GodwitGuest *guest,
                                        GodwitReport *report, GCancellable *cancellable,
                                        GError **error);
char *godwit_hypervisor_adapt_definition (GodwitHypervisor *self, GodwitJob *job,
                                          GodwitGuest *guest, gboolean live,
                                          GCancellable *cancellable, GError **error);
gboolean godwit_hypervisor_get_state (GodwitHypervisor *self, const char *uuid,
                                      GodwitGuestState *state, gboolean *persistent,
                                      GCancellable *cancellable, GError **error);
gboolean godwit_hypervisor_define (GodwitHypervisor *self, const char *definition,
                                   gboolean autostart, GCancellable *cancellable, GError **error);
gboolean godwit_hypervisor_undefine (GodwitHypervisor *self, const char *uuid,
                                     GCancellable *cancellable, GError **error);
gboolean godwit_hypervisor_start (GodwitHypervisor *self, const char *uuid,
                                  GCancellable *cancellable, GError **error);
gboolean godwit_hypervisor_start_paused (GodwitHypervisor *self, const char *uuid,
                                         GCancellable *cancellable, GError **error);
gboolean godwit_hypervisor_shut_down (GodwitHypervisor *self, const char *uuid,
                                      GCancellable *cancellable, GError **error);
gboolean godwit_hypervisor_destroy (GodwitHypervisor *self, const char *uuid,
                                    GCancellable *cancellable, GError **error);
gboolean godwit_hypervisor_suspend (GodwitHypervisor *self, const char *uuid,
                                    GCancellable *cancellable, GError **error);
gboolean godwit_hypervisor_resume (GodwitHypervisor *self, const char *uuid,
                                   GCancellable *cancellable, GError **error);
char *godwit_hypervisor_get_pid_file (GodwitHypervisor *self, const char *uuid,
                                      GCancellable *cancellable, GError **error);
GObject *godwit_hypervisor_live_begin (GodwitHypervisor *self, GodwitHypervisor *destination,
                                       GodwitGuest *guest, const GodwitLiveParams *params,
                                       GCancellable *cancellable, GError **error);
gboolean godwit_hypervisor_live_wait (GodwitHypervisor *self, GObject *live, guint timeout_ms,
                                      GodwitLiveStatus *status, GError **error);
gboolean godwit_hypervisor_live_set_downtime (GodwitHypervisor *self, GObject *live,
                                              guint downtime_ms, GError **error);
gboolean godwit_hypervisor_live_abort (GodwitHypervisor *self, GObject *live, GError **error);
gboolean godwit_hypervisor_live_finish (GodwitHypervisor *self, GObject *live, guint timeout_ms,
                                        GError **error);
gboolean godwit_hypervisor_get_written (GodwitHypervisor *self, const char *uuid, guint64 *bytes,
                                        GCancellable *cancellable, GError **error);
gboolean godwit_hypervisor_set_autostart (GodwitHypervisor *self, const char *uuid, gboolean on,
                                          GCancellable *cancellable, GError **error);
gboolean godwit_hypervisor_get_end (GodwitHypervisor *self, const char *uuid, GodwitGuestEnd *end,
                                    GCancellable *cancellable, GError **error);

char *godwit_hypervisor_get_export (GodwitHypervisor *self, GodwitGuest *guest, const char *target,
                                    GError **error);

G_END_DECLS
