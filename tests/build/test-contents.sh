#!/usr/bin/env bash
# What the binaries and the sources may and may not contain.
# shellcheck source=tests/build/setup.sh
. "$SOURCE_ROOT/tests/build/setup.sh"

needed ()
{
  readelf -d "$1" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p'
}

library=$(needed "$BUILD_ROOT/core/libgodwit.so.1")
check_has 'libgodwit is dynamic' "$library" libglib-2.0
check_lacks 'libgodwit does not need libvirt' "$library" libvirt
check_lacks 'libgodwit does not need ssh' "$library" ssh
check_lacks 'godwit does not need libvirt' "$(needed "$BUILD_ROOT/cli/godwit")" libvirt

# Core knows no hypervisor, no transport and no kind of storage, not even in a comment.
words=$(grep -rnwiE 'libvirt|libvirtd|qemu-img|ssh|virsh' "$SOURCE_ROOT/core" \
          --include='*.c' --include='*.h' --include='meson.build'
        grep -rnE 'virDomain|virConnect' "$SOURCE_ROOT/core" --include='*.c' --include='*.h')
check_equal 'core does not name what plugins are for' "$words" ''

# Plugins see the SDK, never the inside of core or of one another.
inside=$(grep -rnE '^#include "(agent|base|config|contracts|control|engine|guest|host|job|journal|plan|registry|transfer)/' \
           "$SOURCE_ROOT/plugins" --include='*.c' --include='*.h' |
         grep -v '/tests/')
check_equal 'plugins include only the SDK' "$inside" ''

sdk=$(grep -rnE '^#include ["<]' "$SOURCE_ROOT/sdk/godwit" |
      grep -vE '#include <(godwit/[a-z-]+|glib|glib-object|gio/gio)\.h>')
check_equal 'the SDK includes only GLib' "$sdk" ''

for name in $PLUGIN_NAMES; do
  file=$BUILD_ROOT/plugins/godwit-$name.so
  if [[ ! -e $file ]]; then
    tap_skip "$name exports one symbol" 'it is built in'
    continue
  fi
  exported=$(nm -D --defined-only "$file" | awk '{print $3}')
  check_equal "$name exports one symbol" "$exported" "godwit_plugin_${name//-/_}_query"
done

unlicensed=$(cd "$SOURCE_ROOT" &&
  grep -rL 'SPDX-License-Identifier: LGPL-2.1-or-later' --include='*.[ch]' cli core plugins sdk tests)
check_equal 'every source says what its licence is' "$unlicensed" ''

tap_done
