/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Loaded into godwit on the controller: its worker stands still at one point, so that a test can
 * cut somebody's power exactly there.
 *
 *   HOLD_AT=before-step:NAME, after-step:NAME, copying, before-commit, after-commit
 *   HOLD_DIR=DIR   `reached` appears when it stands still, and it goes on when `go` does
 */
#include <godwit/strategy.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "job/job-private.h"

#define PAUSE_US 10000

static void *
find_next (const char *name)
{
  void *symbol = dlsym (RTLD_NEXT, name);
  if (symbol == NULL)
    abort ();
  return symbol;
}

/* Once in all processes of the job: a worker that takes over does not stand still again. */
static gboolean
reach (const char *directory)
{
  g_autofree char *path = g_build_filename (directory, "reached", NULL);
  int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

static void
hold (const char *point, const char *step)
{
  const char *wanted = g_getenv ("HOLD_AT");
  const char *directory = g_getenv ("HOLD_DIR");
  g_autofree char *here = step != NULL ? g_strdup_printf ("%s:%s", point, step) : g_strdup (point);
  if (directory == NULL || g_strcmp0 (wanted, here) != 0 || !reach (directory))
    return;
  g_autofree char *go = g_build_filename (directory, "go", NULL);
  while (access (go, F_OK) != 0)
    g_usleep (PAUSE_US);
}

gboolean
godwit_strategy_run_step (GodwitStrategy *self, GodwitJob *job, const GodwitStep *step,
                          GCancellable *cancellable, GError **error)
{
  static gboolean (*next) (GodwitStrategy *, GodwitJob *, const GodwitStep *, GCancellable *,
                           GError **);
  if (next == NULL)
    next = find_next ("godwit_strategy_run_step");
  hold ("before-step", step->name);
  gboolean ok = next (self, job, step, cancellable, error);
  if (ok)
    hold ("after-step", step->name);
  return ok;
}

/* Of a disk, and something of it is there. */
void
godwit_job_progress (GodwitJob *job, const char *what, guint64 done, guint64 total)
{
  static void (*next) (GodwitJob *, const char *, guint64, guint64);
  if (next == NULL)
    next = find_next ("godwit_job_progress");
  next (job, what, done, total);
  if (done > 0 && g_str_has_prefix (what, "disk "))
    hold ("copying", NULL);
}

gboolean
godwit_job_commit (GodwitJob *self, guint step, gboolean despite_abort, GError **error)
{
  static gboolean (*next) (GodwitJob *, guint, gboolean, GError **);
  if (next == NULL)
    next = find_next ("godwit_job_commit");
  hold ("before-commit", NULL);
  gboolean ok = next (self, step, despite_abort, error);
  if (ok)
    hold ("after-commit", NULL);
  return ok;
}
