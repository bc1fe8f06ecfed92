/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "control/spawn.h"
#include "engine/engine.h"

G_BEGIN_DECLS

/* What a worker does around the engine: it claims the job, opens the control socket, drives the
 * engine for the errand's purpose, and returns the exit code of the process.
 * @config: NULL if it could not be read; the backend then says so */
int godwit_work (const GodwitErrand *errand, GodwitConfig *config,
                 const GodwitEngineBackend *backend);

G_END_DECLS
