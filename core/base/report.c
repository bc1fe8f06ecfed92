/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <godwit/error.h>
#include <godwit/report.h>

struct _GodwitReport {
  GObject parent_instance;
  GPtrArray *findings;
  char *scope;
};

G_DEFINE_FINAL_TYPE (GodwitReport, godwit_report, G_TYPE_OBJECT)

static void
finding_free (gpointer data)
{
  GodwitFinding *finding = data;
  g_free (finding->id);
  g_free (finding->scope);
  g_free (finding->subject);
  g_free (finding->message);
  g_free (finding->remedy);
  g_free (finding);
}

static void
godwit_report_finalize (GObject *object)
{
  GodwitReport *self = GODWIT_REPORT (object);
  g_ptr_array_unref (self->findings);
  g_free (self->scope);
  G_OBJECT_CLASS (godwit_report_parent_class)->finalize (object);
}

static void
godwit_report_class_init (GodwitReportClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = godwit_report_finalize;
}

static void
godwit_report_init (GodwitReport *self)
{
  self->findings = g_ptr_array_new_with_free_func (finding_free);
}

GodwitReport *
godwit_report_new (void)
{
  return g_object_new (GODWIT_TYPE_REPORT, NULL);
}

void
godwit_report_set_scope (GodwitReport *self, const char *scope)
{
  g_return_if_fail (GODWIT_IS_REPORT (self));
  g_autofree char *old = g_steal_pointer (&self->scope);
  self->scope = g_strdup (scope);
}

static void
add_finding (GodwitReport *self, GodwitSeverity severity, const char *id, const char *subject,
             const char *remedy, char *message)
{
  GodwitFinding *finding = g_new0 (GodwitFinding, 1);
  finding->id = g_strdup (id);
  finding->severity = severity;
  finding->scope = g_strdup (self->scope);
  finding->subject = g_strdup (subject);
  finding->remedy = g_strdup (remedy);
  finding->message = message;
  g_ptr_array_add (self->findings, finding);
}

void
godwit_report_add (GodwitReport *self, GodwitSeverity severity, const char *id, const char *subject,
                   const char *remedy, const char *format, ...)
{
  g_return_if_fail (GODWIT_IS_REPORT (self));
  g_return_if_fail (id != NULL && format != NULL);

  va_list args;
  va_start (args, format);
  char *message = g_strdup_vprintf (format, args);
  va_end (args);
  add_finding (self, severity, id, subject, remedy, message);
}

void
godwit_report_add_error (GodwitReport *self, const char *id, const char *subject,
                         const GError *error)
{
  g_return_if_fail (GODWIT_IS_REPORT (self));
  g_return_if_fail (id != NULL && error != NULL);
  add_finding (self, GODWIT_SEVERITY_BLOCKER, id, subject, godwit_error_get_remedy (error),
               godwit_error_dup_message (error));
}

GPtrArray *
godwit_report_get_findings (GodwitReport *self)
{
  g_return_val_if_fail (GODWIT_IS_REPORT (self), NULL);
  return self->findings;
}

const GodwitFinding *
godwit_report_first_blocker (GodwitReport *self, const char *scope)
{
  g_return_val_if_fail (GODWIT_IS_REPORT (self), NULL);
  for (guint i = 0; i < self->findings->len; i++) {
    const GodwitFinding *finding = g_ptr_array_index (self->findings, i);
    if (finding->severity == GODWIT_SEVERITY_BLOCKER &&
        (finding->scope == NULL || g_strcmp0 (finding->scope, scope) == 0))
      return finding;
  }
  return NULL;
}

gboolean
godwit_report_is_blocked (GodwitReport *self, const char *scope)
{
  return godwit_report_first_blocker (self, scope) != NULL;
}

const char *
godwit_severity_to_string (GodwitSeverity severity)
{
  static const char *const names[] = {"ok", "info", "warning", "blocker"};
  return (guint)severity < G_N_ELEMENTS (names) ? names[severity] : "unknown";
}
