# shellcheck shell=bash
# Net: one switch per instance, in a network namespace of its own.  Nothing of
# it is seen on the machine, so instances never meet.

lab_switch ()
{
  local pid
  pid=$(lab_pid_read "$LAB_STATE/switch.pid") || lab_die "lab '$LAB' is not up"
  nsenter --target "$pid" --net -- "$@"
}

lab_switch_start ()
{
  local fifo=$LAB_STATE/switch.ready
  mkfifo "$fifo"
  # The name in argv is how "down" finds it even if no pid file was written.
  # shellcheck disable=SC2016 # expanded in the new namespace
  setsid unshare --net -- bash -c '
    ip link set lo up && ip link add sw0 type bridge && ip link add sw1 type bridge &&
    ip link set sw0 up && ip link set sw1 up && echo ready >"$2" &&
    exec -a "$1" sleep infinity' bash "godwit-lab:$LAB:switch" "$fifo" \
    </dev/null >>"$LAB_STATE/up.log" 2>&1 9>&- &
  local pid=$! word=''
  disown
  lab_pid_save "$LAB_STATE/switch.pid" "$pid"
  read -r -t 10 word <>"$fifo" || true
  rm -f "$fifo"
  [[ $word == ready ]] || lab_die "the switch did not start: $(tail -n 3 "$LAB_STATE/up.log")"
}

# eth0 is the host's link.  br0 is where guests with a NIC go; it leads to a
# second switch, so that a guest's network follows it as in a data centre.
lab_net_attach ()
{
  local host=$1 pid=$2 address=$3 mac
  # A host keeps its network card when it boots again, and peers what they know
  # of it.
  mac=$(printf '02:67:77:00:00:%02x' "${address##*.}")
  lab_switch ip -batch - <<END
link add h-$host type veth peer name eth0 address $mac netns $pid
link add g-$host type veth peer name eth1 netns $pid
link set h-$host master sw0 up
link set g-$host master sw1 up
END
  nsenter --target "$pid" --net -- ip -batch - <<END
link set lo up
addr add $address/24 dev eth0
link set eth0 up
link add br0 type bridge
link set eth1 master br0 up
link set br0 up
END
}

lab_verb_rate ()
{
  local host=${1:-} rate=${2:-} pid
  pid=$(lab_host_pid "$host")
  [[ $rate == none || $rate =~ ^[0-9]+$ ]] || lab_usage "rate HOST MBIT|none"
  # What leaves the host is limited at its end, what enters it at the switch's.
  local -a out=(nsenter --target "$pid" --net -- tc qdisc)
  local -a in=(lab_switch tc qdisc)
  if [[ $rate == none ]]; then
    "${out[@]}" del dev eth0 root 2>/dev/null || true
    "${in[@]}" del dev "h-$host" root 2>/dev/null || true
    return 0
  fi
  # With a smaller burst than 128 KiB a 1 Gbit/s link gives 800 Mbit/s.
  local -a tbf=(tbf rate "${rate}mbit" burst 256kb latency 50ms)
  "${out[@]}" replace dev eth0 root "${tbf[@]}"
  "${in[@]}" replace dev "h-$host" root "${tbf[@]}"
}

# Off the switch, carrier still there: packets vanish without an error, which
# is what a failed switch or a wrong firewall rule does.
lab_verb_link ()
{
  local host=${1:-} state=${2:-} pid
  pid=$(lab_host_pid "$host")
  case $state in
    up) lab_switch ip link set "h-$host" master sw0 ;;
    down) lab_switch ip link set "h-$host" nomaster ;;
    *) lab_usage "link HOST up|down" ;;
  esac
}

lab_delay_end ()
{
  local host=$1 pid
  [[ -e $LAB_STATE/$host.wire.pid ]] || return 0
  pid=$(lab_pid_read "$LAB_STATE/$host.wire.pid") || pid=
  [[ -z $pid ]] || kill "$pid" 2>/dev/null || true
  rm -f "$LAB_STATE/$host.wire.pid"
  lab_switch ip link del "d-$host" 2>/dev/null || true
  lab_switch ip link set "h-$host" master sw0
}

# The host is taken off the switch, and a wire that takes its time stands in between.
lab_verb_delay ()
{
  local host=${1:-} ms=${2:-} fifo word=''
  lab_host_pid "$host" >/dev/null
  [[ $ms == none || $ms =~ ^[0-9]+$ ]] || lab_usage "delay HOST MS|none"
  lab_delay_end "$host"
  [[ $ms != none ]] || return 0
  lab_switch ip -batch - <<END
link set h-$host nomaster
link add d-$host type veth peer name e-$host
link set d-$host up
link set e-$host master sw0 up
END
  fifo=$LAB_STATE/$host.wire.ready
  rm -f "$fifo"
  mkfifo "$fifo"
  # shellcheck disable=SC2016 # expanded in the namespace
  lab_switch bash -c 'exec -a "$1" "$2" "$3" "$4" "$5" >"$6"' bash "godwit-lab:$LAB:wire" \
    "$(lab_tool delay-wire)" "h-$host" "d-$host" "$((ms * 1000))" "$fifo" \
    </dev/null >/dev/null 2>>"$LAB_STATE/up.log" 9>&- &
  lab_pid_save "$LAB_STATE/$host.wire.pid" "$!"
  disown
  read -r -t 10 word <>"$fifo" || true
  rm -f "$fifo"
  [[ $word == ready ]] || lab_die "the wire does not work: $(tail -n 3 "$LAB_STATE/up.log")"
}
