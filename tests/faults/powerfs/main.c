/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "powerfs.h"

#include <errno.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* A dead machine answers nothing but that it is dead. */
static void
refuse (struct fuse_session *session, const struct fuse_in_header *request)
{
  struct fuse_out_header reply = {.len = sizeof reply, .error = -EIO, .unique = request->unique};
  switch (request->opcode) {
  case FUSE_FORGET:
  case FUSE_BATCH_FORGET:
  case FUSE_INTERRUPT:
    return;
  case FUSE_DESTROY:
    fuse_session_exit (session);
    reply.error = 0;
    break;
  default:
    break;
  }
  if (write (fuse_session_fd (session), &reply, sizeof reply) < 0 && errno != ENOENT)
    fuse_session_exit (session);
}

/* One thread, so that nothing can wait for anything but the disk. */
static int
serve (struct fuse_session *session)
{
  struct fuse_buf buffer = {0};
  int n = 0;
  while (!fuse_session_exited (session)) {
    while (fs.stopped)
      pause ();
    n = fuse_session_receive_buf (session, &buffer);
    if (n == -EINTR)
      continue;
    if (n <= 0)
      break;
    if (fs.cut)
      refuse (session, buffer.mem);
    else
      fuse_session_process_buf (session, &buffer);
  }
  free (buffer.mem);
  return n < 0 ? 1 : 0;
}

static struct fuse_session *
start (const char *mountpoint)
{
  char *words[] = {"powerfs", "-oallow_other,default_permissions,fsname=powerfs,subtype=powerfs",
                   NULL};
  struct fuse_args args = FUSE_ARGS_INIT (2, words);
  struct fuse_session *session = fuse_session_new (&args, &powerfs_ops, sizeof powerfs_ops, NULL);
  if (session != NULL && fuse_session_mount (session, mountpoint) == 0) {
    fs.session = session;
    return session;
  }
  if (session != NULL)
    fuse_session_destroy (session);
  return NULL;
}

/* Each object takes two descriptors. */
static void
raise_limit (void)
{
  struct rlimit limit;
  if (getrlimit (RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit (RLIMIT_NOFILE, &limit);
  }
}

int
main (int argc, char **argv)
{
  if (argc != 3) {
    fprintf (stderr, "usage: powerfs BACKING MOUNTPOINT\n"
                     "Returns when it is mounted, and serves in the background.\n"
                     "BACKING/tree is what is durable.\n");
    return 2;
  }
  umask (0);
  raise_limit ();
  int number = populate (argv[1]);
  if (number != 0) {
    fprintf (stderr, "powerfs: %s: %s\n", argv[1], g_strerror (number));
    return 1;
  }
  struct fuse_session *session = start (argv[2]);
  if (session == NULL)
    return 1;
  /* Nobody waits for it, and a program that is gone must not end it. */
  if (fuse_daemonize (0) != 0)
    return 1;
  signal (SIGPIPE, SIG_IGN);
  int code = serve (session);
  /* Whoever unmounts in order has shut the machine down, which syncs. */
  if (!fs.cut && code == 0)
    twin_sync_all ();
  fuse_session_destroy (session);
  return code;
}
