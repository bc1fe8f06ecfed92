/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor.h"

#include "xml.h"

#include <string.h>

/* "+64055:+64055": libvirt writes numbers with a plus sign, lest they be taken for names. */
static void
parse_base_label (GodwitHostFacts *facts, const char *label)
{
  g_auto (GStrv) ids = g_strsplit (label, ":", 2);
  guint64 uid = 0;
  guint64 gid = 0;

  if (g_strv_length (ids) != 2)
    return;
  const char *user = *ids[0] == '+' ? ids[0] + 1 : ids[0];
  const char *group = *ids[1] == '+' ? ids[1] + 1 : ids[1];
  if (!g_ascii_string_to_unsigned (user, 10, 0, G_MAXUINT32 - 1, &uid, NULL) ||
      !g_ascii_string_to_unsigned (group, 10, 0, G_MAXUINT32 - 1, &gid, NULL))
    return;
  facts->guest_uid = (guint32)uid;
  facts->guest_gid = (guint32)gid;
}

static void
parse_security (GodwitHostFacts *facts, xmlNode *host)
{
  g_autoptr (GString) models = g_string_new (NULL);

  lv_xml_each (security, host, "secmodel")
  {
    g_autofree char *model = lv_xml_text (security, "model");
    g_autofree char *label = lv_xml_text (security, "baselabel");
    if (g_strcmp0 (model, "dac") == 0) {
      /* Plain file ownership is there on every host and confines nothing by itself. */
      if (label != NULL)
        parse_base_label (facts, label);
    } else if (model != NULL && *model != '\0' && strcmp (model, "none") != 0) {
      g_string_append_printf (models, "%s%s", models->len > 0 ? "," : "", model);
    }
  }
  g_free (facts->security);
  facts->security = g_strdup (models->len > 0 ? models->str : "none");
}

gboolean
lv_facts_parse (GodwitHostFacts *facts, const char *capabilities, GError **error)
{
  g_autoptr (xmlDoc) document = lv_xml_parse (capabilities, "capabilities", error);

  /* -1 is what chown takes for "leave it": the one safe answer where nothing is known. */
  facts->guest_uid = G_MAXUINT32;
  facts->guest_gid = G_MAXUINT32;
  if (document == NULL)
    return FALSE;
  xmlNode *host = lv_xml_find (xmlDocGetRootElement (document), "host");
  g_free (facts->uuid);
  facts->uuid = lv_xml_text (host, "uuid");
  parse_security (facts, host);
  return TRUE;
}

static char *
format_version (unsigned long version)
{
  return g_strdup_printf ("%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
}

static char *
describe_versions (virConnectPtr connection)
{
  const char *kind = virConnectGetType (connection);
  unsigned long library = 0;
  unsigned long emulator = 0;

  if (virConnectGetLibVersion (connection, &library) < 0)
    library = 0;
  if (virConnectGetVersion (connection, &emulator) < 0)
    emulator = 0;
  g_autofree char *libvirt_version = format_version (library);
  g_autofree char *emulator_version = format_version (emulator);
  return g_strdup_printf ("libvirt %s, %s %s", libvirt_version, kind != NULL ? kind : "unknown",
                          emulator_version);
}

/* What a new guest could use is more than what is free: caches give way. */
static gboolean
read_memory_stats (GodwitHostFacts *facts, virConnectPtr connection)
{
  int count = 0;

  if (virNodeGetMemoryStats (connection, VIR_NODE_MEMORY_STATS_ALL_CELLS, NULL, &count, 0) < 0 ||
      count <= 0)
    return FALSE;
  g_autofree virNodeMemoryStatsPtr stats = g_new0 (virNodeMemoryStats, count);
  if (virNodeGetMemoryStats (connection, VIR_NODE_MEMORY_STATS_ALL_CELLS, stats, &count, 0) < 0)
    return FALSE;
  for (int i = 0; i < count; i++) {
    guint64 bytes = (guint64)stats[i].value * 1024;
    if (g_str_equal (stats[i].field, VIR_NODE_MEMORY_STATS_TOTAL))
      facts->memory_total = bytes;
    else if (g_str_equal (stats[i].field, VIR_NODE_MEMORY_STATS_FREE) ||
             g_str_equal (stats[i].field, VIR_NODE_MEMORY_STATS_BUFFERS) ||
             g_str_equal (stats[i].field, VIR_NODE_MEMORY_STATS_CACHED))
      facts->memory_free += bytes;
  }
  return TRUE;
}

static void
read_memory (GodwitHostFacts *facts, virConnectPtr connection)
{
  virNodeInfo info;

  if (read_memory_stats (facts, connection))
    return;
  facts->memory_free = virNodeGetFreeMemory (connection);
  if (virNodeGetInfo (connection, &info) == 0)
    facts->memory_total = (guint64)info.memory * 1024;
}

GodwitHostFacts *
lv_get_facts (GodwitHypervisor *hypervisor, GCancellable *cancellable, GError **error)
{
  GodwitLibvirtHypervisor *self = GODWIT_LIBVIRT_HYPERVISOR (hypervisor);
  g_autoptr (LvSession) session = lv_hypervisor_enter (self, cancellable, error);
  g_autoptr (GodwitHostFacts) facts = g_new0 (GodwitHostFacts, 1);

  if (session == NULL)
    return NULL;
  g_autofree char *capabilities = virConnectGetCapabilities (session->connection);
  if (capabilities == NULL) {
    lv_set_error (error, self->host_name, "cannot ask for the capabilities");
    return NULL;
  }
  if (!lv_facts_parse (facts, capabilities, error)) {
    g_prefix_error (error, "capabilities of %s: ", self->host_name);
    return NULL;
  }
  g_autofree char *hostname = virConnectGetHostname (session->connection);
  facts->hostname = g_strdup (hostname != NULL ? hostname : self->host_name);
  facts->version = describe_versions (session->connection);
  read_memory (facts, session->connection);
  return g_steal_pointer (&facts);
}
