/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "file.h"

#include "job/job-private.h"

G_BEGIN_DECLS

/* Two hosts on one machine: agents in mount namespaces of their own. Both know the directory
 * `data`; unless it is shared, at host b another one lies over it. */
typedef struct {
  char *root;
  char *data;  /* the path that both hosts know; what host a has there */
  char *other; /* what host b has at that path if it is not shared */
  GodwitHost *a;
  GodwitHost *b;
  GodwitJob *job;
  GodwitGuest *guest;
  GodwitDisk *disk; /* vda, DATA/web/disk */
} Hosts;

typedef enum {
  HOSTS_APART,
  HOSTS_SHARED,
  HOSTS_SHARED_READ_ONLY, /* b sees it and may not write */
} HostsKind;

/* FALSE (and the test is skipped) where namespaces may not be made. */
gboolean hosts_set_up (Hosts *hosts, HostsKind kind, const char *format);
void hosts_clear (Hosts *hosts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Hosts, hosts_clear)

/* Writes a file under that name in one of the two directories. */
void hosts_write (const char *directory, const char *name, const char *contents);
char *hosts_read (const char *directory, const char *name);
gboolean hosts_have (const char *directory, const char *name);
void hosts_qemu_img (const char *const *words);
/* The finding with that id, or NULL. */
const GodwitFinding *hosts_find (GodwitReport *report, const char *id);

G_END_DECLS
