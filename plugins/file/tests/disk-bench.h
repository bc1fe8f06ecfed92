/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "two-hosts.h"

/* An error says more than "should be TRUE". */
#define ASSERT_DONE(call)                                                                          \
  do {                                                                                             \
    gboolean done = (call);                                                                        \
    g_assert_no_error (error);                                                                     \
    g_assert_true (done);                                                                          \
  } while (FALSE)

/* (transfer full): so many of one letter. */
char *text_of (char letter, gsize length);
/* DATA/web/disk, raw, without a hole. */
void hosts_write_disk (Hosts *hosts);
void hosts_inspect (Hosts *hosts, GodwitReport *report);
/* (transfer full): what inspecting the disk and checking its target has found. */
GodwitReport *hosts_check_target (Hosts *hosts);
gboolean hosts_is_empty (const char *directory);
void hosts_assert_no_facts (Hosts *hosts, const char *prefix);
/* Inspecting finds what blocks, by that id. */
void hosts_assert_blocked (Hosts *hosts, const char *id);
/* Whether it still carries the token of the job that made it. */
gboolean hosts_has_token (const char *directory, const char *name);
