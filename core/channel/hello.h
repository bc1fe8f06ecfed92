/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A shell's start-up files may print before the agent speaks; this much of it is skipped. */
#define GODWIT_BANNER_MAX 65536

/* The agent's first line: "godwit-agent VERSION PROTOCOL NONCE". */
typedef struct {
  char *version;
  guint protocol;
  char *nonce;
  char *banner; /* what was printed before it; NULL if nothing */
} GodwitHello;

void godwit_hello_clear (GodwitHello *hello);

char *godwit_hello_format (const char *nonce);
/* Finds the hello in @text, which may have a banner before it. @rest: what follows the line. */
gboolean godwit_hello_parse (const char *text, GodwitHello *hello, const char **rest);

/* Chooses the protocol to speak with an agent that offers @theirs, or says which side is to be
 * upgraded. */
gboolean godwit_hello_agree (guint theirs, const char *host, guint *agreed, GError **error);

/* The client's answer: "control PROTOCOL NONCE" or "channel TOKEN NONCE". */
typedef struct {
  gboolean control;
  guint protocol;
  char *token;
} GodwitPurpose;

void godwit_purpose_clear (GodwitPurpose *purpose);
gboolean godwit_purpose_parse (const char *line, const char *nonce, GodwitPurpose *purpose,
                               GError **error);

char *godwit_random_token (void);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GodwitHello, godwit_hello_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GodwitPurpose, godwit_purpose_clear)

G_END_DECLS
