/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * GodwitSeverity:
 * @GODWIT_SEVERITY_OK: checked and good.
 * @GODWIT_SEVERITY_INFO: worth knowing.
 * @GODWIT_SEVERITY_WARNING: works, at a price that the message names.
 * @GODWIT_SEVERITY_BLOCKER: the strategy (or, with no scope, every strategy) is refused.
 *
 * Since: 0.1
 */
typedef enum {
  GODWIT_SEVERITY_OK,
  GODWIT_SEVERITY_INFO,
  GODWIT_SEVERITY_WARNING,
  GODWIT_SEVERITY_BLOCKER,
} GodwitSeverity;

/**
 * GodwitFinding:
 * @id: stable name of the check, `[a-z0-9-]+`, for example `disk-not-shared`
 * @severity: what it means for the migration
 * @scope: (nullable): name of the one strategy it concerns; %NULL for all
 * @subject: (nullable): the host, disk or file it is about
 * @message: what was seen, with the values, and why it matters
 * @remedy: (nullable): the next command to type or thing to do
 *
 * One verdict of one check. Read only. Since: 0.1
 */
typedef struct {
  char *id;
  GodwitSeverity severity;
  char *scope;
  char *subject;
  char *message;
  char *remedy;
} GodwitFinding;

#define GODWIT_TYPE_REPORT (godwit_report_get_type ())
G_DECLARE_FINAL_TYPE (GodwitReport, godwit_report, GODWIT, REPORT, GObject)

/**
 * godwit_report_new:
 *
 * Returns: (transfer full): an empty report. Since: 0.1
 */
GodwitReport *godwit_report_new (void);

/**
 * godwit_report_set_scope:
 * @scope: (nullable): the strategy that later findings concern; %NULL for all strategies
 *
 * The planner calls this around each strategy's check; plugins need not. Since: 0.1
 */
void godwit_report_set_scope (GodwitReport *self, const char *scope);

/**
 * godwit_report_add:
 * @severity: what it means
 * @id: stable name of the check
 * @subject: (nullable): host, disk or file
 * @remedy: (nullable): what to do about it
 * @format: what was seen and why it matters, printf style
 *
 * Adds one finding. Good results are added too: `godwit plan` lists every check. Since: 0.1
 */
void godwit_report_add (GodwitReport *self, GodwitSeverity severity, const char *id,
                        const char *subject, const char *remedy, const char *format, ...)
    G_GNUC_PRINTF (6, 7);

/**
 * godwit_report_add_error:
 * @id: stable name of the check
 * @subject: (nullable): host, disk or file
 * @error: the failure; its remedy becomes the finding's
 *
 * Adds a blocker made of an error. Since: 0.1
 */
void godwit_report_add_error (GodwitReport *self, const char *id, const char *subject,
                              const GError *error);

/**
 * godwit_report_get_findings:
 *
 * Returns: (transfer none) (element-type GodwitFinding): all findings in order. Since: 0.1
 */
GPtrArray *godwit_report_get_findings (GodwitReport *self);

/**
 * godwit_report_is_blocked:
 * @scope: (nullable): a strategy's name; %NULL asks only for findings that concern all
 *
 * Returns: %TRUE if a blocker stands against all strategies or against @scope. Since: 0.1
 */
gboolean godwit_report_is_blocked (GodwitReport *self, const char *scope);

/**
 * godwit_report_first_blocker:
 * @scope: (nullable): a strategy's name
 *
 * Returns: (nullable) (transfer none): the first blocker that concerns @scope. Since: 0.1
 */
const GodwitFinding *godwit_report_first_blocker (GodwitReport *self, const char *scope);

const char *godwit_severity_to_string (GodwitSeverity severity);

G_END_DECLS
