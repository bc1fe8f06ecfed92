# shellcheck shell=bash
# Guest-build: Debian's cloud kernel and an initramfs of one program.  Nothing
# is installed: the package is unpacked into the cache, /boot stays as it is.

# In the order of loading.  ext4 and the serial port are built in.
LAB_GUEST_MODULES='virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci
virtio_blk failover net_failover virtio_net virtio_balloon button evdev'

lab_guest_dir ()
{
  printf '%s/guest-%s' "$LAB_CACHE" "$(lab_tools_dir | sed 's/.*-//')"
}

# Prints the directory with the unpacked kernel package.
lab_kernel_get ()
{
  local dir=$LAB_CACHE/kernel package made
  if [[ -e $dir/vmlinuz ]]; then
    return 0
  fi
  lab_say "fetching the guest's kernel"
  package=$(apt-cache depends --important linux-image-cloud-amd64 |
            sed -n 's/^ *Depends: \(linux-image-[0-9].*-cloud-amd64\)$/\1/p' | tail -n 1)
  [[ -n $package ]] || lab_die "apt knows no linux-image-cloud-amd64; try 'apt-get update'"
  made=$(mktemp -d "$LAB_CACHE/.kernel.XXXXXX")
  # apt's own user may not write here and apt says so; it works all the same.
  ( cd "$made" && apt-get -qq -o APT::Sandbox::User=root download "$package" ) >&2 ||
    lab_die "cannot download $package"
  dpkg-deb -x "$made"/linux-image-*.deb "$made"
  mv "$made"/boot/vmlinuz-* "$made/vmlinuz"
  mkdir "$made/modules"
  # shellcheck disable=SC2086 # a list of names
  printf '%s\n' $LAB_GUEST_MODULES | while read -r package; do
    find "$made/lib/modules" -name "$package.ko" -exec cp {} "$made/modules/" \;
  done
  ( cd "$made" && rm -rf boot lib usr ./*.deb )
  chmod 755 "$made"
  mv -T "$made" "$dir" 2>/dev/null || rm -rf "$made"
}

lab_guest_build ()
{
  local dir made root name
  dir=$(lab_guest_dir)
  [[ ! -e $dir/initrd ]] || return 0
  lab_kernel_get
  made=$(mktemp -d "$LAB_CACHE/.guest.XXXXXX")
  root=$made/root
  mkdir -p "$root/modules" "$root/dev"
  cp "$(lab_tool workload)" "$root/init"
  strip "$root/init"
  for name in $LAB_GUEST_MODULES; do
    [[ -e $LAB_CACHE/kernel/modules/$name.ko ]] || continue
    cp "$LAB_CACHE/kernel/modules/$name.ko" "$root/modules/"
    echo "$name.ko" >>"$root/modules/order"
  done
  ( cd "$root" && find . | cpio --quiet --create --format newc --owner 0:0 ) >"$made/initrd"
  rm -rf "$root"
  cp --reflink=auto "$LAB_CACHE/kernel/vmlinuz" "$made/vmlinuz"
  chmod 755 "$made"
  chmod 644 "$made"/*
  mv -T "$made" "$dir" 2>/dev/null || rm -rf "$made"
}
