/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a worker passes on its way: a step, a record, a call. Each has a name, and a number that
 * counts how often this process has passed that name. */

/* @after: whether what the name stands for has been done already. Does not return where the point
 * is one at which this process has to die. */
void strike_point (const char *kind, const char *name, int after);
