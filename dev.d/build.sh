# shellcheck shell=bash
# Configuring, compiling and staging. Quiet as long as all is well.

quietly ()
{
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    echo "dev: failed: $*" >&2
    return 1
  fi
  rm -f "$log"
}

# Whether a build directory is set up the way that the lab needs it.
is_configured ()
{
  local options=$1/meson-info/intro-buildoptions.json
  [[ -e $1/build.ninja ]] && grep -qE '"name": "prefix", "value": "/usr"' "$options" &&
    grep -qE '"name": "werror", "value": true' "$options"
}

# $1: directory; the rest: options of meson. Warnings are errors.
configure_and_compile ()
{
  local dir=$1
  local -a options=(--prefix=/usr --buildtype=debugoptimized -Dwerror=true "${@:2}")
  if [[ ! -e $dir/build.ninja ]]; then
    quietly meson setup "$dir" "$DEV_TOP" "${options[@]}"
  elif ! is_configured "$dir"; then
    quietly meson setup --reconfigure "$dir" "$DEV_TOP" "${options[@]}"
  fi
  quietly ninja -C "$dir"
}

dev_build ()
{
  packages_ensure "$DEV_TOP/dev.d/packages-build"
  configure_and_compile "$DEV_BUILD"
}

# What an installation would put on a host, for the lab.
dev_stage ()
{
  dev_build
  rm -rf "$DEV_STAGE"
  quietly meson install -C "$DEV_BUILD" --no-rebuild --quiet --destdir "$DEV_STAGE"
  export GODWIT_STAGE=$DEV_STAGE
}

# All packages in one go: the build's and the lab's.
dev_stage_for_lab ()
{
  if (( EUID != 0 )); then
    echo "dev: the lab makes namespaces and mounts: run this as root" >&2
    return 1
  fi
  packages_ensure "$DEV_TOP/dev.d/packages-build" "$DEV_TOP/tests/lab/packages"
  dev_stage
}

# $1: the program, beneath the top of the tree.
dev_run_staged ()
{
  local program=$DEV_TOP/$1
  shift
  if [[ ! -x $program ]]; then
    echo "dev: $program is not there" >&2
    return 1
  fi
  dev_stage_for_lab
  "$program" "$@"
}

dev_lab ()
{
  local lab=$DEV_TOP/tests/lab/lab
  dev_stage_for_lab
  if (( $# == 0 )); then
    "$lab" list >/dev/null 2>&1 || "$lab" up --stage "$DEV_STAGE"
    echo "dev: hosts a and b are up with this build; lab down ends them"
    exec "$lab" shell a
  fi
  if [[ $1 == up ]]; then
    shift
    exec "$lab" up --stage "$DEV_STAGE" "$@"
  fi
  exec "$lab" "$@"
}
