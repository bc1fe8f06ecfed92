/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define GODWIT_PLUGIN_MAGIC 0x676f6477u
#define GODWIT_PLUGIN_ABI   1u
/* Major * 10000 + minor * 100 + patch of the SDK that these headers belong to. */
#define GODWIT_SDK_VERSION 100u

/**
 * GODWIT_PARAM_CONFIG: the operator may set the property in the contract's own group,
 * `[transport scp]`, or per host, `[host b/transport scp]`.
 */
#define GODWIT_PARAM_CONFIG ((GParamFlags)(1 << (G_PARAM_USER_SHIFT + 1)))
/** GODWIT_PARAM_REQUIRED: the operator must set it. */
#define GODWIT_PARAM_REQUIRED ((GParamFlags)(1 << (G_PARAM_USER_SHIFT + 2)))
/** GODWIT_PARAM_SECRET: never logged; the value may be `file:PATH`. */
#define GODWIT_PARAM_SECRET ((GParamFlags)(1 << (G_PARAM_USER_SHIFT + 3)))
/** GODWIT_PARAM_HOST: also a key of the plain host group, `[host b]`. */
#define GODWIT_PARAM_HOST ((GParamFlags)(1 << (G_PARAM_USER_SHIFT + 4)))

#define GODWIT_TYPE_MODULE (godwit_module_get_type ())
G_DECLARE_FINAL_TYPE (GodwitModule, godwit_module, GODWIT, MODULE, GTypeModule)

/**
 * GodwitPluginInfo:
 * @magic: %GODWIT_PLUGIN_MAGIC
 * @struct_size: size of this struct when the plugin was built
 * @abi: %GODWIT_PLUGIN_ABI when the plugin was built
 * @sdk_version: %GODWIT_SDK_VERSION when the plugin was built
 * @name: as in the file name, `godwit-NAME.so`
 * @version: version of the plugin
 * @summary: one line
 * @license: SPDX expression
 * @origin: URL or name of who made it
 * @register_types: registers the dynamic types and provides them
 *
 * What a plugin says of itself. It is checked whole before @register_types runs, because a
 * plugin built against larger vtables than the host's would write past their end. Append only.
 * Since: 0.1
 */
typedef struct {
  guint32 magic;
  guint32 struct_size;
  guint32 abi;
  guint32 sdk_version;
  const char *name;
  const char *version;
  const char *summary;
  const char *license;
  const char *origin;
  gboolean (*register_types) (GodwitModule *module, GError **error);
} GodwitPluginInfo;

typedef const GodwitPluginInfo *(*GodwitPluginQuery) (void);

/**
 * godwit_module_provide:
 * @contract: the interface type, for example %GODWIT_TYPE_TRANSPORT
 * @implementation: the type that register_types just registered; 0 means that the name was
 *   taken by another plugin
 * @name: name of this implementation, usually the plugin's
 *
 * Since: 0.1
 */
gboolean godwit_module_provide (GodwitModule *module, GType contract, GType implementation,
                                const char *name, GError **error);

/**
 * GODWIT_PLUGIN_DEFINE:
 * @ident: name of the plugin as a C identifier (`live_shared` for `live-shared`)
 *
 * Exports the plugin's one symbol, `godwit_plugin_IDENT_query`. Since: 0.1
 */
#define GODWIT_PLUGIN_DEFINE(ident, name_, version_, summary_, license_, origin_, register_)       \
  G_MODULE_EXPORT_GODWIT const GodwitPluginInfo *godwit_plugin_##ident##_query (void);             \
  const GodwitPluginInfo *godwit_plugin_##ident##_query (void)                                     \
  {                                                                                                \
    static const GodwitPluginInfo info = {                                                         \
        .magic = GODWIT_PLUGIN_MAGIC,                                                              \
        .struct_size = sizeof (GodwitPluginInfo),                                                  \
        .abi = GODWIT_PLUGIN_ABI,                                                                  \
        .sdk_version = GODWIT_SDK_VERSION,                                                         \
        .name = name_,                                                                             \
        .version = version_,                                                                       \
        .summary = summary_,                                                                       \
        .license = license_,                                                                       \
        .origin = origin_,                                                                         \
        .register_types = register_,                                                               \
    };                                                                                             \
    return &info;                                                                                  \
  }

#define G_MODULE_EXPORT_GODWIT __attribute__ ((visibility ("default")))

/**
 * GODWIT_DEFINE_TYPE:
 * @TypeName: CamelCase name, beginning with `Godwit` and the plugin's name
 * @type_name: its lower-case form
 * @CONTRACT_TYPE: the interface, for example %GODWIT_TYPE_TRANSPORT
 * @iface_init: fills the vtable
 *
 * Defines a dynamic type that implements one contract, and a function
 * `TYPE_NAME_provide (module, name, error)` for register_types. Dynamic, because two static
 * types of one name hang for ever in their get_type, while a dynamic one returns 0. Since: 0.1
 */
#define GODWIT_DEFINE_TYPE(TypeName, type_name, CONTRACT_TYPE, iface_init)                         \
  G_DEFINE_DYNAMIC_TYPE_EXTENDED (TypeName, type_name, G_TYPE_OBJECT, 0,                           \
                                  G_IMPLEMENT_INTERFACE_DYNAMIC (CONTRACT_TYPE, iface_init))       \
  static void type_name##_class_finalize (G_GNUC_UNUSED TypeName##Class *klass)                    \
  {                                                                                                \
  }                                                                                                \
  static gboolean type_name##_provide (GodwitModule *module, const char *name, GError **error)     \
  {                                                                                                \
    type_name##_register_type (G_TYPE_MODULE (module));                                            \
    return godwit_module_provide (module, CONTRACT_TYPE, type_name##_get_type (), name, error);    \
  }

G_END_DECLS
