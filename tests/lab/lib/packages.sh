# shellcheck shell=bash
# Packages: install what the lab needs and is not there yet.

lab_packages_list ()
{
  sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$LAB_HOME/packages"
}

# Prints the packages of the list that are not installed.
lab_packages_missing ()
{
  local -a want
  mapfile -t want < <(lab_packages_list)
  # One dpkg-query for all of them takes 20 ms; one each would take a second.
  comm -23 <(printf '%s\n' "${want[@]}" | sort -u) \
           <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${want[@]}" 2>/dev/null |
             sed -n 's/^installed //p' | sort -u)
}

# The hosts start their own daemons.  A service that the packages start on the
# machine itself would be a stranger in the lab and a leftover after it.
lab_packages_apt ()
{
  local guard=/usr/sbin/policy-rc.d made='' rc=0
  if [[ ! -e $guard ]]; then
    printf '#!/bin/sh\n# Set by the godwit lab while it installs packages.\nexit 101\n' >"$guard"
    chmod 755 "$guard"
    made=yes
  fi
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
    -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold \
    -o Dpkg::Use-Pty=0 install "$@" || rc=$?
  if [[ -n $made ]]; then
    rm -f "$guard"
  fi
  return "$rc"
}

# Quick when there is nothing to do.  The lock makes two labs that start at
# once wait for each other instead of failing on dpkg's lock.
lab_packages_ensure ()
{
  local -a missing
  mapfile -t missing < <(lab_packages_missing)
  if (( ${#missing[@]} == 0 )); then
    return 0
  fi
  mkdir -p "$LAB_CACHE"
  (
    flock 9
    mapfile -t missing < <(lab_packages_missing)
    if (( ${#missing[@]} == 0 )); then
      exit 0
    fi
    echo "lab: installing ${#missing[@]} packages: ${missing[*]}" >&2
    log=$LAB_CACHE/apt.log
    if ! lab_packages_apt "${missing[@]}" >"$log" 2>&1; then
      # A package list from last month names files that are gone: refresh once.
      if ! { apt-get -qq update && lab_packages_apt "${missing[@]}"; } >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "lab: apt-get failed, the whole output is in $log" >&2
        exit 1
      fi
    fi
  ) 9>"$LAB_CACHE/packages.lock"
}
