/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A mounted powerfs for tests. Every function asserts that it succeeded. */

typedef struct {
  char *root; /* removed at the end */
  char *backing;
  char *mount;
  char *last; /* what power_path() returned */
} Power;

enum {
  SYNC_FILE = 1 << 0,
};

/* FALSE, and the reason is printed: the machine has no FUSE, or we may not use it. */
gboolean power_is_possible (void);

void power_set_up (Power *power, gconstpointer data);
void power_tear_down (Power *power, gconstpointer data);

void power_mount (Power *power);
void power_unmount (Power *power);
void power_control (Power *power, const char *word);
void power_cut (Power *power);  /* and on again */
void power_kill (Power *power); /* the same, by the end of the process */

/* Valid until the next call. */
const char *power_path (Power *power, const char *name);
void power_write (Power *power, const char *name, const char *text, int flags);
void power_settle (Power *power, const char *name, const char *text); /* written and durable */
void power_rename (Power *power, const char *from, const char *to);
void power_sync_file (Power *power, const char *name, gboolean only_data);
void power_sync_directory (Power *power, const char *name);

void power_assert_text (Power *power, const char *name, const char *text);
void power_assert_absent (Power *power, const char *name);

G_END_DECLS
