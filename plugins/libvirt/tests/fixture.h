/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hypervisor.h"

G_BEGIN_DECLS

/* A new hypervisor object with that URI, connected unless @uri is NULL. */
GodwitHypervisor *fixture_hypervisor (const char *uri);

/* Registers the plugin's types as loading it would. */
void fixture_register (void);

/* A definition with the given text in <devices> and before it. Free it. */
char *fixture_domain (const char *before, const char *devices);

/* Fails the test unless @text has @part. */
#define assert_has(text, part)                                                                     \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (strstr ((text), (part)) == NULL)                                                           \
      g_error ("%s:%d: no \"%s\" in:\n%s", __FILE__, __LINE__, (part), (text));                    \
  }                                                                                                \
  G_STMT_END
#define assert_lacks(text, part)                                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (strstr ((text), (part)) != NULL)                                                           \
      g_error ("%s:%d: \"%s\" in:\n%s", __FILE__, __LINE__, (part), (text));                       \
  }                                                                                                \
  G_STMT_END

G_END_DECLS
