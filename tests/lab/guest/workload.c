/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The workload: records on the disk, a heartbeat, and memory to copy. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "record.h"

#define MIB      (1024L * 1024)
#define SECOND   1000000000ULL
#define SLICE_NS (SECOND / 20)

static uint64_t boot_id;
static int records = -1;

uint64_t
now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

void
sleep_until (uint64_t time_ns)
{
  struct timespec until = {.tv_sec = (time_t)(time_ns / SECOND),
                           .tv_nsec = (long)(time_ns % SECOND)};

  while (clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
    continue;
}

/* The time of the next turn.  A guest that was held up does not catch up with
 * a burst: that would look like a load that nobody asked for. */
static uint64_t
next_turn (uint64_t last, uint64_t interval)
{
  uint64_t now = now_ns ();

  return last + interval > now ? last + interval : now;
}

static void
beat (void)
{
  uint64_t interval = (uint64_t)knobs.beat_ms * 1000000, turn = now_ns ();

  for (unsigned long n = 1; !stopping; n++) {
    say ("H %04x %lu %lu", (unsigned)(boot_id & 0xffff), n, (unsigned long)(now_ns () / 1000));
    turn = next_turn (turn, interval);
    sleep_until (turn);
  }
}

/* Reads what earlier boots, perhaps on another host, left behind. */
static struct record_count
open_records (void)
{
  struct record_count count = {0};
  struct record record;
  int fd = open ("/disk/" RECORD_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  off_t whole;

  if (fd < 0) {
    say ("E open: %s", strerror (errno));
    return count;
  }
  while (read (fd, &record, sizeof record) == (ssize_t)sizeof record)
    record_count_add (&count, &record);
  /* A crash may leave part of a record that was never acknowledged. */
  whole = (off_t)(count.records * sizeof record);
  if (lseek (fd, 0, SEEK_END) != whole && ftruncate (fd, whole) != 0)
    say ("E truncate: %s", strerror (errno));
  lseek (fd, whole, SEEK_SET);
  say ("W records=%lu last=%lu bad=%lu gaps=%lu", (unsigned long)count.records,
       (unsigned long)count.last, (unsigned long)count.bad, (unsigned long)count.gaps);
  records = fd;
  return count;
}

/* Appends records.  Only after fsync has returned is a record acknowledged on
 * the console: from then on nobody may lose it. */
static void *
write_records (void *arg)
{
  struct record_count count = *(struct record_count *)arg;
  uint64_t interval = (uint64_t)knobs.record_ms * 1000000, turn = now_ns ();
  struct record record;

  while (!stopping && interval > 0) {
    record_make (&record, count.last + 1, boot_id, now_ns ());
    if (write (records, &record, sizeof record) != (ssize_t)sizeof record || fsync (records) != 0) {
      say ("E record %lu: %s", (unsigned long)record.sequence, strerror (errno));
      break;
    }
    count.last++;
    say ("A %lu", (unsigned long)count.last);
    turn = next_turn (turn, interval);
    sleep_until (turn);
  }
  return NULL;
}

/* Writes to knobs.dirty_mib of pages each second, evenly. */
static void *
dirty_memory (void *unused)
{
  size_t span = (size_t)(knobs.dirty_span_mib * MIB), at = 0;
  size_t slice = (size_t)(knobs.dirty_mib * MIB / 20);
  uint64_t turn = now_ns (), value = 1;
  char *memory = mmap (NULL, span, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  (void)unused;
  if (memory == MAP_FAILED) {
    say ("E memory: %s", strerror (errno));
    return NULL;
  }
  for (; !stopping; value++) {
    for (size_t done = 0; done < slice; done += 4096) {
      *(volatile uint64_t *)(memory + at) = value;
      at = (at + 4096) % span;
    }
    turn = next_turn (turn, SLICE_NS);
    sleep_until (turn);
  }
  return NULL;
}

/* Rewrites a file, to give a disk mirror something to run after. */
static void *
dirty_disk (void *unused)
{
  static char block[64 * 1024];
  size_t blocks = (size_t)(knobs.disk_span_mib * MIB) / sizeof block, at = 0;
  uint64_t interval = SECOND * sizeof block / (uint64_t)(knobs.disk_mib * MIB), turn = now_ns ();
  int fd = open ("/disk/churn", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  (void)unused;
  for (uint64_t value = 1; fd >= 0 && !stopping; value++) {
    for (size_t i = 0; i < sizeof block; i += sizeof value)
      memcpy (block + i, &(uint64_t){value * 0x9e3779b97f4a7c15 + i}, sizeof value);
    /* Synchronous, or it would only fill the guest's page cache. */
    if (pwrite (fd, block, sizeof block, (off_t)(at * sizeof block)) != (ssize_t)sizeof block ||
        fdatasync (fd) != 0) {
      say ("E churn: %s", strerror (errno));
      break;
    }
    at = (at + 1) % blocks;
    turn = next_turn (turn, interval);
    sleep_until (turn);
  }
  return NULL;
}

void
workload_run (bool disk)
{
  pthread_t threads[3];
  struct record_count found;
  int n = 0;

  if (getrandom (&boot_id, sizeof boot_id, GRND_NONBLOCK) != (ssize_t)sizeof boot_id)
    boot_id = now_ns ();
  say ("W boot %04x", (unsigned)(boot_id & 0xffff));
  if (disk) {
    /* Before the first heartbeat: who sees one knows that this is done. */
    found = open_records ();
    if (records >= 0)
      pthread_create (&threads[n++], NULL, write_records, &found);
    if (knobs.disk_mib > 0 && knobs.disk_span_mib > 0)
      pthread_create (&threads[n++], NULL, dirty_disk, NULL);
  }
  if (knobs.dirty_mib > 0 && knobs.dirty_span_mib > 0)
    pthread_create (&threads[n++], NULL, dirty_memory, NULL);
  beat ();
  while (n > 0)
    pthread_join (threads[--n], NULL);
  if (records >= 0)
    close (records);
}
