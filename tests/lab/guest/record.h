/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A record: what the guest writes to its disk and what is looked for later. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define RECORD_FILE "records"

struct record {
  char magic[8];
  uint64_t sequence; /* from 1, without gaps */
  uint64_t boot;     /* which boot of the guest wrote it */
  uint64_t time_ns;  /* the guest's CLOCK_MONOTONIC */
  uint8_t body[476]; /* follows from the sequence number */
  uint32_t crc;      /* of everything before it */
};

_Static_assert(sizeof (struct record) == 512, "a record is one sector");

static inline uint32_t
record_crc (const struct record *record)
{
  const uint8_t *bytes = (const uint8_t *)record;
  uint32_t crc = 0xffffffff;

  for (size_t i = 0; i < offsetof (struct record, crc); i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++)
      crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

static inline void
record_make (struct record *record, uint64_t sequence, uint64_t boot, uint64_t time_ns)
{
  uint64_t noise = sequence * 0x9e3779b97f4a7c15 + 1;

  memcpy (record->magic, "GWRECORD", sizeof record->magic);
  record->sequence = sequence;
  record->boot = boot;
  record->time_ns = time_ns;
  for (size_t i = 0; i < sizeof record->body; i++) {
    noise ^= noise << 13;
    noise ^= noise >> 7;
    noise ^= noise << 17;
    record->body[i] = (uint8_t)noise;
  }
  record->crc = record_crc (record);
}

static inline bool
record_is_good (const struct record *record)
{
  return memcmp (record->magic, "GWRECORD", sizeof record->magic) == 0 &&
         record->crc == record_crc (record);
}

/* What was found in a file of records. */
struct record_count {
  uint64_t records, last, bad, gaps;
};

static inline void
record_count_add (struct record_count *count, const struct record *record)
{
  count->records++;
  if (!record_is_good (record)) {
    count->bad++;
    return;
  }
  if (record->sequence != count->last + 1)
    count->gaps++;
  count->last = record->sequence;
}
