# shellcheck shell=bash
# Tests, and the sum of what they counted.

# $1: suite as ./dev names it; the rest: options of meson test. Failures are shown, whole, by the
# tally: meson would cut them.
run_suite ()
{
  local suite=$1
  shift
  rm -f "$DEV_BUILD/meson-logs/testlog-$suite".*
  meson test -C "$DEV_BUILD" --no-rebuild --logbase "testlog-$suite" "$@" |
    grep -vE '^(ninja:|Full log|$)' || true
}

dev_test ()
{
  local which=${1:-all} suite
  local -a suites logs=()
  case $which in
    all) suites=(unit build lab faults) ;;
    unit|build|lab|faults) suites=("$which") ;;
    *)
      echo "dev: unknown suite '$which'; there are unit, build, lab, faults and all" >&2
      return 2 ;;
  esac
  if [[ " ${suites[*]} " == *" lab "* || " ${suites[*]} " == *" faults "* ]]; then
    dev_stage_for_lab
  else
    dev_stage
  fi
  for suite in "${suites[@]}"; do
    case $suite in
      unit) run_suite unit --no-suite build --no-suite lab --no-suite faults ;;
      build) run_suite build --suite build ;;
      # The hosts of one lab are work enough for a small machine.
      lab) run_suite lab --suite lab --num-processes 1 ;;
      faults) run_suite faults --suite faults --num-processes 1 ;;
    esac
    logs+=("$DEV_BUILD/meson-logs/testlog-$suite.json")
  done
  python3 "$DEV_TOP/dev.d/tally.py" "${logs[@]}"
}
