/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#include <string.h>

static void
test_claims (void)
{
  static const struct {
    const char *name;
    gboolean claimed;
    const char *address;
  } cases[] = {
      {"qemu:///system", TRUE, NULL},
      {"qemu+unix:///system?socket=/run/x", TRUE, NULL},
      {"qemu+ssh://b/system", TRUE, "b"},
      {"qemu+ssh://root@b.example/system?keyfile=/k", TRUE, "root@b.example"},
      {"qemu+ssh://root@b:2222/system", TRUE, "ssh://root@b:2222"},
      {"qemu+ssh://root@[fe80::1]/system", TRUE, "root@fe80::1"},
      {"qemu+ssh://root@[fe80::1]:22/system", TRUE, "ssh://root@[fe80::1]:22"},
      /* The port of a TLS daemon is none of the transport's. */
      {"qemu+tls://b:16514/system", TRUE, "b"},
      {"test:///default", TRUE, NULL},
      {"xen:///system", FALSE, NULL},
      {"ssh://root@b", FALSE, NULL},
      {"root@b", FALSE, NULL},
      {"qemu", FALSE, NULL},
      {"qemu://", TRUE, NULL},
      {"://", FALSE, NULL},
      {"", FALSE, NULL},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GodwitHypervisor) hypervisor = fixture_hypervisor (NULL);
    g_autofree char *address = NULL;
    g_autofree char *uri = NULL;
    g_assert_cmpint (godwit_hypervisor_claims (hypervisor, cases[i].name, &address), ==,
                     cases[i].claimed);
    g_assert_cmpstr (address, ==, cases[i].address);
    g_object_get (hypervisor, "uri", &uri, NULL);
    g_assert_cmpstr (uri, ==, cases[i].claimed ? cases[i].name : "qemu:///system");
  }
}

static gboolean
connect_to (GodwitHypervisor *hypervisor, GError **error)
{
  return godwit_hypervisor_connect (hypervisor, NULL, NULL, error);
}

static void
test_no_daemon (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = fixture_hypervisor (NULL);
  g_autoptr (GError) error = NULL;

  g_object_set (hypervisor, "socket", "/nonexistent/libvirt-sock", NULL);
  g_assert_false (connect_to (hypervisor, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_UNAVAILABLE);
  assert_has (error->message, "/nonexistent/libvirt-sock");
  assert_has (error->message, "localhost");
  g_assert_nonnull (godwit_error_get_remedy (error));
}

static void
test_bad_uri (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = fixture_hypervisor (NULL);
  g_autoptr (GError) error = NULL;

  g_object_set (hypervisor, "uri", "system", NULL);
  g_assert_false (connect_to (hypervisor, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CONFIG);
}

static void
test_cancelled (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = fixture_hypervisor ("test:///default");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_null (godwit_hypervisor_list_guests (hypervisor, cancellable, &error));
  g_assert_true (godwit_error_is_cancelled (error));
}

static void
test_used_before_connect (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = fixture_hypervisor (NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (godwit_hypervisor_list_guests (hypervisor, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_INTERNAL);
}

static void
test_connect_is_idempotent (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = fixture_hypervisor ("test:///default");
  g_autoptr (GError) error = NULL;

  g_assert_true (connect_to (hypervisor, &error));
  g_assert_true (connect_to (hypervisor, &error));
}

static void
test_properties (void)
{
  g_autoptr (GodwitHypervisor) hypervisor = fixture_hypervisor (NULL);
  g_autofree char *socket = NULL;
  guint interval = 0;

  g_object_set (hypervisor, "socket", "", "keepalive-interval", 7u, NULL);
  g_object_get (hypervisor, "socket", &socket, "keepalive-interval", &interval, NULL);
  g_assert_null (socket);
  g_assert_cmpuint (interval, ==, 7);
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (hypervisor), "uri");
  g_assert_true ((spec->flags & GODWIT_PARAM_CONFIG) != 0);
  g_assert_true ((spec->flags & GODWIT_PARAM_HOST) != 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/libvirt/connect/claims", test_claims);
  g_test_add_func ("/libvirt/connect/no-daemon", test_no_daemon);
  g_test_add_func ("/libvirt/connect/bad-uri", test_bad_uri);
  g_test_add_func ("/libvirt/connect/cancelled", test_cancelled);
  g_test_add_func ("/libvirt/connect/used-before-connect", test_used_before_connect);
  g_test_add_func ("/libvirt/connect/is-idempotent", test_connect_is_idempotent);
  g_test_add_func ("/libvirt/connect/properties", test_properties);
  return g_test_run ();
}
