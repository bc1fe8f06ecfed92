#!/usr/bin/env bash
# What is mistyped is refused with exit status 2, what was wrong and what to type instead.
# shellcheck source=tests/cli/setup.sh
. "$SOURCE_ROOT/tests/cli/setup.sh"

refused ()
{
  local what=$1 remedy=$2
  shift 2
  run "$GODWIT" "$@"
  check_status "godwit $*" 2
  check_has "godwit $*" "$errors" "godwit: $what"
  check_has "godwit $*" "$errors" "  next: $remedy"
  check_equal "godwit $*: nothing on standard output" "$output" ''
}

run "$GODWIT"
check_status 'godwit without arguments' 2
check_has 'godwit without arguments' "$errors" 'Commands:'

refused 'unknown command migrat' 'did you mean godwit migrate?' migrat web1 --to b
refused 'unknown command rolling-stock' 'godwit help lists the commands' rolling-stock
refused 'unknown option --verison' 'did you mean --version?' --verison
refused 'migrate: unknown option --startegy' 'did you mean --strategy?' \
  migrate web1 --to b --startegy=cold
refused 'migrate: unknown option --colour' 'godwit migrate --help' migrate web1 --to b --colour
refused 'migrate: Missing argument for --to' 'godwit migrate --help' migrate web1 --to
refused 'migrate needs GUEST --to HOST' 'godwit migrate --help' migrate
refused 'migrate: one argument too many: web2' 'godwit migrate --help' migrate web1 web2 --to b
refused 'the destination is missing' 'godwit hosts' migrate web1
refused 'the destination is missing' 'godwit hosts' plan web1 --to ''
refused "the guest's name is empty" 'godwit hosts' migrate '' --to b
refused '--max-downtime: 300 is not allowed' 'for example --max-downtime 300ms' \
  migrate web1 --to b --max-downtime 300
refused '--max-downtime: 2h is not allowed: it must be a duration from 1ms' 'for example' \
  migrate web1 --to b --max-downtime 2h
refused '--shutdown-timeout: soon is not allowed' 'for example --shutdown-timeout' \
  plan web1 --to b --shutdown-timeout soon
refused 'show needs JOB' 'godwit show --help' show
refused 'config: unknown verb chek' 'did you mean godwit config check?' config chek
refused 'hosts: these arguments make no sense together' 'godwit hosts' hosts pair a
refused 'unknown command plna' 'did you mean godwit plan?' help plna

# The guest of a move may be called anything, even like an option.
run "$GODWIT" migrate --to b --max-downtime never -- --json
check_has 'a guest called --json' "$errors" 'never is not allowed'

run "$GODWIT" revert web1 --discard-destination-writes --copy-back
check_status 'two answers to one question' 2
check_has 'two answers to one question' "$errors" 'exclude each other'

tap_done
