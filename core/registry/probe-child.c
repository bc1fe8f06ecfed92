/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "registry/probe.h"

#include <godwit/error.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

/* The limits keep a faulty plugin from harming the probe's caller. They are no sandbox: what
 * passes the probe is loaded with all rights afterwards. */
static void
set_limits (guint cpu_ms)
{
  prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  setrlimit (RLIMIT_CORE, &(struct rlimit){0, 0});
  setrlimit (RLIMIT_FSIZE, &(struct rlimit){0, 0});

  /* The timer is exact to the millisecond; the limit in seconds holds also for a plugin that
   * catches the timer's signal. */
  struct itimerval timer = {.it_value = {cpu_ms / 1000, (cpu_ms % 1000) * 1000}};
  signal (SIGPROF, SIG_DFL);
  setitimer (ITIMER_PROF, &timer, NULL);
  rlim_t seconds = cpu_ms / 1000 + 1;
  setrlimit (RLIMIT_CPU, &(struct rlimit){seconds, seconds + 1});
}

static void
write_result (GVariant *variant)
{
  gsize size = g_variant_get_size (variant);
  const char *data = g_variant_get_data (variant);
  GodwitProbeHeader header = {GODWIT_PROBE_MAGIC, (guint32)size};
  gboolean ok = size <= GODWIT_PROBE_MAX_SIZE &&
                write (GODWIT_PROBE_FD, &header, sizeof header) == sizeof header;
  while (ok && size > 0) {
    gssize n = write (GODWIT_PROBE_FD, data, size);
    if (n < 0 && errno == EINTR)
      continue;
    ok = n > 0;
    data += MAX (n, 0);
    size -= (gsize)MAX (n, 0);
  }
}

int
godwit_probe_main (int argc, char **argv)
{
  /* The last two arguments, whether or not the command's name is still among them. */
  const char *path = argc > 2 ? argv[argc - 2] : NULL;
  guint64 cpu_ms = argc > 2 ? g_ascii_strtoull (argv[argc - 1], NULL, 10) : 0;
  g_autofree char *name = path != NULL ? godwit_plugin_name_from_path (path) : NULL;
  if (name == NULL || !g_path_is_absolute (path) || cpu_ms == 0 || cpu_ms > 60000) {
    g_printerr ("godwit plugin-probe is started by godwit itself\n");
    return 2;
  }
  set_limits ((guint)cpu_ms);

  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitPluginRecord) record = godwit_plugin_record_new (name, path);
  GodwitPluginQuery query = godwit_loader_open_file (name, path, &error);
  GodwitModule *module = query != NULL ? godwit_module_load (name, query, &error) : NULL;
  if (module == NULL || !godwit_inspect_module (record, module, &error))
    godwit_plugin_record_refuse (record, error);

  g_autoptr (GVariant) variant = g_variant_ref_sink (godwit_plugin_record_to_variant (record));
  write_result (variant);
  /* Exit handlers of the plugin have no business here. */
  _exit (0);
}
