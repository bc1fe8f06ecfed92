/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <godwit/godwit.h>

typedef struct {
  GObject parent_instance;
} GodwitToyNoslot;
typedef GObjectClass GodwitToyNoslotClass;

static GodwitTransportFlags
get_flags (GodwitTransport *self)
{
  return 0;
}

static void
fill (GodwitTransportInterface *iface)
{
  iface->get_flags = get_flags;
}

GType godwit_toy_noslot_get_type (void);
GODWIT_DEFINE_TYPE (GodwitToyNoslot, godwit_toy_noslot, GODWIT_TYPE_TRANSPORT, fill)

static void
godwit_toy_noslot_class_init (GodwitToyNoslotClass *klass)
{
}

static void
godwit_toy_noslot_init (GodwitToyNoslot *self)
{
}

static gboolean
register_types (GodwitModule *module, GError **error)
{
  return godwit_toy_noslot_provide (module, "noslot", error);
}

GODWIT_PLUGIN_DEFINE (noslot, "noslot", "1.0", "A toy", "MIT", "tests", register_types)
