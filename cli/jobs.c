/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jobs.h"

#include "output.h"

#include "base/paths.h"
#include "base/spelling.h"

static GodwitJobRecord *
take (GodwitClient *client, const GodwitJobRecord *job, GError **error)
{
  /* The list's own copy goes with the list. */
  return godwit_journal_get_job (godwit_client_get_journal (client), job->id, error);
}

static void
set_unknown (GError **error, GPtrArray *jobs, const char *name)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *remedy = NULL;
  const char *nearest;

  for (guint i = 0; i < jobs->len; i++) {
    GodwitJobRecord *job = jobs->pdata[i];

    g_ptr_array_add (names, job->id);
    g_ptr_array_add (names, job->guest);
  }
  g_ptr_array_add (names, NULL);
  nearest = godwit_spelling_nearest (name, (const char *const *)names->pdata);
  remedy = nearest != NULL ? g_strdup_printf ("did you mean %s?", nearest)
                           : g_strdup ("godwit jobs lists them");
  godwit_set_error (error, GODWIT_ERROR_CONFIG, remedy, "no job and no job's guest is called %s",
                    name);
}

/* An id or a guest's name is meant before the beginning of an id: ids begin with the guest's name,
 * so every name of a guest with several jobs would be ambiguous. */
static const GodwitJobRecord *
find_exact (GPtrArray *jobs, const char *name, CliJobTest wanted)
{
  const GodwitJobRecord *newest = NULL;

  for (guint i = 0; i < jobs->len; i++) {
    const GodwitJobRecord *job = jobs->pdata[i];

    if (g_str_equal (job->id, name))
      return job;
  }
  /* The newest comes first. */
  for (guint i = 0; i < jobs->len; i++) {
    const GodwitJobRecord *job = jobs->pdata[i];

    if (g_strcmp0 (job->guest, name) != 0 && g_strcmp0 (job->uuid, name) != 0)
      continue;
    if (wanted == NULL || wanted (job))
      return job;
    newest = newest != NULL ? newest : job;
  }
  return newest;
}

static const GodwitJobRecord *
find_by_beginning (GPtrArray *jobs, const char *name, guint *n_found)
{
  const GodwitJobRecord *found = NULL;

  *n_found = 0;
  for (guint i = 0; *name != '\0' && i < jobs->len; i++) {
    const GodwitJobRecord *job = jobs->pdata[i];

    if (g_str_has_prefix (job->id, name)) {
      found = job;
      ++*n_found;
    }
  }
  return found;
}

GodwitJobRecord *
cli_find_job (CliContext *context, const char *name, CliJobTest wanted, GError **error)
{
  GodwitClient *client = cli_context_get_client (context, error);
  g_autoptr (GPtrArray) jobs = NULL;
  const GodwitJobRecord *found;
  guint n_found = 1;

  if (client == NULL)
    return NULL;
  jobs = godwit_journal_list_jobs (godwit_client_get_journal (client), error);
  if (jobs == NULL)
    return NULL;
  found = find_exact (jobs, name, wanted);
  if (found == NULL)
    found = find_by_beginning (jobs, name, &n_found);
  if (n_found == 1)
    return take (client, found, error);
  if (n_found == 0)
    set_unknown (error, jobs, name);
  else
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "write more of it; godwit jobs lists them",
                      "%u jobs begin with %s", n_found, name);
  return NULL;
}

gboolean
cli_is_stranded (GodwitClient *client, const char *job)
{
  g_autoptr (GPtrArray) stranded = godwit_client_list_stranded (client, NULL);

  for (guint i = 0; stranded != NULL && i < stranded->len; i++)
    if (g_str_equal (((GodwitJobRecord *)stranded->pdata[i])->id, job))
      return TRUE;
  return FALSE;
}

char *
cli_job_get_next (const GodwitJobRecord *job, gboolean stranded)
{
  if (stranded || job->state == GODWIT_JOB_IN_DOUBT)
    return g_strdup_printf ("godwit recover %s", job->id);
  if (!godwit_job_state_is_terminal (job->state))
    return g_strdup_printf ("godwit watch %s", job->id);
  if (job->debts > 0)
    return g_strdup_printf ("godwit recover %s", job->id);
  if (job->state == GODWIT_JOB_REVERTED && job->awaiting_confirm)
    return g_strdup_printf ("godwit confirm %s removes the older copy at the source", job->id);
  if (job->state == GODWIT_JOB_DONE && job->awaiting_confirm)
    return g_strdup_printf ("godwit confirm %s removes the source's copy, godwit revert %s "
                            "--copy-back brings the guest back with what it wrote",
                            job->id, job->id);
  return NULL;
}

char *
cli_job_describe_owner (const GodwitJobRecord *job)
{
  gboolean revert = g_strcmp0 (job->kind, "revert") == 0;

  if (job->state == GODWIT_JOB_IN_DOUBT)
    return g_strdup ("nobody can tell yet which host owns the guest");
  if (job->state == GODWIT_JOB_REVERTED)
    return g_strdup_printf ("%s is back at %s", job->guest, job->source);
  /* A worker that died there cannot have written which side has the guest's memory by now. */
  if (!job->committed && job->state >= GODWIT_JOB_COPYING && job->state <= GODWIT_JOB_VERIFIED)
    return g_strdup_printf ("%s is on its way from %s to %s", job->guest,
                            revert ? job->destination : job->source,
                            revert ? job->source : job->destination);
  /* A revert has the hosts of the job that it reverts, and moves the guest the other way. */
  return g_strdup_printf ("%s is %sat %s", job->guest, revert && job->committed ? "back " : "",
                          job->committed != revert ? job->destination : job->source);
}

void
cli_mention_stranded (CliContext *context)
{
  g_autofree char *journal = g_build_filename (godwit_paths_get_state_dir (), "journal.db", NULL);
  g_autoptr (GPtrArray) stranded = NULL;
  GodwitClient *client;

  /* Looking must not make a journal. */
  if (!g_file_test (journal, G_FILE_TEST_EXISTS))
    return;
  client = cli_context_get_client (context, NULL);
  stranded = client != NULL ? godwit_client_list_stranded (client, NULL) : NULL;
  for (guint i = 0; stranded != NULL && i < stranded->len; i++) {
    const GodwitJobRecord *job = stranded->pdata[i];

    cli_note ("job %s (%s) waits: godwit recover %s", job->id, job->guest, job->id);
  }
}
