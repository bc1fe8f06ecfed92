/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/host-internal.h"

G_BEGIN_DECLS

/* A unix socket on the controller whose connections come out at a unix socket on a host. */
typedef struct _GodwitForward GodwitForward;

GodwitForward *godwit_forward_new (GodwitHost *host, const char *remote_path,
                                   GCancellable *cancellable, GError **error);
const char *godwit_forward_get_path (GodwitForward *self);
const char *godwit_forward_get_remote_path (GodwitForward *self);
/* Ends its connections. */
void godwit_forward_free (GodwitForward *self);

G_END_DECLS
