/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "registry/registry.h"

G_BEGIN_DECLS

/* The plugins that were linked into the program (meson option builtin-plugins), ended by a NULL
 * name. */
extern const GodwitBuiltin cli_builtins[];

G_END_DECLS
