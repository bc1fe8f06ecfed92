/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "errors.h"

#include <godwit/hypervisor.h>
#include <godwit/plugin.h>

G_BEGIN_DECLS

/* One host's libvirt. */
#define GODWIT_TYPE_LIBVIRT_HYPERVISOR (godwit_libvirt_hypervisor_get_type ())
G_DECLARE_FINAL_TYPE (GodwitLibvirtHypervisor, godwit_libvirt_hypervisor, GODWIT,
                      LIBVIRT_HYPERVISOR, GObject)

struct _GodwitLibvirtHypervisor {
  GObject parent_instance;

  /* Properties. */
  char *uri;
  char *socket; /* NULL: find it */
  guint keepalive;

  /* Set by connect, and the same from then on. */
  char *open_uri;
  char *host_name;

  GWeakRef host; /* whose agent carries the connection; empty for this machine */

  GRecMutex mutex; /* held by whoever uses the connection */
  virConnectPtr connection;
  gint64 hung_at; /* monotonic: when opening one was last given up; 0: never */
};

gboolean lv_hypervisor_provide (GodwitModule *module, GError **error);
/* Registers the type alone, for tests. */
void lv_hypervisor_register (GTypeModule *module);

/* What people call the host; valid as long as the object. */
const char *lv_hypervisor_name (GodwitLibvirtHypervisor *self);

/* connection.c */

/* The use of a host's connection by one thread. libvirt lets threads share a connection, but
 * before 10.3 its client may crash when a shared one is lost (CVE-2024-4418), so nobody else gets
 * it meanwhile. */
typedef struct {
  GodwitLibvirtHypervisor *self;
  virConnectPtr connection;
} LvSession;

/* Waits for the connection, and makes it again if it was lost. A thread may enter twice.
 * (transfer full) */
LvSession *lv_hypervisor_enter (GodwitLibvirtHypervisor *self, GCancellable *cancellable,
                                GError **error);
void lv_session_leave (LvSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LvSession, lv_session_leave)

/* One more connection, for one thread alone. (transfer full) */
virConnectPtr lv_hypervisor_open (GodwitLibvirtHypervisor *self, GCancellable *cancellable,
                                  GError **error);

/* Splits a URI that people write into what to open and whom to ask. */
gboolean lv_uri_split (const char *uri, char **driver, char **transport, char **address,
                       char **path, char **socket);

gboolean lv_hypervisor_connect (GodwitHypervisor *hypervisor, GodwitHost *host,
                                GCancellable *cancellable, GError **error);
gboolean lv_hypervisor_claims (GodwitHypervisor *hypervisor, const char *name, char **address);

/* guest.c */
GStrv lv_list_guests (GodwitHypervisor *hypervisor, GCancellable *cancellable, GError **error);
GodwitGuest *lv_describe_guest (GodwitHypervisor *hypervisor, const char *name,
                                GCancellable *cancellable, GError **error);

/* state.c */
GodwitGuestState lv_state_from_libvirt (int state, int reason);
/* FALSE only if the daemon could not be asked; an unknown guest is ABSENT. */
gboolean lv_read_state (virConnectPtr connection, const char *uuid, GodwitGuestState *state);
gboolean lv_get_state (GodwitHypervisor *hypervisor, const char *uuid, GodwitGuestState *state,
                       gboolean *persistent, GCancellable *cancellable, GError **error);

/* facts.c */
GodwitHostFacts *lv_get_facts (GodwitHypervisor *hypervisor, GCancellable *cancellable,
                               GError **error);
/* From the text of virConnectGetCapabilities(). */
gboolean lv_facts_parse (GodwitHostFacts *facts, const char *capabilities, GError **error);

/* check.c, definition.c */
gboolean lv_check_guest (GodwitHypervisor *hypervisor, GodwitJob *job, GodwitGuest *guest,
                         GodwitReport *report, GCancellable *cancellable, GError **error);
char *lv_adapt_definition (GodwitHypervisor *hypervisor, GodwitJob *job, GodwitGuest *guest,
                           gboolean live, GCancellable *cancellable, GError **error);

/* lifecycle.c */
gboolean lv_define (GodwitHypervisor *hypervisor, const char *definition, gboolean autostart,
                    GCancellable *cancellable, GError **error);
gboolean lv_undefine (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
                      GError **error);
gboolean lv_start (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
                   GError **error);
gboolean lv_start_paused (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
                          GError **error);
gboolean lv_shut_down (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
                       GError **error);
gboolean lv_destroy (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
                     GError **error);
gboolean lv_suspend (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
                     GError **error);
gboolean lv_resume (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
                    GError **error);
char *lv_get_pid_file (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
                       GError **error);
gboolean lv_get_end (GodwitHypervisor *hypervisor, const char *uuid, GodwitGuestEnd *end,
                     GCancellable *cancellable, GError **error);
gboolean lv_set_autostart (GodwitHypervisor *hypervisor, const char *uuid, gboolean on,
                           GCancellable *cancellable, GError **error);
gboolean lv_get_written (GodwitHypervisor *hypervisor, const char *uuid, guint64 *bytes,
                         GCancellable *cancellable, GError **error);

G_END_DECLS
