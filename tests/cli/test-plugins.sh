#!/usr/bin/env bash
# `godwit plugins`: a table, one plugin whole, JSON; and what it says where nothing is.
# shellcheck source=tests/cli/setup.sh
. "$SOURCE_ROOT/tests/cli/setup.sh"

run "$GODWIT" --plugin-dir "$PLUGINS" plugins
check_status 'godwit plugins' 0
table=$output

run "$GODWIT" plugins --json --plugin-dir "$PLUGINS"
check_status 'godwit plugins --json' 0
json=$output
check 'every line is a JSON object' python3 -c '
import json, sys
for line in sys.argv[1].splitlines():
    plugin = json.loads(line)
    assert plugin["kind"] == "plugin" and plugin["name"] and "usable" in plugin, line
    assert plugin["usable"] == (plugin["reason"] is None), line
' "$json"

for file in "$PLUGINS"/godwit-*.so; do
  [[ -e $file ]] || continue
  name=${file##*/godwit-}
  name=${name%.so}
  check_has 'the table' "$table" "$name"
  run "$GODWIT" plugins "$name" --plugin-dir "$PLUGINS"
  check_status "godwit plugins $name" 0
  check_has "godwit plugins $name" "$output" "$PLUGINS/godwit-$name.so"
  check_has "godwit plugins $name" "$output" 'usable'
done

# A file that is no plugin is reported with the reason, and harms nobody.
printf 'not a shared object\n' >"$PLUGINS/godwit-broken.so"
run "$GODWIT" plugins --plugin-dir "$PLUGINS"
check_status 'with a broken file' 0
check_has 'with a broken file' "$output" 'refused'
run "$GODWIT" plugins broken --plugin-dir "$PLUGINS"
check_has 'the broken one' "$output" 'reason'

run "$GODWIT" plugins brokne --plugin-dir "$PLUGINS"
check_status 'a mistyped name' 2
check_has 'a mistyped name' "$errors" 'no plugin is called brokne'
check_has 'a mistyped name' "$errors" 'did you mean godwit plugins broken?'

mkdir -m 0755 "$TAP_DIR/empty"
run "$GODWIT" plugins --plugin-dir "$TAP_DIR/empty"
if [[ -z $BUILTINS ]]; then
  check_has 'no plugin at all' "$output" 'no plugins are installed'
else
  for name in $BUILTINS; do
    check_has 'only built-in plugins' "$output" "$name"
  done
fi

# Each is refused by name, with its file, the reason and what to do, and no job is made.
check_refused ()
{
  local name=$1 reason=$2
  cp "$TOY_PLUGINS/godwit-$name.so" "$PLUGINS/"
  chmod go-w "$PLUGINS/godwit-$name.so"
  run "$GODWIT" --plugin-dir "$PLUGINS" plugins "$name"
  check_has "$name" "$output" "$PLUGINS/godwit-$name.so"
  check_has "$name" "$output" "$reason"
  check_has "$name" "$output" 'next '
  run "$GODWIT" --plugin-dir "$PLUGINS" plugins
  check_status "the list with $name" 0
  printf '[host b]\ntransport = %s\n' "$name" >"$GODWIT_CONFIG"
  run "$GODWIT" --plugin-dir "$PLUGINS" migrate guest --to b
  check_status "a move that needs $name" 2
  check_has "a move that needs $name" "$errors" "godwit-$name.so"
  check_has "a move that needs $name" "$errors" "$reason"
  check_has "a move that needs $name" "$errors" 'next:'
  check "a move that needs $name makes no job" test -z "$("$GODWIT" jobs --json)"
  : >"$GODWIT_CONFIG"
  rm "$PLUGINS/godwit-$name.so"
}
check_refused badabi 'ABI'
check_refused newsdk 'newer'
check_refused crash 'crashed'
check_refused spin 'time'

# Whoever can write to the directory could put code into a root's program.
mkdir "$TAP_DIR/open"
chmod 0777 "$TAP_DIR/open"
run "$GODWIT" plugins --plugin-dir "$TAP_DIR/open"
check 'a directory that anybody may write to is refused' test "$status" -ne 0
check_has 'a directory that anybody may write to' "$errors" "$TAP_DIR/open"

tap_done
