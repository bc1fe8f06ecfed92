/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "xml.h"

#include <godwit/guest.h>

G_BEGIN_DECLS

/* Path of a volume that a definition names by pool. (transfer full) */
typedef char *(*LvResolveVolume) (gpointer data, const char *pool, const char *volume,
                                  GError **error);

/* The guest that a definition describes: what it consists of, not what it does. Disks and
 * devices are those of @live if it is there, since that is what would move. @resolve may be
 * NULL: then volumes are named "pool/volume". (transfer full) */
GodwitGuest *lv_guest_from_xml (const char *definition, const char *live, LvResolveVolume resolve,
                                gpointer data, GError **error);

/* What a disk's <source> names: a path, a URI of a network disk, or NULL for an empty drive.
 * (transfer full) (nullable) */
char *lv_disk_get_source (xmlNode *disk, LvResolveVolume resolve, gpointer data, GError **error);

/* devices.c: names of devices of the host, of their state or of options that libvirt does not
 * know, none of which can move. (transfer full) */
GStrv lv_list_passthrough (xmlNode *domain);

G_END_DECLS
