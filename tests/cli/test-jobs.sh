#!/usr/bin/env bash
# What the commands about jobs say where there is no job.
# shellcheck source=tests/cli/setup.sh
. "$SOURCE_ROOT/tests/cli/setup.sh"

run "$GODWIT" jobs
check_status 'jobs of an empty journal' 0
check_equal 'jobs of an empty journal' "$output$errors" 'no jobs yet'
run "$GODWIT" jobs --json
check_equal 'jobs --json of an empty journal' "$output$errors" ''
run "$GODWIT" jobs --ids
check_equal 'jobs --ids of an empty journal' "$output$errors" ''
run "$GODWIT" recover
check_status 'recover of an empty journal' 0
check_equal 'recover of an empty journal' "$output$errors" 'nothing to recover'

for command in show watch log wait abort confirm revert recover; do
  run "$GODWIT" "$command" nosuch
  check_status "godwit $command nosuch" 2
  check_has "godwit $command nosuch" "$errors" "no job and no job's guest is called nosuch"
  check_has "godwit $command nosuch" "$errors" '  next: godwit jobs'
done

tap_done
