# shellcheck shell=bash
# Debian packages: only what is missing is installed, in one go.

# Prints the packages of the lists $@ that are not installed.
packages_missing ()
{
  local -a want
  mapfile -t want < <(sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$@" | sort -u)
  comm -23 <(printf '%s\n' "${want[@]}") \
           <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${want[@]}" 2>/dev/null |
             sed -n 's/^installed //p' | sort -u)
}

# A package that starts a daemon on the developer's machine would be a surprise, and in a lab a
# stranger. The guard is removed whatever happens.
packages_apt ()
(
  guard=/usr/sbin/policy-rc.d
  if [[ ! -e $guard ]]; then
    trap 'rm -f "$guard"' EXIT
    printf '#!/bin/sh\n# Made by godwit'\''s ./dev while it installs packages.\nexit 101\n' >"$guard"
    chmod 755 "$guard"
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=600 \
    -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 install "$@"
)

packages_ensure ()
{
  local -a missing
  local log
  if ! command -v dpkg-query >/dev/null; then
    echo "dev: this is not Debian: install by hand what $* name" >&2
    return
  fi
  mapfile -t missing < <(packages_missing "$@")
  if (( ${#missing[@]} == 0 )); then
    return
  fi
  if (( EUID != 0 )); then
    echo "dev: packages are missing: ${missing[*]}" >&2
    echo "  next: as root, apt-get install --no-install-recommends ${missing[*]}" >&2
    return 1
  fi
  echo "dev: installing ${#missing[@]} packages: ${missing[*]}"
  log=$(mktemp)
  if ! packages_apt "${missing[@]}" </dev/null >"$log" 2>&1; then
    cat "$log" >&2
    echo "dev: the packages could not be installed, see above" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}
