/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tap makes of NBD connections: whole ones, cut ones, hostile ones. */
#include "verify/tap.h"

#include <string.h>

#define KIB  1024u
#define DISK (4u * 64 * KIB + 1000)

/* --- both directions of a connection, in the order in which they were said ---------------------
 */

typedef struct {
  gboolean from_server;
  GByteArray *bytes;
} Part;

typedef struct {
  GPtrArray *parts;
  guint64 cookie;
} Talk;

static void
part_free (gpointer data)
{
  Part *part = data;
  g_byte_array_unref (part->bytes);
  g_free (part);
}

static Talk
talk_new (void)
{
  return (Talk){.parts = g_ptr_array_new_with_free_func (part_free)};
}

static void
talk_clear (Talk *talk)
{
  g_ptr_array_unref (talk->parts);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Talk, talk_clear)

static void
say (Talk *talk, gboolean from_server, const void *data, gsize length)
{
  Part *part = talk->parts->len > 0 ? g_ptr_array_index (talk->parts, talk->parts->len - 1) : NULL;

  if (part == NULL || part->from_server != from_server) {
    part = g_new0 (Part, 1);
    part->from_server = from_server;
    part->bytes = g_byte_array_new ();
    g_ptr_array_add (talk->parts, part);
  }
  g_byte_array_append (part->bytes, data, length);
}

/* Numbers: "8:" and so on say how many bytes each takes. */
static void
say_numbers (Talk *talk, gboolean from_server, const char *sizes, ...)
{
  va_list arguments;

  va_start (arguments, sizes);
  for (; *sizes != '\0'; sizes++) {
    guint size = (guint)(*sizes - '0');
    guint64 value = va_arg (arguments, guint64);
    guint8 bytes[8];
    for (guint i = 0; i < size; i++)
      bytes[i] = (guint8)(value >> (8 * (size - 1 - i)));
    say (talk, from_server, bytes, size);
  }
  va_end (arguments);
}

#define U64(x)     ((guint64)(x))
#define IHAVEOPT   G_GUINT64_CONSTANT (0x49484156454f5054)
#define OPT_REPLY  G_GUINT64_CONSTANT (0x0003e889045565a9)
#define SIMPLE     U64 (0x67446698)
#define STRUCTURED U64 (0x668e33ef)

static void
say_greeting (Talk *talk)
{
  say_numbers (talk, TRUE, "882", G_GUINT64_CONSTANT (0x4e42444d41474943), IHAVEOPT, U64 (3));
  say_numbers (talk, FALSE, "4", U64 (3));
}

static void
say_option (Talk *talk, guint option, const void *data, gsize length)
{
  say_numbers (talk, FALSE, "844", IHAVEOPT, U64 (option), U64 (length));
  say (talk, FALSE, data, length);
}

static void
say_structured (Talk *talk)
{
  say_option (talk, 8, "", 0);
  say_numbers (talk, TRUE, "8444", OPT_REPLY, U64 (8), U64 (1), U64 (0));
}

static void
say_go (Talk *talk, const char *name, guint64 size)
{
  gsize length = strlen (name);

  say_numbers (talk, FALSE, "8444", IHAVEOPT, U64 (7), U64 (length + 6), U64 (length));
  say (talk, FALSE, name, length);
  say_numbers (talk, FALSE, "2", U64 (0));
  say_numbers (talk, TRUE, "8444282", OPT_REPLY, U64 (7), U64 (3), U64 (12), U64 (0), size,
               U64 (0x1ed));
  say_numbers (talk, TRUE, "8444", OPT_REPLY, U64 (7), U64 (1), U64 (0));
}

static guint64
say_request (Talk *talk, guint type, guint64 offset, guint32 length)
{
  say_numbers (talk, FALSE, "422884", U64 (0x25609513), U64 (0), U64 (type), ++talk->cookie, offset,
               U64 (length));
  return talk->cookie;
}

static void
say_reply (Talk *talk, guint64 cookie, guint error)
{
  say_numbers (talk, TRUE, "448", SIMPLE, U64 (error), cookie);
}

static void
say_chunk (Talk *talk, guint flags, guint type, guint64 cookie, gsize length)
{
  g_autofree guint8 *body = g_malloc0 (length + 1);
  say_numbers (talk, TRUE, "42284", STRUCTURED, U64 (flags), U64 (type), cookie, U64 (length));
  say (talk, TRUE, body, length);
}

static guint64
say_write (Talk *talk, guint64 offset, const guint8 *data, gsize length)
{
  guint64 cookie = say_request (talk, 1, offset, length);
  say (talk, FALSE, data, length);
  return cookie;
}

/* Tells a tap all of it, in pieces of @piece bytes. */
static void
feed (Talk *talk, GodwitTapStream *stream, gsize piece)
{
  for (guint i = 0; i < talk->parts->len; i++) {
    const Part *part = g_ptr_array_index (talk->parts, i);
    for (gsize at = 0; at < part->bytes->len; at += piece)
      godwit_tap_stream_feed (stream, part->from_server, part->bytes->data + at,
                              MIN (piece, part->bytes->len - at));
  }
}

/* --- what is expected ----------------------------------------------------------------------------
 */

static guint8 *
pattern (gsize length, guint seed)
{
  guint8 *data = g_malloc (length);
  for (gsize i = 0; i < length; i++)
    data[i] = (guint8)((i * 31 + seed) ^ (i >> 8));
  return data;
}

/* For each block its digest in hex, "-" untouched, "?" cannot be told. */
static char *
list (GodwitBlocks *blocks)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint64 count = (godwit_blocks_get_size (blocks) + GODWIT_TAP_BLOCK - 1) / GODWIT_TAP_BLOCK;

  for (guint64 i = 0; i < count; i++) {
    guint64 from = i;
    GodwitRun run;
    g_string_append (text, i > 0 ? " " : "");
    if (godwit_blocks_next (blocks, &from, 0, FALSE, &run) && run.index == i)
      g_string_append_printf (text, "%" G_GINT64_MODIFIER "x", run.digests[0]);
    else if (from = i, godwit_blocks_next (blocks, &from, 0, TRUE, &run) && run.index == i)
      g_string_append (text, "-");
    else
      g_string_append (text, "?");
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
hex (const void *data, gsize length)
{
  return g_strdup_printf ("%" G_GINT64_MODIFIER "x", godwit_digest (data, length));
}

/* A mirror's connection: a whole block, zeroes, a run over three blocks, the short last block. */
static void
say_mirror (Talk *talk, gboolean structured, const guint8 *data)
{
  guint64 cookies[4];

  say_greeting (talk);
  if (structured)
    say_structured (talk);
  say_go (talk, "drive", DISK);
  cookies[0] = say_write (talk, 0, data, 64 * KIB);
  cookies[1] = say_request (talk, 6, 64 * KIB, 64 * KIB);
  cookies[2] = say_write (talk, 128 * KIB, data + 7, 128 * KIB);
  cookies[3] = say_write (talk, 256 * KIB, data, 1000);
  for (guint i = 4; i > 0; i--)
    if (structured && i % 2 == 0)
      say_chunk (talk, 1, 0, cookies[i - 1], 0);
    else
      say_reply (talk, cookies[i - 1], 0);
}

static char *
expect_mirror (const guint8 *data)
{
  g_autofree guint8 *zeroes = g_malloc0 (64 * KIB);
  g_autofree char *one = hex (data, 64 * KIB);
  g_autofree char *zero = hex (zeroes, 64 * KIB);
  g_autofree char *two = hex (data + 7, 64 * KIB);
  g_autofree char *three = hex (data + 7 + 64 * KIB, 64 * KIB);
  g_autofree char *last = hex (data, 1000);
  return g_strjoin (" ", one, zero, two, three, last, NULL);
}

static void
assert_mirror (Talk *talk, const guint8 *data, gsize piece)
{
  g_autoptr (GodwitTap) tap = godwit_tap_new ();
  g_autoptr (GodwitTapStream) stream = godwit_tap_stream_new (tap);
  g_autofree char *expected = expect_mirror (data);

  feed (talk, stream, piece);
  g_autofree char *off = godwit_tap_dup_off (tap);
  g_assert_cmpstr (off, ==, NULL);
  g_assert_nonnull (godwit_tap_find (tap, "drive"));
  g_autofree char *seen = list (godwit_tap_find (tap, "drive"));
  g_assert_cmpstr (seen, ==, expected);
}

static void
test_mirror (gconstpointer structured)
{
  static const gsize pieces[] = {G_MAXSIZE / 2, 65536, 65535, 4096, 1000, 29, 28, 27, 7, 3, 2, 1};
  g_autofree guint8 *data = pattern (200 * KIB, 1);
  g_auto (Talk) talk = talk_new ();

  say_mirror (&talk, GPOINTER_TO_INT (structured), data);
  for (gsize i = 0; i < G_N_ELEMENTS (pieces); i++)
    assert_mirror (&talk, data, pieces[i]);
}

/* Cut in two at each byte of everything that is not payload, and at some of the payload. */
static void
test_every_split (void)
{
  g_autofree guint8 *data = pattern (200 * KIB, 2);
  g_autofree char *expected = expect_mirror (data);
  g_auto (Talk) talk = talk_new ();

  say_mirror (&talk, TRUE, data);
  for (guint i = 0; i < talk.parts->len; i++) {
    const Part *cut = g_ptr_array_index (talk.parts, i);
    for (gsize at = 1; at<cut->bytes->len; at += at> 200 && at + 200 < cut->bytes->len ? 499 : 1) {
      g_autoptr (GodwitTap) tap = godwit_tap_new ();
      g_autoptr (GodwitTapStream) stream = godwit_tap_stream_new (tap);
      for (guint j = 0; j < talk.parts->len; j++) {
        const Part *part = g_ptr_array_index (talk.parts, j);
        gsize first = j == i ? at : part->bytes->len;
        godwit_tap_stream_feed (stream, part->from_server, part->bytes->data, first);
        godwit_tap_stream_feed (stream, part->from_server, part->bytes->data + first,
                                part->bytes->len - first);
      }
      g_autofree char *seen = list (godwit_tap_find (tap, "drive"));
      g_assert_cmpstr (seen, ==, expected);
    }
  }
}

static void
test_export_name (void)
{
  for (guint zeroes = 0; zeroes < 2; zeroes++) {
    g_autofree guint8 *data = pattern (64 * KIB, 3);
    g_autofree guint8 *nothing = g_malloc0 (124);
    g_autoptr (GodwitTap) tap = godwit_tap_new ();
    g_autoptr (GodwitTapStream) stream = godwit_tap_stream_new (tap);
    g_auto (Talk) talk = talk_new ();
    say_numbers (&talk, TRUE, "882", G_GUINT64_CONSTANT (0x4e42444d41474943), IHAVEOPT, U64 (3));
    say_numbers (&talk, FALSE, "4", U64 (zeroes ? 1 : 3));
    say_option (&talk, 3, "", 0);
    say_numbers (&talk, TRUE, "84444", OPT_REPLY, U64 (3), U64 (2), U64 (4), U64 (0));
    say_numbers (&talk, TRUE, "8444", OPT_REPLY, U64 (3), U64 (1), U64 (0));
    say_option (&talk, 1, "vd", 2);
    say_numbers (&talk, TRUE, "82", U64 (64 * KIB), U64 (1));
    say (&talk, TRUE, nothing, zeroes ? 124 : 0);
    say_reply (&talk, say_write (&talk, 0, data, 64 * KIB), 0);
    feed (&talk, stream, 5);
    g_autofree char *expected = hex (data, 64 * KIB);
    g_autofree char *seen = list (godwit_tap_find (tap, "vd"));
    g_assert_cmpstr (seen, ==, expected);
  }
}

/* --- what is not known ---------------------------------------------------------------------------
 */

typedef struct {
  const char *name;
  void (*talk) (Talk *talk, const guint8 *data);
  const char *expected; /* per block: 1 known, ? not, - untouched */
} Doubt;

static void
part_of_a_block (Talk *talk, const guint8 *data)
{
  say_reply (talk, say_write (talk, 0, data, 64 * KIB), 0);
  say_reply (talk, say_write (talk, 4096, data, 4096), 0);
}

static void
across_blocks (Talk *talk, const guint8 *data)
{
  say_reply (talk, say_write (talk, 32 * KIB, data, 128 * KIB), 0);
}

static void
part_of_zeroes (Talk *talk, const guint8 *data)
{
  say_reply (talk, say_request (talk, 6, 4096, 128 * KIB), 0);
}

static void
trimmed (Talk *talk, const guint8 *data)
{
  say_reply (talk, say_request (talk, 4, 64 * KIB, 64 * KIB), 0);
}

static void
refused (Talk *talk, const guint8 *data)
{
  say_reply (talk, say_write (talk, 0, data, 64 * KIB), 5);
  say_reply (talk, say_write (talk, 64 * KIB, data, 64 * KIB), 0);
}

static void
refused_then_written (Talk *talk, const guint8 *data)
{
  say_reply (talk, say_request (talk, 6, 0, 64 * KIB), 95);
  say_reply (talk, say_write (talk, 0, data, 64 * KIB), 0);
}

static void
refused_by_chunk (Talk *talk, const guint8 *data)
{
  guint64 cookie = say_write (talk, 0, data, 64 * KIB);
  say_chunk (talk, 0, 0x8001, cookie, 10);
  say_chunk (talk, 1, 0, cookie, 0);
}

/* Nobody knows which of two writes at once is the last. */
static void
two_at_once (Talk *talk, const guint8 *data)
{
  guint64 one = say_write (talk, 0, data, 64 * KIB);
  guint64 two = say_write (talk, 0, data + 1, 64 * KIB);
  say_reply (talk, one, 0);
  say_reply (talk, two, 0);
}

static void
not_answered (Talk *talk, const guint8 *data)
{
  say_write (talk, 0, data, 64 * KIB);
}

static void
beyond_the_end (Talk *talk, const guint8 *data)
{
  say_reply (talk, say_write (talk, 256 * KIB, data, 64 * KIB), 22);
  say_reply (talk, say_request (talk, 6, G_MAXUINT64 - 4096, 65536), 22);
  say_reply (talk, say_write (talk, 0, data, 64 * KIB), 0);
}

static void
other_commands (Talk *talk, const guint8 *data)
{
  guint64 cookie = say_request (talk, 0, 0, 8192);
  say_chunk (talk, 0, 1, cookie, 4096 + 8);
  say_chunk (talk, 1, 2, cookie, 12);
  say_reply (talk, say_request (talk, 3, 0, 0), 0);
  cookie = say_request (talk, 7, 0, 65536);
  say_chunk (talk, 1, 5, cookie, 12);
  say_reply (talk, say_request (talk, 5, 0, 65536), 0);
  say_reply (talk, say_write (talk, 0, data, 64 * KIB), 0);
  say_request (talk, 2, 0, 0);
}

static const Doubt doubts[] = {
    {"part-of-a-block", part_of_a_block, "? - - - -"},
    {"across-blocks", across_blocks, "? 1 ? - -"},
    {"part-of-zeroes", part_of_zeroes, "? 1 ? - -"},
    {"trimmed", trimmed, "- ? - - -"},
    {"refused", refused, "? 1 - - -"},
    {"refused-then-written", refused_then_written, "1 - - - -"},
    {"refused-by-chunk", refused_by_chunk, "? - - - -"},
    {"two-at-once", two_at_once, "? - - - -"},
    {"not-answered", not_answered, "? - - - -"},
    {"beyond-the-end", beyond_the_end, "1 - - - -"},
    {"other-commands", other_commands, "1 - - - -"},
};

static void
test_doubt (gconstpointer user_data)
{
  const Doubt *doubt = user_data;
  g_autofree guint8 *data = pattern (300 * KIB, 4);
  g_autoptr (GodwitTap) tap = godwit_tap_new ();
  GodwitTapStream *stream = godwit_tap_stream_new (tap);
  g_auto (Talk) talk = talk_new ();

  say_greeting (&talk);
  say_structured (&talk);
  say_go (&talk, "drive", DISK);
  doubt->talk (&talk, data);
  feed (&talk, stream, 1000);
  godwit_tap_stream_free (stream);
  g_autofree char *off = godwit_tap_dup_off (tap);
  g_assert_cmpstr (off, ==, NULL);
  g_autofree char *seen = list (godwit_tap_find (tap, "drive"));
  g_autoptr (GRegex) digest = g_regex_new ("[0-9a-f]{2,}", 0, 0, NULL);
  g_autofree char *short_list = g_regex_replace (digest, seen, -1, 0, "1", 0, NULL);
  g_assert_cmpstr (short_list, ==, doubt->expected);
}

/* --- hostile
 * --------------------------------------------------------------------------------------- */

typedef struct {
  const char *name;
  void (*talk) (Talk *talk);
  const char *off;
} Hostile;

static void
begin (Talk *talk)
{
  say_greeting (talk);
  say_go (talk, "drive", DISK);
}

static void
old_style (Talk *talk)
{
  say_numbers (talk, TRUE, "8882", G_GUINT64_CONSTANT (0x4e42444d41474943),
               G_GUINT64_CONSTANT (0x00420281861253), U64 (DISK), U64 (0));
}

static void
encrypted (Talk *talk)
{
  say_greeting (talk);
  say_option (talk, 5, "", 0);
  say_numbers (talk, TRUE, "8444", OPT_REPLY, U64 (5), U64 (1), U64 (0));
}

static void
extended (Talk *talk)
{
  say_greeting (talk);
  say_option (talk, 11, "", 0);
  say_numbers (talk, TRUE, "8444", OPT_REPLY, U64 (11), U64 (1), U64 (0));
}

static void
huge_name (Talk *talk)
{
  say_greeting (talk);
  say_numbers (talk, FALSE, "844", IHAVEOPT, U64 (7), U64 (G_MAXUINT32));
}

static void
lying_name (Talk *talk)
{
  say_greeting (talk);
  say_numbers (talk, FALSE, "84444", IHAVEOPT, U64 (7), U64 (8), U64 (4000), U64 (0));
}

static void
nul_in_name (Talk *talk)
{
  say_greeting (talk);
  say_option (talk, 1, "vda\0vdb", 7);
}

static void
huge_disk (Talk *talk)
{
  say_greeting (talk);
  say_go (talk, "drive", G_MAXUINT64);
}

static void
unasked_answer (Talk *talk)
{
  say_greeting (talk);
  say_numbers (talk, TRUE, "8444", OPT_REPLY, U64 (7), U64 (1), U64 (0));
}

static void
wrong_request (Talk *talk)
{
  begin (talk);
  say (talk, FALSE, "this is not a request of NBD at all", 35);
}

static void
new_command (Talk *talk)
{
  begin (talk);
  say_request (talk, 99, 0, 0);
}

static void
wrong_reply (Talk *talk)
{
  begin (talk);
  say_reply (talk, 4711, 0);
}

static void
unagreed_chunk (Talk *talk)
{
  begin (talk);
  say_chunk (talk, 1, 0, say_request (talk, 3, 0, 0), 0);
}

static void
same_cookie (Talk *talk)
{
  begin (talk);
  say_request (talk, 3, 0, 0);
  talk->cookie--;
  say_request (talk, 3, 0, 0);
}

static void
too_many (Talk *talk)
{
  begin (talk);
  for (guint i = 0; i < 70000; i++)
    say_request (talk, 3, 0, 0);
}

static void
too_long (Talk *talk)
{
  begin (talk);
  say_request (talk, 1, 0, G_MAXUINT32);
}

static void
two_exports (Talk *talk)
{
  say_greeting (talk);
  for (guint i = 0; i < 2; i++)
    say_option (talk, 7, "\0\0\0\1x\0\0", 7);
  say_numbers (talk, TRUE, "8444282", OPT_REPLY, U64 (7), U64 (3), U64 (12), U64 (0), U64 (DISK),
               U64 (1));
  say_numbers (talk, TRUE, "8444", OPT_REPLY, U64 (7), U64 (1), U64 (0));
}

static const Hostile hostiles[] = {
    {"old-style", old_style, "the server does not greet as NBD does"},
    {"encrypted", encrypted, "option 5 was agreed on, which is not understood"},
    {"extended", extended, "option 11 was agreed on, which is not understood"},
    {"huge-name", huge_name, "an export was asked for by a name of 4294967295 bytes"},
    {"lying-name", lying_name, "an export was asked for in a way that is not understood"},
    {"nul-in-name", nul_in_name, "the name of an export has a NUL in it"},
    {"huge-disk", huge_disk,
     "export drive of 18446744073709551615 bytes is too big to keep track of"},
    {"unasked-answer", unasked_answer, "the server does not negotiate as NBD does"},
    {"wrong-request", wrong_request, "the client sent a request that is not understood"},
    {"new-command", new_command, "the client sent a request that is not understood"},
    {"wrong-reply", wrong_reply, "the server answered what nobody asked"},
    {"unagreed-chunk", unagreed_chunk, "the server sent a reply that is not understood"},
    {"same-cookie", same_cookie, "the client sent requests that cannot be told apart"},
    {"too-many", too_many, "the client sent requests that cannot be told apart"},
    {"too-long", too_long, "a write of 4294967295 bytes is more than a server takes"},
    {"two-exports", two_exports, "the negotiation of an export ended out of turn"},
};

static void
test_hostile (gconstpointer user_data)
{
  const Hostile *hostile = user_data;
  g_autoptr (GodwitTap) tap = godwit_tap_new ();
  g_autoptr (GodwitTapStream) stream = godwit_tap_stream_new (tap);
  g_auto (Talk) talk = talk_new ();

  hostile->talk (&talk);
  feed (&talk, stream, 1000);
  g_autofree char *off = godwit_tap_dup_off (tap);
  g_assert_cmpstr (off, ==, hostile->off);
}

/* A connection with bytes exchanged, lost or put in. Nothing can be expected of it but that the
 * tap survives, which the sanitizers watch, and that it says so if it stops. */
static void
test_random (void)
{
  g_autofree guint8 *data = pattern (200 * KIB, 5);
  g_auto (Talk) whole = talk_new ();
  guint stopped = 0;

  say_mirror (&whole, TRUE, data);
  for (guint turn = 0; turn < 3000; turn++) {
    g_autoptr (GodwitTap) tap = godwit_tap_new ();
    g_autoptr (GodwitTapStream) stream = godwit_tap_stream_new (tap);
    guint victim = (guint)g_test_rand_int_range (0, (gint32)whole.parts->len);
    for (guint i = 0; i < whole.parts->len; i++) {
      const Part *part = g_ptr_array_index (whole.parts, i);
      g_autoptr (GByteArray) bytes = g_byte_array_new ();
      g_byte_array_append (bytes, part->bytes->data, part->bytes->len);
      guint at = (guint)g_test_rand_int_range (0, (gint32)MIN (bytes->len, 400));
      if (i == victim && turn % 3 == 0)
        bytes->data[at] ^= (guint8)(1 << g_test_rand_int_range (0, 8));
      else if (i == victim && turn % 3 == 1)
        g_byte_array_remove_index (bytes, at);
      else if (i == victim)
        g_byte_array_append (bytes, data, at);
      godwit_tap_stream_feed (stream, part->from_server, bytes->data, bytes->len);
    }
    g_autofree char *off = godwit_tap_dup_off (tap);
    stopped += off != NULL;
    /* A damaged size may be that of a disk of terabytes, which takes a while to list. */
    if (godwit_tap_find (tap, "drive") != NULL &&
        godwit_blocks_get_size (godwit_tap_find (tap, "drive")) < 1024 * KIB)
      g_free (list (godwit_tap_find (tap, "drive")));
  }
  g_test_message ("%u of 3000 damaged connections were given up", stopped);
  g_assert_cmpuint (stopped, >, 1000);
}

static void
test_noise (void)
{
  for (guint turn = 0; turn < 2000; turn++) {
    g_autoptr (GodwitTap) tap = godwit_tap_new ();
    g_autoptr (GodwitTapStream) stream = godwit_tap_stream_new (tap);
    g_auto (Talk) talk = talk_new ();
    guint8 noise[300];
    begin (&talk);
    for (gsize i = 0; i < sizeof noise; i++)
      noise[i] = (guint8)g_test_rand_int ();
    say (&talk, turn % 2 == 0, noise, sizeof noise);
    feed (&talk, stream, 1 + turn % 40);
    g_autofree char *off = godwit_tap_dup_off (tap);
    g_assert_nonnull (off);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/tap/mirror/simple", GINT_TO_POINTER (FALSE), test_mirror);
  g_test_add_data_func ("/tap/mirror/structured", GINT_TO_POINTER (TRUE), test_mirror);
  g_test_add_func ("/tap/mirror/every-split", test_every_split);
  g_test_add_func ("/tap/mirror/export-name", test_export_name);
  for (gsize i = 0; i < G_N_ELEMENTS (doubts); i++) {
    g_autofree char *path = g_strdup_printf ("/tap/doubt/%s", doubts[i].name);
    g_test_add_data_func (path, &doubts[i], test_doubt);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (hostiles); i++) {
    g_autofree char *path = g_strdup_printf ("/tap/hostile/%s", hostiles[i].name);
    g_test_add_data_func (path, &hostiles[i], test_hostile);
  }
  g_test_add_func ("/tap/random", test_random);
  g_test_add_func ("/tap/noise", test_noise);
  return g_test_run ();
}
