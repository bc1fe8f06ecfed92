/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/agent-interface.h"
#include "agent/agent-private.h"
#include "agent/dial.h"
#include "agent/files.h"
#include "agent/listen.h"
#include "agent/offers.h"
#include "agent/records.h"
#include "channel/wire.h"
#include "transfer/engine.h"
#include "verify/task.h"

#include <godwit/error.h>

#include <unistd.h>

/* A slow stat must not hold up a poll, so every call has a thread; most of them only wait. */
#define THREADS_MAX 64

/* Answers a call: returns the reply's body, floating, NULL with an error. */
typedef GVariant *(*Handler) (GodwitAgent *self, GVariant *arguments, GError **error);

static GVariant *
nothing (gboolean ok)
{
  return ok ? g_variant_new ("()") : NULL;
}

static GVariant *
number (guint id)
{
  return id != 0 ? g_variant_new ("(u)", id) : NULL;
}

static GVariant *
one (GVariant *value)
{
  return value != NULL ? g_variant_new_tuple (&value, 1) : NULL;
}

static GVariant *
call_get_info (GodwitAgent *self, GVariant *arguments, GError **error)
{
  return one (godwit_agent_get_info (self));
}

static GVariant *
call_ping (GodwitAgent *self, GVariant *arguments, GError **error)
{
  return nothing (TRUE);
}

static GVariant *
call_claim_job (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *job;
  guint64 epoch;
  g_variant_get (arguments, "(&st)", &job, &epoch);
  /* The worker on this very machine reaches the hypervisor without us, so it is fenced with us. */
  return nothing (godwit_agent_claim_job (job, epoch, self->any_channel ? getppid () : 0, error));
}

static GVariant *
call_keep_record (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *job;
  guint64 epoch;
  g_autoptr (GVariant) record = NULL;
  g_variant_get (arguments, "(&st@ay)", &job, &epoch, &record);
  return nothing (godwit_agent_keep_record (job, epoch, record, error));
}

static GVariant *
call_list_records (GodwitAgent *self, GVariant *arguments, GError **error)
{
  g_auto (GStrv) names = godwit_records_list ();
  return one (g_variant_new_strv ((const char *const *)names, -1));
}

static GVariant *
call_read_record (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *job;
  g_variant_get (arguments, "(&s)", &job);
  g_autoptr (GBytes) record = godwit_records_read (job, error);
  return record != NULL ? one (g_variant_new_from_bytes (G_VARIANT_TYPE ("ay"), record, FALSE))
                        : NULL;
}

static GVariant *
call_stat (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *path;
  g_variant_get (arguments, "(&s)", &path);
  return one (godwit_files_stat (self->policy, path, error));
}

static GVariant *
call_list (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *path;
  g_variant_get (arguments, "(&s)", &path);
  return one (godwit_files_list (self->policy, path, error));
}

static GVariant *
call_make_directory (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *path, *token;
  guint32 mode, uid, gid;
  g_variant_get (arguments, "(&suuu&s)", &path, &mode, &uid, &gid, &token);
  return nothing (godwit_files_make_directory (self->policy, path, mode, uid, gid, token, error));
}

static GVariant *
call_create_file (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *path, *token;
  guint64 size;
  gboolean preallocate;
  guint32 mode, uid, gid;
  g_variant_get (arguments, "(&stbuuu&s)", &path, &size, &preallocate, &mode, &uid, &gid, &token);
  return nothing (
      godwit_files_create (self->policy, path, size, preallocate, mode, uid, gid, token, error));
}

static GVariant *
call_write_file (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *path;
  g_autoptr (GVariant) contents = NULL;
  guint32 mode;
  gboolean exclusive;
  g_variant_get (arguments, "(&s@ayub)", &path, &contents, &mode, &exclusive);
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (contents);
  return nothing (godwit_files_write (self->policy, path, bytes, mode, exclusive, error));
}

static GVariant *
call_read_file (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *path;
  guint64 offset;
  guint32 length;
  g_variant_get (arguments, "(&stu)", &path, &offset, &length);
  g_autoptr (GBytes) bytes = godwit_files_read (self->policy, path, offset, length, error);
  return bytes != NULL ? one (g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE))
                       : NULL;
}

static GVariant *
call_rename (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *from, *to;
  g_variant_get (arguments, "(&s&s)", &from, &to);
  return nothing (godwit_files_rename (self->policy, from, to, error));
}

static GVariant *
call_remove_owned (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *path, *token;
  g_variant_get (arguments, "(&s&s)", &path, &token);
  return nothing (godwit_files_remove_owned (self->policy, path, token, error));
}

static GVariant *
call_allocate (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *path;
  g_variant_get (arguments, "(&s)", &path);
  return nothing (godwit_files_allocate (self->policy, path, error));
}

static GVariant *
call_set_token (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *path, *token;
  g_variant_get (arguments, "(&s&s)", &path, &token);
  return nothing (godwit_files_set_token (self->policy, path, token, error));
}

static GVariant *
call_set_owner (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *path;
  guint32 uid, gid, mode;
  g_variant_get (arguments, "(&suuu)", &path, &uid, &gid, &mode);
  return nothing (godwit_files_set_owner (self->policy, path, uid, gid, mode, error));
}

static GVariant *
call_free_space (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *path;
  guint64 bytes, filesystem;
  g_variant_get (arguments, "(&s)", &path);
  return godwit_files_free_space (self->policy, path, &bytes, &filesystem, error)
             ? g_variant_new ("(tt)", bytes, filesystem)
             : NULL;
}

static GVariant *
call_make_job_directory (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *job;
  guint32 uid, gid, mode;
  g_variant_get (arguments, "(&suuu)", &job, &uid, &gid, &mode);
  g_autofree char *path = godwit_agent_make_job_directory (job, uid, gid, mode, error);
  return path != NULL ? g_variant_new ("(s)", path) : NULL;
}

static GVariant *
call_remove_job_directory (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *job;
  g_variant_get (arguments, "(&s)", &job);
  return nothing (godwit_agent_remove_job_directory (job, error));
}

static GVariant *
call_start_run (GodwitAgent *self, GVariant *arguments, GError **error)
{
  g_autofree const char **argv = NULL;
  guint32 deadline;
  g_variant_get (arguments, "(^a&su)", &argv, &deadline);
  return number (godwit_agent_start_run (self, argv, deadline, error));
}

static GVariant *
call_start_service (GodwitAgent *self, GVariant *arguments, GError **error)
{
  g_autofree const char **argv = NULL;
  const char *ready;
  g_variant_get (arguments, "(^a&s&s)", &argv, &ready);
  return number (godwit_agent_start_service (self, argv, ready, error));
}

static GVariant *
call_watch (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *path;
  g_variant_get (arguments, "(&s)", &path);
  return number (godwit_agent_watch (self, path, error));
}

static GVariant *
call_start_remove_parked (GodwitAgent *self, GVariant *arguments, GError **error)
{
  const char *path, *token;
  g_variant_get (arguments, "(&s&s)", &path, &token);
  return number (godwit_agent_start_remove_parked (self, path, token, error));
}

static GVariant *
call_start_listen (GodwitAgent *self, GVariant *arguments, GError **error)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (arguments, 0);
  return number (godwit_agent_start_listen (self, options, error));
}

static GVariant *
call_start_hash (GodwitAgent *self, GVariant *arguments, GError **error)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (arguments, 0);
  return number (godwit_agent_start_hash (self, options, error));
}

static GVariant *
call_start_verify (GodwitAgent *self, GVariant *arguments, GError **error)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (arguments, 0);
  return number (godwit_agent_start_verify (self, options, error));
}

static GVariant *
call_start_send (GodwitAgent *self, GVariant *arguments, GError **error)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (arguments, 0);
  return number (godwit_agent_start_send (self, options, error));
}

static GVariant *
call_may_call (GodwitAgent *self, GVariant *arguments, GError **error)
{
  g_autofree const char **command = NULL;
  g_variant_get (arguments, "(^a&s)", &command);
  return g_variant_new ("(b)", godwit_dialer_allows (self, command));
}

static GVariant *
call_offer (GodwitAgent *self, GVariant *arguments, GError **error)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (arguments, 0);
  g_autofree char *token = NULL;
  guint id = godwit_agent_offer (self, options, &token, error);
  return id != 0 ? g_variant_new ("(us)", id, token) : NULL;
}

static GVariant *
call_poll (GodwitAgent *self, GVariant *arguments, GError **error)
{
  guint32 id, wait;
  g_variant_get (arguments, "(uu)", &id, &wait);
  const char *state;
  g_autoptr (GVariant) details = NULL;
  return godwit_tasks_poll (self->tasks, id, wait, &state, &details, error)
             ? g_variant_new ("(s@a{sv})", state, details)
             : NULL;
}

static GVariant *
call_cancel (GodwitAgent *self, GVariant *arguments, GError **error)
{
  guint32 id;
  g_variant_get (arguments, "(u)", &id);
  godwit_tasks_cancel (self->tasks, id);
  return nothing (TRUE);
}

static const struct {
  const char *name;
  Handler handler;
} calls[] = {
    {"GetInfo", call_get_info},
    {"Ping", call_ping},
    {"ClaimJob", call_claim_job},
    {"KeepRecord", call_keep_record},
    {"ListRecords", call_list_records},
    {"ReadRecord", call_read_record},
    {"Stat", call_stat},
    {"List", call_list},
    {"MakeDirectory", call_make_directory},
    {"CreateFile", call_create_file},
    {"WriteFile", call_write_file},
    {"ReadFile", call_read_file},
    {"Rename", call_rename},
    {"RemoveOwned", call_remove_owned},
    {"Allocate", call_allocate},
    {"SetToken", call_set_token},
    {"SetOwner", call_set_owner},
    {"FreeSpace", call_free_space},
    {"MakeJobDirectory", call_make_job_directory},
    {"RemoveJobDirectory", call_remove_job_directory},
    {"StartRun", call_start_run},
    {"StartService", call_start_service},
    {"Watch", call_watch},
    {"StartRemoveParked", call_start_remove_parked},
    {"StartHash", call_start_hash},
    {"StartSend", call_start_send},
    {"StartVerify", call_start_verify},
    {"StartListen", call_start_listen},
    {"MayCall", call_may_call},
    {"Offer", call_offer},
    {"Poll", call_poll},
    {"Cancel", call_cancel},
};

static void
run_call (gpointer data, gpointer user_data)
{
  GDBusMethodInvocation *invocation = data;
  GodwitAgent *self = user_data;
  const char *name = g_dbus_method_invocation_get_method_name (invocation);
  g_autoptr (GError) error = NULL;
  GVariant *reply = NULL;
  Handler handler = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    if (g_str_equal (calls[i].name, name))
      handler = calls[i].handler;
  if (handler != NULL)
    reply = handler (self, g_dbus_method_invocation_get_parameters (invocation), &error);
  else
    godwit_set_error (&error, GODWIT_ERROR_NOT_SUPPORTED, "upgrade the older godwit of the two",
                      "the agent has no call %s", name);
  if (reply != NULL)
    g_dbus_method_invocation_return_value (invocation, reply);
  else if (error != NULL)
    g_dbus_method_invocation_return_gerror (invocation, error);
  else
    g_dbus_method_invocation_return_error (invocation, GODWIT_ERROR, GODWIT_ERROR_INTERNAL,
                                           "%s failed without a reason", name);
}

static void
on_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
         const char *name, GVariant *arguments, GDBusMethodInvocation *invocation, gpointer data)
{
  GodwitAgent *self = data;
  __atomic_store_n (&self->heard_us, g_get_monotonic_time (), __ATOMIC_RELAXED);
  g_thread_pool_push (self->threads, invocation, NULL);
}

gboolean
godwit_agent_export (GodwitAgent *self, GDBusConnection *connection, GError **error)
{
  static const GDBusInterfaceVTable vtable = {.method_call = on_call};
  self->threads = g_thread_pool_new (run_call, self, THREADS_MAX, FALSE, NULL);
  return g_dbus_connection_register_object (
             connection, GODWIT_AGENT_PATH,
             (GDBusInterfaceInfo *)&godwit_org_godwit_agent1_interface, &vtable, self, NULL,
             error) != 0;
}
