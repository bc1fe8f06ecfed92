/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A library that plugin needy needs and that the test does not install. */
int godwit_toy_helper (void);

int
godwit_toy_helper (void)
{
  return 1;
}
