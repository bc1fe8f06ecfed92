/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts-fixture.h"

#include <godwit/error.h>

#include <glib/gstdio.h>

#include <sys/stat.h>
#include <unistd.h>

#define TEST_TYPE_TRANSPORT (test_transport_get_type ())
G_DECLARE_FINAL_TYPE (TestTransport, test_transport, TEST, TRANSPORT, GObject)

struct _TestTransport {
  GObject parent_instance;
  GStrv prefix;
};

static GodwitTransportFlags
test_get_flags (GodwitTransport *transport)
{
  return GODWIT_TRANSPORT_AUTHENTICATED;
}

static GStrv
test_get_command (GodwitTransport *transport, GodwitRoute route, const char *session,
                  const char *const *remote, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  /* TEST_BARE: the words are the whole command, without an agent in front. */
  if (g_getenv ("TEST_BARE") == NULL)
    g_strv_builder_addv (builder, (const char **)TEST_TRANSPORT (transport)->prefix);
  g_strv_builder_addv (builder, (const char **)remote);
  return g_strv_builder_end (builder);
}

static void
test_explain (GodwitTransport *transport, int status, const char *printed, GError **error)
{
  if (status == 42)
    godwit_set_error (error, GODWIT_ERROR_DENIED, "pay the toll", "the bridge is closed (%s)",
                      printed);
  else
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, NULL, "status %d: %s", status, printed);
}

static void
test_transport_iface_init (GodwitTransportInterface *iface)
{
  iface->get_flags = test_get_flags;
  iface->get_command = test_get_command;
  iface->explain = test_explain;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (TestTransport, test_transport, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (GODWIT_TYPE_TRANSPORT,
                                                      test_transport_iface_init))

static void
test_transport_finalize (GObject *object)
{
  g_strfreev (TEST_TRANSPORT (object)->prefix);
  G_OBJECT_CLASS (test_transport_parent_class)->finalize (object);
}

static void
test_transport_class_init (TestTransportClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_transport_finalize;
}

static void
test_transport_init (TestTransport *self)
{
}

static char *
helper (void)
{
  g_assert_nonnull (g_getenv ("AGENT_HELPER"));
  return g_strdup (g_getenv ("AGENT_HELPER"));
}

/* env NAME=... HELPER: each host has directories of its own. */
static GStrv
make_prefix (Fixture *fixture, const char *name, const char *const *words)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *runtime = g_strdup_printf ("GODWIT_RUNTIME_DIR=%s/%s/run", fixture->root, name);
  g_autofree char *state = g_strdup_printf ("GODWIT_STATE_DIR=%s/%s/state", fixture->root, name);
  g_autofree char *config =
      g_strdup_printf ("GODWIT_CONFIG=%s/%s/etc/godwit.conf", fixture->root, name);
  g_autofree char *directories = g_strdup_printf ("TEST_DIRECTORIES=%s/data", fixture->root);
  g_autofree char *program = helper ();
  g_strv_builder_add_many (builder, "env", runtime, state, config, directories,
                           "TEST_PROGRAMS=cat;sleep;sh;printf;ls", program, NULL);
  for (gsize i = 0; words != NULL && words[i] != NULL; i++)
    g_strv_builder_add (builder, words[i]);
  return g_strv_builder_end (builder);
}

void
fixture_set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  fixture->root = g_dir_make_tmp ("godwit-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->session = g_build_filename (fixture->root, "session", NULL);
  g_assert_cmpint (g_mkdir (fixture->session, 0700), ==, 0);
  g_autofree char *allowed = g_build_filename (fixture->root, "data", NULL);
  g_assert_cmpint (g_mkdir (allowed, 0755), ==, 0);
}

static void
remove_all (const char *path)
{
  struct stat status;
  if (lstat (path, &status) == 0 && S_ISDIR (status.st_mode)) {
    g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
      g_autofree char *inner = g_build_filename (path, name, NULL);
      remove_all (inner);
    }
  }
  remove (path);
}

void
fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  remove_all (fixture->root);
  g_free (fixture->session);
  g_free (fixture->root);
}

GodwitTransport *
fixture_transport (Fixture *fixture, const char *name, const char *const *words)
{
  TestTransport *transport = g_object_new (TEST_TYPE_TRANSPORT, NULL);
  transport->prefix = make_prefix (fixture, name, words);
  return GODWIT_TRANSPORT (transport);
}

static const char *const agent_words[] = {"agent", "--stdio", NULL};

GodwitHost *
fixture_try_open (Fixture *fixture, const char *name, const char *const *words, GError **error)
{
  g_autoptr (GodwitTransport) transport = fixture_transport (fixture, name, words);
  GodwitHostOptions options = {.name = name,
                               .transport = transport,
                               .agent = agent_words,
                               .session = fixture->session};
  return godwit_host_open (&options, NULL, error);
}

GodwitHost *
fixture_open (Fixture *fixture, const char *name)
{
  g_autoptr (GError) error = NULL;
  GodwitHost *host = fixture_try_open (fixture, name, NULL, &error);
  g_assert_no_error (error);
  return host;
}

GodwitHost *
fixture_open_local (Fixture *fixture)
{
  /* Kept for the process: the library holds on to it. */
  static GStrv command;
  g_clear_pointer (&command, g_strfreev);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) prefix = make_prefix (fixture, "local", NULL);
  g_strv_builder_addv (builder, (const char **)prefix);
  g_strv_builder_addv (builder, (const char **)agent_words);
  command = g_strv_builder_end (builder);
  godwit_host_set_local_agent ((const char *const *)command);
  GodwitHostOptions options = {.name = "localhost", .session = fixture->session};
  g_autoptr (GError) error = NULL;
  GodwitHost *host = godwit_host_open (&options, NULL, &error);
  g_assert_no_error (error);
  return host;
}

char *
fixture_path (Fixture *fixture, const char *name)
{
  return g_build_filename (fixture->root, "data", name, NULL);
}

char *
fixture_make_file (Fixture *fixture, const char *name, const char *contents)
{
  char *path = fixture_path (fixture, name);
  g_autoptr (GError) error = NULL;
  g_file_set_contents (path, contents, -1, &error);
  g_assert_no_error (error);
  return path;
}

gboolean
fixture_is_there (const char *path)
{
  struct stat status;
  return lstat (path, &status) == 0;
}

void
fixture_pair (Fixture *fixture, const char *from, const char *to)
{
  g_autofree char *directory = g_build_filename (fixture->root, from, "etc", "pairs", NULL);
  g_autofree char *file = g_build_filename (directory, to, NULL);
  g_autoptr (GodwitTransport) transport = fixture_transport (fixture, to, NULL);
  g_auto (GStrv) command =
      godwit_transport_get_command (transport, GODWIT_ROUTE_PAIR, NULL, agent_words, NULL);
  g_autofree char *text = g_strjoinv ("\n", command);
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (g_mkdir_with_parents (directory, 0700), ==, 0);
  g_file_set_contents (file, text, -1, &error);
  g_assert_no_error (error);
}
