/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A shared object that has nothing to do with godwit. */
int godwit_toy_answer (void);

int
godwit_toy_answer (void)
{
  return 42;
}
