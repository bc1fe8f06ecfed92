# shellcheck shell=bash
# Common: messages, names, and which processes belong to the instance.

lab_say ()
{
  printf 'lab: %s\n' "$*" >&2
}

lab_die ()
{
  lab_say "$*"
  exit 1
}

lab_usage ()
{
  lab_say "$* (try 'lab --help')"
  exit 2
}

# Names become parts of paths, network interfaces (at most 15 bytes with our
# prefix) and host names.
lab_check_name ()
{
  [[ $2 =~ ^[a-z0-9][a-z0-9_.-]{0,31}$ ]] ||
    lab_usage "$1 name '$2': use a-z, 0-9, '.', '_' and '-', at most 32"
}

lab_check_host_name ()
{
  [[ $1 =~ ^[a-z][a-z0-9]{0,9}$ ]] ||
    lab_usage "host name '$1': use a-z and 0-9, at most 10"
}

lab_verb_paths ()
{
  printf 'state\t%s\nbig\t%s\ncache\t%s\nconsole\t%s\nshared\t%s\n' \
    "$LAB_STATE" "$LAB_BIG" "$LAB_CACHE" "$LAB_BIG/console" "$LAB_BIG/shared"
}

# A pid file holds "PID STARTTIME": a pid alone may by now be someone else's.
lab_pid_save ()
{
  printf '%s %s\n' "$2" "$(lab_start_time "$2")" >"$1"
}

lab_start_time ()
{
  local stat
  local -a fields
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  # The command name may hold spaces and brackets: count from its last bracket.
  read -r -a fields <<<"${stat##*) }"
  printf '%s' "${fields[19]}"
}

# Prints the pid in a pid file if that very process still runs.
lab_pid_read ()
{
  local pid start
  read -r pid start <"$1" 2>/dev/null || return 1
  [[ -n $start && $(lab_start_time "$pid") == "$start" ]] || return 1
  printf '%s' "$pid"
}

lab_hosts ()
{
  local dir
  for dir in "$LAB_STATE"/hosts/*/; do
    [[ ! -d $dir ]] || basename "$dir"
  done
}

# The pid, as this machine sees it, of PID 1 of a host.
lab_host_pid ()
{
  local host=${1:-}
  [[ -n $host ]] || lab_usage "which host?"
  lab_check_host_name "$host"
  [[ -d $LAB_STATE/hosts/$host ]] ||
    lab_die "no host '$host' in lab '$LAB' (there: $(lab_hosts | paste -sd' '))"
  lab_pid_read "$LAB_STATE/hosts/$host/pid" ||
    lab_die "host '$host' of lab '$LAB' is not running; 'lab down' cleans up"
}

lab_verb_list ()
{
  local host pid state
  for host in $(lab_hosts); do
    state=dead
    if pid=$(lab_pid_read "$LAB_STATE/hosts/$host/pid"); then
      state=up
    fi
    printf '%s\t%s\t%s\tpid=%s\n' "$host" "$(cat "$LAB_STATE/hosts/$host/address")" \
      "$state" "${pid:--}"
  done
}

# All hosts share the kernel's monotonic clock: the time namespaces only shift
# the boot time.  So one figure is good for every host.
lab_verb_now ()
{
  "$(lab_tool heartbeat)" now
}
