/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/host.h>

G_BEGIN_DECLS

/* Hosts, processes and tunnels that live in the test's memory. Linked into a test program they
 * take the place of libgodwit's own. Every call that changes something is noted in `calls`. */

struct _GodwitHost {
  GObject parent_instance;
  char *name;
  GHashTable *config;     /* char * -> char * */
  GHashTable *files;      /* path -> GodwitFileInfo */
  GString *calls;         /* "mkdir job, remove /a" */
  const char *fail;       /* a call that fails, as it is noted */
  int fail_code;          /* with which code; 0: PEER */
  gboolean silent;        /* its agent does not answer */
  gboolean no_watch;      /* processes cannot be watched */
  gboolean mute;          /* does not answer whoever asks whether it is there */
  gboolean suspected;     /* somebody asked */
  const char *boot_id;    /* of the boot that the host is in */
  GodwitProcess *process; /* the one that was watched last */
};

struct _GodwitProcess {
  GObject parent_instance;
  gboolean exited;
};

struct _GodwitTunnel {
  GObject parent_instance;
  GodwitHost *to; /* not a reference */
  gboolean tapped;
  gboolean closed;
  guint64 bytes;
};

GodwitHost *fake_host_new (const char *name);
/* What is at @path from now on; returns it for further changes. */
GodwitFileInfo *fake_host_add_file (GodwitHost *host, const char *path, guint64 inode,
                                    const char *token);

G_END_DECLS
