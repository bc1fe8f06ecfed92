# bash completion for godwit(1). The program itself says what its commands and options are.
# shellcheck shell=bash

# Prints the word that is the command and what of the words before the cursor are its arguments,
# without options.
_godwit_words ()
{
  local i word skip=''
  for (( i = 1; i < COMP_CWORD; i++ )); do
    word=${COMP_WORDS[i]}
    if [[ -n $skip ]]; then
      # bash breaks --option=value at the equals sign.
      [[ $word == = ]] || skip=''
      continue
    fi
    case $word in
      --config|--plugin-dir|--to|--from|--strategy|--max-downtime|--shutdown-timeout|--timeout|--count|-n)
        skip=yes ;;
      -*) ;;
      *) printf '%s\n' "$word" ;;
    esac
  done
}

_godwit ()
{
  local current=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} list candidates=''
  local -a words
  mapfile -t words < <(_godwit_words)
  list=$("$program" help --list 2>/dev/null) || return 0

  if [[ $current == -* ]]; then
    if (( ${#words[@]} == 0 )); then
      candidates='--config= --plugin-dir= --version --help'
    else
      candidates=$(awk -v name="${words[0]}" '$1 == name {$1 = ""; print}' <<<"$list")
    fi
  elif (( ${#words[@]} == 0 )); then
    candidates=$(cut -d ' ' -f 1 <<<"$list")
  elif (( ${#words[@]} == 1 )); then
    case ${words[0]} in
      show|watch|log|wait|abort|confirm|revert|recover)
        candidates=$("$program" jobs --ids --count 0 2>/dev/null) ;;
      config) candidates='check show template' ;;
      hosts) candidates=pair ;;
      help) candidates=$(cut -d ' ' -f 1 <<<"$list") ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$current")
  # What takes a value is written up to the value.
  if (( ${#COMPREPLY[@]} == 1 )) && [[ ${COMPREPLY[0]} == *= ]]; then
    compopt -o nospace 2>/dev/null
  fi
  return 0
}

complete -F _godwit -o default godwit
