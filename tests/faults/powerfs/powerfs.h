/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#define FUSE_USE_VERSION 314

#include <fuse_lowlevel.h>
#include <glib.h>

#include <sys/stat.h>
#include <sys/types.h>

/* A file system that forgets, when the power is cut, all that nobody has synced.
 *
 * Every object has two bodies on the disk below. What programs do is done to the first one, in
 * `live/`. The second one is its durable twin, and only a sync brings it up to date: fsync of a
 * file its contents and attributes, fsync of a directory the names in it. A mount begins with the
 * twins alone and makes new living bodies of them, so it does not matter how the process ended. */

#define CONTROL_NAME ".powerfs-control"
#define CONTROL_INO  2

typedef struct {
  off_t start;
  off_t end;
} Range;

typedef struct {
  int live;        /* O_PATH, or readable if it is a directory */
  int twin;        /* the same of the durable body */
  mode_t type;     /* S_IFMT of it */
  ino_t live_ino;  /* how it is found */
  ino_t ino;       /* what programs see; the twin's, so that it outlives a power cut */
  guint64 number;  /* the twin's name in `objects/` */
  guint64 lookups; /* that the kernel holds */
  guint opens;
  int io; /* readable and writable while it is open */

  /* What a sync has to carry over. */
  GArray *written;  /* of Range */
  GArray *reserved; /* of Range: allocated, whatever they contain */
  gboolean resized;
  gboolean attributes;
  GHashTable *names; /* of a directory: those that have changed */

  /* Where a directory's twin is now: it has one place, where files have links. */
  int place;
  char *place_name;
} Node;

typedef struct {
  int objects;       /* twins by number, named durably or not */
  GHashTable *nodes; /* by live_ino */
  Node *root;
  guint64 last_number;
  int lock; /* on what lies below */
  gboolean cut;
  gboolean stopped; /* cut, and not even errors are answered */
  gboolean bad_reads;
  gboolean bad_writes;
  struct fuse_session *session;
} Powerfs;

extern Powerfs fs;
extern const struct fuse_lowlevel_ops powerfs_ops;

/* node.c: what there is. Functions that return an int return 0 or an errno. */
Node *node_new (int live, int twin, guint64 number);
Node *node_from_ino (fuse_ino_t ino);
fuse_ino_t node_to_ino (const Node *node);
Node *node_find (Node *parent, const char *name);
void node_forget (Node *node, guint64 lookups);
int node_status (const Node *node, struct stat *status);
/* Another descriptor of the same object, for what O_PATH cannot do. */
int node_reopen (int fd, int flags);
void node_mark_written (Node *node, off_t start, off_t end);
void node_mark_name (Node *parent, const char *name);

/* twin.c: how something becomes durable. */
char *twin_name (guint64 number);
int twin_make (mode_t mode, uid_t uid, gid_t gid, dev_t device, const char *link, guint64 *number,
               int *fd);
void twin_place_new (Node *node);
void twin_set_place (Node *node, int directory, const char *name);
int twin_sync_data (Node *node);
int twin_sync_attributes (Node *node);
int twin_sync_names (Node *node);
void twin_sync_all (void);

/* copy.c: from one body to the other, holes and all. */
int copy_range (int from, int to, Range range);
int copy_attributes (int from, int to);

/* populate.c: living bodies of all twins. */
int populate (const char *backing);

/* ops-file.c and control.c, called by ops.c. */
void op_open (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_create (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                struct fuse_file_info *fi);
void op_read (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi);
void op_write (fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
               struct fuse_file_info *fi);
void op_release (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_fsync (fuse_req_t req, fuse_ino_t ino, int only_data, struct fuse_file_info *fi);
void op_fallocate (fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
                   struct fuse_file_info *fi);
void op_lseek (fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, struct fuse_file_info *fi);
int file_truncate (Node *node, off_t size);
int file_open (Node *node, int flags);

/* ops-name.c */
void op_lookup (fuse_req_t req, fuse_ino_t parent, const char *name);
void op_mknod (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device);
void op_mkdir (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void op_symlink (fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void op_link (fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name);
void op_unlink (fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rmdir (fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rename (fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to_parent,
                const char *to_name, unsigned int flags);
int name_make (fuse_req_t req, Node *parent, const char *name, mode_t mode, dev_t device,
               const char *link, Node **made);
void name_fill_entry (Node *node, struct fuse_entry_param *entry);

void control_status (struct stat *status);
void control_read (fuse_req_t req, size_t size, off_t offset);
void control_write (fuse_req_t req, const char *data, size_t size);
