/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transfer/engine.h"
#include "transfer/frame.h"
#include "transfer/image.h"

#include <godwit/error.h>

typedef struct {
  GodwitAgent *agent;
  char *path;
  gboolean nbd;
  guint64 size, done; /* atomic */
} Digest;

static void
digest_free (gpointer data)
{
  Digest *self = data;
  g_free (self->path);
  g_free (self);
}

static GVariant *
describe_digest (gpointer data)
{
  Digest *self = data;
  GVariantDict dict;
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "size", "t", __atomic_load_n (&self->size, __ATOMIC_RELAXED));
  g_variant_dict_insert (&dict, "done", "t", __atomic_load_n (&self->done, __ATOMIC_RELAXED));
  return g_variant_dict_end (&dict);
}

/* Adds the bytes from @start to @end: the image's, or zeroes without reading anything. */
static gboolean
add_range (Digest *self, GodwitImage *image, GodwitHash *hash, guint8 *buffer, guint64 start,
           guint64 end, GCancellable *cancellable, GError **error)
{
  static const guint8 zeroes[GODWIT_BLOCK_SIZE];
  for (guint64 at = start; at < end;) {
    gsize length = MIN (GODWIT_BLOCK_SIZE, end - at);
    if (g_cancellable_is_cancelled (cancellable)) {
      godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "hashing %s was cancelled",
                        self->path);
      return FALSE;
    }
    if (buffer != NULL && !godwit_image_read (image, buffer, at, length, error))
      return FALSE;
    godwit_hash_add (hash, buffer != NULL ? buffer : zeroes, length);
    at += length;
    __atomic_store_n (&self->done, at, __ATOMIC_RELAXED);
  }
  return TRUE;
}

static gboolean
add_image (Digest *self, GodwitImage *image, GodwitHash *hash, GCancellable *cancellable,
           GError **error)
{
  g_autofree guint8 *buffer = g_malloc (GODWIT_BLOCK_SIZE);
  guint64 start, end;
  for (guint64 at = 0; at < image->size; at = end) {
    if (!godwit_image_next_data (image, at, &start, &end, error) ||
        !add_range (self, image, hash, NULL, at, start, cancellable, error) ||
        !add_range (self, image, hash, buffer, start, end, cancellable, error))
      return FALSE;
  }
  return TRUE;
}

static GVariant *
run_digest (GodwitTask *task, gpointer data, GError **error)
{
  Digest *self = data;
  GCancellable *cancellable = godwit_task_get_cancellable (task);
  GodwitImageOptions options = {.path = self->path, .nbd = self->nbd};
  g_autoptr (GodwitImage) image =
      godwit_image_open (self->agent->policy, &options, cancellable, error);
  if (image == NULL)
    return NULL;
  g_autoptr (GodwitHash) hash = godwit_hash_new ();
  __atomic_store_n (&self->size, image->size, __ATOMIC_RELAXED);
  if (!add_image (self, image, hash, cancellable, error))
    return NULL;
  guint8 result[GODWIT_HASH_SIZE];
  godwit_hash_finish (hash, result);
  g_autoptr (GString) text = g_string_new (NULL);
  for (gsize i = 0; i < sizeof result; i++)
    g_string_append_printf (text, "%02x", result[i]);
  GVariantDict dict;
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "digest", "s", text->str);
  return g_variant_dict_end (&dict);
}

guint
godwit_agent_start_hash (GodwitAgent *self, GVariant *options, GError **error)
{
  static const GodwitTaskClass klass = {.run = run_digest,
                                        .describe = describe_digest,
                                        .free_data = digest_free};
  Digest *digest = g_new0 (Digest, 1);
  digest->agent = self;
  if (!g_variant_lookup (options, "path", "s", &digest->path))
    digest->path = g_strdup ("");
  g_variant_lookup (options, "nbd", "b", &digest->nbd);
  return godwit_tasks_start (self->tasks, &klass, digest, NULL);
}
