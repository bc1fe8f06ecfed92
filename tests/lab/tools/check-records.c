/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check-records FILE ACKED: read the records that a guest wrote, from outside.
 * Prints "RECORDS LAST BAD GAPS TORN".
 *
 * The image of a running guest is copied while it changes, so its end may hold
 * blocks that were not yet written.  A bad record there is torn, not a fault,
 * as long as nobody was told that it is on the disk.
 */
#include <stdio.h>
#include <stdlib.h>

#include "record.h"

int
main (int argc, char **argv)
{
  struct record_count count = {0};
  struct record record;
  unsigned long acked, torn = 0;
  FILE *file;

  if (argc != 3) {
    fprintf (stderr, "usage: check-records FILE ACKED\n");
    return 2;
  }
  acked = strtoul (argv[2], NULL, 10);
  file = fopen (argv[1], "re");
  if (file == NULL) {
    perror (argv[1]);
    return 1;
  }
  while (fread (&record, sizeof record, 1, file) == 1) {
    if (torn > 0 || (count.last >= acked && !record_is_good (&record)))
      torn++;
    else
      record_count_add (&count, &record);
  }
  fclose (file);
  printf ("%lu %lu %lu %lu %lu\n", (unsigned long)count.records, (unsigned long)count.last,
          (unsigned long)count.bad, (unsigned long)count.gaps, torn);
  return 0;
}
