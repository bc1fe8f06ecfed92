# shellcheck shell=bash
# A godwit that sees nothing of the machine: its own state, runtime directory and configuration.
set -uo pipefail

# shellcheck source=tests/tap.sh
. "$SOURCE_ROOT/tests/tap.sh"

export GODWIT_STATE_DIR=$TAP_DIR/state
export GODWIT_RUNTIME_DIR=$TAP_DIR/run
export GODWIT_CONFIG=$TAP_DIR/godwit.conf
: >"$GODWIT_CONFIG"
export LC_ALL=C.UTF-8
unset NO_COLOR GODWIT_PLUGIN_DIR

# The plugins of this build, where root trusts them: in a directory that nobody else can write to.
chmod 0755 "$TAP_DIR"
mkdir -m 0755 "$TAP_DIR/plugins"
find "$BUILD_ROOT/plugins" -maxdepth 1 -name 'godwit-*.so' -exec cp -t "$TAP_DIR/plugins" {} +
chmod -R go-w "$TAP_DIR/plugins"
export PLUGINS=$TAP_DIR/plugins
