/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "verify/tap.h"

#include <string.h>

/* The fixed newstyle negotiation, as far as it decides what follows. */

#define MAGIC_GREETING     G_GUINT64_CONSTANT (0x4e42444d41474943) /* NBDMAGIC */
#define MAGIC_OPTION       G_GUINT64_CONSTANT (0x49484156454f5054) /* IHAVEOPT */
#define MAGIC_OPTION_REPLY G_GUINT64_CONSTANT (0x0003e889045565a9)

#define SERVER_FIXED_NEWSTYLE 0x1u
#define SERVER_NO_ZEROES      0x2u
#define CLIENT_NO_ZEROES      0x2u

#define OPTION_EXPORT_NAME      1u
#define OPTION_ABORT            2u
#define OPTION_LIST             3u
#define OPTION_INFO             6u
#define OPTION_GO               7u
#define OPTION_STRUCTURED_REPLY 8u
#define OPTION_LIST_META        9u
#define OPTION_SET_META         10u

#define REPLY_ACK   1u
#define REPLY_INFO  3u
#define REPLY_ERROR 0x80000000u
#define INFO_EXPORT 0u

#define NAME_MAX_LENGTH    4096u
#define EXPORT_HEAD        10u
#define EXPORT_HEAD_ZEROES 124u

static void on_option (GodwitTapStream *self, const guint8 *head, gsize length);
static void on_option_reply (GodwitTapStream *self, const guint8 *head, gsize length);

static void
enter_transmission (GodwitTapStream *self)
{
  if (self->options_open > 0 || self->client.have > 0 || self->client.body > 0 ||
      self->name == NULL || !self->sized) {
    godwit_tap_stop (self, "the negotiation of an export ended out of turn");
    return;
  }
  self->blocks = godwit_tap_open_export (self, self->name, self->size);
  if (self->blocks != NULL)
    godwit_tap_transmit (self);
}

/* --- what the client asks for ----------------------------------------------------------------- */

static void
set_name (GodwitTapStream *self, const guint8 *text, gsize length)
{
  g_free (self->name);
  self->name = g_strndup ((const char *)text, length);
  self->sized = FALSE;
  /* A name with a NUL would be two names for one. */
  if (strlen (self->name) != length)
    godwit_tap_stop (self, "the name of an export has a NUL in it");
}

static void
on_export (GodwitTapStream *self, const guint8 *head, gsize length)
{
  self->size = godwit_tap_u64 (head);
  self->sized = TRUE;
  enter_transmission (self);
}

/* It is answered without a header, and nothing may be open that would come in between. */
static void
take_export_name (GodwitTapStream *self, const guint8 *data, gsize length)
{
  set_name (self, data, length);
  if (self->options_open != 0 || self->server.have > 0 || self->server.body > 0)
    godwit_tap_stop (self, "an export was asked for before other answers were there");
  godwit_tap_expect (&self->server, EXPORT_HEAD + (self->omit_zeroes ? 0 : EXPORT_HEAD_ZEROES),
                     on_export);
}

static void
take_go (GodwitTapStream *self, const guint8 *data, gsize length)
{
  guint32 name = length >= 6 ? godwit_tap_u32 (data) : G_MAXUINT32;
  if (name > NAME_MAX_LENGTH || name > length - 6) {
    godwit_tap_stop (self, "an export was asked for in a way that is not understood");
    return;
  }
  set_name (self, data + 4, name);
}

static void
on_option_data (GodwitTapStream *self, const guint8 *data, gsize length)
{
  godwit_tap_expect (&self->client, 16, on_option);
  if (self->option == OPTION_EXPORT_NAME)
    take_export_name (self, data, length);
  else
    take_go (self, data, length);
}

static void
on_option (GodwitTapStream *self, const guint8 *head, gsize length)
{
  guint32 size = godwit_tap_u32 (head + 12);

  self->option = godwit_tap_u32 (head + 8);
  if (godwit_tap_u64 (head) != MAGIC_OPTION) {
    godwit_tap_stop (self, "the client does not negotiate as NBD does");
    return;
  }
  if (self->option != OPTION_EXPORT_NAME)
    self->options_open++;
  if (self->option != OPTION_EXPORT_NAME && self->option != OPTION_GO) {
    self->client.body = size;
    return;
  }
  if (size > GODWIT_TAP_HEAD_MAX)
    godwit_tap_stop (self, "an export was asked for by a name of %u bytes", size);
  else if (size == 0)
    on_option_data (self, head, 0);
  else
    godwit_tap_expect (&self->client, size, on_option_data);
}

static void
on_client_flags (GodwitTapStream *self, const guint8 *head, gsize length)
{
  self->omit_zeroes = self->server_can_omit && (godwit_tap_u32 (head) & CLIENT_NO_ZEROES) != 0;
  godwit_tap_expect (&self->client, 16, on_option);
}

/* --- what the server answers ------------------------------------------------------------------ */

static void
on_info (GodwitTapStream *self, const guint8 *data, gsize length)
{
  godwit_tap_expect (&self->server, 20, on_option_reply);
  if (length < 12 || godwit_tap_u16 (data) != INFO_EXPORT)
    return;
  self->size = godwit_tap_u64 (data + 2);
  self->sized = TRUE;
}

static void
on_accepted (GodwitTapStream *self, guint32 option)
{
  switch (option) {
  case OPTION_GO:
    enter_transmission (self);
    break;
  case OPTION_STRUCTURED_REPLY:
    self->structured = TRUE;
    break;
  case OPTION_ABORT:
  case OPTION_LIST:
  case OPTION_INFO:
  case OPTION_LIST_META:
  case OPTION_SET_META:
    break;
  default:
    /* Encryption, other headers, or what was invented later: the rest cannot be read. */
    godwit_tap_stop (self, "option %u was agreed on, which is not understood", option);
  }
}

static void
on_option_reply (GodwitTapStream *self, const guint8 *head, gsize length)
{
  guint32 option = godwit_tap_u32 (head + 8);
  guint32 type = godwit_tap_u32 (head + 12);
  guint32 size = godwit_tap_u32 (head + 16);
  gboolean final = type == REPLY_ACK || (type & REPLY_ERROR) != 0;

  if (godwit_tap_u64 (head) != MAGIC_OPTION_REPLY || (final && self->options_open == 0)) {
    godwit_tap_stop (self, "the server does not negotiate as NBD does");
    return;
  }
  if (type == REPLY_INFO && option == OPTION_GO && size > 0 && size <= GODWIT_TAP_HEAD_MAX) {
    godwit_tap_expect (&self->server, size, on_info);
    return;
  }
  self->server.body = size;
  if (final)
    self->options_open--;
  if (type == REPLY_ACK && size > 0)
    godwit_tap_stop (self, "the server agrees with more words than there are");
  else if (type == REPLY_ACK)
    on_accepted (self, option);
}

static void
on_greeting (GodwitTapStream *self, const guint8 *head, gsize length)
{
  guint16 flags = godwit_tap_u16 (head + 16);

  if (godwit_tap_u64 (head) != MAGIC_GREETING || godwit_tap_u64 (head + 8) != MAGIC_OPTION ||
      (flags & SERVER_FIXED_NEWSTYLE) == 0) {
    godwit_tap_stop (self, "the server does not greet as NBD does");
    return;
  }
  self->server_can_omit = (flags & SERVER_NO_ZEROES) != 0;
  godwit_tap_expect (&self->server, 20, on_option_reply);
}

void
godwit_tap_begin (GodwitTapStream *self)
{
  godwit_tap_expect (&self->server, 18, on_greeting);
  godwit_tap_expect (&self->client, 4, on_client_flags);
}
