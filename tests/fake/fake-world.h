/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fake-host.h"
#include "fake-hypervisor.h"
#include "fake-storage.h"
#include "job/job-private.h"

G_BEGIN_DECLS

/* Guest "web" moves from host "a" to host "b"; the job is in memory. */
typedef struct {
  GodwitJob *job;
  GodwitGuest *guest; /* the job's */
  GodwitHost *a, *b;
  FakeHypervisor *hv_a, *hv_b;
  FakeStorage *storage;
} FakeWorld;

/* @options: (nullable): "name=value;name=value" */
FakeWorld *fake_world_new (GodwitGuestState state, const char *options);
void fake_world_free (FakeWorld *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FakeWorld, fake_world_free)

/* A disk at /images/TARGET; with GODWIT_SHARING_UNKNOWN its proof says so. */
GodwitDisk *fake_world_add_disk (FakeWorld *world, const char *target, GodwitSharing sharing);

/* What was noted since the last time. */
#define fake_assert_calls(calls_, expected)                                                        \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_cmpstr ((calls_)->str, ==, expected);                                                 \
    g_string_truncate (calls_, 0);                                                                 \
  }                                                                                                \
  G_STMT_END

/* Names of the blockers that concern @scope, in order: "a, b". */
char *fake_list_blockers (GodwitReport *report, const char *scope);

G_END_DECLS
