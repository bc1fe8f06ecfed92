#!/usr/bin/env bash
# The unit that recovers jobs at boot.
# shellcheck source=tests/build/setup.sh
. "$SOURCE_ROOT/tests/build/setup.sh"

unit=$BUILD_ROOT/packaging/godwit-recover.service
text=$(<"$unit")
command=$(sed -n 's/^ExecStart=//p' "$unit")
check_equal 'it starts the program where it is installed' "${command%% *}" /usr/bin/godwit
check_has 'it is wanted at boot' "$text" 'WantedBy=multi-user.target'
check_has 'it is tried again while a host is missing' "$text" 'Restart=on-failure'

# Its command, word for word, on a machine where nothing waits.
state=$TAP_DIR/state
mkdir "$state"
# shellcheck disable=SC2086 # words
said=$(GODWIT_STATE_DIR=$state GODWIT_RUNTIME_DIR=$state "$BUILD_ROOT/cli/godwit" ${command#* } 2>&1)
check_equal 'its command is one' "$said" 'nothing to recover'

# What systemd itself says of the file, with a program that is there.
sed "s|/usr/bin/godwit|$BUILD_ROOT/cli/godwit|; /^Documentation=/d" "$unit" >"$TAP_DIR/godwit-recover.service"
if command -v systemd-analyze >/dev/null; then
  check_equal 'systemd understands it' \
    "$(systemd-analyze verify "$TAP_DIR/godwit-recover.service" 2>&1 | grep godwit-recover)" ''
else
  tap_skip 'systemd understands it' 'no systemd-analyze here'
fi

tap_done
