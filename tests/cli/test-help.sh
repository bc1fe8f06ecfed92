#!/usr/bin/env bash
# Help is there for every command, on standard output; the manual page has every command and every
# option of it, and none that is not there.
# shellcheck source=tests/cli/setup.sh
. "$SOURCE_ROOT/tests/cli/setup.sh"

page=$SOURCE_ROOT/docs/godwit.1

run "$GODWIT" --version
check_status 'godwit --version' 0
check_equal 'godwit --version' "$output" "godwit $VERSION"

run "$GODWIT" --help
check_status 'godwit --help' 0
help=$output
run "$GODWIT" help
check_equal 'godwit help is godwit --help' "$output" "$help"
check_has 'godwit help' "$help" '130  interrupted and rolled back'

run "$GODWIT" help --list
check_status 'godwit help --list' 0
list=$output

# Options of a command as its section of the page has them.
page_options ()
{
  # mandoc breaks no word and writes \- as a hyphen when it renders for a terminal.
  mandoc -T utf8 -O width=200 "$page" | sed 's/.\x08//g' |
    awk -v name="$1" '/^[^ ]/ {inside = 0} /^   [^ ]/ {inside = ($1 == "godwit" && $2 == name)} inside' |
    grep -oE -- '--[a-z][a-z-]*' | sort -u
}

while read -r command options; do
  run "$GODWIT" "$command" --help
  check_status "godwit $command --help" 0
  check_has "godwit $command --help" "$output" "godwit $command "
  check_equal "godwit $command --help: nothing on standard error" "$errors" ''
  by_option=$output
  run "$GODWIT" help "$command"
  check_equal "godwit help $command is the same" "$output" "$by_option"
  check_has 'godwit help' "$help" "  $command "

  if command -v mandoc >/dev/null; then
    # Those that every command has are explained once.
    wanted=$(tr ' ' '\n' <<<"$options" | sed 's/=$//' | grep -vxE -- '--(help|config|plugin-dir)' |
             grep . | sort -u)
    found=$(page_options "$command" | grep -vxE -- '--(help|config|plugin-dir)')
    [[ $command == agent ]] && wanted=--stdio
    check_equal "godwit(1): options of $command" "$found" "$wanted"
  else
    tap_skip "godwit(1): options of $command" 'mandoc is not installed'
  fi
done <<<"$list"

if command -v mandoc >/dev/null; then
  run mandoc -T lint -W warning "$page"
  check_equal 'godwit(1) has no faults' "$output$errors" ''
  text=$(mandoc -T utf8 -O width=200 "$page" | sed 's/.\x08//g')
  for code in 0 1 2 3 4 5 6 130; do
    check "godwit(1): exit status $code" grep -qE "^ +$code +[a-zA-Z]" <<<"$text"
  done
else
  tap_skip 'godwit(1) has no faults' 'mandoc is not installed'
fi

tap_done
