# SPDX-License-Identifier: GPL-2.0-only
# apt.sh - sourced by tools that get packages: an apt state of our own, beside the machine's.
# shellcheck shell=bash

CPPLAND_CACHE=${CPPLAND_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/cppland}
export CPPLAND_CACHE

debian_mirror() { # the base address of Debian's archive in the machine's own apt configuration
  # shellcheck disable=SC2016 # apt-get expands these
  apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Identifier: Packages' 2>/dev/null |
    awk '$2 == "bookworm" || $2 == "stable" || $2 == "bookworm-updates" { print $1; exit }'
}

private_apt() { # SUITE...: make the state that apt_private works on
  local mirror suites=$* dir
  mirror=$(debian_mirror)
  if [[ -z $mirror ]]; then
    echo "setup: this machine's apt configuration names no Debian 12 (bookworm) archive; add one to /etc/apt/sources.list" >&2
    return 1
  fi
  dir=$CPPLAND_CACHE/apt/$(echo "$suites" | tr ' ' '+')
  mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/parts"
  cat >"$dir/parts/cppland.sources" <<SOURCES
Types: deb
URIs: $mirror
Suites: $suites
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
  private_apt_options=(
    -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$dir/parts"
    -o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir" -o "Dir::Cache::archives=$dir/archives"
    -o "Dpkg::Use-Pty=0" -o "Acquire::Retries=3" -o "DPkg::Lock::Timeout=300" -o "APT::Sandbox::User=root"
  )
}

apt_private() { apt-get "${private_apt_options[@]}" "$@"; }
apt_cache_private() { apt-cache "${private_apt_options[@]}" "$@"; }

private_lists() { # SUITE LOG: the state for SUITE, its package lists read; says itself what fails
  private_apt "$1" || return 1
  # apt-get takes failed fetches for warnings and goes on with the old lists.
  if ! apt_private update >"$2" 2>&1; then
    tail -n 5 "$2" >&2
    return 1
  fi
  grep -E '^[WE]:' "$2" >&2 || true
}
