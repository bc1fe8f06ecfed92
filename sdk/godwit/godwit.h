/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Everything that a plugin needs. */
#include <godwit/disks.h>
#include <godwit/error.h>
#include <godwit/guest.h>
#include <godwit/host.h>
#include <godwit/hypervisor.h>
#include <godwit/image-source.h>
#include <godwit/job.h>
#include <godwit/live.h>
#include <godwit/plugin.h>
#include <godwit/report.h>
#include <godwit/step.h>
#include <godwit/storage.h>
#include <godwit/strategy.h>
#include <godwit/transfer.h>
#include <godwit/transport.h>
#include <godwit/verify.h>
