/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hypervisor.h"
#include "xml.h"

G_BEGIN_DECLS

/* What the checks of one guest at one destination share. */
typedef struct {
  GodwitJob *job;
  GodwitGuest *guest;
  GodwitReport *report;
  GCancellable *cancellable;
  virConnectPtr connection;
  const char *host;              /* the destination's name */
  GodwitHostFacts *source_facts; /* NULL if the source could not be asked */
  virConnectPtr source;          /* NULL if the source is not libvirt */
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
/* The CPU that host-model and host-passthrough stand for, as the definition of a guest's CPU;
 * NULL if @capabilities do not say. (transfer full) */
char *lv_cpu_from_capabilities (xmlNode *capabilities);

/* check-place.c: what the guest needs around it. */
void lv_check_networks (LvCheck *check);
void lv_check_memory (LvCheck *check, const GodwitHostFacts *facts);
void lv_check_files (LvCheck *check);
void lv_check_secrets (LvCheck *check);

G_END_DECLS
