/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

/*
 * What lab tests share: a lab of their own, commands on its hosts, and the truth from outside.
 * A helper without "try" in its name fails the test if the command fails.
 */

typedef struct {
  int status; /* exit code, or 128 + signal */
  char *out;
  char *err;
} LabRun;

void lab_run_free (LabRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LabRun, lab_run_free)

/* Makes the lab `name` with these hosts ("a,b"), calls `prepare` (may be NULL) once, runs the
 * tests, and takes the lab down. Returns what main() returns. */
int lab_main (const char *name, const char *hosts, void (*prepare) (void));

/* The lab's own verbs: lab ("guest", "start", "a", "g1", NULL) */
char *lab (const char *verb, ...) G_GNUC_NULL_TERMINATED;
LabRun *lab_try (const char *verb, ...) G_GNUC_NULL_TERMINATED;

/* A shell command on a host. */
char *lab_sh (const char *host, const char *format, ...) G_GNUC_PRINTF (2, 3);
LabRun *lab_sh_try (const char *host, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* `godwit ARGS` on a host; the exit code is asserted and what it printed is returned. */
LabRun *lab_godwit (const char *host, int expected_status, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/* A running command whose output is read line by line. */
typedef struct _LabProcess LabProcess;
LabProcess *lab_spawn (const char *host, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Reads lines until one contains `text`; fails after a minute or at the end of output. */
void lab_process_expect (LabProcess *process, const char *text);
void lab_process_signal (LabProcess *process, int signal_number);
/* Waits for the end and returns the exit code. */
int lab_process_finish (LabProcess *process);
const char *lab_process_get_output (LabProcess *process);

/* Defines a guest, `options` as for "lab guest define", and returns the path of its disk. */
char *lab_guest_define (const char *host, const char *name, const char *options);
void lab_guest_boot (const char *host, const char *name);
/* Ends and forgets a guest on every host and removes its files. */
void lab_guest_forget (const char *name);
void lab_assert_state (const char *host, const char *name, const char *state);
/* Every acknowledged record is in the image; the guest must not run. */
void lab_assert_nothing_lost (const char *host, const char *name, const char *image);
/* The guest goes on writing at that host: its acknowledged records grow. */
void lab_assert_writes (const char *host, const char *name);

/* Everything on the hosts that godwit could have changed, as text. */
char *lab_snapshot (void);
/* Fails with a diff if something changed. */
void lab_assert_unchanged (const char *before);
/* No process, socket, job directory of godwit is left on any host. */
void lab_assert_clean (void);

/* A member of the JSON object that `text` is; fails if it is not there. */
gint64 lab_json_int (const char *text, const char *member);
char *lab_json_string (const char *text, const char *member);

/* g_assert with the whole text in the message. */
#define lab_assert_contains(text, word) lab_assert_contains_at (__FILE__, __LINE__, (text), (word))
void lab_assert_contains_at (const char *file, int line, const char *text, const char *word);
