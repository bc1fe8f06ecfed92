# shellcheck shell=bash
# Building variants of the tree.
set -uo pipefail

# shellcheck source=tests/tap.sh
. "$SOURCE_ROOT/tests/tap.sh"

VARIANTS=$BUILD_ROOT/variants
export VARIANTS

# $1: what it proves; the rest: a command, whose whole output is shown if it fails
step ()
{
  local what=$1 rc=0
  shift
  "$@" >"$TAP_DIR/log" 2>&1 || rc=$?
  tap_report "$rc" "$what" "failed: $*" "$(<"$TAP_DIR/log")"
}

# Speed matters here and debugging does not.
setup_variant ()
{
  local dir=$1 source=$2
  shift 2
  rm -rf "$dir"
  meson setup "$dir" "$source" --prefix=/usr -Dbuildtype=plain -Dwerror=true "$@"
}

# $1: where it was built; the rest: what meson test is to leave out
test_variant ()
{
  local dir=$1
  shift
  meson test -C "$dir" --no-rebuild --suite unit --suite cli --print-errorlogs "$@"
}
