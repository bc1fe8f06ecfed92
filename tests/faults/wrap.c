/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Functions of the library with the same names, found before the library's own. */
#include "strike.h"

#include "host/host-internal.h"
#include "journal/journal.h"

#include <godwit/hypervisor.h>
#include <godwit/strategy.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
find_real (const char *name)
{
  void *real = dlsym (RTLD_NEXT, name);
  if (real == NULL)
    abort ();
  return real;
}

/* A data pointer becomes a function pointer in the one way that the C standard leaves. */
#define REAL(name) (*(__typeof__ (&name) *)&(void *[]){find_real (#name)}[0])

/* --- records ------------------------------------------------------------------------------- */

static gboolean
on_record (guint64 number, gboolean after, gpointer data)
{
  strike_point ("record", "write", after);
  return TRUE;
}

GodwitJobRecord *
godwit_journal_claim_job (GodwitJournal *self, const char *id, int pid, GError **error)
{
  REAL (godwit_journal_set_hook) (self, on_record, NULL);
  return REAL (godwit_journal_claim_job) (self, id, pid, error);
}

/* --- steps --------------------------------------------------------------------------------- */

gboolean
godwit_strategy_run_step (GodwitStrategy *self, GodwitJob *job, const GodwitStep *step,
                          GCancellable *cancellable, GError **error)
{
  strike_point ("step", step->name, 0);
  gboolean ok = REAL (godwit_strategy_run_step) (self, job, step, cancellable, error);
  strike_point ("step", step->name, 1);
  return ok;
}

gboolean
godwit_strategy_undo_step (GodwitStrategy *self, GodwitJob *job, const GodwitStep *step,
                           GCancellable *cancellable, GError **error)
{
  strike_point ("undo", step->name, 0);
  gboolean ok = REAL (godwit_strategy_undo_step) (self, job, step, cancellable, error);
  strike_point ("undo", step->name, 1);
  return ok;
}

/* --- calls to agents ----------------------------------------------------------------------- */

/* What is not here may change something, so a new method is struck without anybody's doing. */
static int
only_looks (const char *method)
{
  static const char *const looks[] = {"Ping",      "GetInfo",   "Stat",  "List",
                                      "ReadFile",  "FreeSpace", "Poll",  "MayCall",
                                      "StartHash", "Watch",     "Cancel"};
  for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
    if (strcmp (looks[i], method) == 0)
      return 1;
  }
  return 0;
}

GVariant *
godwit_host_call (GodwitHost *self, const char *method, GVariant *arguments, const char *reply,
                  guint extra_ms, GCancellable *cancellable, GError **error)
{
  int looks = only_looks (method);
  if (!looks)
    strike_point ("agent", method, 0);
  GVariant *result =
      REAL (godwit_host_call) (self, method, arguments, reply, extra_ms, cancellable, error);
  if (!looks)
    strike_point ("agent", method, 1);
  return result;
}

/* --- calls to hypervisors ------------------------------------------------------------------ */

#define WRAP(type, name, parameters, arguments)                                                    \
  type godwit_hypervisor_##name parameters                                                         \
  {                                                                                                \
    strike_point ("call", #name, 0);                                                               \
    type result = REAL (godwit_hypervisor_##name) arguments;                                       \
    strike_point ("call", #name, 1);                                                               \
    return result;                                                                                 \
  }

#define WRAP_BY_UUID(name)                                                                         \
  WRAP (gboolean, name,                                                                            \
        (GodwitHypervisor * self, const char *uuid, GCancellable *cancellable, GError **error),    \
        (self, uuid, cancellable, error))

/* clang-format off */
WRAP_BY_UUID (undefine)
WRAP_BY_UUID (start)
WRAP_BY_UUID (start_paused)
WRAP_BY_UUID (shut_down)
WRAP_BY_UUID (destroy)
WRAP_BY_UUID (suspend)
WRAP_BY_UUID (resume)
WRAP (gboolean, define,
      (GodwitHypervisor *self, const char *definition, gboolean autostart,
       GCancellable *cancellable, GError **error),
      (self, definition, autostart, cancellable, error))
WRAP (gboolean, set_autostart,
      (GodwitHypervisor *self, const char *uuid, gboolean on, GCancellable *cancellable,
       GError **error),
      (self, uuid, on, cancellable, error))
WRAP (GObject *, live_begin,
      (GodwitHypervisor *self, GodwitHypervisor *destination, GodwitGuest *guest,
       const GodwitLiveParams *params, GCancellable *cancellable, GError **error),
      (self, destination, guest, params, cancellable, error))
WRAP (gboolean, live_abort, (GodwitHypervisor *self, GObject *live, GError **error),
      (self, live, error))
WRAP (gboolean, live_finish,
      (GodwitHypervisor *self, GObject *live, guint timeout_ms, GError **error),
      (self, live, timeout_ms, error))
/* clang-format on */

/* Where a live migration stands is seen only by who waits for it. */
gboolean
godwit_hypervisor_live_wait (GodwitHypervisor *self, GObject *live, guint timeout_ms,
                             GodwitLiveStatus *status, GError **error)
{
  static int mirrored, sent;
  gboolean ok = REAL (godwit_hypervisor_live_wait) (self, live, timeout_ms, status, error);
  if (ok && !mirrored && status->disk_done > 0 && !status->returned) {
    mirrored = 1;
    strike_point ("live", "mirror", 1);
  }
  if (ok && !sent && status->memory_done > 0 && !status->returned) {
    sent = 1;
    strike_point ("live", "memory", 1);
  }
  return ok;
}
