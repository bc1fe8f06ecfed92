/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/godwit.h>

G_BEGIN_DECLS

#define GODWIT_TYPE_SCP (godwit_scp_get_type ())
G_DECLARE_FINAL_TYPE (GodwitScp, godwit_scp, GODWIT, SCP, GObject)

/* Where the key of a paired host lies, and the host keys that it trusts. */
#define GODWIT_SCP_KEY         "/etc/godwit/keys/id_ed25519"
#define GODWIT_SCP_KNOWN_HOSTS "/etc/godwit/known_hosts"
/* The commands that its agent may run to reach others. */
#define GODWIT_SCP_PAIRS "/etc/godwit/pairs"

struct _GodwitScp {
  GObject parent_instance;

  char *destination; /* [user@]host as ssh takes it; NULL until it is known */
  guint port;        /* 0: what the operator's ssh configuration says */
  char *identity_file;
  GStrv options; /* more `-o` settings, KEY=VALUE */
  guint connect_timeout;

  GMutex lock;
  char *session; /* the last private directory that a command was made for */
};

/* What the operator's ssh configuration makes of a destination. */
typedef struct {
  char *user;
  char *hostname;
  char *port;
  GStrv known_hosts; /* files, user's and global ones */
} GodwitScpTarget;

void godwit_scp_target_free (GodwitScpTarget *target);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitScpTarget, godwit_scp_target_free)

/* A name that cannot be taken for an option and has no blanks. */
gboolean godwit_scp_is_valid_destination (const char *text);
/* Asks `ssh -G`; opens no connection. */
GodwitScpTarget *godwit_scp_resolve (GodwitScp *self, GError **error);
/* Whether the host name can be turned into an address here. */
gboolean godwit_scp_target_has_address (const GodwitScpTarget *target);

GStrv godwit_scp_make_command (GodwitScp *self, GodwitRoute route, const char *session,
                               const char *const *remote, GError **error);
/* One shell command on the host (self NULL: on this machine), outside of any agent.
 * Returns its standard output. */
char *godwit_scp_run_shell (GodwitScp *self, const char *script, const char *input,
                            GCancellable *cancellable, GError **error);

void godwit_scp_explain (const char *destination, int status, const char *printed, GError **error);

gboolean godwit_scp_pair (GodwitScp *self, GodwitScp *from, const char *const *remote,
                          GCancellable *cancellable, GError **error);
gboolean godwit_scp_is_paired (GodwitScp *self, GodwitScp *from, GCancellable *cancellable);

G_END_DECLS
