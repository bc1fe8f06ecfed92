/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * GodwitHost:
 *
 * One machine of a migration, reached through the godwit agent that runs there (started
 * locally, or over a transport's channel). Every method blocks, may be called from any thread,
 * honours its #GCancellable and fails with a #GODWIT_ERROR that names the host.
 *
 * The agent touches only directories and runs only programs that the host's own configuration
 * allows; anything else fails with %GODWIT_ERROR_DENIED. Since: 0.1
 */
#define GODWIT_TYPE_HOST (godwit_host_get_type ())
G_DECLARE_FINAL_TYPE (GodwitHost, godwit_host, GODWIT, HOST, GObject)

/**
 * godwit_host_get_name:
 *
 * Returns: (transfer none): the name that the operator uses. Since: 0.1
 */
const char *godwit_host_get_name (GodwitHost *self);

/**
 * godwit_host_is_local:
 *
 * Returns: %TRUE if it is the machine that the controller runs on. Since: 0.1
 */
gboolean godwit_host_is_local (GodwitHost *self);

/**
 * godwit_host_check_heard:
 *
 * For whoever has a way of his own to the host, before he waits for an answer there. Sends nothing.
 *
 * Returns: %FALSE with %GODWIT_ERROR_UNAVAILABLE while its agent does not answer. Since: 0.1
 */
gboolean godwit_host_check_heard (GodwitHost *self, GError **error);

/**
 * godwit_host_get_machine_id:
 *
 * Returns: (transfer none) (nullable): the identity of the machine, equal for two names of one
 *   machine; %NULL before the agent answered. Since: 0.1
 */
const char *godwit_host_get_machine_id (GodwitHost *self);

/**
 * godwit_host_get_config:
 * @key: a key of the host's configuration group
 *
 * Returns: (nullable) (transfer none): its value as written. Since: 0.1
 */
const char *godwit_host_get_config (GodwitHost *self, const char *key);

/**
 * godwit_host_ping:
 *
 * Returns: %TRUE if the agent answered within 5 s. Since: 0.1
 */
gboolean godwit_host_ping (GodwitHost *self, GCancellable *cancellable, GError **error);

/* --- files ------------------------------------------------------------------------------ */

/**
 * GodwitFileType:
 *
 * What is at a path; links are never followed in the last component. Since: 0.1
 */
typedef enum {
  GODWIT_FILE_ABSENT,
  GODWIT_FILE_REGULAR,
  GODWIT_FILE_DIRECTORY,
  GODWIT_FILE_SYMLINK,
  GODWIT_FILE_BLOCK,
  GODWIT_FILE_OTHER,
} GodwitFileType;

/**
 * GodwitFileInfo:
 * @type: what it is; %GODWIT_FILE_ABSENT is an answer, not an error
 * @size: bytes, for a block device its capacity
 * @allocated: bytes on disk
 * @mode: permission bits
 * @uid: owner
 * @gid: group
 * @device: st_dev on that host
 * @inode: inode number
 * @mtime_ns: last content change, nanoseconds since the epoch
 * @ctime_ns: last inode change, nanoseconds since the epoch; cannot be forged by a copy
 * @token: the job token that godwit put on it when creating it; empty if none
 * @fs_type: name of the file system, `ext4`, `nfs`, `fuse`; may be empty
 * @birth_ns: when it was made, nanoseconds since the epoch; 0 if the file system does not tell.
 *   With @inode it names an object for ever: inode numbers are used again
 *
 * Since: 0.1
 */
typedef struct {
  GodwitFileType type;
  guint64 size;
  guint64 allocated;
  guint32 mode;
  guint32 uid;
  guint32 gid;
  guint64 device;
  guint64 inode;
  gint64 mtime_ns;
  gint64 ctime_ns;
  char token[48];
  char fs_type[24];
  gint64 birth_ns;
} GodwitFileInfo;

/**
 * godwit_host_stat:
 * @info: (out caller-allocates): what is there
 *
 * Returns: %TRUE unless the host could not be asked; an absent file is %TRUE. Since: 0.1
 */
gboolean godwit_host_stat (GodwitHost *self, const char *path, GodwitFileInfo *info,
                           GCancellable *cancellable, GError **error);

/**
 * godwit_host_list:
 *
 * Returns: (transfer full) (array zero-terminated=1): names in the directory, sorted, without
 *   `.` and `..`. Since: 0.1
 */
GStrv godwit_host_list (GodwitHost *self, const char *path, GCancellable *cancellable,
                        GError **error);

/**
 * godwit_host_make_directory:
 * @token: (nullable): the job token to put on it
 *
 * Creates one directory exclusively. Fails with %GODWIT_ERROR_EXISTS if something is there,
 * unless it is a directory with the same @token. Since: 0.1
 */
gboolean godwit_host_make_directory (GodwitHost *self, const char *path, guint32 mode, guint32 uid,
                                     guint32 gid, const char *token, GCancellable *cancellable,
                                     GError **error);

/**
 * godwit_host_create_file:
 * @size: its apparent size; the file is a hole
 * @preallocate: allocate every byte
 * @token: (nullable): the job token to put on it
 *
 * Creates one file exclusively and syncs it and its directory. Fails with %GODWIT_ERROR_EXISTS
 * if something is there, unless it is a regular file with the same @token. Since: 0.1
 */
gboolean godwit_host_create_file (GodwitHost *self, const char *path, guint64 size,
                                  gboolean preallocate, guint32 mode, guint32 uid, guint32 gid,
                                  const char *token, GCancellable *cancellable, GError **error);

/**
 * godwit_host_write_file:
 * @contents: at most 1 MiB
 * @exclusive: fail with %GODWIT_ERROR_EXISTS if the file is there
 *
 * Writes a small file whole: into a temporary file, synced, then renamed. Since: 0.1
 */
gboolean godwit_host_write_file (GodwitHost *self, const char *path, GBytes *contents, guint32 mode,
                                 gboolean exclusive, GCancellable *cancellable, GError **error);

/**
 * godwit_host_read_file:
 * @offset: where to begin
 * @length: at most 1 MiB
 *
 * Returns: (transfer full) (nullable): up to @length bytes. Since: 0.1
 */
GBytes *godwit_host_read_file (GodwitHost *self, const char *path, guint64 offset, gsize length,
                               GCancellable *cancellable, GError **error);

/**
 * godwit_host_rename:
 *
 * Renames within one file system and syncs both directories. Never replaces: fails with
 * %GODWIT_ERROR_EXISTS if @to is there. If @from is absent and @to is there it fails with
 * %GODWIT_ERROR_NOT_FOUND; the caller looks with godwit_host_stat(). Since: 0.1
 */
gboolean godwit_host_rename (GodwitHost *self, const char *from, const char *to,
                             GCancellable *cancellable, GError **error);

/**
 * godwit_host_remove_owned:
 * @token: the job token that the object must carry
 *
 * Removes a file, or a directory that is empty. An absent object is success. Fails with
 * %GODWIT_ERROR_DENIED, touching nothing, if the object does not carry @token. Since: 0.1
 */
gboolean godwit_host_remove_owned (GodwitHost *self, const char *path, const char *token,
                                   GCancellable *cancellable, GError **error);

/**
 * godwit_host_remove_parked:
 * @token: the job token that the directory name and the token inside must match
 *
 * Removes a file or directory tree that godwit_host_park() made. Since: 0.1
 */
gboolean godwit_host_remove_parked (GodwitHost *self, const char *path, const char *token,
                                    GCancellable *cancellable, GError **error);

/**
 * godwit_host_set_token:
 * @token: (nullable): the job token; %NULL takes it off
 *
 * Puts a job's token on an existing object, or takes it off. Since: 0.1
 */
gboolean godwit_host_set_token (GodwitHost *self, const char *path, const char *token,
                                GCancellable *cancellable, GError **error);

/**
 * godwit_host_allocate:
 * @path: a regular file, which may be in use
 *
 * Allocates every hole of the file; what is in it stays as it is. Since: 0.1
 */
gboolean godwit_host_allocate (GodwitHost *self, const char *path, GCancellable *cancellable,
                               GError **error);

/**
 * godwit_host_set_owner:
 *
 * Sets owner, group and permission bits. Since: 0.1
 */
gboolean godwit_host_set_owner (GodwitHost *self, const char *path, guint32 uid, guint32 gid,
                                guint32 mode, GCancellable *cancellable, GError **error);

/**
 * godwit_host_free_space:
 * @path: a file or directory; the nearest existing parent counts
 * @free: (out): bytes that the agent's user may still write
 * @filesystem: (out): an id that is equal for paths on the same file system of that host
 *
 * Since: 0.1
 */
gboolean godwit_host_free_space (GodwitHost *self, const char *path, guint64 *free,
                                 guint64 *filesystem, GCancellable *cancellable, GError **error);

/* --- programs and processes ------------------------------------------------------------- */

/**
 * GodwitRunResult:
 * @status: exit status; 128 + signal number if it was killed
 * @output: standard output, at most 4 MiB
 * @errors: standard error, at most 64 KiB
 */
typedef struct {
  int status;
  char *output;
  char *errors;
} GodwitRunResult;

void godwit_run_result_free (GodwitRunResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitRunResult, godwit_run_result_free)

/**
 * godwit_host_run:
 * @argv: an allow-listed program by bare name, and its arguments; never a shell
 * @deadline: seconds; the program is killed after it
 *
 * Runs a program to its end. A non-zero exit is not an error here. Since: 0.1
 */
GodwitRunResult *godwit_host_run (GodwitHost *self, const char *const *argv, guint deadline,
                                  GCancellable *cancellable, GError **error);

/**
 * godwit_host_run_checked:
 *
 * Like godwit_host_run(), but a non-zero exit is an error that quotes what the program printed.
 *
 * Returns: (transfer full) (nullable): its standard output. Since: 0.1
 */
char *godwit_host_run_checked (GodwitHost *self, const char *const *argv, guint deadline,
                               GCancellable *cancellable, GError **error);

/**
 * GodwitProcess:
 *
 * A process on a host: a service that godwit started there and that ends with the agent, or a
 * foreign one that is only watched. Since: 0.1
 */
#define GODWIT_TYPE_PROCESS (godwit_process_get_type ())
G_DECLARE_FINAL_TYPE (GodwitProcess, godwit_process, GODWIT, PROCESS, GObject)

/**
 * godwit_host_start_service:
 * @argv: an allow-listed program and its arguments
 * @ready_path: (nullable): a socket or file that appears when it is ready
 *
 * Starts a program that serves until godwit_process_stop() or the agent's end, and waits up to
 * 10 s for @ready_path. Since: 0.1
 *
 * Returns: (transfer full) (nullable): the process
 */
GodwitProcess *godwit_host_start_service (GodwitHost *self, const char *const *argv,
                                          const char *ready_path, GCancellable *cancellable,
                                          GError **error);

/**
 * godwit_host_watch_process:
 * @pid_file: file that holds the process's id
 *
 * Opens a pidfd on a process that godwit did not start. It is never signalled. Since: 0.1
 *
 * Returns: (transfer full) (nullable): the process
 */
GodwitProcess *godwit_host_watch_process (GodwitHost *self, const char *pid_file,
                                          GCancellable *cancellable, GError **error);

/**
 * godwit_process_wait:
 * @timeout_ms: how long to wait; 0 only asks
 * @exited: (out): whether it has ended
 *
 * Returns at once when the process ends, about a round trip after it. Since: 0.1
 */
gboolean godwit_process_wait (GodwitProcess *self, guint timeout_ms, gboolean *exited,
                              GCancellable *cancellable, GError **error);

/**
 * godwit_process_stop:
 *
 * Ends a service that godwit started; stops watching a foreign process. Since: 0.1
 */
gboolean godwit_process_stop (GodwitProcess *self, GError **error);

/* --- sockets ---------------------------------------------------------------------------- */

/**
 * godwit_host_forward_socket:
 * @remote_path: a unix stream socket on that host that its configuration allows
 *
 * Makes a unix socket on the controller whose connections reach @remote_path on the host
 * through the job's own session. For a local host it is @remote_path itself. Valid until the
 * host object is disposed. Since: 0.1
 *
 * Returns: (transfer full) (nullable): path of the socket on the controller
 */
char *godwit_host_forward_socket (GodwitHost *self, const char *remote_path,
                                  GCancellable *cancellable, GError **error);

/**
 * godwit_host_make_job_directory:
 * @job_id: the job
 * @uid: who must be able to create sockets in it
 * @gid: group of it
 * @mode: permission bits
 *
 * Makes `/run/godwit/JOB` on the host (or the host's runtime directory). Since: 0.1
 *
 * Returns: (transfer full) (nullable): its path
 */
char *godwit_host_make_job_directory (GodwitHost *self, const char *job_id, guint32 uid,
                                      guint32 gid, guint32 mode, GCancellable *cancellable,
                                      GError **error);

/**
 * godwit_host_remove_job_directory:
 *
 * Removes the job's runtime directory with the sockets in it. Since: 0.1
 */
gboolean godwit_host_remove_job_directory (GodwitHost *self, const char *job_id,
                                           GCancellable *cancellable, GError **error);

/**
 * GodwitTunnel:
 *
 * A unix socket on one host whose connections come out as connections to a unix socket on
 * another host, over encrypted channels of the transport. It ends with the object: a
 * dead-man's switch for what runs through it. Since: 0.1
 */
#define GODWIT_TYPE_TUNNEL (godwit_tunnel_get_type ())
G_DECLARE_FINAL_TYPE (GodwitTunnel, godwit_tunnel, GODWIT, TUNNEL, GObject)

/**
 * godwit_tunnel_new:
 * @from: the host that listens
 * @from_path: the socket to make there, in the job's directory
 * @to: the host that connects
 * @to_path: the socket to connect to there; it may appear later
 *
 * Returns: (transfer full) (nullable): the tunnel. Since: 0.1
 */
GodwitTunnel *godwit_tunnel_new (GodwitHost *from, const char *from_path, GodwitHost *to,
                                 const char *to_path, GCancellable *cancellable, GError **error);

/**
 * GodwitTunnelOptions:
 * @tap: disks are mirrored through it over NBD: the destination's agent keeps digests of what is
 *   written, for a #GodwitVerify
 * @after: (nullable): path of a tapped tunnel's socket at the destination. Who connects here does
 *   so once those disks are in step; what comes through waits until they have been read
 * @rest: how many bytes of them may be left to read then
 *
 * Since: 0.1
 */
typedef struct {
  gboolean tap;
  const char *after;
  guint64 rest;
} GodwitTunnelOptions;

/**
 * godwit_tunnel_new_with:
 * @options: (nullable): what it is to do beside carrying bytes
 *
 * Like godwit_tunnel_new(). Since: 0.1
 *
 * Returns: (transfer full) (nullable): the tunnel
 */
GodwitTunnel *godwit_tunnel_new_with (GodwitHost *from, const char *from_path, GodwitHost *to,
                                      const char *to_path, const GodwitTunnelOptions *options,
                                      GCancellable *cancellable, GError **error);

/**
 * godwit_tunnel_is_relayed:
 *
 * Returns: %TRUE if the bytes pass through the controller. Since: 0.1
 */
gboolean godwit_tunnel_is_relayed (GodwitTunnel *self);

/**
 * godwit_tunnel_get_bytes:
 *
 * Returns: bytes carried so far in both directions, before encryption. Since: 0.1
 */
guint64 godwit_tunnel_get_bytes (GodwitTunnel *self);

/**
 * godwit_tunnel_dup_error:
 *
 * What runs through a tunnel only sees its connection end. This says why.
 *
 * Returns: (transfer full) (nullable): why the last connection that failed did; %NULL if none
 *   has. Since: 0.1
 */
char *godwit_tunnel_dup_error (GodwitTunnel *self);

/**
 * godwit_tunnel_close:
 *
 * Ends every connection in it within half a second. What runs through it fails. Since: 0.1
 */
void godwit_tunnel_close (GodwitTunnel *self);

/**
 * godwit_host_are_paired:
 *
 * Returns: %TRUE if @from can open a channel straight to @to. Otherwise bytes between them
 *   are relayed through the controller. Since: 0.1
 */
gboolean godwit_host_are_paired (GodwitHost *from, GodwitHost *to);

G_END_DECLS
