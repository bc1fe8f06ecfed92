/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/machines.h"

#include "base/paths.h"
#include "host/host-private.h"
#include "base/spelling.h"

#include <godwit/error.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Transports put sockets into the session directory and add up to about 45 characters of their
 * own; a socket's path ends at 107. */
#define SESSION_PATH_MAX 60

struct _GodwitMachines {
  GObject parent_instance;
  GodwitConfig *config;
  GodwitRegistry *registry;
  GMutex lock; /* the registry, and making of objects */
  char *session;
  gboolean session_is_ours;
  int session_lock;
  guint opened;
  char *job; /* whose sessions these are; NULL: nobody's, nothing is fenced */
  guint64 epoch;
  int fenced; /* atomic */
};

G_DEFINE_FINAL_TYPE (GodwitMachines, godwit_machines, G_TYPE_OBJECT)

/* What a name turned out to be. */
typedef struct {
  char *group;                  /* group of the configuration to read; may not exist */
  GodwitTransport *transport;   /* NULL: this machine */
  GodwitHypervisor *hypervisor; /* NULL unless it was asked for, or the name is its URI */
} Resolved;

static void
resolved_clear (Resolved *resolved)
{
  g_clear_pointer (&resolved->group, g_free);
  g_clear_object (&resolved->transport);
  g_clear_object (&resolved->hypervisor);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Resolved, resolved_clear)

/* Only sockets and small files of a transport are ever in there, one level deep. */
static void
remove_session (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *child = g_build_filename (path, name, NULL);
    if (unlink (child) != 0 && (errno == EISDIR || errno == EPERM))
      remove_session (child);
  }
  rmdir (path);
}

static int
lock_directory (const char *path, int operation)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

  int result = -1;

  while (fd >= 0 && (result = flock (fd, operation)) != 0 && errno == EINTR)
    ;
  if (result == 0)
    return fd;
  if (fd >= 0)
    close (fd);
  return -1;
}

/* A session is locked by the process that made it, so one that is not belongs to a process that
 * was killed. */
static void
remove_dead_sessions (const char *parent)
{
  g_autoptr (GDir) dir = g_dir_open (parent, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (parent, name, NULL);
    int fd = lock_directory (path, LOCK_EX | LOCK_NB);
    if (fd < 0)
      continue;
    remove_session (path);
    close (fd);
  }
}

static void
godwit_machines_finalize (GObject *object)
{
  GodwitMachines *self = GODWIT_MACHINES (object);

  if (self->session_is_ours)
    remove_session (self->session);
  if (self->session_lock >= 0)
    close (self->session_lock);
  g_free (self->session);
  g_free (self->job);
  g_clear_object (&self->config);
  g_clear_object (&self->registry);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (godwit_machines_parent_class)->finalize (object);
}

static void
godwit_machines_class_init (GodwitMachinesClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = godwit_machines_finalize;
}

static void
godwit_machines_init (GodwitMachines *self)
{
  g_mutex_init (&self->lock);
  self->session_lock = -1;
}

GodwitMachines *
godwit_machines_new (GodwitConfig *config, GodwitRegistry *registry, const char *session)
{
  GodwitMachines *self = g_object_new (GODWIT_TYPE_MACHINES, NULL);

  self->config = g_object_ref (config);
  self->registry = g_object_ref (registry);
  self->session = g_strdup (session);
  return self;
}

void
godwit_machines_set_job (GodwitMachines *self, const char *job, guint64 epoch)
{
  g_free (self->job);
  self->job = g_strdup (job);
  self->epoch = epoch;
}

static gboolean
make_session (GodwitMachines *self, const char *parent, GError **error)
{
  g_autofree char *path = g_build_filename (parent, "XXXXXX", NULL);

  if (g_mkdtemp_full (path, 0700) == NULL) {
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, NULL,
                      "cannot make a session directory in %s: %s", parent, g_strerror (errno));
    return FALSE;
  }
  self->session_lock = lock_directory (path, LOCK_EX | LOCK_NB);
  if (self->session_lock < 0) {
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, NULL,
                      "cannot lock the session directory %s: %s", path, g_strerror (errno));
    rmdir (path);
    return FALSE;
  }
  self->session = g_steal_pointer (&path);
  self->session_is_ours = TRUE;
  return TRUE;
}

static char *
make_sessions_path (void)
{
  return g_build_filename (godwit_paths_get_runtime_dir (), "sessions", NULL);
}

void
godwit_machines_sweep_sessions (void)
{
  g_autofree char *parent = make_sessions_path ();
  /* Whoever has it may have been stopped; another time will do. */
  int fd = lock_directory (parent, LOCK_EX | LOCK_NB);
  if (fd < 0)
    return;
  remove_dead_sessions (parent);
  close (fd);
}

/* Makes the session directory on first use, so that looking a name up leaves nothing behind. */
static gboolean
ensure_session (GodwitMachines *self, GError **error)
{
  if (self->session != NULL)
    return TRUE;

  g_autofree char *parent = make_sessions_path ();
  if (strlen (parent) + 7 > SESSION_PATH_MAX)
    return make_session (self, "/tmp", error);
  if (!godwit_paths_make_dir (parent, 0700, error))
    return FALSE;
  /* Between its making and its lock a session looks like one of a dead process. */
  int fd = lock_directory (parent, LOCK_EX);
  if (fd >= 0)
    remove_dead_sessions (parent);
  gboolean ok = make_session (self, parent, error);
  if (fd >= 0)
    close (fd);
  return ok;
}

gboolean
godwit_machines_is_this (GodwitMachines *self, const char *name)
{
  const char *hostname = g_get_host_name ();

  if (name == NULL || g_str_equal (name, "localhost"))
    return TRUE;
  if (g_ascii_strcasecmp (name, hostname) == 0)
    return TRUE;
  /* A machine that calls itself a.example.org is also a. */
  const char *dot = strchr (hostname, '.');
  return dot != NULL && strlen (name) == (gsize)(dot - hostname) &&
         g_ascii_strncasecmp (name, hostname, dot - hostname) == 0;
}

static GObject *
create_for_host (GodwitMachines *self, GType contract, const char *plugin, const char *host,
                 GError **error)
{
  g_autoptr (GObject) object = godwit_registry_create (self->registry, contract, plugin, error);

  if (object == NULL)
    return NULL;
  /* An unset destination is the host's own name; whatever the configuration says wins. */
  if (contract == GODWIT_TYPE_TRANSPORT)
    godwit_transport_claims (GODWIT_TRANSPORT (object), host);
  if (!godwit_config_apply (self->config, object, godwit_contract_to_string (contract), plugin,
                            host, error))
    return NULL;
  return g_steal_pointer (&object);
}

static GStrv
list_providers (GodwitMachines *self, GType contract, GError **error)
{
  if (!godwit_registry_load_contract (self->registry, contract, error))
    return NULL;
  return godwit_registry_list (self->registry, contract);
}

/* The plugin that the host's group names, else the only one that there is. */
static GObject *
create_default (GodwitMachines *self, GType contract, const char *host, GError **error)
{
  const char *kind = godwit_contract_to_string (contract);
  const char *plugin = NULL;

  if (godwit_config_has_host (self->config, host))
    plugin = godwit_config_get_host (self->config, host, kind);
  if (plugin != NULL && *plugin != '\0')
    return create_for_host (self, contract, plugin, host, error);

  g_auto (GStrv) providers = list_providers (self, contract, error);
  if (providers == NULL)
    return NULL;
  if (providers[0] == NULL) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "godwit plugins",
                      "host %s: no plugin is installed that provides a %s", host, kind);
    return NULL;
  }
  return create_for_host (self, contract, providers[0], host, error);
}

static gboolean
resolve_by_transport (GodwitMachines *self, const char *name, Resolved *resolved, GError **error)
{
  g_auto (GStrv) providers = list_providers (self, GODWIT_TYPE_TRANSPORT, error);

  if (providers == NULL)
    return FALSE;
  for (gsize i = 0; providers[i] != NULL; i++) {
    g_autoptr (GObject) object =
        godwit_registry_create (self->registry, GODWIT_TYPE_TRANSPORT, providers[i], error);
    if (object == NULL)
      return FALSE;
    if (!godwit_transport_claims (GODWIT_TRANSPORT (object), name))
      continue;
    resolved->transport =
        GODWIT_TRANSPORT (create_for_host (self, GODWIT_TYPE_TRANSPORT, providers[i], name, error));
    resolved->group = g_strdup (name);
    return resolved->transport != NULL;
  }
  return TRUE;
}

static gboolean
resolve_by_hypervisor (GodwitMachines *self, const char *name, Resolved *resolved, GError **error)
{
  g_auto (GStrv) providers = list_providers (self, GODWIT_TYPE_HYPERVISOR, error);

  if (providers == NULL)
    return FALSE;
  for (gsize i = 0; providers[i] != NULL; i++) {
    g_autofree char *address = NULL;
    g_autoptr (GObject) object =
        godwit_registry_create (self->registry, GODWIT_TYPE_HYPERVISOR, providers[i], error);
    if (object == NULL ||
        !godwit_config_apply (self->config, object, "hypervisor", providers[i], name, error))
      return FALSE;
    if (!godwit_hypervisor_claims (GODWIT_HYPERVISOR (object), name, &address))
      continue;
    if (address != NULL) {
      if (!resolve_by_transport (self, address, resolved, error))
        return FALSE;
      /* A bare name inside a URI is for the transport to look up, as it is anywhere else. */
      if (resolved->transport == NULL)
        resolved->transport =
            GODWIT_TRANSPORT (create_default (self, GODWIT_TYPE_TRANSPORT, address, error));
      if (resolved->transport == NULL)
        return FALSE;
    }
    g_free (resolved->group);
    resolved->group = g_strdup (name);
    resolved->hypervisor = GODWIT_HYPERVISOR (g_steal_pointer (&object));
    return TRUE;
  }
  return TRUE;
}

static void
set_unknown_error (GodwitMachines *self, const char *name, GError **error)
{
  g_auto (GStrv) hosts = godwit_config_list_hosts (self->config);
  const char *nearest = godwit_spelling_nearest (name, (const char *const *)hosts);
  g_autofree char *known = g_strjoinv (", ", hosts);
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "unknown host %s: it is no [host NAME] of the configuration", name);
  g_string_append (text, ", no address (USER@HOST) and no URI");
  if (*known != '\0')
    g_string_append_printf (text, "; known hosts: %s", known);
  if (nearest != NULL)
    g_string_append_printf (text, "; did you mean %s?", nearest);
  godwit_set_error (error, GODWIT_ERROR_CONFIG, "godwit hosts", "%s", text->str);
}

/* Called with the lock held. */
static gboolean
resolve (GodwitMachines *self, const char *name, Resolved *resolved, GError **error)
{
  gboolean known = name != NULL && godwit_config_has_host (self->config, name);

  if (godwit_machines_is_this (self, name)) {
    /* A group of this machine's own name still says how its agent and hypervisor are reached;
     * only a transport that it names by itself makes us leave the machine to come back. */
    const char *plugin = known ? godwit_config_get_host (self->config, name, "transport") : NULL;
    if (plugin == NULL || *plugin == '\0') {
      resolved->group = g_strdup (name != NULL ? name : g_get_host_name ());
      return TRUE;
    }
  }
  if (known) {
    resolved->group = g_strdup (name);
    resolved->transport =
        GODWIT_TRANSPORT (create_default (self, GODWIT_TYPE_TRANSPORT, name, error));
    return resolved->transport != NULL;
  }
  /* A transport may take anything with an at sign; a scheme says more than that. */
  if (strstr (name, "://") != NULL) {
    if (!resolve_by_hypervisor (self, name, resolved, error))
      return FALSE;
    if (resolved->hypervisor != NULL)
      return TRUE;
  }
  if (!resolve_by_transport (self, name, resolved, error))
    return FALSE;
  if (resolved->transport != NULL)
    return TRUE;
  if (!resolve_by_hypervisor (self, name, resolved, error))
    return FALSE;
  if (resolved->hypervisor != NULL)
    return TRUE;
  set_unknown_error (self, name, error);
  return FALSE;
}

static GStrv
agent_command (GodwitMachines *self, const char *group, gboolean local, GError **error)
{
  g_autofree char *section = g_strdup_printf ("host %s", group);
  const char *text = NULL;
  g_auto (GStrv) argv = NULL;
  g_autoptr (GError) local_error = NULL;

  if (godwit_config_has_host (self->config, group) &&
      godwit_config_get_origin (self->config, section, "agent-command") != NULL)
    text = godwit_config_get_host (self->config, group, "agent-command");
  if (text == NULL && local) {
    const char *const self_argv[] = {godwit_paths_get_self (), "agent", "--stdio", NULL};
    return g_strdupv ((char **)self_argv);
  }
  if (text == NULL)
    text = "godwit agent --stdio";
  if (!g_shell_parse_argv (text, NULL, &argv, &local_error)) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "godwit config check",
                      "host %s: agent-command=%s cannot be split into words: %s", group, text,
                      local_error->message);
    return NULL;
  }
  return g_steal_pointer (&argv);
}

/* Every key that the configuration has for the host, for whoever asks the host object. */
static GHashTable *
host_keys (GodwitMachines *self, const char *group)
{
  GHashTable *keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  gsize n = 0;
  const GodwitConfigKey *schema = godwit_config_get_schema (&n);

  if (!godwit_config_has_host (self->config, group))
    return keys;
  for (gsize i = 0; i < n; i++) {
    if (!g_str_has_prefix (schema[i].group, "host "))
      continue;
    const char *value = godwit_config_get_host (self->config, group, schema[i].key);
    if (value != NULL)
      g_hash_table_insert (keys, g_strdup (schema[i].key), g_strdup (value));
  }
  return keys;
}

static GodwitHost *
open_host (GodwitMachines *self, const char *name, const Resolved *resolved, const char *session,
           GCancellable *cancellable, GError **error)
{
  g_auto (GStrv) agent = agent_command (self, resolved->group, resolved->transport == NULL, error);
  g_autoptr (GHashTable) keys = host_keys (self, resolved->group);
  GodwitHostOptions options = {
      .name = name != NULL ? name : g_get_host_name (),
      .transport = resolved->transport,
      .agent = (const char *const *)agent,
      .session = session,
      .config = keys,
  };

  if (agent == NULL)
    return NULL;
  return godwit_host_open (&options, cancellable, error);
}

/* Each host gets a directory of its own: two transports of one kind must not meet in a socket. */
static char *
make_host_session (GodwitMachines *self, GError **error)
{
  if (!ensure_session (self, error))
    return NULL;
  g_autofree char *path = g_strdup_printf ("%s/%u", self->session, self->opened++);
  if (!godwit_paths_make_dir (path, 0700, error))
    return NULL;
  return g_steal_pointer (&path);
}

/* Before anything else is asked of the host: an older worker's session may still be at work. */
static gboolean
claim (GodwitMachines *self, GodwitHost *host, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (self->job == NULL ||
      godwit_host_claim_job (host, self->job, self->epoch, cancellable, &local))
    return TRUE;
  if (g_error_matches (local, GODWIT_ERROR, GODWIT_ERROR_DENIED))
    g_atomic_int_set (&self->fenced, TRUE);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

gboolean
godwit_machines_is_fenced (GodwitMachines *self)
{
  return g_atomic_int_get (&self->fenced);
}

gboolean
godwit_machines_open (GodwitMachines *self, const char *name, GodwitHost **host,
                      GodwitHypervisor **hypervisor, GCancellable *cancellable, GError **error)
{
  g_auto (Resolved) resolved = {0};
  g_autofree char *session = NULL;

  g_mutex_lock (&self->lock);
  gboolean ok = resolve (self, name, &resolved, error);
  if (ok && resolved.hypervisor == NULL && hypervisor != NULL) {
    resolved.hypervisor =
        GODWIT_HYPERVISOR (create_default (self, GODWIT_TYPE_HYPERVISOR, resolved.group, error));
    ok = resolved.hypervisor != NULL;
  }
  if (ok)
    session = make_host_session (self, error);
  g_mutex_unlock (&self->lock);
  if (session == NULL)
    return FALSE;

  g_autoptr (GodwitHost) opened = open_host (self, name, &resolved, session, cancellable, error);
  if (opened == NULL || !claim (self, opened, cancellable, error))
    return FALSE;
  *host = g_object_ref (opened);
  if (hypervisor == NULL)
    return TRUE;
  if (!godwit_hypervisor_connect (resolved.hypervisor, opened, cancellable, error))
    return FALSE;
  *hypervisor = g_steal_pointer (&resolved.hypervisor);
  return TRUE;
}

gboolean
godwit_machines_get_transport (GodwitMachines *self, const char *name, GodwitTransport **transport,
                               GError **error)
{
  g_auto (Resolved) resolved = {0};

  g_mutex_lock (&self->lock);
  gboolean ok = resolve (self, name, &resolved, error);
  g_mutex_unlock (&self->lock);
  *transport = g_steal_pointer (&resolved.transport);
  return ok;
}

GStrv
godwit_machines_get_agent_command (GodwitMachines *self, const char *name, GError **error)
{
  g_auto (Resolved) resolved = {0};

  g_mutex_lock (&self->lock);
  gboolean ok = resolve (self, name, &resolved, error);
  g_mutex_unlock (&self->lock);
  if (!ok)
    return NULL;
  return agent_command (self, resolved.group, resolved.transport == NULL, error);
}
