#!/usr/bin/env bash
# Plugins can be linked into the program: then they are there without any file.
# shellcheck source=tests/build/setup.sh
. "$SOURCE_ROOT/tests/build/setup.sh"

dir=$VARIANTS/builtin

if [[ -z $PLUGIN_NAMES ]]; then
  tap_skip 'built-in plugins' 'no plugin is enabled'
  tap_done
  exit
fi

step 'configure' setup_variant "$dir" "$SOURCE_ROOT" "-Dbuiltin-plugins=${PLUGIN_NAMES// /,}"
step 'build' ninja -C "$dir"
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
step 'unit tests' test_variant "$dir"

rm -rf "$dir"
tap_done
