/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/config.h"
#include "registry/registry.h"
#include "toy-plugins.h"

#include <godwit/error.h>
#include <godwit/transport.h>

#include <string.h>
#include <sys/stat.h>

typedef struct {
  char *directory;
  char *conf_d;
  char *path;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->directory = toy_make_directory ();
  fixture->conf_d = g_build_filename (fixture->directory, "conf.d", NULL);
  fixture->path = g_build_filename (fixture->directory, "godwit.conf", NULL);
  g_assert_cmpint (g_mkdir (fixture->conf_d, 0700), ==, 0);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  toy_remove_directory (fixture->conf_d);
  toy_remove_directory (fixture->directory);
  g_free (fixture->directory);
  g_free (fixture->conf_d);
  g_free (fixture->path);
}

static char *
write_file (const char *directory, const char *name, const char *text)
{
  char *path = g_build_filename (directory, name, NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static void
assert_contains (const char *text, const char *part)
{
  if (text == NULL || strstr (text, part) == NULL)
    g_error ("\"%s\" does not contain \"%s\"", text, part);
}

static GodwitConfig *
load (Fixture *fixture, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = write_file (fixture->directory, "godwit.conf", text);
  GodwitConfig *config = godwit_config_load (path, &error);
  g_assert_no_error (error);
  return config;
}

/* --- reading ------------------------------------------------------------------------------ */

static void
test_defaults (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitConfig) config = load (fixture, "");
  g_assert_false (godwit_config_get_boolean (config, "migration", "allow-downtime"));
  g_assert_cmpuint (godwit_config_get_uint64 (config, "migration", "max-downtime"), ==, 300);
  g_assert_cmpuint (godwit_config_get_uint64 (config, "migration", "initial-downtime"), ==, 10);
  g_assert_cmpuint (godwit_config_get_uint64 (config, "migration", "shutdown-timeout"), ==, 60000);
  g_assert_cmpstr (godwit_config_get (config, "migration", "max-downtime"), ==, "300ms");
  g_assert_null (godwit_config_get_origin (config, "migration", "max-downtime"));
  g_assert_null (godwit_config_get (config, "migration", "no-such-key"));
  g_assert_null (godwit_config_get (config, "nonsense", "key"));
  g_auto (GStrv) order = godwit_config_get_list (config, "strategy", "order");
  g_assert_cmpuint (g_strv_length (order), ==, 3);
  g_assert_cmpstr (order[0], ==, "live-shared");
  g_assert_cmpstr (order[2], ==, "cold");
  g_auto (GStrv) directories = godwit_config_get_list (config, "agent", "directories");
  g_assert_cmpuint (g_strv_length (directories), >, 0);
  g_auto (GStrv) groups = godwit_config_list_groups (config);
  g_assert_cmpuint (g_strv_length (groups), ==, 0);
}

static void
test_merge_order (Fixture *fixture, gconstpointer data)
{
  g_autofree char *late = write_file (fixture->conf_d, "20-late.conf",
                                      "[migration]\nmax-downtime=2s\n[host b]\naddress=late\n");
  g_autofree char *early =
      write_file (fixture->conf_d, "10-early.conf",
                  "[migration]\nmax-downtime=1s\nshutdown-timeout=10m\n[host c]\n");
  g_autofree char *other = write_file (fixture->conf_d, "30-other.conf.bak", "[nonsense]\n");
  g_autofree char *hidden = write_file (fixture->conf_d, ".40-hidden.conf", "[nonsense]\n");
  g_autoptr (GodwitConfig) config =
      load (fixture, "[migration]\nmax-downtime=100ms\nallow-downtime=true\n"
                     "[host b]\naddress=early\ninstance-directory=/srv/b\n");

  g_assert_cmpstr (godwit_config_get (config, "migration", "max-downtime"), ==, "2s");
  g_assert_cmpstr (godwit_config_get_origin (config, "migration", "max-downtime"), ==, late);
  g_assert_cmpuint (godwit_config_get_uint64 (config, "migration", "shutdown-timeout"), ==, 600000);
  g_assert_cmpstr (godwit_config_get_origin (config, "migration", "shutdown-timeout"), ==, early);
  g_assert_true (godwit_config_get_boolean (config, "migration", "allow-downtime"));
  g_assert_cmpstr (godwit_config_get_origin (config, "migration", "allow-downtime"), ==,
                   fixture->path);
  g_assert_cmpstr (godwit_config_get_host (config, "b", "address"), ==, "late");
  g_assert_cmpstr (godwit_config_get_host (config, "b", "instance-directory"), ==, "/srv/b");
  g_assert_cmpstr (godwit_config_get_host (config, "b", "agent-command"), ==,
                   "godwit agent --stdio");

  g_auto (GStrv) hosts = godwit_config_list_hosts (config);
  g_assert_cmpuint (g_strv_length (hosts), ==, 2);
  g_assert_cmpstr (hosts[0], ==, "b");
  g_assert_cmpstr (hosts[1], ==, "c");
  g_assert_true (godwit_config_has_host (config, "c"));
  g_assert_false (godwit_config_has_host (config, "d"));
  g_auto (GStrv) keys = godwit_config_list_keys (config, "migration");
  g_autofree char *joined = g_strjoinv (" ", keys);
  g_assert_cmpstr (joined, ==, "max-downtime allow-downtime shutdown-timeout");
}

static void
test_guests (Fixture *fixture, gconstpointer data)
{
  const char *uuid = "6e0d1c2b-5f4a-4c3d-8e9f-0a1b2c3d4e5f";
  g_autoptr (GodwitConfig) config =
      load (fixture, "[migration]\nmax-downtime=1s\n"
                     "[guest web server]\nmax-downtime=2s\nauto-confirm=true\norder=cold\n"
                     "[guest 6E0D1C2B-5F4A-4C3D-8E9F-0A1B2C3D4E5F]\nmax-downtime=3s\n");
  g_assert_cmpstr (godwit_config_get_for_guest (config, "web server", NULL, "max-downtime"), ==,
                   "2s");
  g_assert_cmpstr (godwit_config_get_for_guest (config, "web server", uuid, "max-downtime"), ==,
                   "3s");
  g_assert_cmpstr (godwit_config_get_for_guest (config, "web server", uuid, "auto-confirm"), ==,
                   "true");
  g_assert_cmpstr (godwit_config_get_for_guest (config, "other", NULL, "max-downtime"), ==, "1s");
  g_assert_cmpstr (godwit_config_get_for_guest (config, "other", NULL, "auto-confirm"), ==,
                   "false");
  g_assert_cmpstr (godwit_config_get_for_guest (config, "web server", NULL, "order"), ==, "cold");
  g_assert_cmpstr (godwit_config_get_for_guest (config, NULL, NULL, "order"), ==,
                   "live-shared;live-block;cold");
  g_assert_null (godwit_config_get_for_guest (config, "other", NULL, "strategy"));
}

static void
test_missing (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (godwit_config_load (fixture->path, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CONFIG);
  assert_contains (error->message, fixture->path);
}

/* The default path is looked up once a process, hence a process for each case. */
static void
test_environment (void)
{
  if (g_test_subprocess ()) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GodwitConfig) config = godwit_config_load (NULL, &error);
    g_printerr ("%s\n", config != NULL ? godwit_config_get (config, "migration", "max-downtime")
                                       : error->message);
    return;
  }
  g_autofree char *directory = toy_make_directory ();
  g_autofree char *path = g_build_filename (directory, "my.conf", NULL);
  g_setenv ("GODWIT_CONFIG", path, TRUE);
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_stderr ("*my.conf cannot be read*");

  g_assert_true (g_file_set_contents (path, "[migration]\nmax-downtime=77ms\n", -1, NULL));
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*77ms*");
  g_unsetenv ("GODWIT_CONFIG");
  toy_remove_directory (directory);
}

static void
test_unreadable (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = write_file (fixture->directory, "godwit.conf", "[migration]\n");
  g_assert_cmpint (chmod (path, 0), ==, 0);
  if (access (path, R_OK) == 0) {
    /* Root reads everything; a directory in place of the file it cannot read either. */
    g_assert_cmpint (g_unlink (path), ==, 0);
    g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
    g_assert_null (godwit_config_load (path, &error));
    g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CONFIG);
    g_rmdir (path);
  } else {
    g_assert_null (godwit_config_load (path, &error));
    g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  }
  assert_contains (error->message, path);
  g_assert_nonnull (godwit_error_get_remedy (error));
}

/* --- bad input ---------------------------------------------------------------------------- */

typedef struct {
  const char *name;
  const char *text;
  const char *part[3]; /* of the message */
  const char *remedy;
} Bad;

static const Bad bad[] = {
    {"group",
     "[migrations]\n",
     {"unknown group \"migrations\"", "did you mean migration?"},
     "write"},
    {"group-of-a-host",
     "[hots b]\naddress=x\n",
     {"unknown group \"hots b\"", "did you mean host b?"},
     "write host b instead"},
    {"group-of-a-plugin",
     "[transprot scp]\nport=1\n",
     {"unknown group \"transprot scp\"", "did you mean transport scp?"},
     "write transport scp"},
    {"key",
     "[migration]\nmax-downtme=1s\n",
     {"unknown key in [migration]: \"max-downtme\"", "did you mean max-downtime?",
      "known: allow-downtime, auto-confirm"},
     "write max-downtime"},
    {"key-of-a-guest",
     "[guest web]\nmax_downtime=1s\n",
     {"unknown key in [guest web]: \"max_downtime\"", "max-downtime"},
     "write max-downtime"},
    {"boolean",
     "[migration]\nallow-downtime=perhaps\n",
     {"[migration] allow-downtime=perhaps is not allowed", "true or false"},
     "godwit config check"},
    {"no-unit",
     "[migration]\nmax-downtime=300\n",
     {"max-downtime=300 is not", "from 1ms to 1m"},
     "config"},
    {"too-long",
     "[migration]\nmax-downtime=2h\n",
     {"max-downtime=2h is not", "from 1ms to 1m"},
     "config"},
    {"too-short",
     "[migration]\nmax-downtime=0\n",
     {"max-downtime=0 is not", "from 1ms to 1m"},
     "config"},
    {"overflow",
     "[migration]\nshutdown-timeout=18446744073709551615h\n",
     {"is not allowed", "from 0ms to 24h"},
     "config"},
    {"comment",
     "[migration]\nauto-confirm=true # because\n",
     {"auto-confirm=true # because is not allowed"},
     "put the comment on a line of its own"},
    {"relative-path", "[host b]\ninstance-directory=srv\n", {"must be an absolute path"}, "config"},
    {"relative-paths",
     "[agent]\ndirectories=/srv;images\n",
     {"a list of absolute paths"},
     "config"},
    {"guest-with-host-key", "[guest web]\naddress=x\n", {"unknown key in [guest web]"}, "template"},
    {"no-group", "max-downtime=1s\n", {"cannot be understood"}, "config"},
    {"no-value", "[migration]\nmax-downtime\n", {"cannot be understood", "max-downtime"}, "config"},
    {"not-utf8", "[host b]\naddress=\xff\xfe\n", {"[host b]"}, "config"},
};

static void
test_bad (Fixture *fixture, gconstpointer data)
{
  const Bad *item = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = write_file (fixture->directory, "godwit.conf", item->text);
  g_assert_null (godwit_config_load (path, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CONFIG);
  assert_contains (error->message, path);
  for (gsize i = 0; i < G_N_ELEMENTS (item->part) && item->part[i] != NULL; i++)
    assert_contains (error->message, item->part[i]);
  assert_contains (godwit_error_get_remedy (error), item->remedy);
}

static void
test_bad_part (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *part = write_file (fixture->conf_d, "a.conf", "[agent]\nprogrms=x\n");
  g_autofree char *path = write_file (fixture->directory, "godwit.conf", "[agent]\nprograms=x\n");
  g_assert_null (godwit_config_load (path, &error));
  assert_contains (error->message, part);
  assert_contains (error->message, "did you mean programs?");
}

static void
test_duration (void)
{
  static const struct {
    const char *text;
    guint64 ms;
    gboolean ok;
  } cases[] = {
      {"0", 0, TRUE},        {"1ms", 1, TRUE},
      {"300ms", 300, TRUE},  {"10s", 10000, TRUE},
      {"10m", 600000, TRUE}, {"1h", 3600000, TRUE},
      {"", 0, FALSE},        {"10", 0, FALSE},
      {"-1s", 0, FALSE},     {"1.5s", 0, FALSE},
      {"s", 0, FALSE},       {"1 s", 0, FALSE},
      {"1d", 0, FALSE},      {"99999999999999999999s", 0, FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    guint64 ms = 1234;
    g_assert_cmpint (godwit_config_parse_duration (cases[i].text, &ms), ==, cases[i].ok);
    if (cases[i].ok)
      g_assert_cmpuint (ms, ==, cases[i].ms);
  }
  guint64 ms;
  g_assert_false (godwit_config_parse_duration (NULL, &ms));
}

/* --- plugins ------------------------------------------------------------------------------ */

static char *plugin_directory;

static GodwitRegistry *
make_registry (void)
{
  g_autoptr (GError) error = NULL;
  GodwitRegistry *registry = godwit_registry_new (plugin_directory, NULL, &error);
  g_assert_no_error (error);
  return registry;
}

static void
test_plugins_good (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitRegistry) registry = make_registry ();
  g_autoptr (GodwitConfig) config =
      load (fixture, "[transport good]\nport=2022\nspeed=slow\noptions=a; b;;c\n"
                     "[host b]\nport=2023\ntransport=good\n"
                     "[host b/transport good]\ncompress=yes\nlabel=of b\n"
                     "[host qemu+ssh://c/system]\nport=2024\n"
                     "[host qemu+ssh://c/system/transport good]\nlabel=of c\n");
  g_assert_true (godwit_config_check_plugins (config, registry, &error));
  g_assert_no_error (error);

  g_autoptr (GObject) object =
      godwit_registry_create (registry, GODWIT_TYPE_TRANSPORT, "good", &error);
  g_assert_no_error (error);
  guint port = 0;
  gboolean compress = TRUE;
  g_auto (GStrv) options = NULL;
  g_autofree char *label = NULL;

  g_assert_true (godwit_config_apply (config, object, "transport", "good", NULL, &error));
  g_object_get (object, "port", &port, "compress", &compress, "options", &options, NULL);
  g_assert_cmpuint (port, ==, 2022);
  g_assert_false (compress);
  g_assert_cmpuint (g_strv_length (options), ==, 3);
  g_assert_cmpstr (options[1], ==, "b");

  g_assert_true (godwit_config_apply (config, object, "transport", "good", "b", &error));
  g_assert_no_error (error);
  g_object_get (object, "port", &port, "compress", &compress, "label", &label, NULL);
  g_assert_cmpuint (port, ==, 2023);
  g_assert_true (compress);
  g_assert_cmpstr (label, ==, "of b");

  g_clear_pointer (&label, g_free);
  g_assert_true (
      godwit_config_apply (config, object, "transport", "good", "qemu+ssh://c/system", &error));
  g_object_get (object, "port", &port, "label", &label, NULL);
  g_assert_cmpuint (port, ==, 2024);
  g_assert_cmpstr (label, ==, "of c");
}

static const Bad bad_plugins[] = {
    {"unknown-plugin",
     "[transport god]\nport=1\n",
     {"[transport god]", "there is no transport \"god\"; known: good, strict"},
     "use good"},
    {"unknown-key",
     "[transport good]\nprot=1\n",
     {"unknown key in [transport good]: \"prot\"", "did you mean port?"},
     "write port instead"},
    {"not-for-operators",
     "[transport good]\ninternal=1\n",
     {"unknown key in [transport good]"},
     ""},
    {"range",
     "[transport good]\nport=99999\n",
     {"[transport good] port=99999 is not allowed", "a number from 1 to 65535"},
     "config check"},
    {"number", "[transport good]\nport=22x\n", {"port=22x is not allowed"}, "config check"},
    {"boolean", "[transport good]\ncompress=2\n", {"compress=2", "true or false"}, "config check"},
    {"choice", "[transport good]\nspeed=faster\n", {"speed=faster", "one of slow, fast"}, "check"},
    {"host-key",
     "[host b]\nprot=1\n",
     {"unknown key in [host b]: \"prot\"", "did you mean port?"},
     "write port"},
    {"host-key-of-the-core",
     "[host b]\nadress=1\n",
     {"unknown key in [host b]: \"adress\"", "did you mean address?"},
     "write address"},
    {"host-value", "[host b]\nport=0\n", {"[host b] port=0 is not allowed"}, "config check"},
    {"host-key-without-flag", "[host b]\ncompress=true\n", {"unknown key in [host b]"}, ""},
    {"host-plugin",
     "[host b]\ntransport=rsyncd\n",
     {"[host b] there is no transport \"rsyncd\""},
     "install the package godwit-plugin-rsyncd"},
    {"host-override",
     "[host b/transport good]\nport=abc\n",
     {"[host b/transport good] port=abc is not allowed"},
     "config check"},
    {"order",
     "[strategy]\norder=live-blok;cold\n",
     {"unknown strategy in order of [strategy]: \"live-blok\"", "did you mean live-block?"},
     "write live-block"},
    {"order-of-a-guest",
     "[guest web]\norder=could\n",
     {"unknown strategy in order of [guest web]: \"could\"", "did you mean cold?"},
     "write cold"},
    {"secret-file",
     "[transport good]\nsecret=file:/no/such/file\n",
     {"secret=file:/no/such/file cannot be read"},
     "config check"},
};

static void
test_plugins_bad (Fixture *fixture, gconstpointer data)
{
  const Bad *item = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitRegistry) registry = make_registry ();
  g_autoptr (GodwitConfig) config = load (fixture, item->text);
  g_assert_false (godwit_config_check_plugins (config, registry, &error));
  g_assert_nonnull (error);
  g_assert_true (error->domain == GODWIT_ERROR);
  assert_contains (error->message, fixture->path);
  for (gsize i = 0; i < G_N_ELEMENTS (item->part) && item->part[i] != NULL; i++)
    assert_contains (error->message, item->part[i]);
  assert_contains (godwit_error_get_remedy (error), item->remedy);
}

static void
test_disabled_plugin (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitRegistry) registry = make_registry ();
  g_autoptr (GodwitConfig) config =
      load (fixture, "[plugins]\ndisable=absent\n[transport absent]\nkey=1\n");
  g_assert_true (godwit_config_check_plugins (config, registry, &error));
  g_assert_no_error (error);
}

static void
test_secret (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitRegistry) registry = make_registry ();
  g_autoptr (GObject) object =
      godwit_registry_create (registry, GODWIT_TYPE_TRANSPORT, "good", &error);
  g_assert_no_error (error);
  g_autofree char *path = write_file (fixture->directory, "pass", "sesame\n");
  g_autofree char *value = g_strconcat ("file:", path, NULL);

  g_assert_cmpint (chmod (path, 0644), ==, 0);
  g_assert_false (godwit_config_set_property (object, "secret", value, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CONFIG);
  assert_contains (godwit_error_get_remedy (error), "chmod o=");
  g_clear_error (&error);

  g_assert_cmpint (chmod (path, 0600), ==, 0);
  g_assert_true (godwit_config_set_property (object, "secret", value, &error));
  g_assert_no_error (error);
  g_autofree char *secret = NULL;
  g_object_get (object, "secret", &secret, NULL);
  g_assert_cmpstr (secret, ==, "sesame");

  g_assert_false (godwit_config_set_property (object, "prot", "1", &error));
  assert_contains (error->message, "did you mean port?");
}

static void
test_required (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitRegistry) registry = make_registry ();
  g_autoptr (GObject) object =
      godwit_registry_create (registry, GODWIT_TYPE_TRANSPORT, "strict", &error);
  g_assert_no_error (error);
  g_autoptr (GodwitConfig) empty = load (fixture, "[host b]\n");
  g_assert_false (godwit_config_apply (empty, object, "transport", "strict", "b", &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CONFIG);
  assert_contains (error->message, "[host b/transport strict] has no server");
  assert_contains (godwit_error_get_remedy (error), "set server= in the group");
  g_clear_error (&error);

  g_autoptr (GodwitConfig) config = load (fixture, "[transport strict]\nserver=s\n");
  g_assert_true (godwit_config_apply (config, object, "transport", "strict", "b", &error));
  g_assert_no_error (error);
}

/* The template says what it is made of, and is itself a configuration without an error. */
static void
test_template (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitRegistry) registry = make_registry ();
  g_autofree char *text = godwit_config_template (registry, &error);
  g_assert_no_error (error);
  assert_contains (text, "\n[migration]\n");
  assert_contains (text, "\n# max-downtime=300ms\n");
  assert_contains (text, "\n# [host NAME]\n");
  assert_contains (text, "\n[transport good]\n");
  assert_contains (text, "\n# port=22\n");
  assert_contains (text, "number [1, 65535]");
  assert_contains (text, "secret, may be file:PATH");
  assert_contains (text, "text, must be set");
  g_assert_null (strstr (text, "internal"));
  g_autoptr (GodwitConfig) config = load (fixture, text);
  g_assert_true (godwit_config_check_plugins (config, registry, &error));
  g_assert_no_error (error);

  /* Also with every key taken out of its comment that has a value. */
  g_autoptr (GRegex) commented =
      g_regex_new ("^# (\\[.*\\]|[a-z-]+=.+)$", G_REGEX_MULTILINE, 0, NULL);
  g_autofree char *active = g_regex_replace (commented, text, -1, 0, "\\1", 0, &error);
  g_assert_no_error (error);
  assert_contains (active, "\nmax-downtime=300ms\n");
  g_autoptr (GodwitConfig) full = load (fixture, active);
  g_assert_true (godwit_config_check_plugins (full, registry, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (godwit_config_get_origin (full, "migration", "max-downtime"), ==, fixture->path);
}

int
main (int argc, char **argv)
{
  if (argc > 1 && g_str_equal (argv[1], "plugin-probe"))
    return godwit_probe_main (argc, argv);

  g_autofree char *runtime = toy_make_directory ();
  g_setenv ("GODWIT_RUNTIME_DIR", runtime, TRUE);
  plugin_directory = toy_make_directory ();
  g_autofree char *plugin = toy_install (plugin_directory, "good", "good");
  g_autofree char *strict = toy_install (plugin_directory, "strict", "strict");
  g_test_init (&argc, &argv, NULL);
#define ADD(path, function) g_test_add ("/config/" path, Fixture, NULL, set_up, function, tear_down)
  ADD ("defaults", test_defaults);
  ADD ("merge-order", test_merge_order);
  ADD ("guests", test_guests);
  ADD ("missing", test_missing);
  g_test_add_func ("/config/environment", test_environment);
  ADD ("unreadable", test_unreadable);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *path = g_strdup_printf ("/config/bad/%s", bad[i].name);
    g_test_add (path, Fixture, &bad[i], set_up, test_bad, tear_down);
  }
  ADD ("bad/part", test_bad_part);
  g_test_add_func ("/config/duration", test_duration);
  ADD ("plugins/good", test_plugins_good);
  for (gsize i = 0; i < G_N_ELEMENTS (bad_plugins); i++) {
    g_autofree char *path = g_strdup_printf ("/config/plugins/bad/%s", bad_plugins[i].name);
    g_test_add (path, Fixture, &bad_plugins[i], set_up, test_plugins_bad, tear_down);
  }
  ADD ("plugins/disabled", test_disabled_plugin);
  ADD ("plugins/secret", test_secret);
  ADD ("plugins/required", test_required);
  ADD ("template", test_template);
  int status = g_test_run ();
  toy_remove_directory (plugin_directory);
  toy_remove_directory (runtime);
  g_free (plugin_directory);
  return status;
}
