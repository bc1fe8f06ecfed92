/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/config-private.h"

#include "base/spelling.h"
#include "contracts/contracts.h"
#include "godwit-config.h"

#include <godwit/error.h>

#include <string.h>

#define SECOND 1000u
#define MINUTE (60u * SECOND)
#define HOUR   (60u * MINUTE)

/* clang-format off */
#define MIGRATION_KEYS(group)                                                                      \
  {group, "allow-downtime", 'b', 0, 0, NULL, "false",                                              \
   "let strategy=auto shut a running guest down if it cannot be moved live"},                      \
  {group, "auto-confirm", 'b', 0, 0, NULL, "false",                                                \
   "remove the source's parked copy as soon as the guest is proven to be at the destination"},     \
  {group, "initial-downtime", 'd', 1, MINUTE, NULL, "10ms",                                        \
   "downtime limit that a live migration begins with; raised only as far as needed"},              \
  {group, "max-downtime", 'd', 1, MINUTE, NULL, "300ms",                                           \
   "longest time that a live migration may hold the guest still"},                                 \
  {group, "stall-timeout", 'd', SECOND, 24 * HOUR, NULL, "60s",                                    \
   "how long not a single byte may move before a live migration is given up; half of it if "    \
   "the destination does not answer"},                                                            \
  {group, "verify", 'e', 0, 0, "mirror|none", "mirror",                                            \
   "mirror: disks that live-block mirrors are read again at the destination and compared with "    \
   "what was written there, before the guest goes on there"},                                      \
  {group, "shutdown-timeout", 'd', 0, 24 * HOUR, NULL, "60s",                                      \
   "how long a guest may take to shut down before its power is cut"}

#define ORDER_KEY(group, fallback)                                                                 \
  {group, "order", 'l', 0, 0, NULL, fallback,                                                      \
   "strategies that strategy=auto tries, the preferred one first"}

static const GodwitConfigKey schema[] = {
    MIGRATION_KEYS ("migration"),
    ORDER_KEY ("strategy", "live-shared;live-block;cold"),
    {"plugins", "disable", 'l', 0, 0, NULL, "",
     "names of plugins that are neither looked at nor loaded"},
    {"agent", "directories", 'P', 0, 0, NULL, GODWIT_AGENT_DIRECTORIES,
     "directories that jobs may touch on this machine"},
    {"agent", "programs", 'l', 0, 0, NULL, GODWIT_AGENT_PROGRAMS,
     "programs that jobs may run on this machine"},
    {"host *", "address", 's', 0, 0, NULL, NULL,
     "address that other hosts reach it by; its name if unset"},
    {"host *", "agent-command", 's', 0, 0, NULL, "godwit agent --stdio",
     "command that starts the agent there, for example sudo -n godwit agent --stdio"},
    {"host *", "hypervisor", 's', 0, 0, NULL, NULL,
     "plugin that drives its guests; the only one that is installed if unset"},
    {"host *", "instance-directory", 'p', 0, 0, NULL, NULL,
     "directory below which each guest has a directory of its own"},
    {"host *", "transport", 's', 0, 0, NULL, NULL,
     "plugin that reaches it; the only one that is installed if unset"},
    MIGRATION_KEYS ("guest *"),
    ORDER_KEY ("guest *", NULL),
};
/* clang-format on */

const GodwitConfigKey *
godwit_config_get_schema (gsize *n_keys)
{
  *n_keys = G_N_ELEMENTS (schema);
  return schema;
}

const GodwitConfigKey *
godwit_config_find_key (const char *schema_group, const char *key)
{
  for (gsize i = 0; i < G_N_ELEMENTS (schema); i++)
    if (g_str_equal (schema[i].group, schema_group) && g_str_equal (schema[i].key, key))
      return &schema[i];
  return NULL;
}

GPtrArray *
godwit_config_list_schema_keys (const char *schema_group)
{
  GPtrArray *keys = g_ptr_array_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (schema); i++)
    if (g_str_equal (schema[i].group, schema_group))
      g_ptr_array_add (keys, (gpointer)schema[i].key);
  return keys;
}

/* --- groups --------------------------------------------------------------------------------- */

static const char *
get_name (const char *group, const char *prefix)
{
  if (!g_str_has_prefix (group, prefix) || group[strlen (prefix)] == '\0')
    return NULL;
  return group + strlen (prefix);
}

const char *
godwit_config_match_group (const char *group)
{
  /* Hypervisors allow blanks in the names of guests; no host has one in its address. */
  const char *host = get_name (group, "host ");
  if (host != NULL && strpbrk (host, " \t") == NULL)
    return "host *";
  if (get_name (group, "guest ") != NULL)
    return "guest *";
  for (gsize i = 0; i < G_N_ELEMENTS (schema); i++)
    if (g_str_equal (schema[i].group, group) && strchr (group, '*') == NULL)
      return schema[i].group;
  return NULL;
}

GodwitConfigPluginGroup *
godwit_config_parse_plugin_group (const char *group)
{
  g_autoptr (GodwitConfigPluginGroup) parsed = g_new0 (GodwitConfigPluginGroup, 1);
  const char *rest = group;
  if (g_str_has_prefix (group, "host ")) {
    const char *host = group + strlen ("host ");
    /* A host may be a URI, so the last slash counts. */
    const char *slash = strrchr (host, '/');
    if (slash == NULL || slash == host)
      return NULL;
    parsed->host = g_strndup (host, (gsize)(slash - host));
    if (strpbrk (parsed->host, " \t") != NULL)
      return NULL;
    rest = slash + 1;
  }
  const char *space = strchr (rest, ' ');
  if (space == NULL || space[1] == '\0' || strpbrk (space + 1, " \t") != NULL)
    return NULL;
  parsed->contract = g_strndup (rest, (gsize)(space - rest));
  parsed->name = g_strdup (space + 1);
  if (godwit_contract_from_string (parsed->contract) == G_TYPE_INVALID)
    return NULL;
  return g_steal_pointer (&parsed);
}

void
godwit_config_plugin_group_free (GodwitConfigPluginGroup *group)
{
  g_free (group->host);
  g_free (group->contract);
  g_free (group->name);
  g_free (group);
}

/* --- values --------------------------------------------------------------------------------- */

gboolean
godwit_config_parse_boolean (const char *text, gboolean *value)
{
  static const char *const yes[] = {"true", "yes", "1", NULL};
  static const char *const no[] = {"false", "no", "0", NULL};
  *value = g_strv_contains (yes, text);
  return *value || g_strv_contains (no, text);
}

gboolean
godwit_config_parse_duration (const char *text, guint64 *milliseconds)
{
  static const struct {
    const char *unit;
    guint64 factor;
  } units[] = {{"ms", 1}, {"s", SECOND}, {"m", MINUTE}, {"h", HOUR}};

  *milliseconds = 0;
  if (text == NULL || !g_ascii_isdigit (*text))
    return FALSE;
  char *end = NULL;
  errno = 0;
  guint64 number = g_ascii_strtoull (text, &end, 10);
  if (errno != 0)
    return FALSE;
  if (number == 0 && *end == '\0')
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
    if (g_str_equal (end, units[i].unit))
      return g_uint64_checked_mul (milliseconds, number, units[i].factor);
  return FALSE;
}

static char *
format_duration (guint64 ms)
{
  if (ms != 0 && ms % HOUR == 0)
    return g_strdup_printf ("%" G_GUINT64_FORMAT "h", ms / HOUR);
  if (ms != 0 && ms % MINUTE == 0)
    return g_strdup_printf ("%" G_GUINT64_FORMAT "m", ms / MINUTE);
  if (ms != 0 && ms % SECOND == 0)
    return g_strdup_printf ("%" G_GUINT64_FORMAT "s", ms / SECOND);
  return g_strdup_printf ("%" G_GUINT64_FORMAT "ms", ms);
}

char *
godwit_config_key_describe (const GodwitConfigKey *key)
{
  switch (key->type) {
  case 'b':
    return g_strdup ("true or false");
  case 'u':
    return g_strdup_printf ("a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                            key->minimum, key->maximum);
  case 'd': {
    g_autofree char *minimum = format_duration (key->minimum);
    g_autofree char *maximum = format_duration (key->maximum);
    return g_strdup_printf ("a duration from %s to %s, with its unit (ms, s, m, h)", minimum,
                            maximum);
  }
  case 'e':
    return g_strdup_printf ("one of %s", key->choices);
  case 'l':
    return g_strdup ("a list of names with ; between them");
  case 'P':
    return g_strdup ("a list of absolute paths with ; between them");
  case 'p':
    return g_strdup ("an absolute path");
  case 's':
  default:
    return g_strdup ("a text");
  }
}

static gboolean
are_paths (const char *text)
{
  g_auto (GStrv) paths = g_strsplit (text, ";", -1);
  for (gsize i = 0; paths[i] != NULL; i++)
    if (*g_strstrip (paths[i]) != '\0' && !g_path_is_absolute (paths[i]))
      return FALSE;
  return TRUE;
}

static gboolean
is_valid (const GodwitConfigKey *key, const char *text)
{
  guint64 number = 0;
  gboolean truth;
  switch (key->type) {
  case 'b':
    return godwit_config_parse_boolean (text, &truth);
  case 'u':
    return g_ascii_string_to_unsigned (text, 10, key->minimum, key->maximum, NULL, NULL);
  case 'd':
    return godwit_config_parse_duration (text, &number) && number >= key->minimum &&
           number <= key->maximum;
  case 'e': {
    g_auto (GStrv) choices = g_strsplit (key->choices, "|", -1);
    return g_strv_contains ((const char *const *)choices, text);
  }
  case 'p':
    return g_path_is_absolute (text);
  case 'P':
    return are_paths (text);
  default:
    return TRUE;
  }
}

gboolean
godwit_config_check_value (const GodwitConfigKey *key, const char *text, GError **error)
{
  if (is_valid (key, text))
    return TRUE;
  g_autofree char *allowed = godwit_config_key_describe (key);
  /* GKeyFile knows no comment behind a value; it becomes part of it. */
  gboolean comment = strchr (text, '#') != NULL;
  godwit_set_error (error, GODWIT_ERROR_CONFIG,
                    comment ? "put the comment on a line of its own" : NULL,
                    "%s=%s is not allowed: it must be %s", key->key, text, allowed);
  return FALSE;
}

/* --- errors --------------------------------------------------------------------------------- */

void
godwit_config_set_unknown (GError **error, const char *file, const char *where, const char *word,
                           const char *const *known)
{
  const char *nearest = godwit_spelling_nearest (word, known);
  g_autofree char *list = known != NULL ? g_strjoinv (", ", (GStrv)known) : g_strdup ("");
  g_autofree char *remedy =
      nearest != NULL ? g_strdup_printf ("write %s instead", nearest)
                      : g_strdup ("remove it; `godwit config template` lists all groups and keys");
  g_autofree char *guess =
      nearest != NULL ? g_strdup_printf ("did you mean %s? ", nearest) : g_strdup ("");
  godwit_set_error (error, GODWIT_ERROR_CONFIG, remedy, "%s: unknown %s \"%s\"; %sknown: %s", file,
                    where, word, guess, list);
}

void
godwit_config_prefix_error (GError **error, const char *file, const char *group)
{
  if (error == NULL || *error == NULL)
    return;
  g_autoptr (GError) inner = g_steal_pointer (error);
  const char *remedy = godwit_error_get_remedy (inner);
  GodwitErrorCode code =
      inner->domain == GODWIT_ERROR ? (GodwitErrorCode)inner->code : GODWIT_ERROR_CONFIG;
  g_autofree char *message = godwit_error_dup_message (inner);
  godwit_set_error (error, code, remedy != NULL ? remedy : "correct it; then `godwit config check`",
                    "%s: [%s] %s", file, group, message);
}
