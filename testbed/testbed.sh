#!/usr/bin/env bash
# Puts on a Debian machine what the tests compare Respaldo with: PostgreSQL, MariaDB, MySQL, restic as Debian has it, a
# newer restic, Ceph with its S3 gateway, Apache and nginx for WebDAV, a Docker engine and compose, Podman,
# programs that compress and encrypt, a few terminals and shells, and what keeps throw-away servers from waiting for
# disks. Quick when everything is there.
# Starts nothing, and leaves apt's sources alone.
#
# usage: testbed/testbed.sh          as root: install what is missing; otherwise: say what is missing
#        testbed/testbed.sh bench    the same, and what only measurements compare with: borg
#        testbed/testbed.sh --path   print the folder of the tools that lie outside the system's own
#
# Exits with 0 if every component is there, else with 1 after naming those that are not.
set -euo pipefail

# command or file that must be there -> Debian package that brings it
components=(
  /usr/lib/postgresql/15/bin/postgres=postgresql-15
  /usr/sbin/mariadbd=mariadb-server
  mariadb=mariadb-client
  mariadb-backup=mariadb-backup
  patchelf=patchelf
  eatmydata=eatmydata
  restic=restic
  /usr/sbin/sshd=openssh-server
  ssh=openssh-client
  /usr/bin/radosgw=radosgw
  /usr/bin/ceph-mon=ceph-mon
  /usr/bin/ceph-osd=ceph-osd
  /usr/bin/ceph=ceph-common
  /usr/sbin/apache2=apache2-bin
  /usr/sbin/nginx=nginx-light
  /usr/lib/nginx/modules/ngx_http_dav_ext_module.so=libnginx-mod-http-dav-ext
  openssl=openssl
  curl=curl
  git=git
  sqlite3=sqlite3
  /usr/bin/redis-server=redis-server
  tmux=tmux
  script=bsdutils
  zsh=zsh
  fish=fish
  strace=strace
  unzip=unzip
  setfattr=attr
  unshare=util-linux
  fincore=util-linux-extra
  /usr/sbin/dockerd=docker.io
  docker=docker.io
  docker-compose=docker-compose
  podman=podman
  /bin/busybox=busybox-static
  /usr/bin/time=time
  gpg=gpg
  gpg-agent=gpg-agent
  gpgconf=gpgconf
  age=age
  bzip2=bzip2
  xz=xz-utils
  zstd=zstd
)
bench_components=(
  borg=borgbackup
)
newer_suite=trixie
newer_restic=restic-0.18
newer_compose=docker-compose-2
# Debian releases have MariaDB; MySQL is in the suite that they are made from.
mysql_suite=sid
mysql_packages=(mysql-server-core mysql-client-core)
# What links to MySQL's programs are called: the bare names may be MariaDB's.
mysql_prefix=oracle-
mysql_programs=(sbin/mysqld bin/mysql bin/mysqldump bin/mysqlbinlog)

if [ "$(id -u)" = 0 ]; then home=/var/cache/respaldo-testbed; else home=${XDG_CACHE_HOME:-$HOME/.cache}/respaldo-testbed; fi
home=${RESPALDO_TESTBED:-$home}
export PATH="$home/bin:$PATH"
if [ "${1:-}" = --path ]; then
  echo "$home/bin"
  exit
fi

if [ "${1:-}" = bench ]; then components+=("${bench_components[@]}"); fi

say() { printf 'test bed: %s\n' "$*"; }

present() { case $1 in /*) [ -e "$1" ] ;; *) command -v "$1" >/dev/null ;; esac; }

missing_packages() {
  local component
  for component in "${components[@]}"; do
    present "${component%%=*}" || echo "${component#*=}"
  done
}

# Debian starts a service as soon as its package is installed, unless this policy forbids it.
forbid_autostart() {
  [ -e /usr/sbin/policy-rc.d ] && return
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
}

install_packages() {
  local log
  log=$(mktemp)
  say "installing $*"
  forbid_autostart
  export DEBIAN_FRONTEND=noninteractive
  if apt-get update -qq >"$log" 2>&1 &&
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=600 "$@" >>"$log" 2>&1; then
    rm -f "$log"
  else
    tail -20 "$log"
    say "apt-get could not install everything; its output is in $log"
  fi
}

# The mirror that this machine already gets its own release from.
mirror() {
  local release
  release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
    awk -v release="$release" '$2 == release { print $1; exit }'
}

# apt with its own sources, lists and cache: the system's are neither read nor changed.
private_apt() {
  apt-get -qq -o Dir::Etc::sourcelist="$home/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$home/apt/lists" -o Dir::Cache="$home/apt/cache" \
    -o APT::Sandbox::User="$(id -un)" "$@"
}

# What another suite has, for private_apt alone.
prepare_private_apt() {
  local uri suite=$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  uri=$(mirror)
  [ -n "$uri" ] || { say "no Debian mirror is configured for this release"; return 1; }
  mkdir -p "$home/apt/lists/partial" "$home/apt/cache/archives/partial" "$home/bin"
  echo "deb [signed-by=$keyring] $uri $suite main" >"$home/apt/sources.list"
  private_apt update
}

# A restic from a newer Debian release, unpacked beside the system's.
fetch_newer_restic() {
  say "fetching $newer_restic from Debian $newer_suite"
  prepare_private_apt "$newer_suite" || return 1
  (cd "$home/apt" && rm -f restic_*.deb && private_apt download restic && dpkg -x restic_*.deb "$home/restic") || return 1
  "$home/restic/usr/bin/restic" version | grep -q "^${newer_restic/-/ }" || return 1
  ln -sf ../restic/usr/bin/restic "$home/bin/$newer_restic"
  rm -rf "$home/apt"
}

# A compose as it is today, unpacked beside the system's: it needs no libraries but the system's own.
fetch_newer_compose() {
  say "fetching $newer_compose from Debian $newer_suite"
  prepare_private_apt "$newer_suite" || return 1
  (cd "$home/apt" && private_apt download docker-compose && dpkg -x docker-compose_*.deb "$home/compose") || return 1
  ln -sf ../compose/usr/libexec/docker/cli-plugins/docker-compose "$home/bin/$newer_compose"
  "$home/bin/$newer_compose" version --short | grep -q "^${newer_compose##*-}\." || return 1
  rm -rf "$home/apt"
}

# MySQL with every library that it wants, down to the C library: as if nothing were installed. The programs are told where
# their loader and their libraries lie, so that they run as they are, under their own names.
fetch_mysql() {
  local package loader program
  say "fetching MySQL from Debian $mysql_suite"
  prepare_private_apt "$mysql_suite" && : >"$home/apt/nothing" || return 1
  private_apt -o Dir::State::status="$home/apt/nothing" install --yes --no-install-recommends --download-only \
    "${mysql_packages[@]}" || return 1
  rm -rf "$home/mysql"
  for package in "$home"/apt/cache/archives/*.deb; do
    case ${package##*/} in perl* | libperl*) continue ;; esac
    dpkg -x "$package" "$home/mysql" || return 1
  done
  loader=$(echo "$home"/mysql/usr/lib/*/ld-linux*.so.*)
  for program in "${mysql_programs[@]}"; do
    patchelf --set-interpreter "$loader" --force-rpath --set-rpath "${loader%/*}" "$home/mysql/usr/$program" || return 1
    ln -sf "../mysql/usr/$program" "$home/bin/$mysql_prefix${program#*/}"
    "$home/bin/$mysql_prefix${program#*/}" --version >/dev/null || return 1
  done
  rm -rf "$home/apt"
}

has_mysql() {
  local program
  for program in "${mysql_programs[@]}"; do present "$mysql_prefix${program#*/}" || return 1; done
}

mapfile -t packages < <(missing_packages)
if [ "$(id -u)" = 0 ] && [ ${#packages[@]} -gt 0 ]; then
  install_packages "${packages[@]}"
  mapfile -t packages < <(missing_packages)
fi
present "$newer_restic" || fetch_newer_restic || say "$newer_restic could not be had: the tests against it cannot run"
present "$newer_compose" || fetch_newer_compose || say "$newer_compose could not be had: the tests with it cannot run"
has_mysql || fetch_mysql || say "MySQL could not be had: the tests against it cannot run"

if [ ${#packages[@]} -gt 0 ]; then
  say "missing; install as root: apt-get install ${packages[*]}"
fi
[ ${#packages[@]} -eq 0 ] && present "$newer_restic" && present "$newer_compose" && has_mysql || exit 1
say "complete ($(restic version | cut -d' ' -f1,2), $($newer_restic version | cut -d' ' -f1,2), $(/usr/lib/postgresql/15/bin/postgres --version), $(oracle-mysqld --version | sed 's/.* Ver /MySQL /;s/ for .*//'))"
