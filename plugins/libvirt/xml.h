/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <libxml/tree.h>

G_BEGIN_DECLS

G_DEFINE_AUTOPTR_CLEANUP_FUNC (xmlDoc, xmlFreeDoc)

/* Parses a document whose root element is @root. A document type is refused, and nothing is
 * fetched or expanded: what a daemon says is not trusted more than that. (transfer full) */
xmlDoc *lv_xml_parse (const char *text, const char *root, GError **error);

/* The element as text. (transfer full) */
char *lv_xml_print (xmlNode *node);

/* The first element below @parent at a path of names, "os/type"; NULL if there is none.
 * @parent may be NULL. */
xmlNode *lv_xml_find (xmlNode *parent, const char *path);

/* Elements called @name, or all with NULL. */
xmlNode *lv_xml_first (xmlNode *parent, const char *name);
xmlNode *lv_xml_next (xmlNode *node, const char *name);
#define lv_xml_each(node, parent, name)                                                            \
  for (xmlNode *node = lv_xml_first (parent, name); node != NULL; node = lv_xml_next (node, name))

gboolean lv_xml_is (const xmlNode *node, const char *name);

/* All accept a NULL node. NULL path: the node itself. (transfer full) (nullable) */
char *lv_xml_get (xmlNode *node, const char *path, const char *attribute);
char *lv_xml_text (xmlNode *node, const char *path);
gboolean lv_xml_has (xmlNode *node, const char *path, const char *attribute, const char *value);

/* Bytes of an element like <memory unit='KiB'>; 0 if it is absent or makes no sense. */
guint64 lv_xml_bytes (xmlNode *node);

void lv_xml_set (xmlNode *node, const char *attribute, const char *value); /* NULL removes */
void lv_xml_remove (xmlNode *node);
/* Removes the child elements called @name. */
void lv_xml_remove_children (xmlNode *node, const char *name);

G_END_DECLS
