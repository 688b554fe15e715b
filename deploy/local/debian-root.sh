#!/bin/sh
# Makes a folder with the files of a Debian release and some of its packages, for tests that run programs of a release
# which this machine is not. Does nothing when the folder is there. No service is started.
#
#   sh deploy/local/debian-root.sh SUITE FOLDER PACKAGE…    e.g. trixie .reveille/debian/trixie-prosody prosody
#
# Needs root and debootstrap, and takes packages from the mirror of this machine. The bare system of a suite is made
# once, beside FOLDER, and copied for each set of packages.
set -eu

exec 3>&2
say() { printf 'debian-root: %s\n' "$*" >&3; }

[ $# -ge 2 ] || { say "usage: debian-root.sh SUITE FOLDER PACKAGE…"; exit 2; }
suite=$1
root=$2
shift 2
parent=$(dirname -- "$root")
base=$parent/$suite
log=$root.log
mkdir -p "$parent"
# One at a time: several tests may begin together.
exec 9>"$parent/lock"
flock 9
[ ! -d "$root" ] || exit 0

# Mounts are in a namespace that ends with the command (unshare(1)).
# shellcheck disable=SC2016 # the inner shell expands these
within() {
  unshare --mount sh -euc 'mount -t proc proc "$0/proc"
    mount --rbind /dev "$0/dev"
    exec chroot "$0" "$@"' "$@"
}

make_base() {
  [ ! -d "$base" ] || return 0
  mirror=$(grep -hsE '^(URIs:|deb )' /etc/apt/sources.list /etc/apt/sources.list.d/* | grep -oE 'https?://[^ ]+' | head -n 1)
  say "making the bare system of $suite from $mirror, about two minutes"
  rm -rf "$base.making"
  debootstrap --variant=minbase --include=ca-certificates,iproute2,procps "$suite" "$base.making" "$mirror"
  # Debian starts a service when its package is installed, unless this forbids it.
  printf '#!/bin/sh\nexit 101\n' >"$base.making/usr/sbin/policy-rc.d"
  chmod 755 "$base.making/usr/sbin/policy-rc.d"
  apt-config dump | grep -iE '^Acquire::https?::Proxy' >"$base.making/etc/apt/apt.conf.d/60-proxy" || true
  mv "$base.making" "$base"
}

make_root() {
  rm -rf "$root.making"
  cp -a --reflink=auto "$base" "$root.making"
  cp -L /etc/resolv.conf /etc/hosts "$root.making/etc/"
  if [ $# -gt 0 ]; then
    say "installing into it: $*"
    # shellcheck disable=SC2016 # the inner shell expands these
    within "$root.making" sh -euc 'apt-get -q update
      exec env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends -o Dpkg::Use-Pty=0 install "$@"' sh "$@"
    rm -f "$root.making/var/cache/apt/archives/"*.deb
  fi
  mv "$root.making" "$root"
}

told() {
  status=$?
  [ "$status" = 0 ] || { tail -n 20 "$log" >&3; say "could not make $root; the whole output is in $log"; }
  exit "$status"
}

trap told EXIT
exec >"$log" 2>&1
make_base
make_root "$@"
