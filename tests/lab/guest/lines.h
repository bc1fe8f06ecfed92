/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines that the guest says on its console.
 *
 * A live migration can cut a line in two, one half on each host's log, and a
 * later line can be glued to the first half.  So each line ends in a checksum:
 * "H 3f2a 1234 5678901*0b7c".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static inline unsigned
line_sum (const char *text, size_t length)
{
  /* Fletcher-16. */
  unsigned a = 1, b = 0;

  for (size_t i = 0; i < length; i++) {
    a = (a + (unsigned char)text[i]) % 255;
    b = (b + a) % 255;
  }
  return b << 8 | a;
}

/* Checks the sum at the end of LINE and cuts it off. */
static inline bool
line_check (char *line)
{
  char *star = strrchr (line, '*');
  unsigned sum;

  if (star == NULL || strlen (star) < 5 || sscanf (star + 1, "%4x", &sum) != 1)
    return false;
  if (sum != line_sum (line, (size_t)(star - line)))
    return false;
  *star = '\0';
  return true;
}
