# shellcheck shell=bash
# The Test Anything Protocol for tests written in shell. Source it, call `check` and friends, end
# with `tap_done`.

tap_count=0
tap_bad=0

# $1: whether it holds (0 is yes); $2: what was looked at; the rest: what was seen
tap_report ()
{
  tap_count=$((tap_count + 1))
  if (( $1 == 0 )); then
    echo "ok $tap_count - $2"
    return
  fi
  tap_bad=$((tap_bad + 1))
  echo "not ok $tap_count - $2"
  shift 2
  (( $# == 0 )) || printf '%s\n' "$@" | sed 's/^/# /'
}

# Runs a program and keeps its exit status, output and errors in $status, $output, $errors.
run ()
{
  status=0
  "$@" >"$TAP_DIR/output" 2>"$TAP_DIR/errors" </dev/null || status=$?
  output=$(<"$TAP_DIR/output")
  errors=$(<"$TAP_DIR/errors")
}

# $1: description; the rest: a command that must succeed
check ()
{
  local what=$1 rc=0
  shift
  "$@" >/dev/null 2>&1 || rc=$?
  tap_report "$rc" "$what" "failed: $*"
}

# After run: $1: description, $2: exit status
check_status ()
{
  local rc=0
  (( status == $2 )) || rc=1
  tap_report "$rc" "$1: exit status $2" "was $status" "output: $output" "errors: $errors"
}

# $1: description, $2: text, $3: what must be in it
check_has ()
{
  local rc=1
  [[ $2 == *"$3"* ]] && rc=0
  tap_report "$rc" "$1: says '$3'" "$2"
}

# $1: description, $2: text, $3: what must not be in it
check_lacks ()
{
  local rc=0
  [[ $2 == *"$3"* ]] && rc=1
  tap_report "$rc" "$1: does not say '$3'" "$2"
}

check_equal ()
{
  local rc=0
  [[ $2 == "$3" ]] || rc=1
  tap_report "$rc" "$1" "was: $2" "expected: $3"
}

# $1: description; $2: reason
tap_skip ()
{
  tap_count=$((tap_count + 1))
  echo "ok $tap_count - $1 # SKIP $2"
}

tap_done ()
{
  echo "1..$tap_count"
  rm -rf "$TAP_DIR"
  (( tap_bad == 0 ))
}

TAP_DIR=$(mktemp -d)
