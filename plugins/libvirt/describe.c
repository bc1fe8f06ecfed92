/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "describe.h"

#include <godwit/error.h>
#include <string.h>

static char *
get_network_source (xmlNode *source)
{
  g_autofree char *protocol = lv_xml_get (source, NULL, "protocol");
  g_autofree char *name = lv_xml_get (source, NULL, "name");
  g_autofree char *host = lv_xml_get (source, "host", "name");
  g_autofree char *port = lv_xml_get (source, "host", "port");
  g_autofree char *socket = lv_xml_get (source, "host", "socket");
  g_autoptr (GString) uri = g_string_new (NULL);

  g_string_append_printf (uri, "%s%s://", protocol != NULL ? protocol : "network",
                          socket != NULL ? "+unix" : "");
  if (host != NULL)
    g_string_append_printf (uri, strchr (host, ':') != NULL ? "[%s]" : "%s", host);
  if (port != NULL)
    g_string_append_printf (uri, ":%s", port);
  g_string_append_printf (uri, "/%s", name != NULL ? name : "");
  if (socket != NULL)
    g_string_append_printf (uri, "?socket=%s", socket);
  return g_string_free (g_steal_pointer (&uri), FALSE);
}

static char *
get_volume_source (xmlNode *source, LvResolveVolume resolve, gpointer data, GError **error)
{
  g_autofree char *pool = lv_xml_get (source, NULL, "pool");
  g_autofree char *volume = lv_xml_get (source, NULL, "volume");

  if (pool == NULL || volume == NULL)
    return NULL;
  return resolve != NULL ? resolve (data, pool, volume, error)
                         : g_strdup_printf ("%s/%s", pool, volume);
}

char *
lv_disk_get_source (xmlNode *disk, LvResolveVolume resolve, gpointer data, GError **error)
{
  g_autofree char *type = lv_xml_get (disk, NULL, "type");
  xmlNode *source = lv_xml_find (disk, "source");

  if (source == NULL)
    return NULL;
  if (g_strcmp0 (type, "block") == 0)
    return lv_xml_get (source, NULL, "dev");
  if (g_strcmp0 (type, "dir") == 0)
    return lv_xml_get (source, NULL, "dir");
  if (g_strcmp0 (type, "network") == 0)
    return get_network_source (source);
  if (g_strcmp0 (type, "volume") == 0)
    return get_volume_source (source, resolve, data, error);
  return lv_xml_get (source, NULL, "file");
}

static GodwitDisk *
parse_disk (xmlNode *node, LvResolveVolume resolve, gpointer data, GError **error)
{
  g_autofree char *target = lv_xml_get (node, "target", "dev");
  g_autoptr (GError) local_error = NULL;

  if (target == NULL) {
    godwit_set_error (error, GODWIT_ERROR_CORRUPT, NULL, "a disk has no target name");
    return NULL;
  }
  g_autoptr (GodwitDisk) disk = godwit_disk_new (target);
  g_free (disk->device);
  g_free (disk->type);
  disk->device = lv_xml_get (node, NULL, "device");
  disk->type = lv_xml_get (node, NULL, "type");
  if (disk->device == NULL)
    disk->device = g_strdup ("disk");
  if (disk->type == NULL)
    disk->type = g_strdup ("file");
  disk->bus = lv_xml_get (node, "target", "bus");
  disk->cache = lv_xml_get (node, "driver", "cache");
  disk->read_only = lv_xml_find (node, "readonly") != NULL || strcmp (disk->device, "cdrom") == 0;
  disk->shareable = lv_xml_find (node, "shareable") != NULL;

  g_autofree char *path = lv_disk_get_source (node, resolve, data, &local_error);
  if (local_error != NULL) {
    g_propagate_prefixed_error (error, g_steal_pointer (&local_error), "disk %s: ", target);
    return NULL;
  }
  if (path == NULL || *path == '\0')
    return g_steal_pointer (&disk);
  /* Without a format libvirt takes raw, since it stopped probing what a guest can write. */
  g_autofree char *format = lv_xml_get (node, "driver", "type");
  g_ptr_array_add (disk->chain, godwit_image_new (path, format != NULL ? format : "raw"));
  return g_steal_pointer (&disk);
}

static gboolean
parse_disks (GodwitGuest *guest, xmlNode *domain, LvResolveVolume resolve, gpointer data,
             GError **error)
{
  lv_xml_each (node, lv_xml_find (domain, "devices"), "disk")
  {
    GodwitDisk *disk = parse_disk (node, resolve, data, error);
    if (disk == NULL)
      return FALSE;
    g_ptr_array_add (guest->disks, disk);
  }
  return TRUE;
}

static guint
parse_vcpus (xmlNode *domain)
{
  g_autofree char *text = lv_xml_text (domain, "vcpu");
  guint64 count = 0;

  if (text == NULL ||
      !g_ascii_string_to_unsigned (g_strstrip (text), 10, 1, G_MAXUINT, &count, NULL))
    return 1;
  return (guint)count;
}

/* Names become parts of paths and of commands that people copy. */
static gboolean
is_sane_name (const char *name)
{
  if (name == NULL || *name == '\0' || strchr (name, '/') != NULL)
    return FALSE;
  for (const char *c = name; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      return FALSE;
  return g_utf8_validate (name, -1, NULL);
}

static GodwitGuest *
parse_identity (xmlNode *domain, GError **error)
{
  g_autofree char *name = lv_xml_text (domain, "name");
  g_autofree char *uuid = lv_xml_text (domain, "uuid");

  if (!is_sane_name (name)) {
    g_autofree char *shown = g_strescape (name != NULL ? name : "", NULL);
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, "give the guest another name",
                      "the guest's name \"%s\" is empty or has a slash or a control character",
                      shown);
    return NULL;
  }
  if (uuid == NULL || !g_uuid_string_is_valid (uuid)) {
    godwit_set_error (error, GODWIT_ERROR_CORRUPT, NULL, "guest %s has no valid UUID", name);
    return NULL;
  }
  g_autofree char *lower = g_ascii_strdown (uuid, -1);
  return godwit_guest_new (name, lower);
}

static gboolean
has_disk (xmlNode *domain, const char *target)
{
  lv_xml_each (disk, lv_xml_find (domain, "devices"), "disk")
  {
    if (lv_xml_has (disk, "target", "dev", target))
      return TRUE;
  }
  return FALSE;
}

/* @inactive: the definition that the guest starts with next */
static void
mark_live_only (GodwitGuest *guest, xmlNode *inactive)
{
  for (guint i = 0; i < guest->disks->len; i++) {
    GodwitDisk *disk = g_ptr_array_index (guest->disks, i);
    disk->live_only = !has_disk (inactive, disk->target);
  }
}

GodwitGuest *
lv_guest_from_xml (const char *definition, const char *live, LvResolveVolume resolve, gpointer data,
                   GError **error)
{
  g_autoptr (xmlDoc) inactive = lv_xml_parse (definition, "domain", error);
  g_autoptr (xmlDoc) active = NULL;

  if (inactive == NULL)
    return NULL;
  if (live != NULL) {
    active = lv_xml_parse (live, "domain", error);
    if (active == NULL)
      return NULL;
  }
  xmlNode *domain = xmlDocGetRootElement (active != NULL ? active : inactive);
  g_autoptr (GodwitGuest) guest = parse_identity (domain, error);
  if (guest == NULL || !parse_disks (guest, domain, resolve, data, error))
    return NULL;
  if (active != NULL)
    mark_live_only (guest, xmlDocGetRootElement (inactive));
  guest->definition = g_strdup (definition);
  guest->live_definition = g_strdup (live);
  guest->memory = lv_xml_bytes (lv_xml_find (domain, "memory"));
  guest->vcpus = parse_vcpus (domain);
  g_strfreev (guest->passthrough);
  guest->passthrough = lv_list_passthrough (domain);
  guest->nvram = lv_xml_text (domain, "os/nvram");
  if (guest->nvram != NULL && *g_strstrip (guest->nvram) == '\0')
    g_clear_pointer (&guest->nvram, g_free);
  return g_steal_pointer (&guest);
}
