/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the guest's source files share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct knobs {
  long beat_ms;   /* between heartbeats */
  long record_ms; /* between records, 0 for none */
  long dirty_mib; /* memory written each second */
  long dirty_span_mib;
  long disk_mib; /* disk rewritten each second */
  long disk_span_mib;
};

extern struct knobs knobs;

/* Set when the power button was pressed: every thread ends soon. */
extern volatile bool stopping;

void say (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
uint64_t now_ns (void);
void sleep_until (uint64_t time_ns);

/* Runs until STOPPING.  DISK: a file system is mounted at /disk. */
void workload_run (bool disk);
