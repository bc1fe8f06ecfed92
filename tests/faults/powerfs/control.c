/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "powerfs.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A file that no listing shows. Written "cut", the power is off and everything fails; written
 * "stop", it is off and nothing is answered, so that programs that are about to be killed as well
 * do not live to see an error. Written "bad-reads" or "bad-writes", the medium fails so and the
 * power stays on, until "good" is written. Written "sync", everything is durable. Read, it tells
 * how much would be lost. */

void
control_status (struct stat *status)
{
  *status = (struct stat){.st_ino = CONTROL_INO, .st_mode = S_IFREG | 0600, .st_nlink = 1};
}

void
control_read (fuse_req_t req, size_t size, off_t offset)
{
  GHashTableIter iter;
  gpointer value;
  guint files = 0;
  guint names = 0;
  g_hash_table_iter_init (&iter, fs.nodes);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Node *node = value;
    files += node->written->len > 0 || node->reserved->len > 0 || node->resized;
    names += node->names != NULL ? g_hash_table_size (node->names) : 0;
  }
  g_autofree char *text = g_strdup_printf ("files %u\nnames %u\n", files, names);
  gsize length = strlen (text);
  gsize start = MIN ((gsize)offset, length);
  fuse_reply_buf (req, text + start, MIN (size, length - start));
}

static gpointer
run_forget (gpointer data)
{
  g_autoptr (GArray) inodes = data;
  for (guint i = 0; i < inodes->len; i++)
    fuse_lowlevel_notify_inval_inode (fs.session, g_array_index (inodes, fuse_ino_t, i), 0, 0);
  return NULL;
}

/* Else the kernel would go on to answer from its memory. In a thread: it may wait for a read that
 * is ours to answer. */
static void
forget_contents (void)
{
  GHashTableIter iter;
  gpointer value;
  GArray *inodes = g_array_new (FALSE, FALSE, sizeof (fuse_ino_t));
  g_hash_table_iter_init (&iter, fs.nodes);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    fuse_ino_t ino = node_to_ino (value);
    if (((Node *)value)->type == S_IFREG)
      g_array_append_val (inodes, ino);
  }
  g_thread_unref (g_thread_new ("powerfs-forget", run_forget, inodes));
}

static gboolean
control_medium (const char *word)
{
  if (g_str_equal (word, "good"))
    fs.bad_reads = fs.bad_writes = FALSE;
  else if (g_str_equal (word, "bad-reads"))
    fs.bad_reads = TRUE;
  else if (g_str_equal (word, "bad-writes"))
    fs.bad_writes = TRUE;
  else
    return FALSE;
  return TRUE;
}

void
control_write (fuse_req_t req, const char *data, size_t size)
{
  g_autofree char *word = g_strstrip (g_strndup (data, size));
  if (control_medium (word)) {
    forget_contents ();
  } else if (g_str_equal (word, "sync")) {
    twin_sync_all ();
  } else if (g_str_equal (word, "cut") || g_str_equal (word, "stop")) {
    /* What is below is touched no more, though programs may keep files open for ever. */
    fs.cut = TRUE;
    fs.stopped = word[0] == 's';
    close (fs.lock);
  } else {
    fuse_reply_err (req, EINVAL);
    return;
  }
  fuse_reply_write (req, size);
}
