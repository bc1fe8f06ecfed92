/* check-records FILE: read the records that a guest wrote, from outside.
 * Prints "RECORDS LAST BAD GAPS". */
#include <stdio.h>

#include "record.h"

int
main (int argc, char **argv)
{
  struct record_count count = {0};
  struct record record;
  FILE *file;

  if (argc != 2) {
    fprintf (stderr, "usage: check-records FILE\n");
    return 2;
  }
  file = fopen (argv[1], "re");
  if (file == NULL) {
    perror (argv[1]);
    return 1;
  }
  while (fread (&record, sizeof record, 1, file) == 1)
    record_count_add (&count, &record);
  fclose (file);
  printf ("%lu %lu %lu %lu\n", (unsigned long)count.records, (unsigned long)count.last,
          (unsigned long)count.bad, (unsigned long)count.gaps);
  return 0;
}
