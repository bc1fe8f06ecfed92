/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "registry/registry-private.h"
#include "toy-plugins.h"

#include <godwit/error.h>
#include <godwit/transport.h>

#include <string.h>
#include <sys/stat.h>

typedef struct {
  char *directory;
  GodwitRegistry *registry;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  fixture->directory = toy_make_directory ();
  fixture->registry = godwit_registry_new (fixture->directory, NULL, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_object (&fixture->registry);
  toy_remove_directory (fixture->directory);
  g_free (fixture->directory);
}

static void
assert_contains (const char *text, const char *part)
{
  if (text == NULL || strstr (text, part) == NULL)
    g_error ("\"%s\" does not contain \"%s\"", text, part);
}

/* Loading fails, and the error names the path, this reason and a remedy. */
static void
assert_refused (Fixture *fixture, const char *name, const char *reason)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (godwit_registry_load (fixture->registry, name, &error));
  g_assert_nonnull (error);
  g_assert_true (error->domain == GODWIT_ERROR);
  g_autofree char *path = g_strdup_printf ("%s/godwit-%s.so", fixture->directory, name);
  assert_contains (error->message, path);
  assert_contains (error->message, reason);
  const char *remedy = godwit_error_get_remedy (error);
  g_assert_nonnull (remedy);
  g_assert_cmpstr (remedy, !=, "");

  const GodwitPluginRecord *record = godwit_registry_find (fixture->registry, name);
  g_assert_nonnull (record);
  g_assert_false (record->usable);
  assert_contains (record->reason, reason);
  g_assert_nonnull (record->remedy);
}

/* --- one toy for each reason ---------------------------------------------------------------- */

typedef struct {
  const char *toy;
  const char *as;
  const char *reason;
} Refusal;

static const Refusal refusals[] = {
    {"badmagic", "badmagic", "its descriptor begins with 12345678"},
    {"shortinfo", "shortinfo", "its descriptor has 24 bytes"},
    {"badabi", "badabi", "it was built for plugin ABI 2, this godwit has 1"},
    {"newsdk", "newsdk", "it was built with SDK 0.1.1, newer than this godwit's 0.1.0"},
    {"othername", "othername", "it calls itself \"somebody-else\", its file says \"othername\""},
    {"good", "renamed", "it has no symbol godwit_plugin_renamed_query"},
    {"noplugin", "noplugin", "it has no symbol godwit_plugin_noplugin_query"},
    {"nolicense", "nolicense", "its descriptor has no license"},
    {"noslot", "noslot", "transport noslot has no get_command(), which is required"},
    {"silent", "silent", "register_types() failed and did not say why"},
    {"strangetype", "strangetype", "its type StrangeToy has a name that does not begin with"},
    {"undefined", "undefined", "undefined symbol: a_function_that_nobody_has"},
    {"needy", "needy", "libgodwit-toy-helper.so: cannot open shared object file"},
    {"crash", "crash", "it crashed while it was loaded (signal 6, Aborted); it printed: about to"},
    {"spin", "spin", "loading it used more than 0.1 s of processor time"},
    {"sleepy", "sleepy", "it did not finish loading within 0.1 s"},
    {"leaver", "leaver", "it ended the process that loaded it (exit status 0)"},
    {"liar", "liar", "it ended the process that loaded it (exit status 0)"},
};

static void
test_refusal (Fixture *fixture, gconstpointer data)
{
  const Refusal *refusal = data;
  guint wall_ms = g_str_equal (refusal->toy, "sleepy") ? 100 : 20000;
  godwit_probe_set_limits (g_str_equal (refusal->toy, "spin") ? 100 : 10000, wall_ms);
  g_autofree char *path = toy_install (fixture->directory, refusal->toy, refusal->as);
  assert_refused (fixture, refusal->as, refusal->reason);
}

/* --- the file ------------------------------------------------------------------------------- */

static void
test_writable_file (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = toy_install (fixture->directory, "rival", "rival");
  g_assert_cmpint (chmod (path, 0777), ==, 0);
  assert_refused (fixture, "rival", "has mode 0777: others than its owner may write to it");
}

static void
test_writable_directory (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = toy_install (fixture->directory, "rival", "rival");
  /* Not even a sticky directory is good enough directly above the file. */
  g_assert_cmpint (chmod (fixture->directory, 01777), ==, 0);
  assert_refused (fixture, "rival", "has mode 1777: others than its owner may write to it");

  g_autoptr (GError) error = NULL;
  GodwitRegistry *registry = godwit_registry_new (fixture->directory, NULL, &error);
  g_assert_null (registry);
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
}

static void
test_foreign_owner (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = toy_install (fixture->directory, "rival", "rival");
  if (chown (path, 12345, (gid_t)-1) != 0) {
    g_test_skip ("needs root");
    return;
  }
  assert_refused (fixture, "rival", "is owned by user id 12345, not by root");
}

static void
test_symlink (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = toy_install (fixture->directory, "rival", "rival-target");
  g_autofree char *link = g_build_filename (fixture->directory, "godwit-rival.so", NULL);
  g_assert_cmpint (symlink (path, link), ==, 0);
  assert_refused (fixture, "rival", "is a symbolic link");
}

static void
test_fifo (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->directory, "godwit-fifo.so", NULL);
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  assert_refused (fixture, "fifo", "is not a regular file");
}

static void
test_junk (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->directory, "godwit-junk.so", NULL);
  g_autofree char *text = g_strnfill (4096, 'x');
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  assert_refused (fixture, "junk", "invalid ELF header");
}

static void
test_libtool_archive (Fixture *fixture, gconstpointer data)
{
  /* With stock libltdl this file would lead to the library that it names. */
  g_autofree char *target = toy_install (fixture->directory, "rival", "rival-target");
  g_autofree char *path = g_build_filename (fixture->directory, "godwit-rival.la", NULL);
  g_autofree char *text = g_strdup_printf ("dlname='godwit-rival-target.so'\nlibrary_names="
                                           "'godwit-rival-target.so'\nlibdir='%s'\ninstalled=yes\n",
                                           fixture->directory);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));

  g_autoptr (GError) error = NULL;
  g_assert_false (godwit_registry_load (fixture->registry, "rival", &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);

  GPtrArray *records = godwit_registry_discover (fixture->registry);
  gboolean seen = FALSE;
  for (guint i = 0; i < records->len; i++) {
    const GodwitPluginRecord *record = g_ptr_array_index (records, i);
    if (g_str_equal (record->name, "godwit-rival.la")) {
      seen = TRUE;
      g_assert_false (record->usable);
      assert_contains (record->reason, "libtool archive");
    }
  }
  g_assert_true (seen);
}

static void
test_bad_names (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = toy_install (fixture->directory, "good", "Good_2");
  const char *names[] = {"../good", "Good_2", "", "9lives", "a/b", "good.so"};
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_false (godwit_registry_load (fixture->registry, names[i], &error));
    g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
  }
  GPtrArray *records = godwit_registry_discover (fixture->registry);
  g_assert_cmpuint (records->len, ==, 1);
  const GodwitPluginRecord *record = g_ptr_array_index (records, 0);
  g_assert_false (record->usable);
  assert_contains (record->reason, "plugin files are named");
}

static void
test_not_installed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (godwit_registry_load (fixture->registry, "rsync", &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
  assert_contains (error->message, fixture->directory);
  assert_contains (godwit_error_get_remedy (error), "godwit-plugin-rsync");
  g_assert_null (godwit_registry_find (fixture->registry, "rsync"));
}

static void
test_disabled (Fixture *fixture, gconstpointer data)
{
  /* Were it probed, the probe would say that it crashes. */
  g_autofree char *path = toy_install (fixture->directory, "crash", "crash");
  const char *const names[] = {"crash", NULL};
  godwit_registry_disable (fixture->registry, names);
  assert_refused (fixture, "crash", "disabled in the configuration");
}

/* --- good plugins --------------------------------------------------------------------------- */

static void
test_discover (Fixture *fixture, gconstpointer data)
{
  g_autofree char *one = toy_install (fixture->directory, "good", "good");
  g_autofree char *two = toy_install (fixture->directory, "crash", "crash");
  g_autofree char *other = g_build_filename (fixture->directory, "README", NULL);
  g_assert_true (g_file_set_contents (other, "not a plugin", -1, NULL));

  GPtrArray *records = godwit_registry_discover (fixture->registry);
  g_assert_cmpuint (records->len, ==, 2);
  const GodwitPluginRecord *crash = g_ptr_array_index (records, 0);
  const GodwitPluginRecord *good = g_ptr_array_index (records, 1);
  g_assert_cmpstr (crash->name, ==, "crash");
  g_assert_false (crash->usable);
  g_assert_cmpstr (good->name, ==, "good");
  g_assert_true (good->usable);
  g_assert_null (good->reason);
  g_assert_cmpstr (good->path, ==, one);
  g_assert_cmpstr (good->version, ==, "1.0");
  g_assert_cmpstr (good->summary, ==, "A good toy");
  g_assert_cmpstr (good->license, ==, "MIT");
  g_assert_cmpstr (good->origin, ==, "tests");
  g_assert_true (g_strv_contains ((const char *const *)good->types, "GodwitToySpeed"));

  g_auto (GStrv) available =
      godwit_registry_list_available (fixture->registry, GODWIT_TYPE_TRANSPORT);
  g_assert_cmpuint (g_strv_length (available), ==, 1);
  g_assert_cmpstr (available[0], ==, "good");
  /* Looking is not loading. */
  g_assert_cmpuint (g_type_from_name ("GodwitToyGood"), ==, 0);
}

static void
assert_property (const GodwitPluginProvision *provision, const char *name, const char *type,
                 const char *range, const char *fallback, guint flags)
{
  const GodwitPluginProperty *property = godwit_plugin_provision_find_property (provision, name);
  g_assert_nonnull (property);
  g_assert_cmpstr (property->type, ==, type);
  g_assert_cmpstr (property->range, ==, range);
  g_assert_cmpstr (property->fallback, ==, fallback);
  g_assert_nonnull (property->blurb);
  g_assert_cmpuint (property->flags, ==, flags);
}

static void
test_properties (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = toy_install (fixture->directory, "good", "good");
  const GodwitPluginRecord *record = godwit_registry_find (fixture->registry, "good");
  g_assert_true (record->usable);
  g_assert_cmpuint (record->provisions->len, ==, 1);
  const GodwitPluginProvision *provision = g_ptr_array_index (record->provisions, 0);
  g_assert_cmpstr (provision->contract, ==, "transport");
  g_assert_cmpstr (provision->name, ==, "good");
  g_assert_cmpstr (provision->type_name, ==, "GodwitToyGood");
  const guint config = GODWIT_PARAM_CONFIG;
  assert_property (provision, "port", "number", "[1, 65535]", "22", config | GODWIT_PARAM_HOST);
  assert_property (provision, "label", "text", NULL, "toy", config | GODWIT_PARAM_HOST);
  assert_property (provision, "compress", "boolean", "true|false", "false", config);
  assert_property (provision, "speed", "choice", "slow|fast", "fast", config);
  assert_property (provision, "options", "list", NULL, NULL, config);
  assert_property (provision, "secret", "text", NULL, NULL, config | GODWIT_PARAM_SECRET);
  assert_property (provision, "internal", "number", "[0, 9]", "0", 0);
  g_assert_null (godwit_plugin_provision_find_property (provision, "prot"));
}

/* The tests below leave plugins loaded in this process, so each uses toys of its own. */

static void
test_load (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = toy_install (fixture->directory, "good", "good");
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) before = godwit_registry_list (fixture->registry, GODWIT_TYPE_TRANSPORT);
  g_assert_false (g_strv_contains ((const char *const *)before, "good"));

  g_autoptr (GObject) object =
      godwit_registry_create (fixture->registry, GODWIT_TYPE_TRANSPORT, "good", &error);
  g_assert_no_error (error);
  g_assert_true (GODWIT_IS_TRANSPORT (object));
  g_assert_cmpint (godwit_transport_get_flags (GODWIT_TRANSPORT (object)), ==,
                   GODWIT_TRANSPORT_ENCRYPTED);
  /* An optional method that the plugin leaves out. */
  g_assert_false (godwit_transport_claims (GODWIT_TRANSPORT (object), "root@b"));
  g_assert_false (godwit_transport_pair (GODWIT_TRANSPORT (object), GODWIT_TRANSPORT (object), NULL,
                                         NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);

  g_assert_true (godwit_registry_load (fixture->registry, "good", &error));
  g_assert_no_error (error);
  g_auto (GStrv) after = godwit_registry_list (fixture->registry, GODWIT_TYPE_TRANSPORT);
  g_assert_true (g_strv_contains ((const char *const *)after, "good"));

  /* A second plugin that provides the same thing. */
  g_autofree char *rival = toy_install (fixture->directory, "rival", "rival");
  assert_refused (fixture, "rival", "the transport good is provided by plugin good already");
}

static void
test_type_twins (Fixture *fixture, gconstpointer data)
{
  g_autofree char *a = toy_install (fixture->directory, "twin-a", "twin-a");
  g_autofree char *b = toy_install (fixture->directory, "twin-b", "twin-b");
  g_autoptr (GError) error = NULL;
  g_assert_true (godwit_registry_load (fixture->registry, "twin-a", &error));
  g_assert_no_error (error);
  assert_refused (fixture, "twin-b", "its type GodwitToyTwin has a name that twin-a has taken");
}

static void
test_unknown_implementation (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = toy_install (fixture->directory, "good", "good");
  g_autoptr (GError) error = NULL;
  g_assert_null (
      godwit_registry_create (fixture->registry, GODWIT_TYPE_TRANSPORT, "goood", &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
  assert_contains (error->message, "there is no transport \"goood\"; known: good");
  g_assert_cmpstr (godwit_error_get_remedy (error), ==, "use good");
}

static gpointer
use_registry (gpointer data)
{
  GodwitRegistry *registry = data;
  for (guint i = 0; i < 20; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GObject) object =
        godwit_registry_create (registry, GODWIT_TYPE_TRANSPORT, "strict", &error);
    g_assert_no_error (error);
    g_auto (GStrv) names = godwit_registry_list_available (registry, GODWIT_TYPE_TRANSPORT);
    g_assert_true (g_strv_contains ((const char *const *)names, "strict"));
    g_assert_false (godwit_registry_load (registry, "absent", NULL));
  }
  return NULL;
}

static void
test_threads (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = toy_install (fixture->directory, "strict", "strict");
  GThread *threads[8];
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("user", use_registry, fixture->registry);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

static void
test_latch (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = toy_install (fixture->directory, "rival", "rival");
  g_autoptr (GError) error = NULL;
  godwit_registry_latch (fixture->registry);
  g_assert_false (godwit_registry_load (fixture->registry, "rival", &error));
  assert_contains (error->message, "loading has ended");
}

static void
test_load_contract (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = toy_install (fixture->directory, "crash", "crash");
  g_type_ensure (GODWIT_TYPE_TRANSPORT);
  g_assert_false (godwit_registry_load_contract (fixture->registry, GODWIT_TYPE_TRANSPORT, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
  assert_contains (error->message, "godwit-crash.so is refused: it crashed");
}

/* --- built-in plugins ----------------------------------------------------------------------- */

typedef struct {
  GObject parent_instance;
} GodwitToyBuiltin;
typedef GObjectClass GodwitToyBuiltinClass;

static GodwitTransportFlags
builtin_get_flags (GodwitTransport *self)
{
  return GODWIT_TRANSPORT_AUTHENTICATED;
}

static GStrv
builtin_get_command (GodwitTransport *self, GodwitRoute route, const char *session,
                     const char *const *remote, GError **error)
{
  return NULL;
}

static void
builtin_fill (GodwitTransportInterface *iface)
{
  iface->get_flags = builtin_get_flags;
  iface->get_command = builtin_get_command;
}

GType godwit_toy_builtin_get_type (void);
GODWIT_DEFINE_TYPE (GodwitToyBuiltin, godwit_toy_builtin, GODWIT_TYPE_TRANSPORT, builtin_fill)

static void
godwit_toy_builtin_class_init (GodwitToyBuiltinClass *klass)
{
}

static void
godwit_toy_builtin_init (GodwitToyBuiltin *self)
{
}

static gboolean
builtin_register (GodwitModule *module, GError **error)
{
  return godwit_toy_builtin_provide (module, "toy-builtin", error);
}

GODWIT_PLUGIN_DEFINE (toy_builtin, "toy-builtin", "2.0", "Linked in", "MIT", "tests",
                      builtin_register)

static void
test_builtin (void)
{
  static const GodwitBuiltin builtins[] = {{"toy-builtin", godwit_plugin_toy_builtin_query},
                                           {NULL}};
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = toy_make_directory ();
  g_autoptr (GodwitRegistry) registry = godwit_registry_new (directory, builtins, &error);
  g_assert_no_error (error);

  const GodwitPluginRecord *record = godwit_registry_find (registry, "toy-builtin");
  g_assert_nonnull (record);
  g_assert_cmpstr (record->reason, ==, NULL);
  g_assert_null (record->path);
  g_assert_cmpstr (record->version, ==, "2.0");
  g_autoptr (GObject) object =
      godwit_registry_create (registry, GODWIT_TYPE_TRANSPORT, "toy-builtin", &error);
  g_assert_no_error (error);
  g_assert_cmpint (godwit_transport_get_flags (GODWIT_TRANSPORT (object)), ==,
                   GODWIT_TRANSPORT_AUTHENTICATED);

  /* It fails without saying why; the operator is told so. */
  const char *const words[] = {"agent", NULL};
  g_assert_null (godwit_transport_get_command (GODWIT_TRANSPORT (object), GODWIT_ROUTE_PAIR, NULL,
                                               words, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_INTERNAL);
  assert_contains (error->message, "GodwitToyBuiltin.get_command() failed and did not say why");
  toy_remove_directory (directory);
}

/* --- the cache ------------------------------------------------------------------------------ */

static char *
get_cache_path (void)
{
  return g_build_filename (g_getenv ("GODWIT_RUNTIME_DIR"), "plugins.cache", NULL);
}

static void
test_cache (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = toy_install (fixture->directory, "good", "good");
  g_assert_true (godwit_registry_find (fixture->registry, "good")->usable);

  g_autoptr (GodwitProbeCache) cache = godwit_probe_cache_open ();
  g_autoptr (GodwitPluginRecord) record = godwit_probe_cache_get (cache, path);
  g_assert_nonnull (record);
  g_assert_true (record->usable);
  g_assert_cmpuint (record->provisions->len, ==, 1);

  /* Another file in its place is another plugin. */
  g_autofree char *again = toy_install (fixture->directory, "crash", "good");
  g_assert_null (godwit_probe_cache_get (cache, path));
}

static void
test_cache_keeps_no_refusals (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = toy_install (fixture->directory, "noplugin", "noplugin");
  g_assert_false (godwit_registry_find (fixture->registry, "noplugin")->usable);
  g_autoptr (GodwitProbeCache) cache = godwit_probe_cache_open ();
  g_assert_null (godwit_probe_cache_get (cache, path));
}

static void
test_cache_not_trusted (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = toy_install (fixture->directory, "good", "good");
  g_assert_true (godwit_registry_find (fixture->registry, "good")->usable);
  g_autofree char *file = get_cache_path ();
  g_assert_cmpint (chmod (file, 0622), ==, 0);
  g_autoptr (GodwitProbeCache) cache = godwit_probe_cache_open ();
  g_assert_null (godwit_probe_cache_get (cache, path));
}

static void
test_cache_damaged (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = toy_install (fixture->directory, "good", "good");
  g_autofree char *file = get_cache_path ();
  g_autofree char *contents = NULL;
  gsize length = 0;
  g_assert_true (godwit_registry_find (fixture->registry, "good")->usable);
  g_assert_true (g_file_get_contents (file, &contents, &length, NULL));
  for (gsize i = 0; i < length; i += 7) {
    contents[i] ^= 0x55;
    g_assert_true (g_file_set_contents (file, contents, (gssize)length, NULL));
    contents[i] ^= 0x55;
    g_autoptr (GodwitProbeCache) cache = godwit_probe_cache_open ();
    g_autoptr (GodwitPluginRecord) record = godwit_probe_cache_get (cache, path);
    if (record != NULL)
      g_assert_cmpuint (record->provisions->len, >, 0);
  }
  g_unlink (file);
}

int
main (int argc, char **argv)
{
  if (argc > 1 && g_str_equal (argv[1], "plugin-probe"))
    return godwit_probe_main (argc, argv);

  /* meson names every directory with a library there, also that of the one that must be missing. */
  g_unsetenv ("LD_LIBRARY_PATH");
  g_autofree char *runtime = toy_make_directory ();
  g_setenv ("GODWIT_RUNTIME_DIR", runtime, TRUE);
  g_test_init (&argc, &argv, NULL);
#define ADD(path, function)                                                                        \
  g_test_add ("/registry/" path, Fixture, NULL, set_up, function, tear_down)
  for (gsize i = 0; i < G_N_ELEMENTS (refusals); i++) {
    g_autofree char *path = g_strdup_printf ("/registry/refused/%s", refusals[i].as);
    g_test_add (path, Fixture, &refusals[i], set_up, test_refusal, tear_down);
  }
  ADD ("refused/writable-file", test_writable_file);
  ADD ("refused/writable-directory", test_writable_directory);
  ADD ("refused/foreign-owner", test_foreign_owner);
  ADD ("refused/symlink", test_symlink);
  ADD ("refused/fifo", test_fifo);
  ADD ("refused/junk", test_junk);
  ADD ("refused/libtool-archive", test_libtool_archive);
  ADD ("refused/names", test_bad_names);
  ADD ("refused/not-installed", test_not_installed);
  ADD ("refused/disabled", test_disabled);
  ADD ("discover", test_discover);
  ADD ("properties", test_properties);
  ADD ("load", test_load);
  ADD ("type-twins", test_type_twins);
  ADD ("unknown-implementation", test_unknown_implementation);
  ADD ("threads", test_threads);
  ADD ("latch", test_latch);
  ADD ("load-contract", test_load_contract);
  ADD ("cache", test_cache);
  ADD ("cache/refusals", test_cache_keeps_no_refusals);
  ADD ("cache/not-trusted", test_cache_not_trusted);
  ADD ("cache/damaged", test_cache_damaged);
  g_test_add_func ("/registry/builtin", test_builtin);
  int status = g_test_run ();
  toy_remove_directory (runtime);
  return status;
}
