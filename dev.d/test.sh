# shellcheck shell=bash
# Tests, and the sum of what they counted.

# Hosts of two labs are work enough for a small machine, and each lab waits a good deal.
LABS_AT_ONCE=2

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
    all) suites=(unit build hosts) ;;
    unit|build|lab|faults) suites=("$which") ;;
    *)
      echo "dev: unknown suite '$which'; there are unit, build, lab, faults and all" >&2
      return 2 ;;
  esac
  if [[ " ${suites[*]} " =~ \ (lab|faults|hosts)\  ]]; then
    dev_stage_for_lab
  else
    dev_stage
  fi
  for suite in "${suites[@]}"; do
    case $suite in
      unit) run_suite unit --no-suite build --no-suite lab --no-suite faults ;;
      build) run_suite build --suite build ;;
      lab|faults) run_suite "$suite" --suite "$suite" --num-processes "$LABS_AT_ONCE" ;;
      # Whatever has hosts of its own.
      hosts) run_suite hosts --suite lab --suite faults --num-processes "$LABS_AT_ONCE" ;;
    esac
    logs+=("$DEV_BUILD/meson-logs/testlog-$suite.json")
  done
  python3 "$DEV_TOP/dev.d/tally.py" "${logs[@]}"
}
