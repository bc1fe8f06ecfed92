/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "journal/journal.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Prints what was built as one line on standard output. */
void cli_json_print (JsonBuilder *builder);

void cli_json_add_string (JsonBuilder *builder, const char *name, const char *value);
void cli_json_add_int (JsonBuilder *builder, const char *name, gint64 value);
void cli_json_add_boolean (JsonBuilder *builder, const char *name, gboolean value);
void cli_json_add_time (JsonBuilder *builder, const char *name, gint64 us);

/* @downtime_us: negative if it is not known */
void cli_json_print_job (const GodwitJobRecord *job, gint64 downtime_us);

G_END_DECLS
