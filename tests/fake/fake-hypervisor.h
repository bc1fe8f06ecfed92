/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/hypervisor.h>

G_BEGIN_DECLS

/* A hypervisor that knows one guest. Every call that changes something is noted in `calls`. */
#define FAKE_TYPE_HYPERVISOR (fake_hypervisor_get_type ())
G_DECLARE_FINAL_TYPE (FakeHypervisor, fake_hypervisor, FAKE, HYPERVISOR, GObject)

/* Called at each live_wait, with its number from 1; makes the world and @status what they are
 * then. */
typedef void (*FakeLiveFunc) (guint turn, GodwitLiveStatus *status, gpointer user_data);

struct _FakeHypervisor {
  GObject parent_instance;
  GodwitJob *job; /* its guest is described; not a reference */
  GodwitGuestState state;
  gboolean persistent;
  char *busy;
  const char *new_layer; /* what the first disk is on top by now; NULL: as planned */
  guint64 written;
  guint obeys_after; /* requests to shut down until the guest obeys; 0 for never */
  gboolean silent;   /* cannot be asked */
  GString *calls;
  const char *fail; /* a call that fails, as it is noted */
  guint fail_times; /* how often; 0 for always */

  FakeLiveFunc live;
  gpointer live_data;
  GodwitLiveStatus status;
  guint turn;
  guint aborted; /* turn of the abort; 0 before */
  guint downtime;
  gboolean proven_safe;
};

FakeHypervisor *fake_hypervisor_new (GodwitGuestState state);

G_END_DECLS
