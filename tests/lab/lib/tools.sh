# shellcheck shell=bash
# Tools: small C programs of the lab, built when first needed.

# The directory is named after the sources, so that instances and worktrees at
# different commits do not step on each other.
lab_tools_dir ()
{
  local sum
  sum=$(cat "$LAB_HOME"/tools/*.[ch] "$LAB_HOME"/guest/*.[ch] "$LAB_HOME"/lib/{tools,guest-build}.sh | sha256sum)
  printf '%s/tools-%s' "$LAB_CACHE" "${sum:0:12}"
}

lab_cc ()
{
  cc -std=c11 -O2 -g -Wall -Wextra -Werror -D_GNU_SOURCE -I"$LAB_HOME/guest" "$@"
}

lab_tools_build ()
{
  local dir made name src=$LAB_HOME/tools
  dir=$(lab_tools_dir)
  [[ ! -d $dir ]] || return 0
  mkdir -p "$LAB_CACHE"
  made=$(mktemp -d "$LAB_CACHE/.tools.XXXXXX")
  for name in console-stamp heartbeat check-records wait-pid delay-wire note-end; do
    lab_cc -o "$made/$name" "$src/$name.c"
  done
  # Static: the guest has no libraries.
  lab_cc -static -pthread -o "$made/workload" "$LAB_HOME"/guest/*.c
  chmod 755 "$made"
  # Another instance may have been faster: then its copy is as good.
  mv -T "$made" "$dir" 2>/dev/null || rm -rf "$made"
}

lab_tool ()
{
  lab_tools_build
  printf '%s/%s' "$(lab_tools_dir)" "$1"
}

# The file system that forgets, for hosts that lose power.
lab_powerfs ()
{
  local src=$LAB_HOME/../faults/powerfs dir made
  local -a flags parts=()
  for made in "$src"/*.c; do
    case $made in */test-*|*/fixture.c) ;; *) parts+=("$made") ;; esac
  done
  dir=$LAB_CACHE/powerfs-$(cat "$src"/*.[ch] | sha256sum | cut -c1-12)
  if [[ ! -d $dir ]]; then
    made=$(mktemp -d "$LAB_CACHE/.powerfs.XXXXXX")
    read -r -a flags < <(pkg-config --cflags --libs fuse3 glib-2.0)
    lab_cc -o "$made/powerfs" "${parts[@]}" "${flags[@]}" -Wno-unused-parameter
    chmod 755 "$made"
    mv -T "$made" "$dir" 2>/dev/null || rm -rf "$made"
  fi
  printf '%s/powerfs' "$dir"
}
