/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "describe.h"

#include <string.h>

static char *
attribute_or (xmlNode *node, const char *path, const char *attribute, const char *fallback)
{
  char *value = lv_xml_get (node, path, attribute);

  return value != NULL ? value : g_strdup (fallback);
}

static char *
name_pci (xmlNode *address)
{
  guint parts[4] = {0};
  static const char *const names[] = {"domain", "bus", "slot", "function"};

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *text = lv_xml_get (address, NULL, names[i]);
    parts[i] = text != NULL ? (guint)g_ascii_strtoull (text, NULL, 0) : 0;
  }
  return g_strdup_printf ("PCI device %04x:%02x:%02x.%x", parts[0], parts[1], parts[2], parts[3]);
}

static char *
name_hostdev (xmlNode *hostdev)
{
  g_autofree char *type = attribute_or (hostdev, NULL, "type", "unknown");
  xmlNode *source = lv_xml_find (hostdev, "source");

  if (g_str_equal (type, "pci"))
    return name_pci (lv_xml_find (source, "address"));
  if (g_str_equal (type, "usb")) {
    g_autofree char *vendor = lv_xml_get (source, "vendor", "id");
    g_autofree char *product = lv_xml_get (source, "product", "id");
    g_autofree char *bus = lv_xml_get (source, "address", "bus");
    g_autofree char *device = lv_xml_get (source, "address", "device");
    if (vendor != NULL && product != NULL)
      return g_strdup_printf ("USB device %s:%s", vendor, product);
    return g_strdup_printf ("USB device %s on bus %s", device != NULL ? device : "?",
                            bus != NULL ? bus : "?");
  }
  if (g_str_equal (type, "mdev")) {
    g_autofree char *uuid = attribute_or (source, "address", "uuid", "?");
    return g_strdup_printf ("mediated device %s", uuid);
  }
  if (g_str_equal (type, "scsi")) {
    g_autofree char *adapter = attribute_or (source, "adapter", "name", "iscsi");
    return g_strdup_printf ("SCSI device on %s", adapter);
  }
  return g_strdup_printf ("host device (%s)", type);
}

static char *
name_interface (xmlNode *node)
{
  g_autofree char *type = attribute_or (node, NULL, "type", "");
  g_autofree char *mac = attribute_or (node, "mac", "address", "?");

  /* Their other end is a device or a process of this host. */
  if (!g_str_equal (type, "hostdev") && !g_str_equal (type, "vhostuser") &&
      !g_str_equal (type, "vdpa"))
    return NULL;
  return g_strdup_printf ("network interface %s (%s)", mac, type);
}

static char *
name_disk (xmlNode *node)
{
  g_autofree char *type = attribute_or (node, NULL, "type", "");
  g_autofree char *target = attribute_or (node, "target", "dev", "?");

  if (g_str_equal (type, "nvme") || g_str_equal (type, "vhostuser") ||
      g_str_equal (type, "vhostvdpa"))
    return g_strdup_printf ("disk %s (%s)", target, type);
  if (g_strcmp0 ((const char *)node->name, "disk") == 0 && lv_xml_has (node, NULL, "device", "lun"))
    return g_strdup_printf ("disk %s (SCSI commands passed through)", target);
  if (lv_xml_find (node, "transient") != NULL)
    return g_strdup_printf ("disk %s (transient)", target);
  return NULL;
}

static char *
name_filesystem (xmlNode *node)
{
  g_autofree char *source = lv_xml_get (node, "source", "dir");
  g_autofree char *target = attribute_or (node, "target", "dir", "?");

  return g_strdup_printf ("directory %s shared as %s", source != NULL ? source : "of the host",
                          target);
}

static char *
name_memory (xmlNode *node)
{
  g_autofree char *model = attribute_or (node, NULL, "model", "");

  if (g_str_equal (model, "nvdimm") || g_str_equal (model, "virtio-pmem")) {
    g_autofree char *path = lv_xml_text (node, "source/path");
    return g_strdup_printf ("persistent memory %s", path != NULL ? path : model);
  }
  return g_str_equal (model, "sgx-epc") ? g_strdup ("SGX memory") : NULL;
}

static char *
name_tpm (xmlNode *node)
{
  g_autofree char *type = attribute_or (node, "backend", "type", "");

  /* An emulated TPM keeps its secrets in files of the host that nobody here moves. */
  if (g_str_equal (type, "emulator"))
    return g_strdup ("emulated TPM (its state is kept on the host)");
  return g_strdup_printf ("TPM of the host (%s)", type);
}

static char *
name_input (xmlNode *node)
{
  if (!lv_xml_has (node, NULL, "type", "passthrough") && !lv_xml_has (node, NULL, "type", "evdev"))
    return NULL;
  g_autofree char *device = lv_xml_get (node, "source", "evdev");
  if (device == NULL)
    device = attribute_or (node, "source", "dev", "?");
  return g_strdup_printf ("input device %s", device);
}

static char *
name_character_device (xmlNode *node)
{
  if (!lv_xml_has (node, NULL, "type", "dev"))
    return NULL;
  g_autofree char *path = attribute_or (node, "source", "path", "?");
  return g_strdup_printf ("%s device %s", (const char *)node->name, path);
}

static char *
name_shmem (xmlNode *node)
{
  g_autofree char *name = attribute_or (node, NULL, "name", "?");

  return g_strdup_printf ("shared memory %s", name);
}

static char *
name_smartcard (xmlNode *node)
{
  return lv_xml_has (node, NULL, "mode", "passthrough") ? NULL
                                                        : g_strdup ("smart card of the host");
}

static const struct {
  const char *element;
  char *(*name) (xmlNode *node);
} devices[] = {
    {"disk", name_disk},
    {"filesystem", name_filesystem},
    {"hostdev", name_hostdev},
    {"input", name_input},
    {"interface", name_interface},
    {"memory", name_memory},
    {"parallel", name_character_device},
    {"serial", name_character_device},
    {"shmem", name_shmem},
    {"smartcard", name_smartcard},
    {"tpm", name_tpm},
};

GStrv
lv_list_passthrough (xmlNode *domain)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  lv_xml_each (node, lv_xml_find (domain, "devices"), NULL) for (guint i = 0;
                                                                 i < G_N_ELEMENTS (devices); i++)
  {
    if (!lv_xml_is (node, devices[i].element))
      continue;
    g_autofree char *name = devices[i].name (node);
    if (name != NULL)
      g_strv_builder_add (names, name);
  }
  if (lv_xml_find (domain, "launchSecurity") != NULL)
    g_strv_builder_add (names, "encrypted memory (launchSecurity)");
  /* Options that libvirt hands on unseen may name anything of this host. */
  lv_xml_each (node, domain,
               "commandline") if (node->ns != NULL &&
                                  strstr ((const char *)node->ns->href, "/qemu/") != NULL &&
                                  lv_xml_first (node, "arg") != NULL)
      g_strv_builder_add (names, "arguments in <qemu:commandline>");
  return g_strv_builder_end (names);
}
