# shellcheck shell=bash
# What a reviewer should not have to look for.

check_format ()
{
  git ls-files -z '*.c' '*.h' | xargs -0 -r clang-format --dry-run -Werror
}

# By the first line, because programs have no extension.
list_scripts ()
{
  local file
  git ls-files -z | while IFS= read -r -d '' file; do
    if [[ -f $file ]] &&
       head -n 1 "$file" | LC_ALL=C grep -aqE '^#!.*\b(ba)?sh$|^# shellcheck shell='; then
      printf '%s\0' "$file"
    fi
  done
}

check_scripts ()
{
  list_scripts | xargs -0 -r shellcheck -x
}

# Tests against hosts in memory have core/guest a second time, in the program, on purpose: that it
# is in the library too is no mistake to report.
check_sanitized ()
{
  configure_and_compile "$DEV_TOP/build-asan" -Db_sanitize=address,undefined -Db_lundef=false &&
    quietly env ASAN_OPTIONS=detect_odr_violation=0 \
      UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
      meson test -C "$DEV_TOP/build-asan" --no-rebuild --no-suite build --no-suite lab --no-suite faults \
        --print-errorlogs --timeout-multiplier 5
}

check_failed=0

# $1: what is checked; the rest: how
check_that ()
{
  echo "dev: $1"
  shift
  "$@" || check_failed=1
}

dev_check ()
{
  packages_ensure "$DEV_TOP/dev.d/packages-build" "$DEV_TOP/dev.d/packages-check"
  check_that 'format' check_format
  check_that 'shell scripts' check_scripts
  check_that 'warnings are errors' configure_and_compile "$DEV_BUILD"
  check_that 'unit tests under ASan and UBSan' check_sanitized
  if (( check_failed )); then
    echo 'dev: check failed'
    return 1
  fi
  echo 'dev: check passed'
}
