/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/agent-private.h"
#include "channel/child.h"
#include "channel/fd.h"
#include "channel/pump.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Stands in for `godwit agent --stdio` in tests:
 *   agent --stdio [--any-channel]      an agent, with a policy from the environment
 *   banner SIZE ...                    prints SIZE bytes first, then is what the rest says
 *   protocol NUMBER                    an agent of another protocol
 *   corrupt OFFSET ...                 flips one bit of the OFFSETth byte that is written to it
 *   slow MS ...                        takes so long for every 64 KiB that are written to it
 */

static int
run_agent (int argc, char **argv)
{
  g_auto (GStrv) directories = g_strsplit (g_getenv ("TEST_DIRECTORIES"), ";", -1);
  g_auto (GStrv) programs = g_strsplit (g_getenv ("TEST_PROGRAMS"), ";", -1);
  gboolean any_channel = argc > 2 && g_str_equal (argv[2], "--any-channel");
  return godwit_agent_serve (godwit_policy_new ((const char *const *)directories,
                                                (const char *const *)programs),
                             any_channel);
}

static int
print_protocol (const char *number)
{
  printf ("godwit-agent 9.9.9 %s 00112233445566778899aabbccddeeff\n", number);
  fflush (stdout);
  char line[256];
  return fgets (line, sizeof line, stdin) != NULL ? 0 : 1;
}

static int
stand_between (guint64 offset, guint delay_ms, char **argv)
{
  const char *command[] = {"/proc/self/exe", argv[0], argv[1], NULL};
  GodwitChildOptions options = {.argv = command, .merge_stderr = TRUE, .death_signal = 9};
  g_autoptr (GodwitChild) child = godwit_child_spawn (&options, NULL);
  GodwitStream here = {STDIN_FILENO, STDOUT_FILENO};
  guint64 done = 0;
  char buffer[65536];
  godwit_fd_prepare (here.in);
  godwit_fd_prepare (here.out);
  while (TRUE) {
    struct pollfd fds[2] = {{.fd = here.in, .events = POLLIN},
                            {.fd = godwit_child_get_output (child), .events = POLLIN}};
    poll (fds, 2, -1);
    if (fds[1].revents != 0) {
      gssize n = read (fds[1].fd, buffer, sizeof buffer);
      if (n <= 0 || !godwit_fd_write_all (here.out, buffer, n, -1, NULL, NULL))
        return 0;
    }
    if (fds[0].revents != 0) {
      gssize n = read (here.in, buffer, sizeof buffer);
      if (n <= 0)
        return 0;
      if (offset >= done && offset < done + n)
        buffer[offset - done] ^= 0x10;
      done += n;
      g_usleep (delay_ms * 1000);
      if (!godwit_fd_write_all (godwit_child_get_input (child), buffer, n, -1, NULL, NULL))
        return 0;
    }
  }
}

int
main (int argc, char **argv)
{
  if (argc >= 4 && g_str_equal (argv[1], "banner")) {
    for (int size = atoi (argv[2]); size > 0; size--)
      putchar (size % 64 == 1 ? '\n' : 'w');
    fflush (stdout);
    argc -= 2;
    argv += 2;
  }
  if (argc >= 3 && g_str_equal (argv[1], "protocol"))
    return print_protocol (argv[2]);
  if (argc >= 5 && g_str_equal (argv[1], "corrupt"))
    return stand_between (g_ascii_strtoull (argv[2], NULL, 10), 0, argv + 3);
  if (argc >= 5 && g_str_equal (argv[1], "slow"))
    return stand_between (G_MAXUINT64, (guint)atoi (argv[2]), argv + 3);
  return run_agent (argc - 1, argv + 1);
}
