# shellcheck shell=bash
# Inventory: what is on a host, so that a test can compare before and after.

LAB_SECTIONS='domains files processes listeners mounts loops'

# The functions run on the host.  Numbers that differ from run to run (pids,
# times, domain ids) are left out or become "#".

inventory_domains ()
{
  local uuid name questions=''
  # All that is asked, of one virsh: each costs more than its answer. Its echo
  # does not end the line.
  while read -r uuid name; do
    [[ -z $uuid ]] || questions+="echo 'guest $name $uuid '; domstate $uuid --reason; dominfo $uuid; "
  done < <(virsh --quiet list --all --uuid --name)
  [[ -z $questions ]] || virsh --quiet "$questions" | awk '
    $1 == "guest" { guest = substr($0, 7) }
    /^Persistent:/ { print guest, "persistent=" $2 }' | sort
}

inventory_files ()
{
  local format='%y %u:%g %m %p'
  # What is allocated, in KiB, and the length: two questions about one file.
  [[ -z $1 ]] || format+=' allocated=%kk size=%s'
  find /var/lib/libvirt/images /srv/shared /run/godwit /var/lib/godwit /etc/libvirt/qemu \
    -mindepth 1 -printf "$format\n" 2>/dev/null | LC_ALL=C sort -k4
}

# Our own process and what it runs are not the host's.  Zombies are shown:
# libvirt takes one for a living QEMU.
inventory_processes ()
{
  ps -eo pid=,ppid=,user:32=,stat=,args= -ww | awk -v me="$$" '
    { parent[$1] = $2; line[$1] = $0 }
    END {
      for (pid in line) {
        for (p = pid; p in parent && p != me; p = parent[p]) { }
        if (p == me) continue
        $0 = line[pid]
        zombie = $4 ~ /^Z/ ? " zombie" : ""
        $1 = $2 = $4 = ""; sub(/^ +/, ""); gsub(/  +/, " ")
        print $0 zombie
      }
    }' | sed -E 's/[0-9]{2,}/#/g' | LC_ALL=C sort
}

inventory_listeners ()
{
  { ss -Hlntu | awk '{ print $1, $5 }'
    ss -Hlx | awk '{ print $1, $5 }'; } | sed -E 's/domain-[0-9]+-/domain-#-/' | LC_ALL=C sort
}

inventory_mounts ()
{
  findmnt --raw --noheadings --output TARGET,FSTYPE | LC_ALL=C sort
}

# Loop devices belong to the kernel, so all hosts see all; a file of another
# host shows as a path that may not exist here.
inventory_loops ()
{
  losetup --raw --noheadings --list --output NAME,BACK-FILE | LC_ALL=C sort
}

inventory_run ()
{
  local sizes=$1 section
  shift
  for section in "$@"; do
    printf '== %s\n' "$section"
    "inventory_$section" "$sizes"
  done
}

lab_verb_inventory ()
{
  local host=${1:-} sizes='' section
  local -a sections=()
  lab_host_pid "$host" >/dev/null
  shift
  for section in "$@"; do
    case " $LAB_SECTIONS --sizes " in
      *" $section "*) ;;
      *) lab_usage "inventory: no section '$section' (there: $LAB_SECTIONS)" ;;
    esac
    if [[ $section == --sizes ]]; then
      sizes=yes
    else
      sections+=("$section")
    fi
  done
  if (( ${#sections[@]} == 0 )); then
    read -r -a sections <<<"$LAB_SECTIONS"
  fi
  # shellcheck disable=SC2046 # a list of names
  lab_in "$host" bash -c "$(declare -f $(compgen -A function inventory_))
    inventory_run \"\$@\"" bash "$sizes" "${sections[@]}"
}
