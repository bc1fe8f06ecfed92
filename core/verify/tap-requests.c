/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "verify/tap.h"

#include <xxhash.h>

#define MAGIC_REQUEST    0x25609513u
#define MAGIC_SIMPLE     0x67446698u
#define MAGIC_STRUCTURED 0x668e33efu

#define COMMAND_READ         0u
#define COMMAND_WRITE        1u
#define COMMAND_DISCONNECT   2u
#define COMMAND_FLUSH        3u
#define COMMAND_TRIM         4u
#define COMMAND_CACHE        5u
#define COMMAND_WRITE_ZEROES 6u
#define COMMAND_STATUS       7u

#define CHUNK_DONE  0x1u
#define CHUNK_ERROR 0x8000u

/* Servers refuse more than 32 MiB. */
#define PAYLOAD_MAX (64u << 20)
/* A mirror has some dozens on their way. */
#define PENDING_MAX 65536u

typedef struct {
  guint64 cookie;
  guint64 offset;
  guint32 length;
  guint16 type;
  gboolean changes; /* it was begun at the blocks and must be ended there */
  gboolean failed;
} Request;

static void on_request (GodwitTapStream *self, const guint8 *head, gsize length);
static void on_reply (GodwitTapStream *self, const guint8 *head, gsize length);

/* --- requests --------------------------------------------------------------------------------- */

/* A body that is left half sent leaves its last block open, which the end of the request turns
 * into an unknown one. */
void
godwit_tap_take_body (GodwitTapStream *self, const guint8 *data, gsize length)
{
  if (!self->writing)
    return;
  while (length > 0) {
    guint64 index = self->at / GODWIT_TAP_BLOCK;
    gsize within = self->at % GODWIT_TAP_BLOCK;
    gsize size = godwit_blocks_get_length (self->blocks, index);
    gsize part = MIN (size - within, length);
    if (within == 0) {
      XXH3_64bits_reset (self->hash);
      self->whole = TRUE;
    }
    if (part == size)
      godwit_blocks_set (self->blocks, index, godwit_digest (data, size));
    else if (self->whole)
      XXH3_64bits_update (self->hash, data, part);
    if (part < size && self->whole && within + part == size)
      godwit_blocks_set (self->blocks, index, XXH3_64bits_digest (self->hash));
    self->at += part;
    data += part;
    length -= part;
  }
}

/* What a request does to the blocks; the server refuses ranges beyond the end, so do we. */
static void
begin_change (GodwitTapStream *self, Request *request)
{
  guint64 size = godwit_blocks_get_size (self->blocks);

  if (request->length == 0 || request->offset >= size || request->length > size - request->offset)
    return;
  request->changes = TRUE;
  godwit_blocks_begin (self->blocks, request->offset, request->length);
  if (request->type == COMMAND_WRITE_ZEROES)
    godwit_blocks_set_zero (self->blocks, request->offset, request->length);
}

static void
take_write (GodwitTapStream *self, const Request *request)
{
  if (request->length > PAYLOAD_MAX) {
    godwit_tap_stop (self, "a write of %u bytes is more than a server takes", request->length);
    return;
  }
  self->client.body = request->length;
  self->writing = request->changes;
  self->whole = FALSE;
  self->at = request->offset;
}

static void
on_request (GodwitTapStream *self, const guint8 *head, gsize length)
{
  Request *request = g_new0 (Request, 1);
  request->type = godwit_tap_u16 (head + 6);
  request->cookie = godwit_tap_u64 (head + 8);
  request->offset = godwit_tap_u64 (head + 16);
  request->length = godwit_tap_u32 (head + 24);

  self->writing = FALSE;
  if (godwit_tap_u32 (head) != MAGIC_REQUEST || request->type > COMMAND_STATUS) {
    godwit_tap_stop (self, "the client sent a request that is not understood");
  } else if (g_hash_table_size (self->pending) >= PENDING_MAX ||
             g_hash_table_contains (self->pending, &request->cookie)) {
    godwit_tap_stop (self, "the client sent requests that cannot be told apart");
  } else if (request->type != COMMAND_DISCONNECT) {
    if (request->type == COMMAND_WRITE || request->type == COMMAND_TRIM ||
        request->type == COMMAND_WRITE_ZEROES)
      begin_change (self, request);
    if (request->type == COMMAND_WRITE)
      take_write (self, request);
    g_hash_table_insert (self->pending, &request->cookie, request);
    return;
  }
  g_free (request);
}

/* --- replies ---------------------------------------------------------------------------------- */

static void
end_change (GodwitTapStream *self, const Request *request, gboolean ok)
{
  if (request->changes)
    godwit_blocks_end (self->blocks, request->offset, request->length, ok && !request->failed);
}

static Request *
find_request (GodwitTapStream *self, const guint8 *cookie)
{
  guint64 key = godwit_tap_u64 (cookie);
  Request *request = g_hash_table_lookup (self->pending, &key);
  if (request == NULL)
    godwit_tap_stop (self, "the server answered what nobody asked");
  return request;
}

static void
on_simple (GodwitTapStream *self, const guint8 *head, gsize length)
{
  gboolean ok = godwit_tap_u32 (head + 4) == 0;
  Request *request = find_request (self, head + 8);

  godwit_tap_expect (&self->server, 4, on_reply);
  if (request == NULL)
    return;
  if (request->type == COMMAND_READ && ok && !self->structured)
    self->server.body = request->length;
  end_change (self, request, ok);
  g_hash_table_remove (self->pending, &request->cookie);
}

static void
on_structured (GodwitTapStream *self, const guint8 *head, gsize length)
{
  guint16 flags = godwit_tap_u16 (head + 4);
  guint16 type = godwit_tap_u16 (head + 6);
  Request *request = find_request (self, head + 8);

  godwit_tap_expect (&self->server, 4, on_reply);
  if (request == NULL)
    return;
  self->server.body = godwit_tap_u32 (head + 16);
  request->failed = request->failed || (type & CHUNK_ERROR) != 0;
  if ((flags & CHUNK_DONE) == 0)
    return;
  end_change (self, request, TRUE);
  g_hash_table_remove (self->pending, &request->cookie);
}

static void
on_reply (GodwitTapStream *self, const guint8 *head, gsize length)
{
  guint32 magic = godwit_tap_u32 (head);

  /* The rest of the head follows what is there already. */
  self->server.have = length;
  if (magic == MAGIC_SIMPLE)
    godwit_tap_expect (&self->server, 16, on_simple);
  else if (magic == MAGIC_STRUCTURED && self->structured)
    godwit_tap_expect (&self->server, 20, on_structured);
  else
    godwit_tap_stop (self, "the server sent a reply that is not understood");
}

/* --- the two ends of it ----------------------------------------------------------------------- */

void
godwit_tap_transmit (GodwitTapStream *self)
{
  self->pending = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  self->hash = XXH3_createState ();
  godwit_tap_expect (&self->client, 28, on_request);
  godwit_tap_expect (&self->server, 4, on_reply);
}

void
godwit_tap_drop_requests (GodwitTapStream *self)
{
  GHashTableIter iter;
  gpointer request;

  if (self->pending == NULL)
    return;
  g_hash_table_iter_init (&iter, self->pending);
  while (g_hash_table_iter_next (&iter, NULL, &request))
    end_change (self, request, FALSE);
  g_hash_table_remove_all (self->pending);
  XXH3_freeState (self->hash);
}
