# shellcheck shell=bash
# Guest-disk: images with a real file system, made and read from outside.

# Runs on the host.  $1 path, $2 format, $3 MiB, $4 MiB of data, $5 yes: allocate
# all of it.  The file system is on the whole disk, without partitions.
lab_disk_make_there ()
{
  set -euo pipefail
  local path=$1 format=$2 size=$3 fill=$4 prealloc=$5 tree raw
  [[ ! -e $path ]] || { echo "$path is already there" >&2; return 1; }
  mkdir -p "$(dirname "$path")"
  tree=$(mktemp -d /var/tmp/lab-disk.XXXXXX)
  mkdir "$tree/fs"
  if (( fill > 0 )); then
    head -c "${fill}M" /dev/urandom >"$tree/fs/fill"
    ( cd "$tree/fs" && sha256sum fill >fill.sha256 )
  fi
  raw=$tree/raw
  truncate -s "${size}M" "$raw"
  # Everything is written now: a lazily made file system would go on growing
  # by itself for minutes and spoil figures about allocated space.
  mkfs.ext4 -q -F -m 0 -E lazy_itable_init=0,lazy_journal_init=0 -J size=4 -d "$tree/fs" "$raw"
  case $format-$prealloc in
    raw-) cp --sparse=always "$raw" "$path" ;;
    raw-yes) qemu-img convert -f raw -O raw -o preallocation=falloc "$raw" "$path" ;;
    qcow2-) qemu-img convert -f raw -O qcow2 "$raw" "$path" ;;
    qcow2-yes) qemu-img convert -f raw -O qcow2 -o preallocation=falloc "$raw" "$path" ;;
    *) echo "format '$format' is neither raw nor qcow2" >&2; return 1 ;;
  esac
  rm -rf "$tree"
  chmod 644 "$path"
}

# Runs on the host.  Prints "RECORDS LAST BAD GAPS TORN FILL", FILL being none, good
# or bad.  Works on a copy: a guest that runs or crashed leaves a journal to be
# replayed, and a check must not change what it checks.
lab_disk_read_there ()
{
  set -euo pipefail
  local path=$1 format=$2 acked=$3 checker=$4 scratch fill=none counts rc=0
  scratch=$(mktemp -d /var/tmp/lab-verify.XXXXXX)
  # shellcheck disable=SC2064 # the name of now
  trap "rm -rf '$scratch'" EXIT
  qemu-img convert -U -f "$format" -O raw "$path" "$scratch/raw"
  e2fsck -fy "$scratch/raw" >"$scratch/log" 2>&1 || rc=$?
  # 1: the journal was replayed, as after any crash.  More is a broken one.
  (( rc <= 1 )) || { cat "$scratch/log" >&2; return 1; }
  debugfs -R "dump /records $scratch/records" "$scratch/raw" 2>/dev/null
  [[ -e $scratch/records ]] || : >"$scratch/records"
  counts=$("$checker" "$scratch/records" "$acked")
  debugfs -R "dump /fill $scratch/fill" "$scratch/raw" 2>/dev/null
  if [[ -e $scratch/fill ]]; then
    debugfs -R "dump /fill.sha256 $scratch/fill.sha256" "$scratch/raw" 2>/dev/null
    fill=bad
    if ( cd "$scratch" && sha256sum --status -c fill.sha256 2>/dev/null ); then
      fill=good
    fi
  fi
  echo "$counts $fill"
}

lab_guest_image ()
{
  local host=${1:-} path=${2:-} format=raw size=256 fill=0 prealloc=''
  lab_host_pid "$host" >/dev/null
  [[ $path == /* ]] || lab_usage "guest image HOST PATH: an absolute path is needed"
  shift 2
  while (( $# > 0 )); do
    case $1 in
      --format) format=$2; shift 2 ;;
      --size) size=$2; shift 2 ;;
      --fill) fill=$2; shift 2 ;;
      --prealloc) prealloc=yes; shift ;;
      *) lab_usage "guest image: unknown option '$1'" ;;
    esac
  done
  lab_disk_make "$host" "$path" "$format" "$size" "$fill" "$prealloc"
}

lab_disk_make ()
{
  local host=$1
  shift
  lab_in "$host" bash -c "$(declare -f lab_disk_make_there); lab_disk_make_there \"\$@\"" bash "$@"
}

lab_guest_verify ()
{
  local host=${1:-} path=${2:-} format='' name='' hosts='' acked='' fill rc=0
  local records last bad gaps torn lost out
  [[ $# -ge 2 && $path == /* ]] || lab_usage "guest verify HOST IMAGE: an absolute path is needed"
  name=$(basename "$(dirname "$path")")
  shift 2
  while (( $# > 0 )); do
    case $1 in
      --format) format=$2 ;;
      --guest) name=$2 ;;
      --hosts) hosts=$2 ;;
      --acked) acked=$2 ;;
      *) lab_usage "guest verify: unknown option '$1'" ;;
    esac
    shift 2
  done
  lab_host_pid "$host" >/dev/null
  if [[ -z $format ]]; then
    format=$(lab_in "$host" qemu-img info -U --output json "$path" |
             sed -n 's/^    "format": "\(.*\)",\{0,1\}$/\1/p')
  fi
  # Before the image is read: what is acknowledged meanwhile need not be in it.
  [[ -n $acked ]] || acked=$(lab_verb_acked "$name" --hosts "$hosts")
  out=$(lab_in "$host" bash -c "$(declare -f lab_disk_read_there); lab_disk_read_there \"\$@\"" \
    bash "$path" "$format" "$acked" "$(lab_tool check-records)") || lab_die "cannot read $path on $host"
  read -r records last bad gaps torn fill <<<"$out"
  lost=$(( acked > last ? acked - last : 0 ))
  printf '{"records":%d,"last":%d,"bad":%d,"gaps":%d,"torn":%d,"acked":%d,"lost":%d,"fill":"%s"}\n' \
    "$records" "$last" "$bad" "$gaps" "$torn" "$acked" "$lost" "$fill"
  # No record at all proves nothing.
  if (( records == 0 || bad > 0 || gaps > 0 || lost > 0 )) || [[ $fill == bad ]]; then
    rc=1
  fi
  return "$rc"
}
