/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-world.h"

static GVariant *
parse_options (const char *text)
{
  GVariantDict dict;
  g_auto (GStrv) pairs = g_strsplit (text != NULL ? text : "", ";", -1);

  g_variant_dict_init (&dict, NULL);
  for (gsize i = 0; pairs[i] != NULL; i++) {
    g_auto (GStrv) pair = g_strsplit (pairs[i], "=", 2);
    if (g_strv_length (pair) == 2)
      g_variant_dict_insert (&dict, pair[0], "s", pair[1]);
  }
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

FakeWorld *
fake_world_new (GodwitGuestState state, const char *options)
{
  FakeWorld *world = g_new0 (FakeWorld, 1);
  GodwitJobRecord *record = godwit_job_record_new ();
  GodwitGuest *guest = godwit_guest_new ("web", "00000000-0000-4000-8000-000000000001");

  record->id = g_strdup ("web-1");
  record->token = g_strdup ("token-1");
  record->guest = g_strdup ("web");
  record->source = g_strdup ("a");
  record->destination = g_strdup ("b");
  record->options = parse_options (options);
  world->job = godwit_job_new (NULL, record, NULL);
  world->a = fake_host_new ("a");
  world->b = fake_host_new ("b");
  world->hv_a = fake_hypervisor_new (state);
  world->hv_b = fake_hypervisor_new (GODWIT_GUEST_ABSENT);
  world->storage = g_object_new (FAKE_TYPE_STORAGE, NULL);
  world->hv_a->job = world->hv_b->job = world->job;
  godwit_job_set_hosts (world->job, world->a, GODWIT_HYPERVISOR (world->hv_a), world->b,
                        GODWIT_HYPERVISOR (world->hv_b));
  godwit_job_add_storage (world->job, "fake", GODWIT_STORAGE (world->storage));
  guest->state = state;
  guest->persistent = TRUE;
  guest->definition = g_strdup ("original");
  world->guest = guest;
  godwit_job_set_guest (world->job, guest, NULL);
  return world;
}

void
fake_world_free (FakeWorld *world)
{
  g_object_unref (world->job);
  g_object_unref (world->a);
  g_object_unref (world->b);
  g_object_unref (world->hv_a);
  g_object_unref (world->hv_b);
  g_object_unref (world->storage);
  g_free (world);
}

GodwitDisk *
fake_world_add_disk (FakeWorld *world, const char *target, GodwitSharing sharing)
{
  GodwitDisk *disk = godwit_disk_new (target);
  g_autofree char *path = g_strdup_printf ("/images/%s", target);
  GodwitImage *image = godwit_image_new (path, "raw");

  image->virtual_size = 1 << 20;
  image->allocated = 1 << 20;
  g_free (disk->type);
  disk->type = g_strdup ("fake");
  g_free (disk->storage);
  disk->storage = g_strdup ("fake");
  disk->sharing = sharing;
  disk->proof = g_strdup_printf ("seen %s", godwit_sharing_to_string (sharing));
  g_ptr_array_add (disk->chain, image);
  g_ptr_array_add (world->guest->disks, disk);
  return disk;
}

char *
fake_list_blockers (GodwitReport *report, const char *scope)
{
  GPtrArray *findings = godwit_report_get_findings (report);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < findings->len; i++) {
    GodwitFinding *finding = g_ptr_array_index (findings, i);
    if (finding->severity == GODWIT_SEVERITY_BLOCKER && g_strcmp0 (finding->scope, scope) == 0)
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", finding->id);
  }
  return g_strdup (text->str);
}
