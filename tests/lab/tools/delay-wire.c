/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A wire that takes its time: carries frames between two interfaces of this network namespace and
 * holds each for half of a round trip. Prints "ready" once it carries; ends with a signal.
 *
 * usage: delay-wire IF1 IF2 ROUND-TRIP-US */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 70000 /* segments that the sender's stack has not cut yet, with their header */
#define QUEUE_MAX 8192  /* frames; what comes when it is full is lost, as on a real wire */

typedef struct {
  int64_t due_us;
  ssize_t length;
  char *data;
} Frame;

typedef struct {
  int in;
  int out;
  Frame queue[QUEUE_MAX];
  unsigned head, count;
} Lane;

static int64_t
now_us (void)
{
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int
fail (const char *what)
{
  fprintf (stderr, "delay-wire: %s: %s\n", what, strerror (errno));
  exit (1);
}

static int
open_end (const char *name)
{
  int fd = socket (AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons (ETH_P_ALL)};
  int on = 1, size = 8 << 20;
  address.sll_ifindex = (int)if_nametoindex (name);
  /* With the header that says how to cut a segment the other end may cut it itself. */
  if (fd < 0 || address.sll_ifindex == 0 ||
      setsockopt (fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) != 0 ||
      setsockopt (fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0)
    fail (name);
  setsockopt (fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  setsockopt (fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  if (bind (fd, (struct sockaddr *)&address, sizeof address) != 0)
    fail (name);
  return fd;
}

static void
take_in (Lane *lane, int64_t delay_us)
{
  static char buffer[FRAME_MAX];
  ssize_t n;
  while ((n = recv (lane->in, buffer, sizeof buffer, 0)) > 0) {
    if (lane->count == QUEUE_MAX)
      continue;
    Frame *frame = &lane->queue[(lane->head + lane->count++) % QUEUE_MAX];
    frame->due_us = now_us () + delay_us;
    frame->length = n;
    frame->data = malloc ((size_t)n);
    if (frame->data == NULL)
      fail ("memory");
    memcpy (frame->data, buffer, (size_t)n);
  }
}

/* Returns when the next frame is due, INT64_MAX if there is none. */
static int64_t
let_out (Lane *lane)
{
  while (lane->count > 0) {
    Frame *frame = &lane->queue[lane->head];
    if (frame->due_us > now_us ())
      return frame->due_us;
    if (send (lane->out, frame->data, (size_t)frame->length, 0) < 0 && errno == ENOBUFS)
      return now_us () + 100;
    free (frame->data);
    lane->head = (lane->head + 1) % QUEUE_MAX;
    lane->count--;
  }
  return INT64_MAX;
}

int
main (int argc, char **argv)
{
  static Lane there, back;
  if (argc != 4) {
    fputs ("usage: delay-wire IF1 IF2 ROUND-TRIP-US\n", stderr);
    return 2;
  }
  int64_t delay_us = strtoll (argv[3], NULL, 10) / 2;
  there.in = back.out = open_end (argv[1]);
  there.out = back.in = open_end (argv[2]);
  puts ("ready");
  fflush (stdout);
  for (;;) {
    int64_t first = let_out (&there), second = let_out (&back);
    int64_t next = first < second ? first : second;
    int64_t wait = next == INT64_MAX ? 1000000 : next - now_us ();
    struct timespec timeout = {.tv_sec = wait > 0 ? wait / 1000000 : 0,
                               .tv_nsec = wait > 0 ? wait % 1000000 * 1000 : 0};
    struct pollfd fds[] = {{.fd = there.in, .events = POLLIN}, {.fd = back.in, .events = POLLIN}};
    if (ppoll (fds, 2, &timeout, NULL) < 0 && errno != EINTR)
      fail ("poll");
    take_in (&there, delay_us);
    take_in (&back, delay_us);
  }
}
