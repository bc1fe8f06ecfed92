/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A transport that works as far as the registry is concerned. The plugin that includes this
 * defines TOY_PROPERTIES if it wants some to be shown. */
#include <godwit/godwit.h>

#define TOY_TYPE(TypeName, type_name)                                                              \
  typedef struct {                                                                                 \
    GObject parent_instance;                                                                       \
  } TypeName;                                                                                      \
  typedef GObjectClass TypeName##Class;                                                            \
  static GodwitTransportFlags type_name##_get_flags (GodwitTransport *self)                        \
  {                                                                                                \
    return GODWIT_TRANSPORT_ENCRYPTED;                                                             \
  }                                                                                                \
  static GStrv type_name##_get_command (GodwitTransport *self, GodwitRoute route,                  \
                                        const char *session, const char *const *remote,            \
                                        GError **error)                                            \
  {                                                                                                \
    return g_strdupv ((GStrv)remote);                                                              \
  }                                                                                                \
  static void type_name##_fill (GodwitTransportInterface *iface)                                   \
  {                                                                                                \
    iface->get_flags = type_name##_get_flags;                                                      \
    iface->get_command = type_name##_get_command;                                                  \
  }                                                                                                \
  GType type_name##_get_type (void);                                                               \
  GODWIT_DEFINE_TYPE (TypeName, type_name, GODWIT_TYPE_TRANSPORT, type_name##_fill)                \
  static void type_name##_init (TypeName *self)                                                    \
  {                                                                                                \
  }

#define TOY_CLASS_INIT(TypeName, type_name)                                                        \
  static void type_name##_class_init (TypeName##Class *klass)                                      \
  {                                                                                                \
  }

#define TOY_PLUGIN(ident, name, TypeName, type_name)                                               \
  TOY_TYPE (TypeName, type_name)                                                                   \
  TOY_CLASS_INIT (TypeName, type_name)                                                             \
  static gboolean ident##_register (GodwitModule *module, GError **error)                          \
  {                                                                                                \
    return type_name##_provide (module, name, error);                                              \
  }                                                                                                \
  GODWIT_PLUGIN_DEFINE (ident, name, "1.0", "A toy", "MIT", "tests", ident##_register)

/* A descriptor in which one thing is wrong; nothing of it may ever be registered. */
#define TOY_DESCRIPTOR(ident, ...)                                                                 \
  static gboolean ident##_register (GodwitModule *module, GError **error)                          \
  {                                                                                                \
    g_printerr ("registered although the descriptor is wrong");                                    \
    abort ();                                                                                      \
  }                                                                                                \
  G_MODULE_EXPORT_GODWIT const GodwitPluginInfo *godwit_plugin_##ident##_query (void);             \
  const GodwitPluginInfo *godwit_plugin_##ident##_query (void)                                     \
  {                                                                                                \
    static GodwitPluginInfo info = {                                                               \
        .magic = GODWIT_PLUGIN_MAGIC,                                                              \
        .struct_size = sizeof (GodwitPluginInfo),                                                  \
        .abi = GODWIT_PLUGIN_ABI,                                                                  \
        .sdk_version = GODWIT_SDK_VERSION,                                                         \
        .name = #ident,                                                                            \
        .version = "1.0",                                                                          \
        .summary = "A toy",                                                                        \
        .license = "MIT",                                                                          \
        .origin = "tests",                                                                         \
        .register_types = ident##_register,                                                        \
    };                                                                                             \
    info.__VA_ARGS__;                                                                              \
    return &info;                                                                                  \
  }
