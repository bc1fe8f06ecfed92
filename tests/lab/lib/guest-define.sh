# shellcheck shell=bash
# Guest-define: a domain as an operator would have it.

# Sets the G_* variables from the options.
lab_guest_options ()
{
  G_NAME=$1 G_DIR=/var/lib/libvirt/images/$1 G_FORMAT=qcow2 G_SIZE=256 G_FILL=0 G_BASE=''
  G_PREALLOC='' G_MEMORY=128 G_CACHE='' G_ISO='' G_NIC='' G_KNOBS='' G_XML=''
  G_DISKS=()
  shift
  while (( $# > 0 )); do
    case $1 in
      --prealloc) G_PREALLOC=yes; shift; continue ;;
      --nic) G_NIC=yes; shift; continue ;;
    esac
    (( $# >= 2 )) || lab_usage "guest define: '$1' is unknown or needs a value"
    case $1 in
      --dir) G_DIR=$2 ;;
      --format) G_FORMAT=$2 ;;
      --size) G_SIZE=$2 ;;
      --fill) G_FILL=$2 ;;
      --base) G_BASE=$2 G_FORMAT=qcow2 ;;
      --memory) G_MEMORY=$2 ;;
      --cache) G_CACHE=$2 ;;
      --iso) G_ISO=$2 ;;
      --disk|--extra-disk) G_DISKS+=("$2") ;;
      --knob) G_KNOBS+=" lab.$2" ;;
      --xml) G_XML+=$2 ;;
      *) lab_usage "guest define: unknown option '$1'" ;;
    esac
    shift 2
  done
  G_ROOT=$G_DIR/disk.$G_FORMAT
}

# $1 path, $2 format, $3 target, $4 bus, $5 cache, $6 more elements, $7 device
lab_disk_xml ()
{
  local type=file attribute=file cache=''
  if [[ $1 == /dev/* ]]; then
    type=block attribute=dev
  fi
  [[ -z $5 ]] || cache=" cache='$5'"
  cat <<END
    <disk type='$type' device='${7:-disk}'>
      <driver name='qemu' type='$2'$cache/>
      <source $attribute='$1'/>
      <target dev='$3' bus='$4'/>$6
    </disk>
END
}

# Reads "path=...,size=...,readonly" into the D_* variables.
lab_extra_disk ()
{
  local part
  local -a parts
  D_PATH='' D_SIZE=64 D_FORMAT=raw D_BUS=virtio D_CACHE=$G_CACHE D_MORE=''
  IFS=, read -r -a parts <<<"$1"
  for part in "${parts[@]}"; do
    case $part in
      path=*) D_PATH=${part#*=} ;;
      size=*) D_SIZE=${part#*=} ;;
      format=*) D_FORMAT=${part#*=} ;;
      bus=*) D_BUS=${part#*=} ;;
      cache=*) D_CACHE=${part#*=} ;;
      readonly|shareable) D_MORE+="<$part/>" ;;
      *) lab_usage "guest define: --disk: unknown '$part'" ;;
    esac
  done
  [[ $D_PATH == /* ]] || lab_usage "guest define: --disk needs path=/..."
}

lab_guest_disks_xml ()
{
  local letters=bcdefghijklmnop i
  lab_disk_xml "$G_ROOT" "$G_FORMAT" vda virtio "$G_CACHE" ''
  for i in "${!G_DISKS[@]}"; do
    lab_extra_disk "${G_DISKS[i]}"
    lab_disk_xml "$D_PATH" "$D_FORMAT" "vd${letters:i:1}" "$D_BUS" "$D_CACHE" "$D_MORE"
  done
  [[ -z $G_ISO ]] || lab_disk_xml "$G_ISO" raw hda ide '' '<readonly/>' cdrom
}

lab_guest_domain_xml ()
{
  local boot nic=''
  boot=$(lab_guest_dir)
  [[ -z $G_NIC ]] || nic="<interface type='bridge'><source bridge='br0'/><model type='virtio'/></interface>"
  cat <<END
<domain type='qemu'>
  <name>$G_NAME</name>
  <memory unit='MiB'>$G_MEMORY</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>$boot/vmlinuz</kernel>
    <initrd>$boot/initrd</initrd>
    <cmdline>console=ttyS0 quiet loglevel=1 panic=-1 no_timer_check tsc=reliable mitigations=off nokaslr cryptomgr.notests=1 ipv6.disable=1$G_KNOBS</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <clock offset='utc'/>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/local/bin/qemu-system-x86_64</emulator>
$(lab_guest_disks_xml)
    <controller type='usb' model='none'/>
    <serial type='file'>
      <source path='/var/log/lab/console/$G_NAME.log' append='on'/>
      <target port='0'/>
    </serial>
    $nic
    <memballoon model='virtio'/>
    <panic model='isa'/>
    $G_XML
  </devices>
</domain>
END
}

lab_guest_xml ()
{
  lab_guest_check "$@"
  shift
  lab_guest_options "$@"
  lab_guest_domain_xml
}

lab_guest_define ()
{
  local host=$1 spec
  lab_guest_check "$@"
  shift
  lab_guest_options "$@"
  lab_in "$host" mkdir -p "$G_DIR"
  if [[ -z $G_BASE ]]; then
    lab_disk_make "$host" "$G_ROOT" "$G_FORMAT" "$G_SIZE" "$G_FILL" "$G_PREALLOC"
  else
    lab_guest_overlay "$host"
  fi
  for spec in "${G_DISKS[@]}"; do
    lab_extra_disk "$spec"
    lab_in "$host" test -e "$D_PATH" ||
      lab_disk_make "$host" "$D_PATH" "$D_FORMAT" "$D_SIZE" 0 ''
  done
  [[ -z $G_ISO ]] || lab_guest_iso "$host"
  lab_guest_domain_xml | lab_in "$host" virsh --quiet define --validate /dev/stdin
  echo "$G_ROOT"
}

lab_guest_overlay ()
{
  local host=$1 format=raw
  [[ $G_BASE != *.qcow2 ]] || format=qcow2
  lab_in "$host" test -e "$G_BASE" ||
    lab_disk_make "$host" "$G_BASE" "$format" "$G_SIZE" "$G_FILL" "$G_PREALLOC"
  lab_in "$host" qemu-img create -q -f qcow2 -b "$G_BASE" -F "$format" "$G_ROOT"
}

# What a config drive holds does not matter; that it is a real one does.
lab_guest_iso ()
{
  # shellcheck disable=SC2016 # expanded on the host
  lab_in "$1" bash -c '
    set -e
    [[ ! -e $1 ]] || exit 0
    mkdir -p "$(dirname "$1")"
    dir=$(mktemp -d /var/tmp/lab-iso.XXXXXX)
    mkdir -p "$dir/openstack/latest"
    printf "{\"uuid\": \"%s\", \"name\": \"%s\"}\n" "$(cat /proc/sys/kernel/random/uuid)" "$2" \
      >"$dir/openstack/latest/meta_data.json"
    xorriso -as mkisofs -quiet -V config-2 -J -r -o "$1" "$dir" 2>/dev/null
    rm -rf "$dir"' bash "$G_ISO" "$G_NAME"
}
