/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transfer/frame.h"

#include "channel/fd.h"

#include <openssl/evp.h>

#include <string.h>

#define HEAD_SIZE (1 + 8 + 8 + 4 + GODWIT_HASH_SIZE)
/* Nothing moves for so long only where the way is cut. */
#define STALL_MS 120000

gboolean
godwit_frame_write (int fd, const GodwitFrame *frame, const void *body, GCancellable *cancellable,
                    GError **error)
{
  guint8 head[HEAD_SIZE];
  guint64 number = GUINT64_TO_BE (frame->number);
  guint64 second = GUINT64_TO_BE (frame->second);
  guint32 length = GUINT32_TO_BE (frame->length);
  head[0] = (guint8)frame->type;
  memcpy (head + 1, &number, 8);
  memcpy (head + 9, &second, 8);
  memcpy (head + 17, &length, 4);
  memcpy (head + 21, frame->hash, GODWIT_HASH_SIZE);
  gint64 deadline = godwit_deadline_in_ms (STALL_MS);
  return godwit_fd_write_all (fd, head, sizeof head, deadline, cancellable, error) &&
         godwit_fd_write_all (fd, body, frame->length, deadline, cancellable, error);
}

gboolean
godwit_frame_read (int fd, GodwitFrame *frame, GCancellable *cancellable, GError **error)
{
  guint8 head[HEAD_SIZE];
  /* No deadline here: the other side may have a long hole to look through. A cut way ends the
   * channel's process, and the writing side has a deadline. */
  if (!godwit_fd_read_all (fd, head, sizeof head, -1, cancellable, error))
    return FALSE;
  guint64 number, second;
  guint32 length;
  memcpy (&number, head + 1, 8);
  memcpy (&second, head + 9, 8);
  memcpy (&length, head + 17, 4);
  frame->type = head[0];
  frame->number = GUINT64_FROM_BE (number);
  frame->second = GUINT64_FROM_BE (second);
  frame->length = GUINT32_FROM_BE (length);
  memcpy (frame->hash, head + 21, GODWIT_HASH_SIZE);
  return TRUE;
}

/* --- hashes --------------------------------------------------------------------------------- */

struct _GodwitHash {
  EVP_MD_CTX *context;
};

/* Fetching the algorithm by name for each block would cost more than hashing a small one. */
static const EVP_MD *
get_sha256 (void)
{
  static EVP_MD *md;
  if (g_once_init_enter (&md))
    g_once_init_leave (&md, EVP_MD_fetch (NULL, "SHA256", NULL));
  return md;
}

void
godwit_hash_block (const void *data, gsize length, guint8 hash[GODWIT_HASH_SIZE])
{
  EVP_Digest (data, length, hash, NULL, get_sha256 (), NULL);
}

GodwitHash *
godwit_hash_new (void)
{
  GodwitHash *self = g_new0 (GodwitHash, 1);
  self->context = EVP_MD_CTX_new ();
  EVP_DigestInit_ex (self->context, get_sha256 (), NULL);
  return self;
}

void
godwit_hash_add (GodwitHash *self, const void *data, gsize length)
{
  EVP_DigestUpdate (self->context, data, length);
}

void
godwit_hash_add_block (GodwitHash *self, const GodwitFrame *block)
{
  guint64 offset = GUINT64_TO_BE (block->number);
  guint32 length = GUINT32_TO_BE (block->length);
  godwit_hash_add (self, &offset, sizeof offset);
  godwit_hash_add (self, &length, sizeof length);
  godwit_hash_add (self, block->hash, GODWIT_HASH_SIZE);
}

void
godwit_hash_finish (GodwitHash *self, guint8 hash[GODWIT_HASH_SIZE])
{
  EVP_DigestFinal_ex (self->context, hash, NULL);
}

void
godwit_hash_free (GodwitHash *self)
{
  if (self == NULL)
    return;
  EVP_MD_CTX_free (self->context);
  g_free (self);
}

gboolean
godwit_is_zero (const void *data, gsize length)
{
  const char *bytes = data;
  /* Data seldom begins with zeroes, and where it does memcmp() is the fastest loop there is. */
  gsize head = MIN (length, 16);
  for (gsize i = 0; i < head; i++)
    if (bytes[i] != 0)
      return FALSE;
  return length <= 16 || memcmp (bytes, bytes + 16, length - 16) == 0;
}
