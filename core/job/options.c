/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/job-struct.h"

#include <godwit/error.h>

const char *
godwit_job_get_option (GodwitJob *self, const char *name)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self) && name != NULL, NULL);
  const GodwitJobRecord *record = self->record;
  g_autofree char *given = NULL;
  if (record->options != NULL)
    g_variant_lookup (record->options, name, "s", &given);
  const char *value = given;
  if (value == NULL && self->config != NULL)
    value = godwit_config_get_for_guest (self->config, record->guest, record->uuid, name);
  if (value == NULL)
    return NULL;

  /* The caller may keep the pointer as long as the job lives, so every text that was ever given
   * out stays; there are few, because an option changes only once the guest's UUID is known. */
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  return g_string_chunk_insert_const (self->texts, value);
}

gboolean
godwit_job_get_option_boolean (GodwitJob *self, const char *name)
{
  const char *value = godwit_job_get_option (self, name);
  return value != NULL && (g_ascii_strcasecmp (value, "true") == 0 ||
                           g_ascii_strcasecmp (value, "yes") == 0 || g_str_equal (value, "1"));
}

/* Durations are in milliseconds, sizes in bytes, as the configuration writes them. */
static guint64
factor_of (const char *unit)
{
  static const struct {
    const char *unit;
    guint64 factor;
  } units[] = {{"", 1},
               {"ms", 1},
               {"s", 1000},
               {"m", 60000},
               {"h", 3600000},
               {"K", 1 << 10},
               {"KiB", 1 << 10},
               {"M", 1 << 20},
               {"MiB", 1 << 20},
               {"G", 1 << 30},
               {"GiB", 1 << 30},
               {"T", G_GUINT64_CONSTANT (1) << 40},
               {"TiB", G_GUINT64_CONSTANT (1) << 40}};
  for (guint i = 0; i < G_N_ELEMENTS (units); i++) {
    if (g_str_equal (unit, units[i].unit))
      return units[i].factor;
  }
  return 0;
}

guint64
godwit_job_get_option_uint64 (GodwitJob *self, const char *name)
{
  const char *value = godwit_job_get_option (self, name);
  if (value == NULL)
    return 0;
  char *end;
  guint64 number = g_ascii_strtoull (value, &end, 10);
  guint64 factor = factor_of (end);
  return factor != 0 && number <= G_MAXUINT64 / factor ? number * factor : 0;
}
