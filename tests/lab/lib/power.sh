# shellcheck shell=bash
# Power: a host that loses power, and with it all that nobody has synced.

# Where godwit makes files.  Everything else keeps what was written to it, as
# if it had been synced at once.
# shellcheck disable=SC2034 # for hosts.sh
LAB_POWER_DIRS=/var/lib/godwit:/var/lib/libvirt/images

lab_power_usage ()
{
  lab_usage "power HOST off|on|sync|pending"
}

lab_verb_power ()
{
  local host=${1:-} what=${2:-}
  [[ -n $host && $# -eq 2 ]] || lab_power_usage
  case $what in
    off|on|sync|pending) "lab_power_$what" "$host" ;;
    *) lab_power_usage ;;
  esac
}

# Of a host that has them, the control files of its forgetful file systems.
lab_power_controls ()
{
  local pid=$1 dir
  local -a dirs=()
  [[ -s $LAB_STATE/hosts/$2/power ]] || return 0
  IFS=: read -r -a dirs <"$LAB_STATE/hosts/$2/power" || true
  for dir in "${dirs[@]}"; do
    printf '/proc/%s/root%s/.powerfs-control\n' "$pid" "$dir"
  done
}

lab_power_tell ()
{
  local word=$1 host=$2 pid=$3 control
  while IFS= read -r control; do
    printf '%s' "$word" >"$control" || lab_die "host $host: $control does not take '$word'"
  done < <(lab_power_controls "$pid" "$host")
}

# The link goes first, so that no peer hears of the end; then nothing becomes
# durable any more; then PID 1 takes all processes along.
lab_power_off ()
{
  local host=$1 pid outer
  pid=$(lab_host_pid "$host")
  lab_verb_link "$host" down
  lab_power_tell stop "$host" "$pid"
  lab_loops_detach "$host"
  outer=$(lab_pid_read "$LAB_STATE/hosts/$host/outer")
  kill -KILL "$pid"
  "$(lab_tool wait-pid)" 20 "$pid" "$outer" || lab_die "host $host does not end"
  # The kernel takes them away with the host's network, but in its own time.
  lab_switch ip link del "h-$host" 2>/dev/null || true
  lab_switch ip link del "g-$host" 2>/dev/null || true
}

# The same disk, and what memory held is gone.
lab_power_on ()
{
  local host=$1 dir=$LAB_STATE/hosts/$1
  lab_check_host_name "$host"
  [[ -d $dir ]] || lab_die "no host '$host' in lab '$LAB'"
  ! lab_pid_read "$dir/pid" >/dev/null || lab_die "host '$host' is on"
  echo $(($(cat "$dir/boots" 2>/dev/null || echo 0) + 1)) >"$dir/boots"
  LAB_AGAIN=yes lab_host_spawn "$host" '' "$(<"$dir/binds")"
  lab_host_await "$host"
}

lab_power_sync ()
{
  local pid
  pid=$(lab_host_pid "$1")
  lab_power_tell sync "$1" "$pid"
}

# What would be lost.
lab_power_pending ()
{
  local pid
  local -a controls
  pid=$(lab_host_pid "$1")
  mapfile -t controls < <(lab_power_controls "$pid" "$1")
  (( ${#controls[@]} > 0 )) || lab_die "host $1 forgets nothing: 'lab up --power-fs'"
  cat "${controls[@]}" | awk '{ sum[$1] += $2 } END { for (what in sum) print what, sum[what] }' | sort
}
