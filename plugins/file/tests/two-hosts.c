/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "two-hosts.h"

#include "host/host-private.h"

#include <glib/gstdio.h>

#include <sys/stat.h>
#include <unistd.h>

/* --- a transport that runs the agent in namespaces of its own ---------------------------- */

#define NS_TYPE_TRANSPORT (ns_transport_get_type ())
G_DECLARE_FINAL_TYPE (NsTransport, ns_transport, NS, TRANSPORT, GObject)

struct _NsTransport {
  GObject parent_instance;
  GStrv prefix;
};

static GodwitTransportFlags
ns_get_flags (GodwitTransport *transport)
{
  return GODWIT_TRANSPORT_AUTHENTICATED;
}

static GStrv
ns_get_command (GodwitTransport *transport, GodwitRoute route, const char *session,
                const char *const *remote, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_strv_builder_addv (builder, (const char **)NS_TRANSPORT (transport)->prefix);
  g_strv_builder_addv (builder, (const char **)remote);
  return g_strv_builder_end (builder);
}

static void
ns_transport_iface_init (GodwitTransportInterface *iface)
{
  iface->get_flags = ns_get_flags;
  iface->get_command = ns_get_command;
}

G_DEFINE_TYPE_WITH_CODE (NsTransport, ns_transport, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (GODWIT_TYPE_TRANSPORT, ns_transport_iface_init))

static void
ns_transport_finalize (GObject *object)
{
  g_strfreev (NS_TRANSPORT (object)->prefix);
  G_OBJECT_CLASS (ns_transport_parent_class)->finalize (object);
}

static void
ns_transport_class_init (NsTransportClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ns_transport_finalize;
}

static void
ns_transport_init (NsTransport *self)
{
}

/* --- a hypervisor that only knows who guests run as -------------------------------------- */

#define NS_TYPE_HYPERVISOR (ns_hypervisor_get_type ())
G_DECLARE_FINAL_TYPE (NsHypervisor, ns_hypervisor, NS, HYPERVISOR, GObject)

struct _NsHypervisor {
  GObject parent_instance;
};

static GodwitHostFacts *
ns_get_facts (GodwitHypervisor *self, GCancellable *cancellable, GError **error)
{
  /* In its user namespace an agent has no other user than root. */
  return g_new0 (GodwitHostFacts, 1);
}

static void
ns_hypervisor_iface_init (GodwitHypervisorInterface *iface)
{
  iface->get_facts = ns_get_facts;
}

G_DEFINE_TYPE_WITH_CODE (NsHypervisor, ns_hypervisor, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (GODWIT_TYPE_HYPERVISOR, ns_hypervisor_iface_init))

static void
ns_hypervisor_class_init (NsHypervisorClass *klass)
{
}

static void
ns_hypervisor_init (NsHypervisor *self)
{
}

/* --- hosts ------------------------------------------------------------------------------- */

static const char *const scripts[] = {
    [HOSTS_APART] = "mount --bind \"$0\" \"$1\" && shift && exec \"$@\"",
    [HOSTS_SHARED] = "shift && exec \"$@\"",
    [HOSTS_SHARED_READ_ONLY] = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" && "
                               "shift && exec \"$@\"",
};

static gboolean
has_namespaces (void)
{
  const char *words[] = {"unshare", "-rm", "mount", "--bind", "/tmp", "/tmp", NULL};
  int status = 0;
  return g_spawn_sync (NULL, (char **)words, NULL,
                       G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
                           G_SPAWN_STDERR_TO_DEV_NULL,
                       NULL, NULL, NULL, NULL, &status, NULL) &&
         g_spawn_check_wait_status (status, NULL);
}

static GodwitHost *
open_host (Hosts *hosts, const char *name, const char *script)
{
  static const char *const agent[] = {"agent", "--stdio", NULL};
  g_autoptr (NsTransport) transport = g_object_new (NS_TYPE_TRANSPORT, NULL);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *runtime = g_strdup_printf ("GODWIT_RUNTIME_DIR=%s/%s/run", hosts->root, name);
  g_autofree char *state = g_strdup_printf ("GODWIT_STATE_DIR=%s/%s/state", hosts->root, name);
  g_autofree char *directories = g_strdup_printf ("TEST_DIRECTORIES=%s", hosts->data);
  g_autoptr (GError) error = NULL;

  g_strv_builder_add_many (builder, "env", runtime, state, directories,
                           "TEST_PROGRAMS=qemu-img;qemu-nbd", "unshare", "-rm", "sh", "-c", script,
                           hosts->other, hosts->data, g_getenv ("AGENT_HELPER"), NULL);
  transport->prefix = g_strv_builder_end (builder);
  GodwitHostOptions options = {.name = name,
                               .transport = GODWIT_TRANSPORT (transport),
                               .agent = agent,
                               .session = hosts->root};
  GodwitHost *host = godwit_host_open (&options, NULL, &error);
  g_assert_no_error (error);
  return host;
}

static void
make_job (Hosts *hosts, const char *format)
{
  g_autoptr (GodwitJobRecord) record = g_new0 (GodwitJobRecord, 1);
  g_autoptr (NsHypervisor) hypervisor = g_object_new (NS_TYPE_HYPERVISOR, NULL);
  g_autofree char *path = g_build_filename (hosts->data, "web", "disk", NULL);
  g_autoptr (GError) error = NULL;

  record->id = g_strdup ("j1");
  record->token = g_strdup ("t0k3n");
  record->guest_facts = NULL;
  hosts->guest = godwit_guest_new ("web", "00000000-0000-4000-8000-000000000001");
  hosts->guest->instance_directory = g_path_get_dirname (path);
  hosts->disk = godwit_disk_new ("vda");
  hosts->disk->type = g_strdup ("file");
  hosts->disk->treatment = GODWIT_TREATMENT_MIRROR;
  g_ptr_array_add (hosts->disk->chain, godwit_image_new (path, format));
  g_ptr_array_add (hosts->guest->disks, hosts->disk);
  hosts->job = godwit_job_new (NULL, g_steal_pointer (&record), NULL);
  godwit_job_set_may_touch (hosts->job, TRUE);
  godwit_job_set_hosts (hosts->job, hosts->a, GODWIT_HYPERVISOR (hypervisor), hosts->b,
                        GODWIT_HYPERVISOR (hypervisor));
  g_assert_true (godwit_job_set_guest (hosts->job, hosts->guest, &error));
  g_assert_no_error (error);
}

gboolean
hosts_set_up (Hosts *hosts, HostsKind kind, const char *format)
{
  g_autoptr (GError) error = NULL;

  if (!has_namespaces ()) {
    g_test_skip ("user and mount namespaces may not be made here");
    return FALSE;
  }
  hosts->root = g_dir_make_tmp ("godwit-XXXXXX", &error);
  g_assert_no_error (error);
  hosts->data = g_build_filename (hosts->root, "data", NULL);
  hosts->other = g_build_filename (hosts->root, "other", NULL);
  g_autofree char *instance = g_build_filename (hosts->data, "web", NULL);
  g_assert_cmpint (g_mkdir_with_parents (instance, 0711), ==, 0);
  g_assert_cmpint (g_mkdir (hosts->other, 0755), ==, 0);
  hosts->a = open_host (hosts, "a", scripts[HOSTS_SHARED]);
  hosts->b = open_host (hosts, "b", scripts[kind]);
  make_job (hosts, format);
  return TRUE;
}

static void
remove_all (const char *path)
{
  struct stat status;
  if (lstat (path, &status) == 0 && S_ISDIR (status.st_mode)) {
    g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
      g_autofree char *inner = g_build_filename (path, name, NULL);
      remove_all (inner);
    }
  }
  remove (path);
}

void
hosts_clear (Hosts *hosts)
{
  g_clear_object (&hosts->job);
  g_clear_object (&hosts->a);
  g_clear_object (&hosts->b);
  if (hosts->root != NULL)
    remove_all (hosts->root);
  g_clear_pointer (&hosts->root, g_free);
  g_clear_pointer (&hosts->data, g_free);
  g_clear_pointer (&hosts->other, g_free);
}

void
hosts_write (const char *directory, const char *name, const char *contents)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (parent, 0711), ==, 0);
  g_file_set_contents (path, contents, -1, &error);
  g_assert_no_error (error);
}

char *
hosts_read (const char *directory, const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  char *contents = NULL;
  g_file_get_contents (path, &contents, NULL, NULL);
  return contents;
}

gboolean
hosts_have (const char *directory, const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  struct stat status;
  return lstat (path, &status) == 0;
}

void
hosts_qemu_img (const char *const *words)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *errors = NULL;
  g_autoptr (GError) error = NULL;
  int status = 0;

  g_strv_builder_add (builder, "qemu-img");
  g_strv_builder_addv (builder, (const char **)words);
  g_auto (GStrv) argv = g_strv_builder_end (builder);
  g_spawn_sync (NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL,
                NULL, &errors, &status, &error);
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, NULL))
    g_error ("qemu-img: %s", errors);
}

const GodwitFinding *
hosts_find (GodwitReport *report, const char *id)
{
  GPtrArray *findings = godwit_report_get_findings (report);

  for (guint i = 0; i < findings->len; i++) {
    const GodwitFinding *finding = g_ptr_array_index (findings, i);
    if (g_str_equal (finding->id, id))
      return finding;
  }
  return NULL;
}
