# shellcheck shell=bash
# Guest: life of a guest on a host.  Where virsh can do it, virsh does.

lab_guest_usage ()
{
  cat <<'END'
usage: lab guest VERB ...

  define HOST NAME [option...]      make the disks, define the domain; prints the
                                    path of the first disk
    --dir DIR          instance directory (default /var/lib/libvirt/images/NAME)
    --format raw|qcow2 of the first disk (default qcow2)
    --size MIB         of the first disk (default 256)
    --fill MIB         random data in the guest's file system, hashed (default 0)
    --base PATH        the first disk is a qcow2 overlay on PATH, which is made
                       if it is not there
    --prealloc         allocate all of the first disk
    --memory MIB       (default 128)
    --cache MODE       of writable disks
    --iso PATH         a CD; made if it is not there
    --disk KEY=VAL,... one more disk: path=, size= (MiB), format=, bus=, cache=,
                       readonly, shareable; made if path is not there; a path
                       under /dev is a block device
    --nic              a virtio NIC on br0
    --knob KEY=N       beat_ms record_ms dirty_mib dirty_span_mib disk_mib
                       disk_span_mib; repeat for more
    --xml TEXT         more XML for <devices>
  xml HOST NAME [option...]         print the domain's XML, touch nothing
  image HOST PATH [--format F] [--size MIB] [--fill MIB] [--prealloc]
                                    make only an image with the guest's file system
  start|stop|kill HOST NAME         stop is graceful, and waits for the end
  state HOST NAME                   as "virsh domstate", or "absent"
  wait-boot HOST NAME [SECONDS]     until the guest's next heartbeat on HOST
  verify HOST IMAGE [--format F] [--guest NAME] [--hosts a,b] [--acked N]
                                    read the records out of an image; prints JSON;
                                    exit code 1 if one is bad or missing.  Without
                                    --guest the name of IMAGE's directory is taken.
END
}

lab_verb_guest ()
{
  local verb=${1:-}
  [[ -n $verb ]] || lab_usage "guest: which verb? See 'lab guest --help'"
  shift
  case $verb in
    -h|--help|help) lab_guest_usage ;;
    define|xml|image|start|stop|kill|state|wait-boot|verify) "lab_guest_${verb//-/_}" "$@" ;;
    *) lab_usage "guest: unknown verb '$verb'" ;;
  esac
}

lab_guest_check ()
{
  [[ -n ${1:-} && -n ${2:-} ]] || lab_usage "guest: HOST and NAME are needed"
  lab_check_name guest "$2"
  lab_host_pid "$1" >/dev/null
}

lab_guest_start ()
{
  lab_guest_check "$@"
  lab_in "$1" virsh --quiet start "$2" >/dev/null
}

lab_guest_kill ()
{
  lab_guest_check "$@"
  lab_in "$1" virsh --quiet destroy "$2"
}

lab_guest_state ()
{
  local out
  lab_guest_check "$@"
  if out=$(lab_in "$1" virsh --quiet domstate "$2" 2>&1); then
    sed '/^$/d' <<<"$out"
  elif [[ $out == *"failed to get domain"* ]]; then
    echo absent
  else
    lab_die "$out"
  fi
}

# The button is pressed, then the QEMU process is watched: its end is an event,
# a domain's state would have to be asked again and again.
lab_guest_stop ()
{
  local tool
  lab_guest_check "$@"
  tool=$(lab_tool wait-pid)
  # shellcheck disable=SC2016 # expanded on the host
  lab_in "$1" bash -c '
    pid=$(cat "/run/libvirt/qemu/$1.pid") || { echo "guest $1 is not running" >&2; exit 1; }
    virsh --quiet shutdown "$1" >/dev/null || exit 1
    "$2" 30 "$pid" || { echo "guest $1 did not shut down in 30 s" >&2; exit 1; }
    # libvirt has yet to note it; a query waits for its job.
    for try in {1..50}; do
      state=$(virsh --quiet domstate "$1" 2>&1 | sed -n 1p)
      case $state in "shut off"|*"failed to get domain"*) exit 0 ;; esac
      sleep 0.02
    done
    echo "guest $1 is $state after the end of its QEMU" >&2
    exit 1' bash "$2" "$tool"
}

lab_stamps ()
{
  printf '%s/console/%s/stamps/%s.stamps' "$LAB_BIG" "$1" "$2"
}

lab_guest_wait_boot ()
{
  lab_guest_check "$@"
  "$(lab_tool heartbeat)" wait "${3:-60}" "$(lab_stamps "$1" "$2")" ||
    lab_die "guest '$2' gave no sign of life on '$1' in ${3:-60} s"
}

# Prints HOST=FILE of every host, for the heartbeat tool.
lab_stamp_args ()
{
  local name=$1 host
  local -a which
  if [[ -n ${2:-} ]]; then
    IFS=, read -r -a which <<<"$2"
  else
    mapfile -t which < <(lab_hosts)
  fi
  for host in "${which[@]}"; do
    printf '%s=%s\n' "$host" "$(lab_stamps "$host" "$name")"
  done
}

lab_verb_heartbeat ()
{
  local name=${1:-} since=0 until=0 hosts=''
  local -a files
  [[ -n $name ]] || lab_usage "heartbeat: which guest?"
  lab_check_name guest "$name"
  shift
  while (( $# > 0 )); do
    case $1 in
      --since) since=$2 ;;
      --until) until=$2 ;;
      --hosts) hosts=$2 ;;
      *) lab_usage "heartbeat: unknown option '$1'" ;;
    esac
    shift 2
  done
  mapfile -t files < <(lab_stamp_args "$name" "$hosts")
  "$(lab_tool heartbeat)" report "$since" "$until" "${files[@]}"
}

lab_verb_acked ()
{
  lab_verb_heartbeat "$@" | sed 's/.*"acked":\([0-9]*\).*/\1/'
}
