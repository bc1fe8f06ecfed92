/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "definition.h"

#include "check.h"
#include "describe.h"
#include "hypervisor.h"

#include <string.h>

static void
note (const LvPlace *place, char *text)
{
  g_ptr_array_add (place->notes, text);
}

/* --- disks -------------------------------------------------------------------------------- */

static const char *
get_destination (const GodwitImage *image)
{
  return image->destination != NULL ? image->destination : image->path;
}

static gboolean
set_source (xmlNode *disk, const GodwitDisk *model, GError **error)
{
  const GodwitImage *top = godwit_disk_get_top (model);
  g_autofree char *type = lv_xml_get (disk, NULL, "type");
  xmlNode *source = lv_xml_find (disk, "source");
  const char *path = get_destination (top);

  if (source == NULL)
    return TRUE;
  if (g_strcmp0 (type, "volume") == 0) {
    /* A pool of that name may be another one at the destination; the path has been checked. */
    gboolean block = g_str_has_prefix (path, "/dev/");
    lv_xml_set (disk, "type", block ? "block" : "file");
    lv_xml_set (source, "pool", NULL);
    lv_xml_set (source, "volume", NULL);
    lv_xml_set (source, "mode", NULL);
    lv_xml_set (source, block ? "dev" : "file", path);
    return TRUE;
  }
  if (g_str_equal (path, top->path))
    return TRUE;
  if (type == NULL || g_str_equal (type, "file")) {
    lv_xml_set (source, "file", path);
  } else if (g_str_equal (type, "block")) {
    lv_xml_set (source, "dev", path);
  } else {
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, NULL,
                      "disk %s: a source of type %s cannot be moved from %s to %s", model->target,
                      type, top->path, path);
    return FALSE;
  }
  return TRUE;
}

static const GodwitImage *
find_layer (const GodwitDisk *model, const char *path)
{
  for (guint i = 0; i < model->chain->len; i++) {
    const GodwitImage *image = g_ptr_array_index (model->chain, i);
    if (g_strcmp0 (image->path, path) == 0)
      return image;
  }
  return NULL;
}

/* A chain that is written out stays so; one that is not is read from the images' headers. */
static void
adapt_backing_store (xmlNode *disk, const GodwitDisk *model)
{
  static const char *const attributes[] = {"file", "dev"};

  if (model->flatten) {
    lv_xml_remove_children (disk, "backingStore");
    return;
  }
  for (xmlNode *layer = lv_xml_first (disk, "backingStore"); layer != NULL;
       layer = lv_xml_first (layer, "backingStore")) {
    xmlNode *source = lv_xml_find (layer, "source");
    for (guint i = 0; i < G_N_ELEMENTS (attributes); i++) {
      g_autofree char *path = lv_xml_get (source, NULL, attributes[i]);
      const GodwitImage *image = path != NULL ? find_layer (model, path) : NULL;
      if (image != NULL)
        lv_xml_set (source, attributes[i], get_destination (image));
    }
  }
}

/* What the mirror reads as zeroes must not be allocated at the destination. Only QEMU there can
 * see to it, and only as it is started; the persistent definition keeps the guest's values. */
static void
keep_holes (xmlNode *disk, const GodwitDisk *model, const LvPlace *place)
{
  xmlNode *driver = lv_xml_find (disk, "driver");

  if (lv_xml_has (driver, NULL, "discard", "unmap") &&
      lv_xml_has (driver, NULL, "detect_zeroes", "unmap"))
    return;
  if (driver == NULL) {
    driver = xmlNewChild (disk, NULL, (const xmlChar *)"driver", NULL);
    lv_xml_set (driver, "name", "qemu");
    lv_xml_set (driver, "type", godwit_disk_get_top (model)->format);
  }
  lv_xml_set (driver, "discard", "unmap");
  lv_xml_set (driver, "detect_zeroes", "unmap");
  note (place, g_strdup_printf ("disk %s runs with discard=unmap and detect_zeroes=unmap, which "
                                "keep its holes, until the guest is next started; then its own "
                                "values hold again",
                                model->target));
}

/* The drive is empty or holds another medium while the guest runs, so this one does not move. */
static void
make_medium_optional (xmlNode *disk, const char *target, const char *source, const LvPlace *place)
{
  if (!lv_xml_has (disk, NULL, "type", "file") ||
      (!lv_xml_has (disk, NULL, "device", "cdrom") && !lv_xml_has (disk, NULL, "device", "floppy")))
    return;
  lv_xml_set (lv_xml_find (disk, "source"), "startupPolicy", "optional");
  note (place, g_strdup_printf ("drive %s: the persistent definition names %s, which the running "
                                "guest does not use; it is not moved, and the drive is empty at "
                                "the next start if it is not at the destination",
                                target, source));
}

static gboolean
adapt_disk (xmlNode *disk, const GodwitGuest *guest, gboolean live, const LvPlace *place,
            GError **error)
{
  g_autofree char *target = lv_xml_get (disk, "target", "dev");
  g_autofree char *source = lv_disk_get_source (disk, NULL, NULL, NULL);
  const GodwitDisk *model = target != NULL ? godwit_guest_find_disk (guest, target) : NULL;
  const GodwitImage *top = model != NULL ? godwit_disk_get_top (model) : NULL;

  if (source == NULL)
    return TRUE;
  /* A source that nobody planned for stays; the checks refuse it for everything but media. */
  if (!lv_xml_has (disk, NULL, "type", "volume") &&
      (top == NULL || !g_str_equal (source, top->path))) {
    make_medium_optional (disk, target, source, place);
    return TRUE;
  }
  if (top == NULL)
    return TRUE;
  if (!set_source (disk, model, error))
    return FALSE;
  adapt_backing_store (disk, model);
  lv_xml_remove_children (disk, "mirror");
  if (live && model->treatment == GODWIT_TREATMENT_MIRROR && !model->preallocated)
    keep_holes (disk, model, place);
  return TRUE;
}

/* --- consoles ----------------------------------------------------------------------------- */

static gboolean
is_any_or_loopback (const char *address)
{
  g_autoptr (GInetAddress) inet = g_inet_address_new_from_string (address);

  if (inet == NULL)
    return g_str_equal (address, "localhost");
  return g_inet_address_get_is_any (inet) || g_inet_address_get_is_loopback (inet);
}

/* An address that only the source has would keep the guest from starting elsewhere. */
static gboolean
adapt_address (xmlNode *node, const char *attribute, const LvPlace *place, char **was)
{
  g_autofree char *address = lv_xml_get (node, NULL, attribute);
  const char *replacement = place->address != NULL ? place->address : "127.0.0.1";

  if (address == NULL || *address == '\0' || is_any_or_loopback (address) ||
      g_str_equal (address, replacement))
    return FALSE;
  lv_xml_set (node, attribute, replacement);
  g_free (*was);
  *was = g_steal_pointer (&address);
  return TRUE;
}

static void
adapt_graphics (xmlNode *graphics, gboolean noted, const LvPlace *place)
{
  g_autofree char *was = NULL;
  gboolean changed = adapt_address (graphics, "listen", place, &was);

  lv_xml_each (listen, graphics, "listen") if (lv_xml_has (listen, NULL, "type", "address"))
      changed |= adapt_address (listen, "address", place, &was);
  if (!changed || !noted)
    return;
  g_autofree char *type = lv_xml_get (graphics, NULL, "type");
  note (place, g_strdup_printf ("the %s console listened on %s, an address of the source; at the "
                                "destination it listens on %s",
                                type != NULL ? type : "graphical", was,
                                place->address != NULL ? place->address : "127.0.0.1"));
}

/* --- the rest ----------------------------------------------------------------------------- */

static void
adapt_emulator (xmlNode *domain, gboolean noted, const LvPlace *place)
{
  xmlNode *emulator = lv_xml_find (domain, "devices/emulator");

  if (emulator == NULL || place->emulator == NULL)
    return;
  g_autofree char *was = lv_xml_text (emulator, NULL);
  if (g_strcmp0 (was, place->emulator) == 0)
    return;
  g_autofree xmlChar *escaped =
      xmlEncodeSpecialChars (emulator->doc, (const xmlChar *)place->emulator);
  xmlNodeSetContent (emulator, escaped);
  if (noted)
    note (place, g_strdup_printf ("the emulator %s is %s at the destination",
                                  was != NULL ? was : "", place->emulator));
}

/* Labels that the source's daemon made up for one process. */
static void
drop_run_time_labels (xmlNode *domain)
{
  lv_xml_each (label, domain, "seclabel") if (lv_xml_has (label, NULL, "type", "dynamic"))
  {
    lv_xml_remove_children (label, "label");
    lv_xml_remove_children (label, "imagelabel");
  }
}

char *
lv_definition_adapt (const GodwitGuest *guest, gboolean live, const LvPlace *place, GError **error)
{
  const char *definition = live ? guest->live_definition : guest->definition;

  if (definition == NULL) {
    godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, NULL, "guest %s has no %s definition",
                      guest->name, live ? "live" : "persistent");
    return NULL;
  }
  g_autoptr (xmlDoc) document = lv_xml_parse (definition, "domain", error);
  if (document == NULL)
    return NULL;
  xmlNode *domain = xmlDocGetRootElement (document);
  xmlNode *devices = lv_xml_find (domain, "devices");
  /* Of two adaptations for one guest one speaks. */
  gboolean noted = !live || !guest->persistent;

  lv_xml_set (domain, "id", NULL);
  lv_xml_each (disk, devices,
               "disk") if (!adapt_disk (disk, guest, live, place, error)) return NULL;
  lv_xml_each (graphics, devices, "graphics") adapt_graphics (graphics, noted, place);
  adapt_emulator (domain, noted, place);
  drop_run_time_labels (domain);
  return lv_xml_print (domain);
}

GStrv
lv_definition_list_strays (const GodwitGuest *guest, GError **error)
{
  g_autoptr (GStrvBuilder) strays = g_strv_builder_new ();
  g_autoptr (xmlDoc) document = lv_xml_parse (guest->definition, "domain", error);

  if (document == NULL)
    return NULL;
  lv_xml_each (disk, lv_xml_find (xmlDocGetRootElement (document), "devices"), "disk")
  {
    g_autofree char *target = lv_xml_get (disk, "target", "dev");
    g_autofree char *source = lv_disk_get_source (disk, NULL, NULL, NULL);
    const GodwitDisk *model = target != NULL ? godwit_guest_find_disk (guest, target) : NULL;
    const GodwitImage *top = model != NULL ? godwit_disk_get_top (model) : NULL;
    /* A medium may be changed or ejected while the guest runs; a volume's path is resolved. */
    if (source == NULL || target == NULL || lv_xml_has (disk, NULL, "type", "volume") ||
        lv_xml_has (disk, NULL, "device", "cdrom") || lv_xml_has (disk, NULL, "device", "floppy"))
      continue;
    if (top == NULL || !g_str_equal (top->path, source))
      g_strv_builder_add (strays, target);
  }
  return g_strv_builder_end (strays);
}

char *
lv_adapt_definition (GodwitHypervisor *hypervisor, GodwitJob *job, GodwitGuest *guest,
                     gboolean live, GCancellable *cancellable, GError **error)
{
  GodwitLibvirtHypervisor *self = GODWIT_LIBVIRT_HYPERVISOR (hypervisor);
  g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LvSession) session = lv_hypervisor_enter (self, cancellable, error);
  GodwitHost *host = godwit_job_get_destination (job);

  if (session == NULL)
    return NULL;
  g_autofree char *emulator = lv_find_emulator (session->connection, guest);
  const char *address = host != NULL ? godwit_host_get_config (host, "address") : NULL;
  LvPlace place = {
      .address = address != NULL && *address != '\0' ? address : NULL,
      .emulator = emulator,
      .notes = notes,
  };
  char *definition = lv_definition_adapt (guest, live, &place, error);
  for (guint i = 0; definition != NULL && i < notes->len; i++)
    godwit_job_log (job, GODWIT_SEVERITY_INFO, self->host_name, "%s",
                    (const char *)g_ptr_array_index (notes, i));
  return definition;
}
