/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define GODWIT_AGENT_PROTOCOL     1u
#define GODWIT_AGENT_PROTOCOL_MIN 1u

/* main() of `godwit agent --stdio`: hello line, then D-Bus over standard input and output, or
 * one data channel if the first line asks for it. Loads no plugin. */
int godwit_agent_main (int argc, char **argv);

/* What agents of this machine that were killed could not put away: sockets and claims. */
void godwit_agent_sweep (void);

G_END_DECLS
