#!/usr/bin/env bash
# Core and its unit tests need no plugin: they build where every plugin's folder has been deleted.
# shellcheck source=tests/build/setup.sh
. "$SOURCE_ROOT/tests/build/setup.sh"

tree=$VARIANTS/tree-without-plugins

copy_tree ()
{
  rm -rf "$tree"
  mkdir -p "$tree"
  # Whatever build directories lie in the source tree stay behind.
  (cd "$SOURCE_ROOT" && tar -c --exclude='./build*' --exclude=./.git .) | tar -x -C "$tree"
  find "$tree/plugins" -mindepth 1 -maxdepth 1 -type d -exec rm -r {} +
}

step 'delete every plugin folder' copy_tree
step 'configure' setup_variant "$tree/build" "$tree"
step 'build' ninja -C "$tree/build"
check 'no plugin was built' test -z "$(find "$tree/build/plugins" -name 'godwit-*.so')"
step 'unit tests' test_variant "$tree/build"

rm -rf "$tree"
tap_done
