/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * GODWIT_ERROR:
 *
 * The one error domain of godwit. Since: 0.1
 */
#define GODWIT_ERROR (godwit_error_quark ())

/**
 * GodwitErrorCode:
 * @GODWIT_ERROR_NOT_SUPPORTED: this plugin, host or guest cannot do it at all.
 * @GODWIT_ERROR_UNAVAILABLE: it exists but cannot be reached or used right now.
 * @GODWIT_ERROR_CONFIG: the operator's input or configuration is wrong.
 * @GODWIT_ERROR_DENIED: permission was refused.
 * @GODWIT_ERROR_BUSY: somebody else uses it; waiting may help.
 * @GODWIT_ERROR_TRANSIENT: trying the same again may succeed.
 * @GODWIT_ERROR_CORRUPT: data is not what it was said to be.
 * @GODWIT_ERROR_PEER: the other machine or daemon reported a failure.
 * @GODWIT_ERROR_CANCELLED: the operator or the engine stopped it.
 * @GODWIT_ERROR_EXISTS: something foreign is already in that place.
 * @GODWIT_ERROR_NOT_FOUND: the named thing is not there.
 * @GODWIT_ERROR_REFUSED: the checks of a migration found a blocker.
 * @GODWIT_ERROR_IN_DOUBT: nobody can know who owns the guest; an operator must say.
 * @GODWIT_ERROR_INTERNAL: a defect of godwit or of a plugin.
 *
 * Codes are chosen by what the operator can do about the error. Since: 0.1
 */
typedef enum {
  GODWIT_ERROR_NOT_SUPPORTED,
  GODWIT_ERROR_UNAVAILABLE,
  GODWIT_ERROR_CONFIG,
  GODWIT_ERROR_DENIED,
  GODWIT_ERROR_BUSY,
  GODWIT_ERROR_TRANSIENT,
  GODWIT_ERROR_CORRUPT,
  GODWIT_ERROR_PEER,
  GODWIT_ERROR_CANCELLED,
  GODWIT_ERROR_EXISTS,
  GODWIT_ERROR_NOT_FOUND,
  GODWIT_ERROR_REFUSED,
  GODWIT_ERROR_IN_DOUBT,
  GODWIT_ERROR_INTERNAL,
} GodwitErrorCode;

GQuark godwit_error_quark (void);

/**
 * godwit_set_error:
 * @error: (out) (optional): where to put the error
 * @code: what kind it is
 * @remedy: (nullable): the next command to type or thing to do, without a full stop
 * @format: what failed, where and why; printf style
 *
 * Sets an error that carries a remedy. The remedy survives g_prefix_error(), and front ends
 * print it on a line of its own. Since: 0.1
 */
void godwit_set_error (GError **error, GodwitErrorCode code, const char *remedy, const char *format,
                       ...) G_GNUC_PRINTF (4, 5);

/**
 * godwit_error_get_remedy:
 * @error: an error
 *
 * Returns: (nullable) (transfer none): the remedy that godwit_set_error() stored. Since: 0.1
 */
const char *godwit_error_get_remedy (const GError *error);

/**
 * godwit_error_dup_message:
 * @error: an error
 *
 * Returns: (transfer full): the message without its remedy. Since: 0.1
 */
char *godwit_error_dup_message (const GError *error);

/**
 * godwit_error_is_cancelled:
 * @error: (nullable): an error
 *
 * Returns: %TRUE for %GODWIT_ERROR_CANCELLED and %G_IO_ERROR_CANCELLED alike. Since: 0.1
 */
gboolean godwit_error_is_cancelled (const GError *error);

G_END_DECLS
