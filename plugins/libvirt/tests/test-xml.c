/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "xml.h"

#include <godwit/error.h>

static void
test_doctype_is_refused (void)
{
  static const char *const documents[] = {
      "<!DOCTYPE domain SYSTEM 'file:///etc/passwd'><domain/>",
      "<?xml version='1.0'?><!DOCTYPE domain [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]>"
      "<domain><name>&b;</name></domain>",
      "<!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><domain>&x;</domain>",
  };

  for (guint i = 0; i < G_N_ELEMENTS (documents); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (lv_xml_parse (documents[i], "domain", &error));
    g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CORRUPT);
    g_assert_nonnull (strstr (error->message, "document type"));
  }
}

static void
test_what_is_no_document (void)
{
  static const struct {
    const char *text;
    const char *says;
  } cases[] = {{"", "not XML"},
               {"<domain>", "not XML"},
               {"<domain></name>", "not XML"},
               {"no tags", "not XML"},
               {"<network/>", "got <network>"}};

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (lv_xml_parse (cases[i].text, "domain", &error));
    g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CORRUPT);
    g_assert_nonnull (strstr (error->message, cases[i].says));
  }
}

static void
test_sizes (void)
{
  static const struct {
    const char *text;
    guint64 bytes;
  } cases[] = {
      {"<memory>1024</memory>", 1048576},
      {"<memory unit='KiB'>131072</memory>", 134217728},
      {"<memory unit='bytes'>4096</memory>", 4096},
      {"<memory unit='GiB'> 2 </memory>", G_GUINT64_CONSTANT (2) << 30},
      {"<memory unit='GB'>2</memory>", G_GUINT64_CONSTANT (2000000000)},
      {"<memory unit='furlong'>2</memory>", 0},
      {"<memory>-1</memory>", 0},
      {"<memory/>", 0},
      {"<memory unit='TiB'>99999999999</memory>", 0},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (xmlDoc) document = lv_xml_parse (cases[i].text, "memory", NULL);
    g_assert_cmpuint (lv_xml_bytes (xmlDocGetRootElement (document)), ==, cases[i].bytes);
  }
  g_assert_cmpuint (lv_xml_bytes (NULL), ==, 0);
}

static void
test_walking (void)
{
  g_autoptr (xmlDoc) document =
      lv_xml_parse ("<a><b n='1'/><!-- b --><c><b n='2'>text</b></c><b n='3'/></a>", "a", NULL);
  xmlNode *root = xmlDocGetRootElement (document);
  g_autoptr (GString) seen = g_string_new (NULL);

  lv_xml_each (b, root, "b")
  {
    g_autofree char *number = lv_xml_get (b, NULL, "n");
    g_string_append (seen, number);
  }
  g_assert_cmpstr (seen->str, ==, "13");
  g_autofree char *text = lv_xml_text (root, "c/b");
  g_assert_cmpstr (text, ==, "text");
  g_assert_true (lv_xml_has (root, "c/b", "n", "2"));
  g_assert_false (lv_xml_has (root, "c/d", "n", "2"));
  g_assert_null (lv_xml_find (root, "c/b/d"));
  g_assert_null (lv_xml_text (NULL, "c"));
}

static void
test_changing (void)
{
  g_autoptr (xmlDoc) document = lv_xml_parse ("<a>\n  <b/>\n  <c x='1'/>\n  <b/>\n</a>", "a", NULL);
  xmlNode *root = xmlDocGetRootElement (document);

  lv_xml_remove_children (root, "b");
  lv_xml_set (lv_xml_find (root, "c"), "x", NULL);
  lv_xml_set (lv_xml_find (root, "c"), "y", "<&'\"");
  g_autofree char *text = lv_xml_print (root);
  g_assert_cmpstr (text, ==, "<a>\n  <c y=\"&lt;&amp;'&quot;\"/>\n</a>");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/libvirt/xml/doctype-is-refused", test_doctype_is_refused);
  g_test_add_func ("/libvirt/xml/what-is-no-document", test_what_is_no_document);
  g_test_add_func ("/libvirt/xml/sizes", test_sizes);
  g_test_add_func ("/libvirt/xml/walking", test_walking);
  g_test_add_func ("/libvirt/xml/changing", test_changing);
  return g_test_run ();
}
