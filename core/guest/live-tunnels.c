/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/live-private.h"

#include <godwit/error.h>
#include <godwit/live.h>

/* Memory goes over a link and disks are read where they are, so a quarter as much is usually read
 * before the memory has arrived. */
#define REST_OF_MEMORY 4

static const char *const tunnel_names[] = {"tunnel-memory", "tunnel-disks"};

/* The destination's guest process makes the sockets itself, so the directory is its user's. The
 * source's only has to reach them. */
static char *
make_directories (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  GodwitHost *source = godwit_job_get_source (job), *destination = godwit_job_get_destination (job);
  const char *id = godwit_job_get_id (job);
  g_autoptr (GodwitHostFacts) facts =
      godwit_hypervisor_get_facts (godwit_job_get_destination_hypervisor (job), cancellable, error);

  if (facts == NULL)
    return NULL;
  /* Sockets of an attempt that died would make the new ones fail: begin with nothing. */
  if (!godwit_host_remove_job_directory (source, id, cancellable, error) ||
      !godwit_host_remove_job_directory (destination, id, cancellable, error))
    return NULL;
  g_autofree char *there = godwit_host_make_job_directory (destination, id, facts->guest_uid, 0,
                                                           0700, cancellable, error);
  if (there == NULL)
    return NULL;
  g_autofree char *here =
      godwit_host_make_job_directory (source, id, 0, 0, 0711, cancellable, error);
  if (here == NULL)
    return NULL;
  if (!g_str_equal (here, there)) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG,
                      "use the same runtime directory for the agents of both hosts",
                      "the job's directory is %s on %s and %s on %s: both sides of a live "
                      "migration must know its sockets by one path",
                      here, godwit_host_get_name (source), there,
                      godwit_host_get_name (destination));
    return NULL;
  }
  return g_steal_pointer (&here);
}

static gboolean
open_one (GodwitJob *job, const char *name, const char *directory, const char *file,
          const GodwitTunnelOptions *options, GCancellable *cancellable, GError **error)
{
  g_autofree char *path = g_build_filename (directory, file, NULL);
  GodwitHost *source = godwit_job_get_source (job), *destination = godwit_job_get_destination (job);
  GodwitTunnel *tunnel =
      godwit_tunnel_new_with (source, path, destination, path, options, cancellable, error);

  if (tunnel == NULL) {
    g_prefix_error (error, "tunnel from %s to %s: ", godwit_host_get_name (source),
                    godwit_host_get_name (destination));
    return FALSE;
  }
  if (godwit_tunnel_is_relayed (tunnel) && g_str_equal (name, tunnel_names[0]))
    godwit_job_log (
        job, GODWIT_SEVERITY_INFO, NULL,
        "memory and disks are relayed through this machine; `godwit hosts pair %s %s` lets "
        "them go straight",
        godwit_host_get_name (source), godwit_host_get_name (destination));
  godwit_job_keep (job, name, G_OBJECT (tunnel));
  return TRUE;
}

gboolean
godwit_live_open_tunnels (GodwitJob *job, gboolean with_disks, GCancellable *cancellable,
                          GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (tunnel_names); i++)
    godwit_job_keep (job, tunnel_names[i], NULL);

  g_autofree char *directory = make_directories (job, cancellable, error);
  if (directory == NULL)
    return FALSE;
  if (!godwit_job_set_fact (job, "live.directory", g_variant_new_string (directory), error))
    return FALSE;
  gboolean verify = with_disks && godwit_live_wants_verify (job);
  g_autofree char *disks = g_build_filename (directory, "nbd.sock", NULL);
  GodwitTunnelOptions after = {.after = verify ? disks : NULL,
                               .rest = godwit_job_get_guest (job)->memory / REST_OF_MEMORY};
  GodwitTunnelOptions tapped = {.tap = verify};
  return open_one (job, tunnel_names[0], directory, "ram.sock", &after, cancellable, error) &&
         (!with_disks ||
          open_one (job, tunnel_names[1], directory, "nbd.sock", &tapped, cancellable, error));
}

void
godwit_live_cut_tunnels (GodwitJob *job)
{
  for (gsize i = 0; i < G_N_ELEMENTS (tunnel_names); i++) {
    GObject *tunnel = godwit_job_kept (job, tunnel_names[i]);
    if (tunnel != NULL)
      godwit_tunnel_close (GODWIT_TUNNEL (tunnel));
  }
}

gboolean
godwit_live_close_tunnels (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  GodwitHost *hosts[] = {godwit_job_get_source (job), godwit_job_get_destination (job)};
  g_autoptr (GError) first = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (tunnel_names); i++) {
    GObject *tunnel = godwit_job_kept (job, tunnel_names[i]);
    if (tunnel == NULL)
      continue;
    /* A tunnel that is closed cannot be asked any more. */
    godwit_job_add_bytes (job, godwit_tunnel_get_bytes (GODWIT_TUNNEL (tunnel)));
    godwit_tunnel_close (GODWIT_TUNNEL (tunnel));
    godwit_job_keep (job, tunnel_names[i], NULL);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (hosts); i++) {
    g_autoptr (GError) local = NULL;
    if (hosts[i] == NULL)
      godwit_set_error (&local, GODWIT_ERROR_UNAVAILABLE, "godwit recover",
                        "the job's directory on the %s host is left: it cannot be reached",
                        i == 0 ? "source" : "destination");
    else
      godwit_host_remove_job_directory (hosts[i], godwit_job_get_id (job), cancellable, &local);
    if (local != NULL && first == NULL)
      first = g_steal_pointer (&local);
  }
  if (first == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&first));
  return FALSE;
}
