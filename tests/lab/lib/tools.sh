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
  for name in console-stamp heartbeat check-records wait-pid delay-wire; do
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
