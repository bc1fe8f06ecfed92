/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include "definition.h"

#include <libvirt/virterror.h>

static void
lv_check_clear (LvCheck *check)
{
  g_clear_pointer (&check->source.facts, godwit_host_facts_free);
  g_clear_pointer (&check->source.cpu, g_free);
  g_clear_pointer (&check->session, lv_session_leave);
  g_clear_pointer (&check->document, xmlFreeDoc);
  g_clear_pointer (&check->capabilities, xmlFreeDoc);
  g_free (check->emulator);
  g_free (check->arch);
  g_free (check->machine);
  g_free (check->virt);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LvCheck, lv_check_clear)

/* --- name and UUID ------------------------------------------------------------------------ */

static void
report_taken (LvCheck *check, virDomainPtr domain, const char *id, const char *what)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  const char *name = virDomainGetName (domain);
  g_autofree char *remedy = g_strdup_printf (
      "look at it on %s (virsh dominfo %s); if it is a leftover: virsh undefine --keep-nvram %s",
      check->host, name, name);

  virDomainGetUUIDString (domain, uuid);
  godwit_report_add (check->report, GODWIT_SEVERITY_BLOCKER, id, check->host, remedy,
                     "%s already has a guest with %s: %s (%s), which is %s", check->host, what,
                     name, uuid, virDomainIsActive (domain) == 1 ? "running" : "shut off");
}

static void
report_free (LvCheck *check, const char *id, const char *what, const char *value)
{
  g_autoptr (GError) error = NULL;

  if (lv_last_error_code () == VIR_ERR_NO_DOMAIN) {
    godwit_report_add (check->report, GODWIT_SEVERITY_OK, id, check->host, NULL,
                       "%s %s is free on %s", what, value, check->host);
    return;
  }
  lv_set_error (&error, check->host, "cannot look for a guest with %s %s", what, value);
  godwit_report_add_error (check->report, id, check->host, error);
}

static void
check_name_and_uuid (LvCheck *check)
{
  g_autoptr (virDomain) by_name = virDomainLookupByName (check->connection, check->guest->name);
  if (by_name != NULL)
    report_taken (check, by_name, "guest-name-free", "this name");
  else
    report_free (check, "guest-name-free", "name", check->guest->name);

  g_autoptr (virDomain) by_uuid =
      virDomainLookupByUUIDString (check->connection, check->guest->uuid);
  if (by_uuid != NULL)
    report_taken (check, by_uuid, "guest-uuid-free", "this UUID");
  else
    report_free (check, "guest-uuid-free", "UUID", check->guest->uuid);
}

/* --- the two hosts compared --------------------------------------------------------------- */

static char *
format_version (unsigned long version)
{
  return g_strdup_printf ("%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
}

static void
compare_version (LvCheck *check, const char *id, const char *what, unsigned long source,
                 unsigned long destination)
{
  g_autofree char *source_text = format_version (source);
  g_autofree char *destination_text = format_version (destination);

  if (destination >= source)
    godwit_report_add (check->report, GODWIT_SEVERITY_OK, id, check->host, NULL,
                       "%s %s at the source, %s on %s", what, source_text, destination_text,
                       check->host);
  else
    godwit_report_add (check->report, GODWIT_SEVERITY_WARNING, id, check->host,
                       "upgrade the destination first",
                       "%s is older on %s (%s) than at the source (%s): it may not know "
                       "everything of the guest",
                       what, check->host, destination_text, source_text);
}

static void
check_versions (LvCheck *check)
{
  unsigned long version = 0;

  if (check->source.hypervisor_version > 0 &&
      virConnectGetVersion (check->connection, &version) == 0)
    compare_version (check, "hypervisor-version", "QEMU", check->source.hypervisor_version,
                     version);
  if (check->source.libvirt_version > 0 &&
      virConnectGetLibVersion (check->connection, &version) == 0)
    compare_version (check, "libvirt-version", "libvirt", check->source.libvirt_version, version);
}

/* Seen with QEMU 7.2 on busy hosts: its log of dirty pages misses writes of an emulated processor,
 * and the guest hangs or goes wrong after it has moved. KVM keeps a log of its own. */
static void
check_emulation (LvCheck *check)
{
  if (!godwit_guest_is_active (check->guest) || g_strcmp0 (check->virt, "qemu") != 0 ||
      check->source.hypervisor_version == 0 || check->source.hypervisor_version >= 9000000)
    return;
  g_autofree char *version = format_version (check->source.hypervisor_version);
  godwit_report_add (check->report, GODWIT_SEVERITY_WARNING, "emulated-guest", check->guest->name,
                     "give it KVM, upgrade QEMU to 9.0, or move it with --strategy cold",
                     "%s is emulated, and a live migration by QEMU %s may miss what an emulated "
                     "guest writes to its memory meanwhile",
                     check->guest->name, version);
}

static void
check_security (LvCheck *check, const GodwitHostFacts *facts)
{
  const char *source = check->source.facts != NULL ? check->source.facts->security : NULL;

  if (source == NULL || facts->security == NULL)
    return;
  if (g_str_equal (source, facts->security))
    godwit_report_add (check->report, GODWIT_SEVERITY_OK, "security-driver", check->host, NULL,
                       "guests are confined by %s on both hosts", source);
  else
    godwit_report_add (check->report, GODWIT_SEVERITY_WARNING, "security-driver", check->host,
                       "set the same security_driver in /etc/libvirt/qemu.conf of both hosts",
                       "guests are confined by %s at the source and by %s on %s", source,
                       facts->security, check->host);
}

/* --- the definition itself ---------------------------------------------------------------- */

static gboolean
check_strays (LvCheck *check, GError **error)
{
  g_auto (GStrv) strays = NULL;

  if (check->guest->live_definition == NULL || !check->guest->persistent)
    return TRUE;
  strays = lv_definition_list_strays (check->guest, error);
  if (strays == NULL)
    return FALSE;
  g_autofree char *list = g_strjoinv (", ", strays);
  if (strays[0] == NULL)
    godwit_report_add (check->report, GODWIT_SEVERITY_OK, "definition-agrees", check->guest->name,
                       NULL, "the running guest has all disks of its persistent definition");
  else
    godwit_report_add (
        check->report, GODWIT_SEVERITY_BLOCKER, "definition-agrees", check->guest->name,
        "detach the disk from the persistent definition (virsh detach-disk --config), attach it "
        "to the running guest, or restart the guest",
        "the persistent definition has a disk (%s) that the running guest does not have, or has "
        "with another image: it would be missing after the next start at the destination",
        list);
  return TRUE;
}

static char *
read_host_cpu (LvCheck *check, virConnectPtr source)
{
  g_autofree char *emulator = lv_xml_text (check->domain, "devices/emulator");
  g_autofree char *text = virConnectGetDomainCapabilities (source, emulator, check->arch,
                                                           check->machine, check->virt, 0);
  g_autoptr (xmlDoc) document =
      text != NULL ? lv_xml_parse (text, "domainCapabilities", NULL) : NULL;

  return document != NULL ? lv_cpu_from_capabilities (xmlDocGetRootElement (document)) : NULL;
}

/* The form that is not for migration lists each feature that QEMU really gave the guest. */
static char *
read_guest_cpu (LvCheck *check, virConnectPtr source)
{
  g_autoptr (virDomain) domain = virDomainLookupByUUIDString (source, check->guest->uuid);
  g_autofree char *text = domain != NULL ? virDomainGetXMLDesc (domain, 0) : NULL;
  g_autoptr (xmlDoc) document = text != NULL ? lv_xml_parse (text, "domain", NULL) : NULL;
  xmlNode *cpu = document != NULL ? lv_xml_find (xmlDocGetRootElement (document), "cpu") : NULL;

  return cpu != NULL ? lv_xml_print (cpu) : NULL;
}

/* Nothing of the source is needed to check the destination, but much is said by comparing. */
static void
ask_source (LvCheck *check)
{
  GodwitHypervisor *source = godwit_job_get_source_hypervisor (check->job);

  if (source == NULL)
    return;
  check->source.facts = godwit_hypervisor_get_facts (source, check->cancellable, NULL);
  if (!GODWIT_IS_LIBVIRT_HYPERVISOR (source))
    return;
  g_autoptr (LvSession) session =
      lv_hypervisor_enter (GODWIT_LIBVIRT_HYPERVISOR (source), check->cancellable, NULL);
  if (session == NULL)
    return;
  if (virConnectGetVersion (session->connection, &check->source.hypervisor_version) < 0 ||
      virConnectGetLibVersion (session->connection, &check->source.libvirt_version) < 0)
    check->source.hypervisor_version = 0;
  if (lv_cpu_is_of_host (check))
    check->source.cpu = read_host_cpu (check, session->connection);
  else if (check->guest->live_definition != NULL)
    check->source.cpu = read_guest_cpu (check, session->connection);
}

static gboolean
prepare (LvCheck *check, GError **error)
{
  const char *definition = check->guest->live_definition != NULL ? check->guest->live_definition
                                                                 : check->guest->definition;

  check->document = lv_xml_parse (definition, "domain", error);
  if (check->document == NULL)
    return FALSE;
  check->domain = xmlDocGetRootElement (check->document);
  check->arch = lv_xml_get (check->domain, "os/type", "arch");
  check->machine = lv_xml_get (check->domain, "os/type", "machine");
  check->virt = lv_xml_get (check->domain, NULL, "type");
  ask_source (check);
  return TRUE;
}

gboolean
lv_check_guest (GodwitHypervisor *hypervisor, GodwitJob *job, GodwitGuest *guest,
                GodwitReport *report, GCancellable *cancellable, GError **error)
{
  GodwitLibvirtHypervisor *self = GODWIT_LIBVIRT_HYPERVISOR (hypervisor);
  g_auto (LvCheck)
      check = {.job = job, .guest = guest, .report = report, .cancellable = cancellable};

  check.host = lv_hypervisor_name (self);
  if (!prepare (&check, error))
    return FALSE;
  check.session = lv_hypervisor_enter (self, cancellable, error);
  if (check.session == NULL)
    return FALSE;
  check.connection = check.session->connection;
  g_autoptr (GodwitHostFacts) facts = lv_get_facts (hypervisor, cancellable, error);
  if (facts == NULL)
    return FALSE;
  check_name_and_uuid (&check);
  check_versions (&check);
  check_emulation (&check);
  check_security (&check, facts);
  lv_check_machine (&check);
  lv_check_cpu (&check);
  lv_check_memory (&check, facts);
  lv_check_networks (&check);
  lv_check_files (&check);
  lv_check_secrets (&check);
  return check_strays (&check, error);
}
