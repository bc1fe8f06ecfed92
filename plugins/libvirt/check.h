/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hypervisor.h"
#include "xml.h"

G_BEGIN_DECLS

/* What the source said before the destination was asked, since one thread that held both
 * connections could lock out another that takes them the other way round. */
typedef struct {
  GodwitHostFacts *facts;           /* NULL if it could not be asked */
  unsigned long hypervisor_version; /* 0 if it is not libvirt */
  unsigned long libvirt_version;
  char *cpu; /* what the guest's CPU has: its own, or the host's if it is of the host; NULL if it
              * does not run or the source does not say */
} LvSource;

/* What the checks of one guest at one destination share. */
typedef struct {
  GodwitJob *job;
  GodwitGuest *guest;
  GodwitReport *report;
  GCancellable *cancellable;
  LvSession *session;
  virConnectPtr connection; /* the session's */
  const char *host;         /* the destination's name */
  LvSource source;
  xmlDoc *document;
  xmlNode *domain;      /* the running guest's definition, else the persistent one */
  xmlDoc *capabilities; /* of the destination for this guest's machine; NULL if there are none */
  char *emulator;       /* to ask the destination about; NULL: its default */
  char *arch;
  char *machine;
  char *virt;
} LvCheck;

/* check-machine.c: emulator, kind of virtualisation, machine type, device models. Sets
 * @capabilities and @emulator. */
void lv_check_machine (LvCheck *check);
/* The destination's emulator for the guest; NULL if the guest's own is there. (transfer full) */
char *lv_find_emulator (virConnectPtr connection, const GodwitGuest *guest);
/* Texts like "disk bus sata" for what @domain uses and @capabilities do not offer. */
GStrv lv_list_unsupported (xmlNode *domain, xmlNode *capabilities);

/* check-cpu.c */
void lv_check_cpu (LvCheck *check);
/* Whether the running guest has what its host's CPU has. */
gboolean lv_cpu_is_of_host (const LvCheck *check);
/* The CPU that host-model and host-passthrough stand for, as the definition of a guest's CPU;
 * NULL if @capabilities do not say. (transfer full) */
char *lv_cpu_from_capabilities (xmlNode *capabilities);

/* check-place.c: what the guest needs around it. */
void lv_check_networks (LvCheck *check);
void lv_check_memory (LvCheck *check, const GodwitHostFacts *facts);
void lv_check_files (LvCheck *check);
void lv_check_secrets (LvCheck *check);

G_END_DECLS
