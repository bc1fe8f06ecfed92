/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include <string.h>

static char *
get_emulator (xmlNode *domain)
{
  return lv_xml_text (domain, "devices/emulator");
}

static char *
ask (virConnectPtr connection, const char *emulator, const char *arch, const char *machine,
     const char *virt)
{
  return virConnectGetDomainCapabilities (connection, emulator, arch, machine, virt, 0);
}

/* --- device models ------------------------------------------------------------------------ */

static const struct {
  const char *element;   /* of a definition's <devices> */
  const char *path;      /* below it; NULL: itself */
  const char *attribute; /* of that */
  const char *section;   /* of the capabilities' <devices> */
  const char *name;      /* of its <enum> */
  const char *what;
} models[] = {
    {"disk", "target", "bus", "disk", "bus", "disk bus"},
    {"disk", NULL, "device", "disk", "diskDevice", "disk device"},
    {"video", "model", "type", "video", "modelType", "video model"},
    {"graphics", NULL, "type", "graphics", "type", "graphics type"},
    {"rng", NULL, "model", "rng", "model", "random number generator"},
    {"rng", "backend", "model", "rng", "backendModel", "random number source"},
    {"redirdev", NULL, "bus", "redirdev", "bus", "redirected device on bus"},
    {"channel", NULL, "type", "channel", "type", "channel type"},
};

static gboolean
offers (xmlNode *section, const char *name, const char *value)
{
  lv_xml_each (choices, section, "enum")
  {
    if (!lv_xml_has (choices, NULL, "name", name))
      continue;
    lv_xml_each (choice, choices, "value")
    {
      g_autofree char *text = lv_xml_text (choice, NULL);
      if (g_strcmp0 (text, value) == 0)
        return TRUE;
    }
    return FALSE;
  }
  /* What these capabilities do not talk about is not denied by them. */
  return TRUE;
}

GStrv
lv_list_unsupported (xmlNode *domain, xmlNode *capabilities)
{
  g_autoptr (GStrvBuilder) list = g_strv_builder_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  xmlNode *offered = lv_xml_find (capabilities, "devices");

  for (guint i = 0; i < G_N_ELEMENTS (models); i++) {
    xmlNode *section = lv_xml_find (offered, models[i].section);
    if (section == NULL)
      continue;
    lv_xml_each (device, lv_xml_find (domain, "devices"), models[i].element)
    {
      g_autofree char *value = lv_xml_get (device, models[i].path, models[i].attribute);
      if (value == NULL || offers (section, models[i].name, value))
        continue;
      g_autofree char *text = g_strdup_printf ("%s %s", models[i].what, value);
      if (g_hash_table_add (seen, g_strdup (text)))
        g_strv_builder_add (list, text);
    }
  }
  return g_strv_builder_end (list);
}

static void
check_devices (LvCheck *check)
{
  xmlNode *capabilities = xmlDocGetRootElement (check->capabilities);
  g_auto (GStrv) missing = lv_list_unsupported (check->domain, capabilities);
  g_autofree char *list = g_strjoinv (", ", missing);

  if (missing[0] == NULL)
    godwit_report_add (check->report, GODWIT_SEVERITY_OK, "devices-supported", check->host, NULL,
                       "QEMU on %s has every kind of device that the guest uses", check->host);
  else
    godwit_report_add (check->report, GODWIT_SEVERITY_BLOCKER, "devices-supported", check->host,
                       "install the missing parts of QEMU there (see dpkg -l 'qemu-system-*'), or "
                       "change the device",
                       "QEMU on %s has no %s", check->host, list);
}

/* --- emulator, virtualisation, machine ---------------------------------------------------- */

/* The default emulator's path, out of capabilities. */
static char *
get_default_emulator (virConnectPtr connection, const char *arch, const char *virt)
{
  g_autofree char *text = ask (connection, NULL, arch, NULL, virt);
  g_autoptr (xmlDoc) document =
      text != NULL ? lv_xml_parse (text, "domainCapabilities", NULL) : NULL;

  return document != NULL ? lv_xml_text (xmlDocGetRootElement (document), "path") : NULL;
}

char *
lv_find_emulator (virConnectPtr connection, const GodwitGuest *guest)
{
  const char *definition =
      guest->live_definition != NULL ? guest->live_definition : guest->definition;
  g_autoptr (xmlDoc) document = lv_xml_parse (definition, "domain", NULL);
  xmlNode *domain = document != NULL ? xmlDocGetRootElement (document) : NULL;
  g_autofree char *emulator = get_emulator (domain);
  g_autofree char *arch = lv_xml_get (domain, "os/type", "arch");
  g_autofree char *virt = lv_xml_get (domain, NULL, "type");

  if (emulator == NULL)
    return NULL;
  g_autofree char *answer = ask (connection, emulator, arch, NULL, NULL);
  return answer != NULL ? NULL : get_default_emulator (connection, arch, virt);
}

/* libvirt says no to emulator, accelerator and machine with one code, so they are asked for one
 * after the other. */
static gboolean
check_emulator (LvCheck *check)
{
  g_autofree char *own = get_emulator (check->domain);
  g_autofree char *answer =
      own != NULL ? ask (check->connection, own, check->arch, NULL, NULL) : NULL;

  if (answer != NULL) {
    check->emulator = g_steal_pointer (&own);
    godwit_report_add (check->report, GODWIT_SEVERITY_OK, "emulator-present", check->host, NULL,
                       "%s is on %s", check->emulator, check->host);
    return TRUE;
  }
  g_autofree char *fallback = get_default_emulator (check->connection, check->arch, NULL);
  if (fallback != NULL) {
    godwit_report_add (check->report, GODWIT_SEVERITY_INFO, "emulator-present", check->host, NULL,
                       "the emulator %s is not on %s; the guest will use %s there",
                       own != NULL ? own : "of the guest", check->host, fallback);
    check->emulator = g_steal_pointer (&fallback);
    return TRUE;
  }
  g_autofree char *why = lv_last_error_text ();
  g_autofree char *remedy =
      g_strdup_printf ("install QEMU for %s on %s", check->arch != NULL ? check->arch : "the guest",
                       check->host);
  godwit_report_add (check->report, GODWIT_SEVERITY_BLOCKER, "emulator-present", check->host,
                     remedy, "%s has no emulator for %s guests: %s", check->host,
                     check->arch != NULL ? check->arch : "such", why);
  return FALSE;
}

static gboolean
check_virt (LvCheck *check)
{
  g_autofree char *answer =
      ask (check->connection, check->emulator, check->arch, NULL, check->virt);

  if (answer != NULL) {
    godwit_report_add (check->report, GODWIT_SEVERITY_OK, "virt-type", check->host, NULL,
                       "%s runs guests of type %s", check->host, check->virt);
    return TRUE;
  }
  g_autofree char *why = lv_last_error_text ();
  godwit_report_add (check->report, GODWIT_SEVERITY_BLOCKER, "virt-type", check->host,
                     "see with virt-host-validate there what is missing",
                     "%s cannot run guests of type %s: %s", check->host, check->virt, why);
  return FALSE;
}

static gboolean
check_machine_type (LvCheck *check)
{
  g_autofree char *answer =
      ask (check->connection, check->emulator, check->arch, check->machine, check->virt);
  g_autoptr (GError) error = NULL;

  if (answer == NULL) {
    g_autofree char *why = lv_last_error_text ();
    g_autofree char *remedy = g_strdup_printf (
        "see on %s what there is: virsh capabilities; or give the stopped guest another machine "
        "type",
        check->host);
    godwit_report_add (check->report, GODWIT_SEVERITY_BLOCKER, "machine-type-supported",
                       check->host, remedy, "%s has no machine type %s: %s", check->host,
                       check->machine != NULL ? check->machine : "(default)", why);
    return FALSE;
  }
  check->capabilities = lv_xml_parse (answer, "domainCapabilities", &error);
  if (check->capabilities == NULL) {
    godwit_report_add_error (check->report, "machine-type-supported", check->host, error);
    return FALSE;
  }
  godwit_report_add (check->report, GODWIT_SEVERITY_OK, "machine-type-supported", check->host, NULL,
                     "%s has machine type %s", check->host,
                     check->machine != NULL ? check->machine : "(default)");
  return TRUE;
}

void
lv_check_machine (LvCheck *check)
{
  if (check_emulator (check) && check_virt (check) && check_machine_type (check))
    check_devices (check);
}
