/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A mirrored disk that holds what the mirror did not write is found before the source is given up.
 */
#include "support/labtest.h"

#include <string.h>

#define IMAGES "/var/lib/libvirt/images"
#define EXPORT "nbd+unix:///drive-virtio-disk0?socket=$(echo /run/godwit/*/nbd.sock)"

typedef enum {
  WHERE_DATA,  /* over what the mirror has written, before it is done */
  WHERE_HOLE,  /* where the mirror never writes */
  WHERE_LATER, /* over what was verified once, while memory moves */
} Where;

typedef struct {
  const char *name;
  const char *format;
  Where where;
} Plant;

static const Plant plants[] = {
    {"vfq", "qcow2", WHERE_DATA},
    {"vfr", "raw", WHERE_DATA},
    {"vfh", "qcow2", WHERE_HOLE},
    {"vfl", "qcow2", WHERE_LATER},
};

/* A MiB whose beginning holds data, or none: holes from the end, where the guest writes last. */
static guint
find_mib (const Plant *plant, const char *image)
{
  g_autofree char *text = lab_sh (
      "a",
      "for mib in $(seq %s); do"
      "  qemu-io -U -r -f %s -c \"read -P 0 ${mib}M 64k\" %s | grep -q 'verification failed'"
      "    && found=yes || found=no;"
      "  if [ $found = %s ]; then echo $mib; exit 0; fi;"
      "done; exit 1",
      plant->where == WHERE_HOLE ? "120 -1 16" : "16 120", plant->format, image,
      plant->where == WHERE_HOLE ? "no" : "yes");
  return (guint)g_ascii_strtoull (text, NULL, 10);
}

/* Where the mirror writes, it must have written: else it would write over what is planted. */
static void
plant_at (const Plant *plant, guint mib)
{
  if (plant->where != WHERE_HOLE)
    g_free (lab_sh ("b",
                    "for try in $(seq 600); do"
                    "  qemu-io -r -f raw -c 'read -P 0 %uM 4k' \"" EXPORT "\" 2>/dev/null |"
                    "    grep -q 'verification failed' && exit 0;"
                    "  sleep 0.05;"
                    "done; exit 1",
                    mib));
  /* The server is there a moment after the first line of progress. */
  g_free (lab_sh ("b",
                  "for try in $(seq 600); do"
                  "  qemu-io -f raw -c 'write -P 0xaa %uM 4k' \"" EXPORT "\" 2>/dev/null && exit 0;"
                  "  sleep 0.05;"
                  "done; exit 1",
                  mib));
}

/* As if nothing had been: the guest runs at the source, and the destination has nothing of it. */
static void
assert_kept (const char *name, const char *image)
{
  lab_assert_state ("a", name, "running");
  lab_assert_state ("b", name, "absent");
  lab_assert_writes ("a", name);
  g_autofree char *left = lab_sh ("b", "find " IMAGES " -path '*%s*'", name);
  g_assert_cmpstr (left, ==, "");
  lab_assert_clean ();
  g_free (lab ("guest", "stop", "a", name, NULL));
  lab_assert_nothing_lost ("a", name, image);
  lab_guest_forget (name);
}

static void
test_foreign_write (gconstpointer data)
{
  const Plant *plant = data;
  g_autofree char *options = g_strdup_printf ("--format %s --size 128 --fill 60", plant->format);
  g_autofree char *image = lab_guest_define ("a", plant->name, options);
  guint mib = find_mib (plant, image);
  g_autofree char *said =
      g_strdup_printf ("disk vda holds something else than this migration wrote "
                       "to it: 1 block of 64 KiB between offset %u and %u",
                       mib << 20, (mib << 20) + 65536);

  lab_guest_boot ("a", plant->name);
  /* So slow that memory, which comes last, takes long enough to be waited for. */
  g_free (lab ("rate", "a", plant->where == WHERE_LATER ? "60" : "100", NULL));
  LabProcess *job =
      lab_spawn ("a", "godwit migrate %s --to b --strategy live-block 2>&1", plant->name);
  if (plant->where == WHERE_LATER) {
    /* By the second sign of memory the disk has been read once. */
    lab_process_expect (job, "memory: ");
    lab_process_expect (job, "memory: ");
  } else {
    lab_process_expect (job, "disk vda: ");
  }
  plant_at (plant, mib);
  lab_process_expect (job, "aborting the migration");
  /* The roll-back need not be slow. */
  g_free (lab ("rate", "a", "none", NULL));
  g_assert_cmpint (lab_process_finish (job), ==, 1);
  lab_assert_contains (lab_process_get_output (job), said);

  assert_kept (plant->name, image);
}

/* The same for a cold copy: the block is there, and then is another, while the rest arrives. */
static void
test_foreign_write_cold (void)
{
  const Plant plant = {"vfc", "raw", WHERE_DATA};
  g_autofree char *image = lab_guest_define ("a", "vfc", "--format raw --size 128 --fill 60");
  guint mib = find_mib (&plant, image);

  lab_guest_boot ("a", "vfc");
  g_free (lab ("rate", "a", "100", NULL));
  LabProcess *job =
      lab_spawn ("a", "godwit migrate vfc --to b --strategy cold --allow-downtime 2>&1");
  lab_process_expect (job, "disk vda: ");
  g_free (lab_sh ("b",
                  "for try in $(seq 600); do"
                  "  dd if=%s bs=1M skip=%u count=1 status=none 2>/dev/null | head -c 4096 |"
                  "    tr -d '\\0' | grep -q . && break;"
                  "  sleep 0.05;"
                  "done; tr '\\0' '\\252' </dev/zero | head -c 4096 |"
                  "  dd of=%s bs=1M seek=%u conv=notrunc status=none",
                  image, mib, image, mib));
  g_free (lab ("rate", "a", "none", NULL));
  g_assert_cmpint (lab_process_finish (job), ==, 1);
  lab_assert_contains (lab_process_get_output (job), "is not what was sent");
  assert_kept (plant.name, image);
}

static void
move (const char *options, const char *name, const char *expected, const char *unexpected)
{
  g_autofree char *image = lab_guest_define ("a", name, options);
  g_autoptr (LabRun) run = NULL;

  lab_guest_boot ("a", name);
  run = lab_godwit ("a", 0, "migrate %s --to b --strategy live-block --auto-confirm 2>&1", name);
  lab_assert_contains (run->out, expected);
  g_assert_null (strstr (run->out, unexpected));
  lab_assert_writes ("b", name);
  g_free (lab ("guest", "stop", "b", name, NULL));
  lab_assert_nothing_lost ("b", name, image);
  lab_guest_forget (name);
}

static void
test_verified (void)
{
  move ("--format qcow2 --size 128 --fill 40", "vcq", "MiB verified at b", "could not be verified");
  move ("--format raw --size 128 --fill 40", "vcr", "MiB verified at b", "could not be verified");
}

/* Switched off for one guest, its disks are not looked at, and nothing says that they were. */
static void
test_none (void)
{
  g_free (lab_sh ("a", "mkdir -p /etc/godwit; printf '[guest vno]\\nverify=none\\n' "
                       ">>/etc/godwit/godwit.conf"));
  move ("--size 128 --fill 10", "vno", "stood still", "verified at b");
  g_free (lab_sh ("a", "sed -i '/^.guest vno/,$d' /etc/godwit/godwit.conf"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/verify/clean", test_verified);
  g_test_add_func ("/verify/none", test_none);
  for (gsize i = 0; i < G_N_ELEMENTS (plants); i++) {
    static const char *const wheres[] = {"data", "hole", "later"};
    g_autofree char *path =
        g_strdup_printf ("/verify/foreign-write/%s/%s", plants[i].format, wheres[plants[i].where]);
    g_test_add_data_func (path, &plants[i], test_foreign_write);
  }
  g_test_add_func ("/verify/foreign-write/cold", test_foreign_write_cold);
  return lab_main ("verify", "a,b", NULL);
}
