/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/machines.h"
#include "plan/planner.h"

#include <godwit/storage.h>

G_BEGIN_DECLS

/* A loaded implementation and its name. The planner's parts take lists of these and not the
 * registry, so that tests can hand in their own. */
typedef struct {
  char *name;
  GObject *object; /* NULL: could not be loaded, @error says why */
  GError *error;
} GodwitNamed;

GodwitNamed *godwit_named_new (const char *name, GObject *object, const GError *error);
void godwit_named_free (GodwitNamed *named);

/* hosts.c: writes down which machines the hosts are, or fails with REFUSED if they are others than
 * those that were written down. */
gboolean godwit_plan_check_identity (GodwitJob *job, GError **error);
/* hosts.c: whether a host turned the job away because a worker with a higher epoch has been there.
 */
gboolean godwit_plan_is_fenced (GodwitJob *job);
/* hosts.c: versions, banners, clocks, one machine under two names. */
void godwit_plan_check_hosts (GodwitJob *job, GodwitReport *report, GCancellable *cancellable);

/* guest.c: describes the guest and gives it to the job; `guest-exists`, `guest-state`, ...
 * FALSE if there is no guest to go on with. */
gboolean godwit_plan_describe_guest (GodwitJob *job, GodwitReport *report,
                                     GCancellable *cancellable, GError **error);

/* disks.c: claims, inspects and compares every disk; finds the instance directory.
 * @storages: (element-type GodwitNamed)
 * @complete: set to FALSE if too little is known of some disk to ask strategies about it */
gboolean godwit_plan_inspect_disks (GodwitJob *job, GPtrArray *storages, GodwitReport *report,
                                    gboolean *complete, GCancellable *cancellable, GError **error);
char *godwit_plan_find_instance_directory (const GodwitGuest *guest, const char *pattern);

/* choose.c: runs the checks of @strategies (in the order of preference) and chooses.
 * @asked: name of the one that the operator asked for; NULL for auto. Fills candidates, chosen,
 * strategy and steps of @plan, whose report is set. */
gboolean godwit_plan_choose (GodwitPlan *plan, GodwitJob *job, GPtrArray *strategies,
                             const char *asked, GCancellable *cancellable, GError **error);

/* "vda is mirrored (1.0 GiB), vdb is attached" (transfer full) */
char *godwit_plan_describe_disks (GPtrArray *disks);
guint64 godwit_plan_count_bytes (GPtrArray *disks);

/* load.c: objects of the plugins, configured. (element-type GodwitNamed) */
GPtrArray *godwit_plan_load_storages (GodwitJob *job, GodwitRegistry *registry,
                                      GodwitReport *report);
GPtrArray *godwit_plan_load_strategies (GodwitJob *job, GodwitRegistry *registry,
                                        const char *asked);
GObject *godwit_plan_load_one (GodwitJob *job, GodwitRegistry *registry, GType contract,
                               const char *name, GError **error);

G_END_DECLS
