# shellcheck shell=bash
# Exec: run commands on a host, in all of its namespaces.

# What a login on a real host would have, plus what a developer sets to see
# more of godwit.
lab_exec_env ()
{
  local home=$1 user=$2 name
  printf '%s\0' "HOME=$home" "USER=$user" "LOGNAME=$user" SHELL=/bin/bash \
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    "LANG=C.UTF-8" "TERM=${TERM:-dumb}"
  while IFS= read -r name; do
    case $name in
      GODWIT_LAB_*) ;;
      GODWIT_*|G_MESSAGES_DEBUG|G_DEBUG|ASAN_OPTIONS|LSAN_OPTIONS|UBSAN_OPTIONS|TSAN_OPTIONS)
        printf '%s\0' "$name=${!name}" ;;
    esac
  done < <(compgen -e)
}

# Replaces this process: exit code, signals and the terminal are the command's.
lab_exec_as ()
{
  local user=$1 pid=$2 home=/root
  shift 2
  local -a env become=()
  if [[ $user != root ]]; then
    home=/home/$user
    # setpriv, not su: no PAM session, no shell in between, no lost arguments.
    become=(setpriv "--reuid=$user" "--regid=$user" --init-groups --)
  fi
  mapfile -d '' -t env < <(lab_exec_env "$home" "$user")
  exec nsenter --target "$pid" --mount --uts --ipc --net --pid --time --root --wd \
    -- env -i "${env[@]}" "${become[@]}" "$@"
}

# The same for the lab's own use: in a subshell, as root.
lab_in ()
{
  local pid
  pid=$(lab_host_pid "$1")
  shift
  ( lab_exec_as root "$pid" "$@" )
}

lab_verb_exec ()
{
  local host=${1:-} user=root pid
  [[ $# -gt 0 ]] || lab_usage "exec HOST [--user U] -- CMD..."
  shift
  while (( $# > 0 )); do
    case $1 in
      --user) user=${2:?--user needs a name}; shift 2 ;;
      --) shift; break ;;
      -*) lab_usage "exec: unknown option '$1'" ;;
      *) break ;;
    esac
  done
  (( $# > 0 )) || lab_usage "exec: no command"
  pid=$(lab_host_pid "$host")
  lab_exec_as "$user" "$pid" "$@"
}

lab_verb_shell ()
{
  local pid
  pid=$(lab_host_pid "${1:-}")
  lab_exec_as root "$pid" bash -l
}

# Puts an install tree on running hosts.  Directories that exist keep their
# mode and owner: a DESTDIR made by mktemp is 0700 and must not close "/".
lab_stage_into ()
{
  tar -C "$1" -c . | tar -C "$2" -x --no-overwrite-dir --no-same-owner
}

lab_verb_stage ()
{
  local dir=${1:-} host pid
  [[ -d $dir ]] || lab_usage "stage DIR [HOST...]: '$dir' is no directory"
  shift
  (( $# > 0 )) || mapfile -t hosts < <(lab_hosts)
  for host in "${@:-${hosts[@]}}"; do
    pid=$(lab_host_pid "$host")
    lab_stage_into "$dir" "/proc/$pid/root"
    lab_in "$host" ldconfig
  done
}

lab_verb_logs ()
{
  # shellcheck disable=SC2016 # expanded on the host
  lab_in "${1:-}" bash -c '
    for log in /var/log/libvirt/*.log /var/log/lab/*.log /var/log/libvirt/qemu/*.log; do
      [[ -s $log ]] || continue
      printf "== %s\n" "$log"
      cat "$log"
    done'
}
