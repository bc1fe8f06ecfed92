#!/usr/bin/env bash
# The completion for bash, run as bash runs it.
# shellcheck source=tests/cli/setup.sh
. "$SOURCE_ROOT/tests/cli/setup.sh"

script=$SOURCE_ROOT/completions/godwit.bash

check 'it is a shell script' bash -n "$script"

# The completion asks the program that is being completed.
godwit ()
{
  if [[ "$*" == 'jobs --ids --count 0' ]]; then
    printf '%s\n' k7m2 k9xx
  else
    "$GODWIT" "$@"
  fi
}
# shellcheck source=completions/godwit.bash
. "$script"

# $1: the words so far, the last one being typed; prints the candidates
complete_line ()
{
  read -ra COMP_WORDS <<<"$1"
  [[ $1 == *' ' ]] && COMP_WORDS+=('')
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  COMPREPLY=()
  _godwit
  printf '%s\n' "${COMPREPLY[@]}" | sed 's/ *$//' | sort | tr '\n' ' '
}

check_equal 'a command' "$(complete_line 'godwit mig')" 'migrate '
check_equal 'several commands' "$(complete_line 'godwit pl')" 'plan plugins '
check_equal 'after a global option' "$(complete_line 'godwit --config x pla')" 'plan '
check_equal 'a global option' "$(complete_line 'godwit --plug')" '--plugin-dir= '
check_equal 'an option' "$(complete_line 'godwit migrate web1 --max')" '--max-downtime= '
check_equal 'a job' "$(complete_line 'godwit show k')" 'k7m2 k9xx '
check_equal 'a job, begun' "$(complete_line 'godwit abort k7')" 'k7m2 '
check_equal 'no second job' "$(complete_line 'godwit abort k7m2 ')" ' '
check_equal 'a verb of config' "$(complete_line 'godwit config t')" 'template '
check_equal 'pair' "$(complete_line 'godwit hosts p')" 'pair '
check_equal 'help for a command' "$(complete_line 'godwit help rev')" 'revert '
check_equal 'guests are not guessed' "$(complete_line 'godwit migrate w')" ' '

tap_done
