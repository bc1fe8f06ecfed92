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
