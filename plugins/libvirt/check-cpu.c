/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include <libvirt/virterror.h>
#include <string.h>

#define ID "cpu-compatible"

static const char *const remedy_model =
    "give the guest a CPU model that both hosts have (virsh hypervisor-cpu-baseline), and restart "
    "it";

char *
lv_cpu_from_capabilities (xmlNode *capabilities)
{
  lv_xml_each (mode, lv_xml_find (capabilities, "cpu"), "mode")
  {
    if (!lv_xml_has (mode, NULL, "name", "host-model") || lv_xml_find (mode, "model") == NULL)
      continue;
    g_autoptr (xmlDoc) document = xmlNewDoc ((const xmlChar *)"1.0");
    xmlNode *cpu = xmlNewDocNode (document, NULL, (const xmlChar *)"cpu", NULL);
    xmlDocSetRootElement (document, cpu);
    lv_xml_set (cpu, "mode", "custom");
    lv_xml_set (cpu, "match", "exact");
    lv_xml_each (child, mode, NULL) xmlAddChild (cpu, xmlDocCopyNode (child, document, 1));
    return lv_xml_print (cpu);
  }
  return NULL;
}

gboolean
lv_cpu_is_of_host (const LvCheck *check)
{
  g_autofree char *mode = lv_xml_get (check->domain, "cpu", "mode");

  return check->guest->live_definition != NULL && mode != NULL && !g_str_equal (mode, "custom");
}

static void
report_unknown (LvCheck *check, const char *what, const char *why)
{
  godwit_report_add (check->report, GODWIT_SEVERITY_WARNING, ID, check->host,
                     "compare the two hosts yourself: virsh domcapabilities",
                     "whether %s has %s could not be checked: %s", check->host, what, why);
}

/* TRUE if the destination's hypervisor can give a guest this CPU; else says so with @severity. */
static gboolean
compare (LvCheck *check, const char *cpu, const char *what, GodwitSeverity severity)
{
  int result = virConnectCompareHypervisorCPU (check->connection, check->emulator, check->arch,
                                               check->machine, check->virt, cpu,
                                               VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE);

  if (result == VIR_CPU_COMPARE_IDENTICAL || result == VIR_CPU_COMPARE_SUPERSET)
    return TRUE;
  g_autofree char *why = lv_last_error_text ();
  if (result < 0 && lv_last_error_code () != VIR_ERR_CPU_INCOMPATIBLE) {
    report_unknown (check, what, why);
    return FALSE;
  }
  godwit_report_add (check->report, severity, ID, check->host, remedy_model,
                     "%s cannot give the guest %s%s: %s", check->host, what,
                     severity == GODWIT_SEVERITY_BLOCKER ? "" : " in full", why);
  return FALSE;
}

static void
report_good (LvCheck *check, const char *what)
{
  godwit_report_add (check->report, GODWIT_SEVERITY_OK, ID, check->host, NULL, "%s has %s",
                     check->host, what);
}

static gboolean
drops_features (xmlNode *cpu)
{
  lv_xml_each (feature, cpu, "feature")
  {
    if (lv_xml_has (feature, NULL, "policy", "disable"))
      return TRUE;
  }
  return FALSE;
}

/* Under emulation libvirt compares with nothing and accepts every model that it has heard of; the
 * destination's own list of models is the only answer. A model that is not usable as it stands may
 * be without some of its features, and then the comparison decides. */
static gboolean
is_on_list (LvCheck *check, xmlNode *cpu, const char *model, const char *what,
            GodwitSeverity severity)
{
  lv_xml_each (mode, lv_xml_find (xmlDocGetRootElement (check->capabilities), "cpu"), "mode")
  {
    if (!lv_xml_has (mode, NULL, "name", "custom") || lv_xml_find (mode, "model") == NULL)
      continue;
    gboolean known = FALSE;
    lv_xml_each (offered, mode, "model")
    {
      g_autofree char *name = lv_xml_text (offered, NULL);
      if (g_strcmp0 (name, model) != 0)
        continue;
      if (!lv_xml_has (offered, NULL, "usable", "no") || drops_features (cpu))
        return TRUE;
      known = TRUE;
    }
    godwit_report_add (check->report, severity, ID, check->host, remedy_model, "%s %s %s",
                       check->host, known ? "lacks features of" : "does not know", what);
    return FALSE;
  }
  return TRUE;
}

static void
check_custom (LvCheck *check, xmlNode *cpu)
{
  g_autofree char *model = lv_xml_text (cpu, "model");
  g_autofree char *what = g_strdup_printf ("CPU model %s", model != NULL ? model : "(default)");
  g_autofree char *text = lv_xml_print (cpu);

  /* A guest that asked not to be checked starts with less than its model has. */
  gboolean lenient =
      check->guest->live_definition == NULL && lv_xml_has (cpu, NULL, "check", "none");

  GodwitSeverity severity = lenient ? GODWIT_SEVERITY_WARNING : GODWIT_SEVERITY_BLOCKER;
  if (is_on_list (check, cpu, model, what, severity) &&
      compare (check, check->source.cpu != NULL ? check->source.cpu : text, what, severity))
    report_good (check, what);
}

/* The running guest sees what its own host's CPU is. */
static void
check_host_cpu (LvCheck *check, const char *mode)
{
  g_autofree char *what = g_strdup_printf ("the source's CPU (%s)", mode);

  if (check->source.cpu == NULL) {
    report_unknown (check, what, "the source does not describe its CPU");
    return;
  }
  if (!compare (check, check->source.cpu, what, GODWIT_SEVERITY_BLOCKER))
    return;
  if (!g_str_equal (mode, "host-passthrough")) {
    report_good (check, what);
    return;
  }
  godwit_report_add (check->report, GODWIT_SEVERITY_WARNING, ID, check->host,
                     "use mode host-model for guests that move",
                     "%s has the features of the source's CPU, but the guest uses mode "
                     "host-passthrough, which is only safe between identical CPUs, microcode and "
                     "kernels",
                     check->host);
}

void
lv_check_cpu (LvCheck *check)
{
  xmlNode *cpu = lv_xml_find (check->domain, "cpu");
  g_autofree char *mode = lv_xml_get (cpu, NULL, "mode");

  /* Without the machine nothing can be asked about its CPUs; that is a blocker already. */
  if (check->capabilities == NULL)
    return;
  if (cpu == NULL || (mode == NULL && lv_xml_find (cpu, "model") == NULL)) {
    godwit_report_add (check->report, GODWIT_SEVERITY_OK, ID, check->host, NULL,
                       "the guest takes QEMU's default CPU");
    return;
  }
  if (mode == NULL || g_str_equal (mode, "custom")) {
    check_custom (check, cpu);
  } else if (!lv_cpu_is_of_host (check)) {
    godwit_report_add (check->report, GODWIT_SEVERITY_OK, ID, check->host, NULL,
                       "the guest takes whatever CPU its host has (%s), from its next start", mode);
  } else {
    check_host_cpu (check, mode);
  }
}
