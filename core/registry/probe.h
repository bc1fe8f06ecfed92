/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "registry/registry-private.h"

G_BEGIN_DECLS

/* What the probing child writes to GODWIT_PROBE_FD: this header, then a record as a variant.
 * Both ends are always the same binary; the magic tells our result from a plugin's output. */
#define GODWIT_PROBE_FD       3
#define GODWIT_PROBE_MAGIC    0x67777031u
#define GODWIT_PROBE_MAX_SIZE (256u * 1024)

typedef struct {
  guint32 magic;
  guint32 size;
} GodwitProbeHeader;

G_END_DECLS
