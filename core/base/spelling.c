/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/spelling.h"

#include <string.h>

/* Nothing that an operator types is longer; it bounds the table on the stack. */
#define LONGEST 64

/* Edits that turn one word into the other; swapping two neighbours counts as one, because that
 * is how hands mistype. */
static guint
count_edits (const char *a, const char *b)
{
  gsize a_length = strlen (a);
  gsize b_length = strlen (b);
  guint table[LONGEST + 1][LONGEST + 1];

  if (a_length > LONGEST || b_length > LONGEST)
    return G_MAXUINT;
  for (gsize i = 0; i <= a_length; i++)
    table[i][0] = i;
  for (gsize j = 0; j <= b_length; j++)
    table[0][j] = j;
  for (gsize i = 1; i <= a_length; i++)
    for (gsize j = 1; j <= b_length; j++) {
      guint change = g_ascii_tolower (a[i - 1]) == g_ascii_tolower (b[j - 1]) ? 0 : 1;
      guint best = MIN (table[i - 1][j], table[i][j - 1]) + 1;

      best = MIN (best, table[i - 1][j - 1] + change);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        best = MIN (best, table[i - 2][j - 2] + 1);
      table[i][j] = best;
    }
  return table[a_length][b_length];
}

const char *
godwit_spelling_nearest (const char *word, const char *const *candidates)
{
  const char *nearest = NULL;
  /* Fewer than the word has letters: another word altogether is no spelling of it. */
  guint fewest = MIN (MAX (1, MIN (3, strlen (word) / 3)) + 1, strlen (word));

  for (gsize i = 0; candidates != NULL && candidates[i] != NULL; i++) {
    guint edits = count_edits (word, candidates[i]);

    if (edits < fewest) {
      fewest = edits;
      nearest = candidates[i];
    }
  }
  return nearest;
}
