/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "xml.h"

#include <godwit/guest.h>

G_BEGIN_DECLS

/* What a definition has to be adapted to.
 * @address: of the destination, for consoles that listened on an address of the source alone;
 *   NULL: only the destination itself can reach them
 * @emulator: replaces the definition's; NULL: it is there too
 * @notes: (element-type char*): sentences for the job's log */
typedef struct {
  const char *address;
  const char *emulator;
  GPtrArray *notes;
} LvPlace;

/* The definition for the destination. (transfer full) */
char *lv_definition_adapt (const GodwitGuest *guest, gboolean live, const LvPlace *place,
                           GError **error);

/* Targets of disks that the persistent definition has and the running guest has not, or has
 * with another source: nobody would move them. (transfer full) */
GStrv lv_definition_list_strays (const GodwitGuest *guest, GError **error);

G_END_DECLS
