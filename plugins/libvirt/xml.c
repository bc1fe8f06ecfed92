/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "xml.h"

#include <godwit/error.h>
#include <libxml/parser.h>
#include <string.h>

/* A document type is the door to entities; the daemon's own output never has one. */
static void
refuse_doctype (void *context, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
  xmlParserCtxt *parser = context;

  parser->_private = GINT_TO_POINTER (TRUE);
  xmlStopParser (parser);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (xmlParserCtxt, xmlFreeParserCtxt)

xmlDoc *
lv_xml_parse (const char *text, const char *root, GError **error)
{
  g_autoptr (xmlParserCtxt) parser = xmlNewParserCtxt ();

  parser->sax->internalSubset = refuse_doctype;
  g_autoptr (xmlDoc) document =
      xmlCtxtReadDoc (parser, (const xmlChar *)text, NULL, NULL,
                      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  if (parser->_private != NULL) {
    godwit_set_error (error, GODWIT_ERROR_CORRUPT, NULL,
                      "a <%s> document has a document type, which libvirt never writes", root);
    return NULL;
  }
  if (document == NULL) {
    const xmlError *last = xmlCtxtGetLastError (parser);
    g_autofree char *why = g_strdup (last != NULL ? last->message : "no reason given");
    godwit_set_error (error, GODWIT_ERROR_CORRUPT, NULL, "a <%s> document is not XML: %s", root,
                      g_strchomp (why));
    return NULL;
  }
  const xmlNode *element = xmlDocGetRootElement (document);
  if (!lv_xml_is (element, root)) {
    godwit_set_error (error, GODWIT_ERROR_CORRUPT, NULL, "expected a <%s> document, got <%s>", root,
                      element != NULL ? (const char *)element->name : "");
    return NULL;
  }
  return g_steal_pointer (&document);
}

char *
lv_xml_print (xmlNode *node)
{
  xmlBuffer *buffer = xmlBufferCreate ();

  xmlNodeDump (buffer, node->doc, node, 0, 0);
  char *text = g_strdup ((const char *)xmlBufferContent (buffer));
  xmlBufferFree (buffer);
  return text;
}

gboolean
lv_xml_is (const xmlNode *node, const char *name)
{
  return node != NULL && node->type == XML_ELEMENT_NODE &&
         (name == NULL || strcmp ((const char *)node->name, name) == 0);
}

static xmlNode *
skip_to (xmlNode *node, const char *name)
{
  while (node != NULL && !lv_xml_is (node, name))
    node = node->next;
  return node;
}

xmlNode *
lv_xml_first (xmlNode *parent, const char *name)
{
  return parent != NULL ? skip_to (parent->children, name) : NULL;
}

xmlNode *
lv_xml_next (xmlNode *node, const char *name)
{
  return skip_to (node->next, name);
}

xmlNode *
lv_xml_find (xmlNode *parent, const char *path)
{
  g_auto (GStrv) names = g_strsplit (path, "/", -1);
  xmlNode *node = parent;

  for (guint i = 0; names[i] != NULL && node != NULL; i++)
    node = lv_xml_first (node, names[i]);
  return node;
}

char *
lv_xml_get (xmlNode *node, const char *path, const char *attribute)
{
  if (path != NULL)
    node = lv_xml_find (node, path);
  if (node == NULL)
    return NULL;
  xmlChar *value = xmlGetNoNsProp (node, (const xmlChar *)attribute);
  char *copy = g_strdup ((const char *)value);
  xmlFree (value);
  return copy;
}

char *
lv_xml_text (xmlNode *node, const char *path)
{
  if (path != NULL)
    node = lv_xml_find (node, path);
  if (node == NULL)
    return NULL;
  xmlChar *value = xmlNodeGetContent (node);
  char *copy = g_strdup ((const char *)value);
  xmlFree (value);
  return copy;
}

gboolean
lv_xml_has (xmlNode *node, const char *path, const char *attribute, const char *value)
{
  g_autofree char *found = lv_xml_get (node, path, attribute);

  return g_strcmp0 (found, value) == 0;
}

guint64
lv_xml_bytes (xmlNode *node)
{
  /* libvirt itself only ever writes KiB and bytes; people write the rest. */
  static const struct {
    const char *unit;
    guint64 factor;
  } units[] = {
      {"KiB", 1024},
      {"k", 1024},
      {"b", 1},
      {"bytes", 1},
      {"KB", 1000},
      {"MB", 1000 * 1000},
      {"M", 1024 * 1024},
      {"MiB", 1024 * 1024},
      {"GB", 1000 * 1000 * 1000},
      {"G", 1024 * 1024 * 1024},
      {"GiB", 1024 * 1024 * 1024},
      {"T", G_GUINT64_CONSTANT (1) << 40},
      {"TiB", G_GUINT64_CONSTANT (1) << 40},
  };
  g_autofree char *unit = lv_xml_get (node, NULL, "unit");
  g_autofree char *text = lv_xml_text (node, NULL);
  guint64 factor = unit == NULL ? 1024 : 0;
  guint64 value = 0;
  guint64 bytes = 0;

  if (text == NULL ||
      !g_ascii_string_to_unsigned (g_strstrip (text), 10, 0, G_MAXUINT64, &value, NULL))
    return 0;
  for (guint i = 0; factor == 0 && i < G_N_ELEMENTS (units); i++)
    if (strcmp (unit, units[i].unit) == 0)
      factor = units[i].factor;
  return g_uint64_checked_mul (&bytes, value, factor) ? bytes : 0;
}

void
lv_xml_set (xmlNode *node, const char *attribute, const char *value)
{
  if (value != NULL)
    xmlSetProp (node, (const xmlChar *)attribute, (const xmlChar *)value);
  else
    xmlUnsetProp (node, (const xmlChar *)attribute);
}

void
lv_xml_remove (xmlNode *node)
{
  /* The white space before an element belongs to it, else its removal leaves empty lines. */
  if (node->prev != NULL && xmlIsBlankNode (node->prev)) {
    xmlNode *blank = node->prev;
    xmlUnlinkNode (blank);
    xmlFreeNode (blank);
  }
  xmlUnlinkNode (node);
  xmlFreeNode (node);
}

void
lv_xml_remove_children (xmlNode *node, const char *name)
{
  xmlNode *child = lv_xml_first (node, name);

  while (child != NULL) {
    xmlNode *next = lv_xml_next (child, name);
    lv_xml_remove (child);
    child = next;
  }
}
