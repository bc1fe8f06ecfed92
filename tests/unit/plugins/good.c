/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin with properties of every kind that a configuration can set. */
#include "toy.h"

typedef enum {
  TOY_SLOW,
  TOY_FAST,
} ToySpeed;

enum {
  PROP_PORT = 1,
  PROP_LABEL,
  PROP_COMPRESS,
  PROP_SPEED,
  PROP_OPTIONS,
  PROP_SECRET,
  PROP_INTERNAL,
};

typedef struct {
  GObject parent_instance;
  guint port;
  char *label;
  gboolean compress;
  int speed;
  GStrv options;
  char *secret;
} GodwitToyGood;
typedef GObjectClass GodwitToyGoodClass;

static GodwitTransportFlags
get_flags (GodwitTransport *self)
{
  return GODWIT_TRANSPORT_ENCRYPTED;
}

static GStrv
get_command (GodwitTransport *self, GodwitRoute route, const char *session,
             const char *const *remote, GError **error)
{
  return g_strdupv ((GStrv)remote);
}

static void
fill (GodwitTransportInterface *iface)
{
  iface->get_flags = get_flags;
  iface->get_command = get_command;
}

GType godwit_toy_good_get_type (void);
GODWIT_DEFINE_TYPE (GodwitToyGood, godwit_toy_good, GODWIT_TYPE_TRANSPORT, fill)

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GodwitToyGood *self = (GodwitToyGood *)object;
  switch (id) {
  case PROP_PORT:
    self->port = g_value_get_uint (value);
    break;
  case PROP_LABEL:
    g_free (self->label);
    self->label = g_value_dup_string (value);
    break;
  case PROP_COMPRESS:
    self->compress = g_value_get_boolean (value);
    break;
  case PROP_SPEED:
    self->speed = g_value_get_enum (value);
    break;
  case PROP_OPTIONS:
    g_strfreev (self->options);
    self->options = g_value_dup_boxed (value);
    break;
  case PROP_SECRET:
    g_free (self->secret);
    self->secret = g_value_dup_string (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GodwitToyGood *self = (GodwitToyGood *)object;
  switch (id) {
  case PROP_PORT:
    g_value_set_uint (value, self->port);
    break;
  case PROP_LABEL:
    g_value_set_string (value, self->label);
    break;
  case PROP_COMPRESS:
    g_value_set_boolean (value, self->compress);
    break;
  case PROP_SPEED:
    g_value_set_enum (value, self->speed);
    break;
  case PROP_OPTIONS:
    g_value_set_boxed (value, self->options);
    break;
  case PROP_SECRET:
    g_value_set_string (value, self->secret);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
}

static void
finalize (GObject *object)
{
  GodwitToyGood *self = (GodwitToyGood *)object;
  g_free (self->label);
  g_strfreev (self->options);
  g_free (self->secret);
  G_OBJECT_CLASS (godwit_toy_good_parent_class)->finalize (object);
}

static GType
get_speed_type (GodwitModule *module)
{
  static const GEnumValue values[] = {{TOY_SLOW, "TOY_SLOW", "slow"},
                                      {TOY_FAST, "TOY_FAST", "fast"},
                                      {0}};
  static GType type;
  if (module != NULL)
    type = g_type_module_register_enum (G_TYPE_MODULE (module), "GodwitToySpeed", values);
  return type;
}

static void
godwit_toy_good_class_init (GodwitToyGoodClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GODWIT_PARAM_CONFIG;
  klass->set_property = set_property;
  klass->get_property = get_property;
  klass->finalize = finalize;
  g_object_class_install_property (klass, PROP_PORT,
                                   g_param_spec_uint ("port", NULL, "TCP port", 1, 65535, 22,
                                                      flags | GODWIT_PARAM_HOST));
  g_object_class_install_property (klass, PROP_LABEL,
                                   g_param_spec_string ("label", NULL, "What people call it", "toy",
                                                        flags | GODWIT_PARAM_HOST));
  g_object_class_install_property (klass, PROP_COMPRESS,
                                   g_param_spec_boolean ("compress", NULL, "Compress the bytes",
                                                         FALSE, flags));
  g_object_class_install_property (klass, PROP_SPEED,
                                   g_param_spec_enum ("speed", NULL, "How fast",
                                                      get_speed_type (NULL), TOY_FAST, flags));
  g_object_class_install_property (klass, PROP_OPTIONS,
                                   g_param_spec_boxed ("options", NULL, "Further words",
                                                       G_TYPE_STRV, flags));
  g_object_class_install_property (klass, PROP_SECRET,
                                   g_param_spec_string ("secret", NULL, "Pass phrase", NULL,
                                                        flags | GODWIT_PARAM_SECRET));
  g_object_class_install_property (klass, PROP_INTERNAL,
                                   g_param_spec_uint ("internal", NULL, "Not for the operator", 0,
                                                      9, 0, G_PARAM_READWRITE));
}

static void
godwit_toy_good_init (GodwitToyGood *self)
{
  self->port = 22;
  self->label = g_strdup ("toy");
  self->speed = TOY_FAST;
}

static gboolean
register_types (GodwitModule *module, GError **error)
{
  get_speed_type (module);
  return godwit_toy_good_provide (module, "good", error);
}

GODWIT_PLUGIN_DEFINE (good, "good", "1.0", "A good toy", "MIT", "tests", register_types)
