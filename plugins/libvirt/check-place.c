/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include <libvirt/virterror.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (virNetwork, virNetworkFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (virInterface, virInterfaceFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (virNWFilter, virNWFilterFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (virSecret, virSecretFree)

/* --- networks ----------------------------------------------------------------------------- */

static void
report_no_network (LvCheck *check, const char *name)
{
  gboolean absent = lv_last_error_code () == VIR_ERR_NO_NETWORK;
  g_autofree char *why = lv_last_error_text ();
  g_autofree char *remedy =
      g_strdup_printf ("on %s: virsh net-define, or give the guest another network", check->host);

  godwit_report_add (check->report, GODWIT_SEVERITY_BLOCKER, "networks-present", name, remedy,
                     "%s has no network %s%s%s", check->host, name, absent ? "" : ": ",
                     absent ? "" : why);
}

static void
check_network (LvCheck *check, const char *name)
{
  g_autoptr (virNetwork) network = virNetworkLookupByName (check->connection, name);

  if (network == NULL) {
    report_no_network (check, name);
    return;
  }
  if (virNetworkIsActive (network) == 1) {
    godwit_report_add (check->report, GODWIT_SEVERITY_OK, "networks-present", name, NULL,
                       "network %s is active on %s", name, check->host);
    return;
  }
  g_autofree char *remedy = g_strdup_printf ("on %s: virsh net-start %s", check->host, name);
  godwit_report_add (check->report, GODWIT_SEVERITY_BLOCKER, "networks-present", name, remedy,
                     "network %s is defined on %s but not active", name, check->host);
}

/* 1: there, 0: not there, -1: nobody could say. */
static int
has_device (virConnectPtr connection, const char *name)
{
  g_autoptr (virInterface) interface = virInterfaceLookupByName (connection, name);

  if (interface != NULL)
    return 1;
  return lv_last_error_code () == VIR_ERR_NO_INTERFACE ? 0 : -1;
}

static void
check_device (LvCheck *check, const char *name, const char *what)
{
  int there = has_device (check->connection, name);
  g_autofree char *remedy = NULL;

  if (there == 1) {
    godwit_report_add (check->report, GODWIT_SEVERITY_OK, "networks-present", name, NULL,
                       "%s %s is on %s", what, name, check->host);
  } else if (there == 0) {
    remedy = g_strdup_printf ("make it on %s, or give the guest's interface another %s",
                              check->host, what);
    godwit_report_add (check->report, GODWIT_SEVERITY_BLOCKER, "networks-present", name, remedy,
                       "%s has no %s %s", check->host, what, name);
  } else {
    g_autofree char *why = lv_last_error_text ();
    remedy = g_strdup_printf ("look on %s: ip link show %s", check->host, name);
    godwit_report_add (check->report, GODWIT_SEVERITY_WARNING, "networks-present", name, remedy,
                       "%s could not say whether it has %s %s: %s", check->host, what, name, why);
  }
}

static void
check_filter (LvCheck *check, const char *name)
{
  g_autoptr (virNWFilter) filter = virNWFilterLookupByName (check->connection, name);

  if (filter != NULL || lv_last_error_code () != VIR_ERR_NO_NWFILTER)
    return;
  g_autofree char *remedy = g_strdup_printf (
      "copy it: virsh nwfilter-dumpxml %s on the source, virsh nwfilter-define on %s", name,
      check->host);
  godwit_report_add (check->report, GODWIT_SEVERITY_BLOCKER, "filters-present", name, remedy,
                     "%s has no network filter %s", check->host, name);
}

void
lv_check_networks (LvCheck *check)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  lv_xml_each (interface, lv_xml_find (check->domain, "devices"), "interface")
  {
    g_autofree char *network = lv_xml_get (interface, "source", "network");
    g_autofree char *bridge = lv_xml_get (interface, "source", "bridge");
    g_autofree char *device = lv_xml_get (interface, "source", "dev");
    g_autofree char *filter = lv_xml_get (interface, "filterref", "filter");
    /* A running guest's interface to a network also names the bridge that it got there. */
    const char *name = network != NULL ? network : bridge != NULL ? bridge : device;
    if (filter != NULL && g_hash_table_add (seen, g_strconcat ("filter ", filter, NULL)))
      check_filter (check, filter);
    if (name == NULL || !g_hash_table_add (seen, g_strdup (name)))
      continue;
    if (network != NULL)
      check_network (check, network);
    else if (bridge != NULL)
      check_device (check, bridge, "bridge");
    else if (lv_xml_has (interface, NULL, "type", "direct"))
      check_device (check, device, "network device");
  }
}

/* --- memory ------------------------------------------------------------------------------- */

void
lv_check_memory (LvCheck *check, const GodwitHostFacts *facts)
{
  g_autofree char *needed = g_format_size_full (check->guest->memory, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *available = g_format_size_full (facts->memory_free, G_FORMAT_SIZE_IEC_UNITS);

  if (!godwit_guest_is_active (check->guest))
    return;
  if (facts->memory_free >= check->guest->memory)
    godwit_report_add (check->report, GODWIT_SEVERITY_OK, "memory-free", check->host, NULL,
                       "the guest may use %s, %s has %s available", needed, check->host, available);
  else
    godwit_report_add (check->report, GODWIT_SEVERITY_BLOCKER, "memory-free", check->host,
                       "free memory there, or give the guest less",
                       "the guest may use %s, but %s has only %s available", needed, check->host,
                       available);
}

/* --- files that QEMU reads at its start ----------------------------------------------------- */

static void
check_file (LvCheck *check, const char *path, const char *what)
{
  GodwitHost *host = godwit_job_get_destination (check->job);
  GodwitFileInfo info = {0};
  g_autoptr (GError) error = NULL;

  if (!godwit_host_stat (host, path, &info, check->cancellable, &error)) {
    g_autofree char *why = godwit_error_dup_message (error);
    g_autofree char *remedy = g_strdup_printf ("look on %s: ls -l %s", check->host, path);
    godwit_report_add (check->report, GODWIT_SEVERITY_WARNING, "boot-files", path, remedy,
                       "whether %s has the guest's %s could not be checked: %s", check->host, what,
                       why);
    return;
  }
  if (info.type != GODWIT_FILE_ABSENT) {
    godwit_report_add (check->report, GODWIT_SEVERITY_OK, "boot-files", path, NULL,
                       "the guest's %s %s is on %s", what, path, check->host);
    return;
  }
  g_autofree char *remedy =
      g_strdup_printf ("copy it to %s, or install what brings it", check->host);
  godwit_report_add (check->report, GODWIT_SEVERITY_BLOCKER, "boot-files", path, remedy,
                     "%s does not have the guest's %s %s, which QEMU reads at its start",
                     check->host, what, path);
}

/* The firmware images that the destination's libvirt itself found need no second look. */
static gboolean
is_known_loader (LvCheck *check, const char *path)
{
  xmlNode *loader = check->capabilities != NULL
                        ? lv_xml_find (xmlDocGetRootElement (check->capabilities), "os/loader")
                        : NULL;

  lv_xml_each (value, loader, "value")
  {
    g_autofree char *known = lv_xml_text (value, NULL);
    if (g_strcmp0 (known, path) == 0)
      return TRUE;
  }
  return FALSE;
}

void
lv_check_files (LvCheck *check)
{
  static const struct {
    const char *path;
    const char *what;
  } files[] = {{"os/loader", "firmware"},
               {"os/kernel", "kernel"},
               {"os/initrd", "initial RAM disk"},
               {"os/dtb", "device tree"}};

  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = lv_xml_text (check->domain, files[i].path);
    if (path == NULL || *path != '/')
      continue;
    if (is_known_loader (check, path))
      godwit_report_add (check->report, GODWIT_SEVERITY_OK, "boot-files", path, NULL,
                         "the guest's %s %s is on %s", files[i].what, path, check->host);
    else
      check_file (check, path, files[i].what);
  }
}

/* --- secrets ------------------------------------------------------------------------------ */

static int
get_usage_type (const char *type)
{
  if (g_strcmp0 (type, "ceph") == 0)
    return VIR_SECRET_USAGE_TYPE_CEPH;
  if (g_strcmp0 (type, "iscsi") == 0)
    return VIR_SECRET_USAGE_TYPE_ISCSI;
  return VIR_SECRET_USAGE_TYPE_VOLUME;
}

static void
check_secret (LvCheck *check, xmlNode *node, const char *target)
{
  g_autofree char *type = lv_xml_get (node, NULL, "type");
  g_autofree char *uuid = lv_xml_get (node, NULL, "uuid");
  g_autofree char *usage = lv_xml_get (node, NULL, "usage");
  const char *name = uuid != NULL ? uuid : usage;

  if (name == NULL)
    return;
  g_autoptr (virSecret) secret =
      uuid != NULL ? virSecretLookupByUUIDString (check->connection, uuid)
                   : virSecretLookupByUsage (check->connection, get_usage_type (type), usage);
  if (secret != NULL) {
    godwit_report_add (check->report, GODWIT_SEVERITY_OK, "secrets-present", target, NULL,
                       "%s has the secret of disk %s", check->host, target);
    return;
  }
  g_autofree char *why = lv_last_error_text ();
  g_autofree char *remedy =
      g_strdup_printf ("on %s: virsh secret-define and virsh secret-set-value, as at the source",
                       check->host);
  godwit_report_add (check->report, GODWIT_SEVERITY_BLOCKER, "secrets-present", target, remedy,
                     "%s does not have the secret %s of disk %s: %s", check->host, name, target,
                     why);
}

void
lv_check_secrets (LvCheck *check)
{
  static const char *const paths[] = {"auth/secret", "encryption/secret", "source/auth/secret",
                                      "source/encryption/secret"};

  lv_xml_each (disk, lv_xml_find (check->domain, "devices"), "disk")
  {
    g_autofree char *target = lv_xml_get (disk, "target", "dev");
    for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
      xmlNode *secret = lv_xml_find (disk, paths[i]);
      if (secret != NULL)
        check_secret (check, secret, target);
    }
  }
}
