#!/usr/bin/env bash
# Each plugin is a feature: with any one of them disabled the rest builds and passes.
# shellcheck source=tests/build/setup.sh
. "$SOURCE_ROOT/tests/build/setup.sh"

dir=$VARIANTS/without-one-plugin

# One tree, configured anew for each plugin: only what the option changes is built again.
step 'configure' setup_variant "$dir" "$SOURCE_ROOT"
step 'build with all plugins' ninja -C "$dir"

for name in $PLUGIN_NAMES; do
  step "configure without $name" meson configure "$dir" "-Dplugin-$name=disabled"
  step "build without $name" ninja -C "$dir"
  check "godwit-$name.so is not there" test ! -e "$dir/plugins/godwit-$name.so"
  step "unit tests without $name" test_variant "$dir"
  meson configure "$dir" "-Dplugin-$name=auto" >/dev/null
done

rm -rf "$dir"
tap_done
