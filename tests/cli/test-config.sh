#!/usr/bin/env bash
# `godwit config`: the template is a configuration, mistakes name file, group, key and remedy.
# shellcheck source=tests/cli/setup.sh
. "$SOURCE_ROOT/tests/cli/setup.sh"

config=$TAP_DIR/test.conf

wrong ()
{
  local what=$1
  shift
  printf '%s\n' "$@" >"$config"
  run "$GODWIT" --config "$config" config check
  check_status "$what" 2
  check_has "$what" "$errors" "$config"
  check_has "$what" "$errors" '  next: '
}

run "$GODWIT" config check
check_status 'an empty file' 0

run "$GODWIT" --config "$TAP_DIR/none.conf" config check
check_status 'a named file that is not there' 2
check_has 'a named file that is not there' "$errors" "$TAP_DIR/none.conf"

run "$GODWIT" --plugin-dir "$PLUGINS" config template
check_status 'config template' 0
template=$output
check_has 'config template' "$template" '[migration]'
printf '%s\n' "$template" >"$config"
run "$GODWIT" --plugin-dir "$PLUGINS" --config "$config" config check
check_status 'the template is a configuration' 0

# What the template shows as comments is meant to be uncommented; an empty value is to be filled.
sed -E 's/^# (\[[^]]*\]$|[a-z][a-z-]*=.)/\1/' "$config" >"$TAP_DIR/full.conf"
check 'the template shows keys' test "$(grep -c '^[a-z-]*=' "$TAP_DIR/full.conf")" -gt 8
run "$GODWIT" --plugin-dir "$PLUGINS" --config "$TAP_DIR/full.conf" config check
check_status 'the template without its comments' 0

wrong 'an unknown group' '[migraton]' 'allow-downtime=true'
check_has 'an unknown group' "$errors" 'migration'
wrong 'an unknown key' '[migration]' 'alow-downtime=true'
check_has 'an unknown key' "$errors" 'allow-downtime'
wrong 'a wrong type' '[migration]' 'allow-downtime=maybe'
check_has 'a wrong type' "$errors" 'allow-downtime'
wrong 'no key file at all' 'migration: yes'

# A mistake stops every command that would act on it, before anything is touched.
for command in 'plan web1 --to b' 'migrate web1 --to b' hosts plugins 'config show'; do
  # shellcheck disable=SC2086 # words
  run "$GODWIT" --config "$config" $command
  check_status "godwit $command with a wrong configuration" 2
done
check 'no job was made' test ! -s "$GODWIT_STATE_DIR/journal.db"

printf '[migration]\nallow-downtime=true\n[host b]\n' >"$config"
run "$GODWIT" --config "$config" config show
check_status 'config show' 0
check 'config show: value and file' grep -qE "^allow-downtime +true +$config" <<<"$output"
check 'config show: a default' grep -qE '^[a-z-]+ .*\(default\)$' <<<"$output"
check_has 'config show: what the file adds' "$output" '[host b]'

run "$GODWIT" --config "$config" config show --json
check 'config show --json: every line is a JSON object' python3 -c '
import json, sys
keys = [json.loads(line) for line in sys.argv[1].splitlines()]
mine = [k for k in keys if k["group"] == "migration" and k["key"] == "allow-downtime"]
assert len(mine) == 1 and mine[0]["value"] == "true" and mine[0]["origin"].endswith("test.conf")
' "$output"

mkdir "$TAP_DIR/conf.d"
printf '[migration]\nallow-downtime=false\n' >"$TAP_DIR/conf.d/50-site.conf"
run "$GODWIT" --config "$config" config show
check 'conf.d wins, and is named' \
  grep -qE "^allow-downtime +false +$TAP_DIR/conf.d/50-site.conf" <<<"$output"

# What the operator guide says to write is a configuration.
sed -nE 's/^    (\[.*\]|[a-z-]+ = .*)$/\1/p' "$SOURCE_ROOT/docs/operator-guide.md" >"$TAP_DIR/guide.conf"
check 'the guide shows hosts' grep -q '^\[host ' "$TAP_DIR/guide.conf"
if [[ -e $PLUGINS/godwit-scp.so || " $BUILTINS " == *' scp '* ]]; then
  run "$GODWIT" --plugin-dir "$PLUGINS" --config "$TAP_DIR/guide.conf" config check
  check_status 'the configuration of the guide' 0
else
  tap_skip 'the configuration of the guide' 'its keys are those of the plugin scp'
fi

tap_done
