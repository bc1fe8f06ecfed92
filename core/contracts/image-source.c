/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "contracts/contracts.h"

#include <godwit/error.h>
#include <godwit/image-source.h>

G_DEFINE_INTERFACE (GodwitImageSource, godwit_image_source, G_TYPE_OBJECT)

#define SLOT(member) #member, G_STRUCT_OFFSET(GodwitImageSourceInterface, member)

const GodwitContractSlot godwit_image_source_required[] = {
    {SLOT (has_image)},
    {SLOT (fetch)},
    {NULL},
};

static void
godwit_image_source_default_init (GodwitImageSourceInterface *iface)
{
}

gboolean
godwit_image_source_has_image (GodwitImageSource *self, const char *sha256, gboolean *has,
                               GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_IMAGE_SOURCE (self), FALSE);
  gboolean result =
      GODWIT_IMAGE_SOURCE_GET_IFACE (self)->has_image (self, sha256, has, cancellable, error);
  godwit_contract_result (self, "has_image", result, error);
  return result;
}

gboolean
godwit_image_source_fetch (GodwitImageSource *self, GodwitJob *job, const char *sha256,
                           GodwitHost *host, const char *path, GCancellable *cancellable,
                           GError **error)
{
  g_return_val_if_fail (GODWIT_IS_IMAGE_SOURCE (self), FALSE);
  gboolean result = GODWIT_IMAGE_SOURCE_GET_IFACE (self)->fetch (self, job, sha256, host, path,
                                                                 cancellable, error);
  godwit_contract_result (self, "fetch", result, error);
  return result;
}
