/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/host-internal.h"

G_BEGIN_DECLS

/* Hosts for tests: agents that are children of the test, each with a runtime, state and
 * configuration directory of its own, reached by a transport that only starts them. */

typedef struct {
  char *root;    /* removed at the end */
  char *session; /* of the controller */
} Fixture;

void fixture_set_up (Fixture *fixture, gconstpointer data);
void fixture_tear_down (Fixture *fixture, gconstpointer data);

/* @words: put before "agent --stdio", ended by NULL; may be NULL */
GodwitTransport *fixture_transport (Fixture *fixture, const char *name, const char *const *words);
GodwitHost *fixture_try_open (Fixture *fixture, const char *name, const char *const *words,
                              GError **error);
GodwitHost *fixture_open (Fixture *fixture, const char *name); /* remote */
GodwitHost *fixture_open_local (Fixture *fixture);

/* A path in the one directory that agents may touch. */
char *fixture_path (Fixture *fixture, const char *name);
char *fixture_make_file (Fixture *fixture, const char *name, const char *contents);
gboolean fixture_is_there (const char *path);

/* Lets @from's agent open channels to @to itself. */
void fixture_pair (Fixture *fixture, const char *from, const char *to);

G_END_DECLS
