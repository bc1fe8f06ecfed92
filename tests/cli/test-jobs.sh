#!/usr/bin/env bash
# What the commands about jobs say: of no job at all, and of jobs in every state.
# shellcheck source=tests/cli/setup.sh
. "$SOURCE_ROOT/tests/cli/setup.sh"

# --- an empty journal

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

# --- jobs in every state

rm -f "$GODWIT_STATE_DIR"/journal.db*
check 'a journal was made' "$MAKE_JOURNAL" "$GODWIT_STATE_DIR/journal.db"

run "$GODWIT" jobs --ids
check_status 'jobs --ids' 0
check_equal 'jobs --ids: all' "$(wc -l <<<"$output")" 8
# The newest first: web1's two jobs are the last two, the one that waits for a confirm before.
newest=$(tail -n 2 <<<"$output" | head -n 1)
oldest=$(tail -n 1 <<<"$output")

run "$GODWIT" jobs --count 3 --ids
check_equal 'jobs --count' "$(wc -l <<<"$output")" 3

run "$GODWIT" jobs
check_has 'jobs' "$output" 'done, unconfirmed'
check_has 'jobs' "$output" 'done, clean-up owed'
check_has 'jobs' "$output" 'the link is down'
# What waits is told on standard error by every command, so that nobody overlooks it.
check_has 'jobs: the stranded' "$errors" ' (dead) waits: godwit recover dead-'
check_has 'jobs: the doubtful' "$errors" ' (doubt) waits: godwit recover doubt-'
check_lacks 'jobs: the failed' "$errors" '(db)'

run "$GODWIT" jobs --json
check 'jobs --json: every line is a JSON object' python3 -c '
import json, sys
jobs = [json.loads(line) for line in sys.argv[1].splitlines()]
codes = {job["guest"]: job["exit-code"] for job in jobs}
assert codes == {"web1": 0, "db": 1, "wrong": 3, "aborted": 130, "owing": 5, "doubt": 4,
                 "dead": -1}, codes
' "$output"

run "$GODWIT" show web1
check_status 'show by the name of a guest' 0
check_has 'show by the name of a guest: its newest job' "$output" "$newest"
check_has 'show' "$output" '0.09 s'
check_has 'show' "$output" 'oper (uid 1000) on host-a'
check_has 'show' "$output" 'web1 is at host-b'
check_has 'show' "$output" "godwit confirm $newest"
run "$GODWIT" show "$oldest"
check_has 'show by an id' "$output" "$oldest"
check_lacks 'show of a job without anything parked' "$output" 'godwit confirm'
run "$GODWIT" show "${newest:0:$((${#newest} - 1))}"
check_has 'show by the beginning of an id' "$output" "$newest"
run "$GODWIT" show web1-
check_status 'show by the beginning of two ids' 2
check_has 'show by the beginning of two ids' "$errors" '2 jobs begin with web1-'
run "$GODWIT" show wrogn
check_has 'show of a mistyped guest' "$errors" 'did you mean wrong?'
run "$GODWIT" show web1 --json
check 'show --json' python3 -c '
import json, sys
job = json.loads(sys.argv[1])
assert job["downtime-us"] == 93000 and job["awaiting-confirm"] is True, job
' "$output"

run "$GODWIT" log db
check_status 'log' 0
check_equal 'log: one event, one line' "$(wc -l <<<"$output")" 5
check_has 'log' "$output" 'started by oper (uid 1000) on host-a'
check_has 'log' "$output" 'host-b: two lines in one message'
check_has 'log' "$output" 'copy: copy the disks'
run "$GODWIT" log db --json
check 'log --json' python3 -c '
import json, sys
events = [json.loads(line) for line in sys.argv[1].splitlines()]
assert [e["kind"] for e in events] == ["step", "log", "result"], events
' "$output"

ends ()
{
  run "$GODWIT" wait "$1"
  check_status "wait $1" "$2"
  check_has "wait $1" "$output$errors" "$3"
}
ends web1 0 'web1 moved from host-a to host-b: live-block, 4.00 s, downtime 0.09 s, 1.0 MiB carried'
check_has 'wait web1' "$output" '  next: godwit confirm web1-'
ends db 1 'godwit: the link is down'
check_has 'wait db' "$errors" '  next: try again when it is up'
check_has 'wait db' "$errors" 'db is at host-a'
ends wrong 3 '  next: use --strategy live-block'
ends aborted 130 'aborted is at host-a'
ends owing 5 'owing moved from host-a to host-b'
check_has 'wait owing' "$output$errors" 'godwit recover owing-'
ends doubt 4 'nobody can tell yet which host owns the guest'
ends dead 4 'its worker has ended'
check_has 'wait dead' "$errors" '  next: godwit recover dead-'
check_has 'wait dead: what nobody has looked at is not said' "$errors" 'dead is on its way from host-a to host-b'

run "$GODWIT" wait db --json
check 'wait --json' python3 -c '
import json, sys
job = json.loads(sys.argv[1])
assert job["guest"] == "db" and job["exit-code"] == 1, job
' "$output"

run "$GODWIT" watch db
check_status 'watch of a job that has ended' 1
check_has 'watch of a job that has ended' "$output" 'copy the disks'
check_lacks 'watch without a terminal' "$output" $'\033'

run "$GODWIT" abort db
check "abort of a job that has ended is refused" test "$status" -ne 0
run "$GODWIT" confirm db
check "confirm of a job that failed is refused" test "$status" -ne 0

tap_done
