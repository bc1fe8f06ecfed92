/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-hypervisor.h"

#include <godwit/error.h>

#include <string.h>

static gboolean note (FakeHypervisor *self, GError **error, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static gboolean
note (FakeHypervisor *self, GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *call = g_strdup_vprintf (format, args);
  va_end (args);
  g_string_append_printf (self->calls, "%s%s", self->calls->len > 0 ? ", " : "", call);
  if (self->fail == NULL || strcmp (self->fail, call) != 0)
    return TRUE;
  if (self->fail_times > 0 && --self->fail_times == 0)
    self->fail = NULL;
  g_set_error (error, GODWIT_ERROR, GODWIT_ERROR_PEER, "%s failed", call);
  return FALSE;
}

static gboolean
fake_connect (GodwitHypervisor *hypervisor, GodwitHost *host, GCancellable *cancellable,
              GError **error)
{
  return TRUE;
}

static GodwitHostFacts *
fake_get_facts (GodwitHypervisor *hypervisor, GCancellable *cancellable, GError **error)
{
  GodwitHostFacts *facts = g_new0 (GodwitHostFacts, 1);

  facts->guest_uid = 64055;
  facts->guest_gid = 108;
  return facts;
}

static GStrv
fake_list_guests (GodwitHypervisor *hypervisor, GCancellable *cancellable, GError **error)
{
  const char *const names[] = {"db", "web", NULL};

  return g_strdupv ((char **)names);
}

static GodwitGuest *
fake_describe_guest (GodwitHypervisor *hypervisor, const char *name, GCancellable *cancellable,
                     GError **error)
{
  FakeHypervisor *self = FAKE_HYPERVISOR (hypervisor);

  if (strcmp (name, "web") != 0 && strcmp (name, "00000000-0000-4000-8000-000000000001") != 0) {
    g_set_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND, "no guest %s", name);
    return NULL;
  }
  g_autoptr (GVariant) variant =
      g_variant_ref_sink (godwit_guest_to_variant (godwit_job_get_guest (self->job)));
  GodwitGuest *guest = godwit_guest_from_variant (variant, error);

  g_assert_nonnull (guest);
  guest->state = self->state;
  g_free (guest->busy);
  guest->busy = g_strdup (self->busy);
  if (self->new_layer != NULL) {
    GodwitImage *top = godwit_disk_get_top (g_ptr_array_index (guest->disks, 0));
    g_free (top->path);
    top->path = g_strdup (self->new_layer);
  }
  return guest;
}

static gboolean
fake_check_guest (GodwitHypervisor *hypervisor, GodwitJob *job, GodwitGuest *guest,
                  GodwitReport *report, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static char *
fake_adapt_definition (GodwitHypervisor *hypervisor, GodwitJob *job, GodwitGuest *guest,
                       gboolean live, GCancellable *cancellable, GError **error)
{
  return g_strdup (live ? "live" : "persistent");
}

static gboolean
fake_get_state (GodwitHypervisor *hypervisor, const char *uuid, GodwitGuestState *state,
                gboolean *persistent, GCancellable *cancellable, GError **error)
{
  FakeHypervisor *self = FAKE_HYPERVISOR (hypervisor);

  if (self->silent) {
    g_set_error (error, GODWIT_ERROR, GODWIT_ERROR_UNAVAILABLE, "no answer");
    return FALSE;
  }
  *state = self->state;
  if (persistent != NULL)
    *persistent = self->persistent;
  return TRUE;
}

static gboolean
fake_define (GodwitHypervisor *hypervisor, const char *definition, gboolean autostart,
             GCancellable *cancellable, GError **error)
{
  FakeHypervisor *self = FAKE_HYPERVISOR (hypervisor);

  if (!note (self, error, "define %s%s", definition, autostart ? " autostart" : ""))
    return FALSE;
  self->persistent = TRUE;
  if (self->state == GODWIT_GUEST_ABSENT)
    self->state = GODWIT_GUEST_SHUT_OFF;
  return TRUE;
}

static gboolean
fake_undefine (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
               GError **error)
{
  FakeHypervisor *self = FAKE_HYPERVISOR (hypervisor);

  if (!note (self, error, "undefine"))
    return FALSE;
  self->persistent = FALSE;
  if (self->state == GODWIT_GUEST_SHUT_OFF)
    self->state = GODWIT_GUEST_ABSENT;
  return TRUE;
}

static gboolean
change (GodwitHypervisor *hypervisor, const char *call, GodwitGuestState state, GError **error)
{
  FakeHypervisor *self = FAKE_HYPERVISOR (hypervisor);

  if (!note (self, error, "%s", call))
    return FALSE;
  self->state = state;
  return TRUE;
}

static gboolean
fake_start (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
            GError **error)
{
  return change (hypervisor, "start", GODWIT_GUEST_RUNNING, error);
}

static gboolean
fake_shut_down (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
                GError **error)
{
  FakeHypervisor *self = FAKE_HYPERVISOR (hypervisor);

  if (!note (self, error, "shut_down"))
    return FALSE;
  if (self->obeys_after > 0 && --self->obeys_after == 0)
    self->state = GODWIT_GUEST_SHUT_OFF;
  return TRUE;
}

static gboolean
fake_destroy (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
              GError **error)
{
  FakeHypervisor *self = FAKE_HYPERVISOR (hypervisor);

  return change (hypervisor, "destroy",
                 self->persistent ? GODWIT_GUEST_SHUT_OFF : GODWIT_GUEST_ABSENT, error);
}

static gboolean
fake_suspend (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
              GError **error)
{
  return change (hypervisor, "suspend", GODWIT_GUEST_PAUSED, error);
}

static gboolean
fake_resume (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
             GError **error)
{
  return change (hypervisor, "resume", GODWIT_GUEST_RUNNING, error);
}

static char *
fake_get_pid_file (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
                   GError **error)
{
  return g_strdup ("/run/web.pid");
}

/* --- live -------------------------------------------------------------------------------- */

static GObject *
fake_live_begin (GodwitHypervisor *hypervisor, GodwitHypervisor *destination, GodwitGuest *guest,
                 const GodwitLiveParams *params, GCancellable *cancellable, GError **error)
{
  FakeHypervisor *self = FAKE_HYPERVISOR (hypervisor);

  if (!note (self, error, "live_begin"))
    return NULL;
  self->turn = 0;
  self->aborted = 0;
  self->downtime = params->max_downtime_ms;
  self->proven_safe = params->proven_safe;
  self->status = (GodwitLiveStatus){.source_state = self->state,
                                    .destination_state = GODWIT_GUEST_PAUSED_MIGRATION};
  FAKE_HYPERVISOR (destination)->state = GODWIT_GUEST_PAUSED_MIGRATION;
  return g_object_new (G_TYPE_OBJECT, NULL);
}

static gboolean
fake_live_wait (GodwitHypervisor *hypervisor, GObject *live, guint timeout_ms,
                GodwitLiveStatus *status, GError **error)
{
  FakeHypervisor *self = FAKE_HYPERVISOR (hypervisor);

  self->turn++;
  g_usleep (1000);
  if (self->live != NULL)
    self->live (self->turn, &self->status, self->live_data);
  *status = self->status;
  return TRUE;
}

static gboolean
fake_live_set_downtime (GodwitHypervisor *hypervisor, GObject *live, guint downtime_ms,
                        GError **error)
{
  FakeHypervisor *self = FAKE_HYPERVISOR (hypervisor);

  self->downtime = downtime_ms;
  return TRUE;
}

static gboolean
fake_live_abort (GodwitHypervisor *hypervisor, GObject *live, GError **error)
{
  FakeHypervisor *self = FAKE_HYPERVISOR (hypervisor);

  self->aborted = MAX (1, self->turn);
  return note (self, error, "live_abort");
}

static gboolean
fake_live_finish (GodwitHypervisor *hypervisor, GObject *live, guint timeout_ms, GError **error)
{
  FakeHypervisor *self = FAKE_HYPERVISOR (hypervisor);

  if (!self->status.returned) {
    g_set_error (error, GODWIT_ERROR, GODWIT_ERROR_TRANSIENT, "it has not returned");
    return FALSE;
  }
  if (!self->status.failed)
    return TRUE;
  g_set_error (error, GODWIT_ERROR, GODWIT_ERROR_PEER, "the migration call failed");
  return FALSE;
}

static gboolean
fake_set_autostart (GodwitHypervisor *hypervisor, const char *uuid, gboolean on,
                    GCancellable *cancellable, GError **error)
{
  return note (FAKE_HYPERVISOR (hypervisor), error, "autostart %s", on ? "on" : "off");
}

static gboolean
fake_get_written (GodwitHypervisor *hypervisor, const char *uuid, guint64 *bytes,
                  GCancellable *cancellable, GError **error)
{
  *bytes = FAKE_HYPERVISOR (hypervisor)->written;
  return TRUE;
}

static char *
fake_get_export (GodwitHypervisor *hypervisor, GodwitGuest *guest, const char *target,
                 GError **error)
{
  return g_strconcat ("export-", target, NULL);
}

static void
fake_iface_init (GodwitHypervisorInterface *iface)
{
  iface->connect = fake_connect;
  iface->get_facts = fake_get_facts;
  iface->list_guests = fake_list_guests;
  iface->describe_guest = fake_describe_guest;
  iface->check_guest = fake_check_guest;
  iface->adapt_definition = fake_adapt_definition;
  iface->get_state = fake_get_state;
  iface->define = fake_define;
  iface->undefine = fake_undefine;
  iface->start = fake_start;
  iface->shut_down = fake_shut_down;
  iface->destroy = fake_destroy;
  iface->suspend = fake_suspend;
  iface->resume = fake_resume;
  iface->get_pid_file = fake_get_pid_file;
  iface->live_begin = fake_live_begin;
  iface->live_wait = fake_live_wait;
  iface->live_set_downtime = fake_live_set_downtime;
  iface->live_abort = fake_live_abort;
  iface->live_finish = fake_live_finish;
  iface->get_written = fake_get_written;
  iface->set_autostart = fake_set_autostart;
  iface->get_export = fake_get_export;
}

G_DEFINE_TYPE_WITH_CODE (FakeHypervisor, fake_hypervisor, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (GODWIT_TYPE_HYPERVISOR, fake_iface_init))

static void
fake_hypervisor_finalize (GObject *object)
{
  FakeHypervisor *self = FAKE_HYPERVISOR (object);

  g_free (self->busy);
  g_string_free (self->calls, TRUE);
  G_OBJECT_CLASS (fake_hypervisor_parent_class)->finalize (object);
}

static void
fake_hypervisor_class_init (FakeHypervisorClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = fake_hypervisor_finalize;
}

static void
fake_hypervisor_init (FakeHypervisor *self)
{
  self->calls = g_string_new (NULL);
}

FakeHypervisor *
fake_hypervisor_new (GodwitGuestState state)
{
  FakeHypervisor *self = g_object_new (FAKE_TYPE_HYPERVISOR, NULL);

  self->state = state;
  self->persistent = state != GODWIT_GUEST_ABSENT;
  return self;
}
