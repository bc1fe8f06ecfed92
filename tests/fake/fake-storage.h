/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/storage.h>

G_BEGIN_DECLS

/* A kind of storage whose images are fake files. It claims disks of type "fake"; every call that
 * changes something is noted in `calls`. */
#define FAKE_TYPE_STORAGE (fake_storage_get_type ())
G_DECLARE_FINAL_TYPE (FakeStorage, fake_storage, FAKE, STORAGE, GObject)

struct _FakeStorage {
  GObject parent_instance;
  GString *calls;
  const char *fail;   /* "inspect vda" fails */
  const char *blocks; /* "check_target vda" reports a blocker */
};

G_END_DECLS
