/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live.h"
#include "xml.h"

/* libvirt's QEMU driver offers each disk under the name of its drive, on both sides the same. */
#define PREFIX "drive-"

char *
lv_live_find_export (const char *definition, const char *target, GError **error)
{
  g_autoptr (xmlDoc) doc = lv_xml_parse (definition, "domain", error);
  if (doc == NULL)
    return NULL;
  xmlNode *devices = lv_xml_find (xmlDocGetRootElement (doc), "devices");
  lv_xml_each (disk, devices, "disk")
  {
    g_autofree char *alias = lv_xml_get (disk, "alias", "name");
    if (alias != NULL && lv_xml_has (disk, "target", "dev", target))
      return g_strconcat (PREFIX, alias, NULL);
  }
  godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, NULL,
                    "libvirt does not say what its drive %s is called", target);
  return NULL;
}

/* The definition that can migrate leaves out what libvirt calls its drives. */
char *
lv_live_get_export (GodwitHypervisor *hypervisor, GodwitGuest *guest, const char *target,
                    GError **error)
{
  GodwitLibvirtHypervisor *self = GODWIT_LIBVIRT_HYPERVISOR (hypervisor);
  g_autoptr (LvSession) session = lv_hypervisor_enter (self, NULL, error);

  if (session == NULL)
    return NULL;
  g_autoptr (virDomain) domain = virDomainLookupByUUIDString (session->connection, guest->uuid);
  char *text = domain != NULL ? virDomainGetXMLDesc (domain, 0) : NULL;
  if (text == NULL) {
    lv_set_error (error, lv_hypervisor_name (self), "cannot read the definition of guest %s",
                  guest->name);
    return NULL;
  }
  char *name = lv_live_find_export (text, target, error);
  free (text);
  return name;
}
