/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli.h"

#include "plan/machines.h"

G_BEGIN_DECLS

/* What was found out about one host. */
typedef struct {
  char *name; /* NULL: this machine */
  GodwitHost *host;
  GodwitHypervisor *hypervisor;
  GodwitHostFacts *facts;
  char *directory; /* where its guests' images are */
  guint64 free_space;
  gboolean has_space;
  GError *error;
} CliFoundHost;

typedef struct {
  GodwitMachines *machines;
  GPtrArray *hosts;      /* CliFoundHost */
  const char *directory; /* looked at where a host's group names none; may be NULL */
  GCancellable *cancellable;
} CliSurvey;

/* Reaches the host @only, or with NULL every host of the configuration and this machine. A host
 * that cannot be reached is no failure of the survey. */
CliSurvey *cli_survey_run (CliContext *context, const char *only, GError **error);
void cli_survey_free (CliSurvey *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliSurvey, cli_survey_free)

const char *cli_found_host_get_name (const CliFoundHost *self);
/* Whether @from can carry data straight to @to. */
gboolean cli_found_host_is_paired (const CliFoundHost *from, const CliFoundHost *to);

G_END_DECLS
