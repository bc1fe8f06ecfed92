# shellcheck shell=bash
# Hosts: up and down.

# The marker that every host's outer process carries in its arguments.
LAB_MARK=godwit-lab-host

# Where each host says how far it is.
declare -A LAB_READY=()

lab_verb_prepare ()
{
  lab_packages_ensure
  lab_tools_build
  lab_guest_build
}

lab_verb_packages ()
{
  lab_packages_ensure
}

lab_verb_up ()
{
  local names=a,b stage='' power='' host
  local -a binds=() hosts=()
  while (( $# > 0 )); do
    case $1 in
      --hosts) names=${2:?--hosts needs a list}; shift 2 ;;
      --stage) stage=${2:?--stage needs a directory}; shift 2 ;;
      --bind) binds+=("$(realpath -e -- "${2:?--bind needs a directory}")"); shift 2 ;;
      --power-fs) power=$LAB_POWER_DIRS; shift ;;
      *) lab_usage "up: unknown option '$1'" ;;
    esac
  done
  IFS=, read -r -a hosts <<<"$names"
  for host in "${hosts[@]}"; do lab_check_host_name "$host"; done
  [[ -z $stage || -d $stage ]] || lab_usage "up: --stage $stage: no such directory"
  lab_lock -n || lab_die "another 'lab up' or 'lab down' of '$LAB' is at work"
  [[ -z $(lab_hosts) ]] || lab_die "lab '$LAB' is already up; 'lab down' first"
  lab_down
  # A failed start leaves nothing, but says what the log had to tell.
  trap 'lab_up_leave $?' EXIT
  trap 'exit 130' INT TERM HUP
  lab_verb_prepare
  mkdir -p "$LAB_STATE/hosts"
  mkdir -p "$LAB_BIG/shared" "$LAB_BIG/console" ||
    lab_die "cannot write to $LAB_BIG: set GODWIT_LAB_BIG to a directory on ext4, xfs or tmpfs"
  lab_identity_make "${hosts[@]}"
  lab_switch_start
  for host in "${hosts[@]}"; do
    printf '%s' "$power" >"$LAB_STATE/hosts/$host/power"
  done
  lab_hosts_start "$stage" "$(printf '%s:' "${binds[@]}")" "${hosts[@]}"
}

lab_up_leave ()
{
  local log
  trap - EXIT
  (( $1 != 0 )) || exit 0
  # Keys may still be in the making.
  wait
  for log in "$LAB_STATE"/up.log "$LAB_STATE"/hosts/*/init.log; do
    if [[ -s $log ]]; then
      sed "s|^|lab: $(basename "$(dirname "$log")"): |" "$log" | tail -n 8 >&2
    fi
  done
  lab_down
  lab_unlock
  lab_say "up failed, everything was cleaned up"
  exit "$1"
}

# Makes what tells hosts apart and what lets them trust each other: the keys
# are the operator's own SSH set-up, so they exist before the hosts do.
lab_identity_make ()
{
  local id=$LAB_STATE/identity host key n=0
  mkdir -p "$id"
  : >"$id/hosts"
  printf '127.0.0.1 localhost\n' >"$id/hosts"
  for host in "$@"; do
    n=$((n + 1))
    mkdir -p "$LAB_STATE/hosts/$host"
    printf '10.77.0.%d' "$n" >"$LAB_STATE/hosts/$host/address"
    printf '10.77.0.%d host-%s %s\n' "$n" "$host" "$host" >>"$id/hosts"
    for key in host root oper; do
      ssh-keygen -q -t ed25519 -N '' -C "$key@host-$host" -f "$id/$host.$key" &
    done
  done
  wait
  for host in "$@"; do
    printf '%s,host-%s,%s %s\n' "$host" "$host" "$(<"$LAB_STATE/hosts/$host/address")" \
      "$(cut -d' ' -f1,2 "$id/$host.host.pub")" >>"$id/known_hosts"
    cat "$id/$host.root.pub" >>"$id/root.authorized"
    cat "$id/$host.oper.pub" >>"$id/oper.authorized"
  done
}

lab_hosts_start ()
{
  local stage=$1 bound=$2 host
  shift 2
  for host in "$@"; do
    lab_host_spawn "$host" "$stage" "$bound"
  done
  for host in "$@"; do
    lab_host_await "$host"
  done
}

# Real hosts never share a boot time, and libvirt decides with it who owns an
# image: one boot time for all would hide a fault that operators meet first.  A
# host that boots again has a later one.
lab_host_boot_offset ()
{
  local address boots=0
  address=$(<"$LAB_STATE/hosts/$1/address")
  [[ ! -e $LAB_STATE/hosts/$1/boots ]] || boots=$(<"$LAB_STATE/hosts/$1/boots")
  printf '%d' $((${address##*.} * 86400 - boots * 600))
}

lab_host_spawn ()
{
  local host=$1 dir=$LAB_STATE/hosts/$1 pid child='' both ready powerfs=''
  mkdir -p "$LAB_BIG/hosts/$host/upper" "$LAB_BIG/hosts/$host/work" \
    "$LAB_BIG/hosts/$host/tmp" "$LAB_BIG/console/$host/log" "$LAB_BIG/console/$host/stamps" \
    "$LAB_BIG/console/$host/runs" "$dir/root"
  chmod 1777 "$LAB_BIG/hosts/$host/tmp" "$LAB_BIG/console/$host/runs"
  [[ ! -s $dir/power ]] || powerfs=$(lab_powerfs)
  printf '%s' "$3" >"$dir/binds"
  # A machine that boots is not the one that it was before.
  cat /proc/sys/kernel/random/uuid >"$dir/boot-id"
  lab_stamp_start "$host"
  rm -f "$dir/ready"
  mkfifo "$dir/ready"
  exec {both}<>"$dir/ready"
  LAB_HOST=$host LAB_STAGE=$2 LAB_BINDS=$3 LAB_ADDRESS=$(<"$dir/address") \
  LAB_TOOLS=$(lab_tools_dir) LAB_POWER=$(<"$dir/power") LAB_POWERFS=$powerfs \
  LAB_AGAIN=${LAB_AGAIN:-} \
    setsid unshare --net --mount --uts --ipc --pid --fork --kill-child \
      --time --boottime "$(lab_host_boot_offset "$host")" --propagation private \
      -- bash "$LAB_HOME/host-init" "$LAB_MARK" "$LAB" "$host" \
      </dev/null >"$dir/init.log" 2>&1 9>&- &
  pid=$!
  disown
  lab_pid_save "$dir/outer" "$pid"
  read -r -t 10 child <&"$both" || true
  # From here on we only read: if the host dies, that is the end of the file
  # and not a wait until the deadline.
  exec {ready}<"$dir/ready" {both}>&-
  LAB_READY[$host]=$ready
  [[ $child == started ]] || lab_die "host $host did not start"
  # Inside it is pid 1; from here it is the one child of unshare.
  child=$(lab_children "$pid")
  [[ -n $child ]] || lab_die "host $host ended at once"
  lab_pid_save "$dir/pid" "$child"
  lab_net_attach "$host" "$child" "$(<"$dir/address")"
}

# Stamps are the lab's own observation: they go on when the host's power is cut.
lab_stamp_start ()
{
  local host=$1 console=$LAB_BIG/console/$1 tool
  [[ ! -e $LAB_STATE/hosts/$host/stamp ]] || return 0
  tool=$(lab_tool console-stamp)
  # shellcheck disable=SC2016 # expanded in the new shell
  setsid bash -c 'exec -a "$1" "$2" "$3" "$4"' bash "godwit-lab:$LAB:stamp" "$tool" \
    "$console/log" "$console/stamps" </dev/null >>"$LAB_STATE/up.log" 2>&1 9>&- &
  lab_pid_save "$LAB_STATE/hosts/$host/stamp" "$!"
  disown
}

lab_children ()
{
  local kids=''
  # The kernel writes no newline, which read takes for a failure.
  read -r kids 2>/dev/null <"/proc/$1/task/$1/children" || true
  printf '%s' "${kids% }"
}

lab_host_await ()
{
  local host=$1 word='' ready
  ready=${LAB_READY[$host]}
  read -r -t 60 word <&"$ready" || true
  exec {ready}<&-
  rm -f "$LAB_STATE/hosts/$host/ready"
  [[ $word == up ]] || lab_die "host $host did not come up"
}

lab_verb_down ()
{
  lab_lock
  lab_down
  lab_unlock
}

# One "up" or "down" of an instance at a time.  The lock's file is removed with
# the instance, so one that waited for it looks whether it got the right one.
lab_lock ()
{
  local lock=/run/godwit-lab/.lock-$LAB
  while mkdir -p /run/godwit-lab; do
    { exec 9>"$lock"; } 2>/dev/null || continue
    flock "$@" 9 || return 1
    [[ ! /proc/self/fd/9 -ef $lock ]] || return 0
  done
}

lab_unlock ()
{
  rm -f "/run/godwit-lab/.lock-$LAB"
  # Other instances may be there, or may just have taken them away.
  rmdir /run/godwit-lab "${LAB_BIG%/*}" 2>/dev/null || true
}

# Every outer process of the instance, whether or not a pid file names it.
lab_outer_pids ()
{
  local dir
  local -a argv
  for dir in /proc/[0-9]*; do
    mapfile -d '' -t argv 2>/dev/null <"$dir/cmdline" || continue
    case ${argv[*]} in
      *" $LAB_MARK $LAB "*|*"godwit-lab:$LAB:switch "*|*"godwit-lab:$LAB:wire "*|*"godwit-lab:$LAB:stamp "*) basename "$dir" ;;
    esac
  done
}

# A loop device outlives the mount namespace in which it was set up, and would
# hold the overlay for ever.  Its backing file tells whose it is.
# $1: of that host, or of all if it is empty
lab_loops_detach ()
{
  local line dev ino host roots=' ' file where=$LAB_BIG${1:+/hosts/$1}
  command -v losetup >/dev/null || return 0
  for file in "$LAB_STATE"/hosts/${1:-*}/rootdev; do
    [[ ! -e $file ]] || roots+="$(<"$file") "
  done
  losetup --noheadings --raw --list -O NAME,BACK-MAJ:MIN,BACK-INO 2>/dev/null |
  while read -r line dev ino; do
    host=''
    [[ $roots != *" $dev "* ]] || host=overlay
    [[ -n $host || ! -d $where ]] || host=$(find "$where" -xdev -inum "$ino" -print -quit)
    [[ -z $host ]] || losetup -d "$line" || true
  done
}

lab_down ()
{
  local pid
  local -a all=()
  lab_loops_detach ''
  for pid in $(lab_outer_pids); do
    all+=("$pid")
    # PID 1 of a host takes everything in its namespace along.
    # shellcheck disable=SC2207 # a list of pids
    all+=($(lab_children "$pid"))
  done
  if (( ${#all[@]} > 0 )); then
    kill -KILL "${all[@]}" 2>/dev/null || true
    "$(lab_tool wait-pid)" 20 "${all[@]}" || lab_die "some processes of '$LAB' do not end: ${all[*]}"
  fi
  rm -rf --one-file-system "$LAB_STATE" "$LAB_BIG"
}
