#!/usr/bin/env bash
# Each plugin is a feature: with any one of them disabled the rest builds and passes, and so it does
# with all of them linked into the program.
# shellcheck source=tests/build/setup.sh
. "$SOURCE_ROOT/tests/build/setup.sh"

dir=$VARIANTS/plugin-options
library=core/libgodwit.so.1

# The tests of the core run on the core alone. Where it is the same to the last byte as the one that
# they have passed on, they have nothing to find.
test_the_rest ()
{
  check "the core is the same $1" cmp "$TAP_DIR/libgodwit" "$dir/$library"
  step "unit tests $1" test_variant "$dir" --no-suite core
}

# One tree, configured anew for each option: only what the option changes is built again.
step 'configure' setup_variant "$dir" "$SOURCE_ROOT"
step 'build with all plugins' ninja -C "$dir"
step 'unit tests with all plugins' test_variant "$dir"
cp "$dir/$library" "$TAP_DIR/libgodwit"

for name in $PLUGIN_NAMES; do
  step "configure without $name" meson configure "$dir" "-Dplugin-$name=disabled"
  step "build without $name" ninja -C "$dir"
  check "godwit-$name.so is not there" test ! -e "$dir/plugins/godwit-$name.so"
  test_the_rest "without $name"
  meson configure "$dir" "-Dplugin-$name=auto" >/dev/null
done

# --- linked into the program -------------------------------------------------------------------

# Then they are there without any file.
test_built_in ()
{
  local name

  step 'configure with built-in plugins' meson configure "$dir" "-Dbuiltin-plugins=${PLUGIN_NAMES// /,}"
  step 'build with built-in plugins' ninja -C "$dir"
  check 'no plugin file was built' test -z "$(find "$dir/plugins" -name 'godwit-*.so')"

  mkdir -m 0755 "$TAP_DIR/none"
  chmod 0755 "$TAP_DIR"
  run "$dir/cli/godwit" --plugin-dir "$TAP_DIR/none" plugins --json
  for name in $PLUGIN_NAMES; do
    check "$name is usable" python3 -c '
import json, sys
plugins = {p["name"]: p for p in map(json.loads, sys.argv[1].splitlines())}
plugin = plugins[sys.argv[2]]
assert plugin["usable"] and plugin["path"] is None and plugin["provides"], plugin
' "$output" "$name"
  done
  test_the_rest 'with built-in plugins'
}

if [[ -n $PLUGIN_NAMES ]]; then
  test_built_in
else
  tap_skip 'built-in plugins' 'no plugin is enabled'
fi

rm -rf "$dir"
tap_done
