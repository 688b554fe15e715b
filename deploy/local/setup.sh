#!/bin/sh
# Sets up this checkout on a Debian 12 or 13 machine with Node 20 or newer and npm: workspace dependencies, Node 24 and Debian
# packages. Says what it does on stderr, does nothing twice, and is done in a moment when nothing is missing.
#
#   sh deploy/local/setup.sh          for `npm start`
#   sh deploy/local/setup.sh test     for `npm test`: the same
#   sh deploy/local/setup.sh test-all for `npm run test:all` as well
#   sh deploy/local/setup.sh bench    for the benchmarks as well
#
# Services are not touched: a package that brings one is installed without starting it now or at boot, and what ran
# before runs on.
set -eu

PNPM=pnpm@12.21.0
PACKAGES="redis-server prosody prosody-modules lua-unbound dns-root-data dnsmasq-base openssl"
case ${1:-} in
  test-all) PACKAGES="$PACKAGES haproxy ejabberd prometheus chromium iproute2 nftables systemd systemd-container debootstrap shellcheck groff-base zsh fish" ;;
  bench) PACKAGES="$PACKAGES nginx-light" ;;
esac

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
# Debian leaves the sbin folders out of the PATH of ordinary users.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

say() { printf 'setup: %s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

why() {
  case $1 in
    redis-server) echo "the queue of the region" ;;
    prosody) echo "the front, and the server of the people who send" ;;
    prosody-modules) echo "mod_cloud_notify, with which that server publishes" ;;
    lua-unbound | dns-root-data) echo "lets that server ask the private DNS" ;;
    dnsmasq-base) echo "the private DNS" ;;
    openssl) echo "makes the certificates of the test CA" ;;
    nginx-light) echo "the far end of the benchmarks" ;;
    haproxy) echo "passes s2s to a healthy host" ;;
    ejabberd) echo "the other front, and another server of people who send" ;;
    prometheus) echo "tests alert rules, and scrapes a region" ;;
    chromium) echo "looks at the status page" ;;
    iproute2) echo "hosts of a region as network namespaces" ;;
    nftables) echo "cuts lines between those hosts, and checks the rules of the documents" ;;
    systemd) echo "checks the units" ;;
    systemd-container) echo "boots a host to try them" ;;
    debootstrap) echo "makes the files of another Debian release, whose programs tests run" ;;
    shellcheck) echo "checks the shell scripts" ;;
    groff-base) echo "reads the manual page" ;;
    zsh | fish) echo "reads its completion" ;;
  esac
}

# The systemd unit a package brings, if it brings one.
unit_of() {
  case $1 in
    redis-server | prosody | haproxy | ejabberd | prometheus) echo "$1.service" ;;
    nginx-light) echo nginx.service ;;
  esac
}

# --- Node modules ------------------------------------------------------------------------------------------------

has_node() {
  command -v npx >/dev/null && node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)'
}

install_node_modules() {
  wanted="$PNPM $(cat pnpm-lock.yaml pnpm-workspace.yaml | cksum)"
  stamp=node_modules/.reveille-setup
  [ -x node_modules/.bin/node ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
  has_node || fail "needs Node 20 or newer with npm (npx), which fetch Node 24: on Debian 13 apt-get install nodejs npm; Debian 12's own is 18, see https://nodejs.org/en/download"
  say "installing the workspace's dependencies and Node 24 with $PNPM"
  # CI: pnpm asks no questions.
  logged env CI=true npx --yes --loglevel error "$PNPM" install --frozen-lockfile ||
    fail "$PNPM could not install the dependencies; the whole output is in $log"
  # Node comes as an optional dependency, one per kind of machine: pnpm goes on without it.
  [ -x node_modules/.bin/node ] ||
    fail "Node 24 was not installed: this machine is no Linux on x64 or arm64, or what the registry sent is not what pnpm-lock.yaml names; see $log"
  echo "$wanted" >"$stamp"
}

# --- Debian packages ---------------------------------------------------------------------------------------------

missing_packages() {
  if command -v dpkg-query >/dev/null; then
    for package in $PACKAGES; do
      case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
        installed) ;;
        *) echo "$package" ;;
      esac
    done
  else
    # Not Debian: the programs are what counts.
    for pair in redis-server:redis-server prosody:prosody dnsmasq-base:dnsmasq openssl:openssl; do
      command -v "${pair#*:}" >/dev/null || echo "${pair%:*}"
    done
  fi
}

install_debian_packages() {
  missing=$(missing_packages)
  [ -z "$missing" ] && return
  # shellcheck disable=SC2086 # a list of words
  set -- $missing
  command -v apt-get >/dev/null ||
    fail "this is no Debian (no apt-get here); please install what these Debian packages bring: $*"
  as_root=$(way_to_root) ||
    fail "needs root to install Debian packages; please run as root: apt-get install --no-install-recommends $*"

  for package in "$@"; do say "installing $package: $(why "$package")"; done
  units=$(units_to_come "$@")
  hold_services
  apt_install "$@" || fail "apt-get could not install them; the whole output is in $log"
  release_services
  keep_off "$units"
}

way_to_root() {
  if [ "$(id -u)" = 0 ]; then
    return
  elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    echo sudo
  else
    return 1
  fi
}

privileged() { $as_root "$@"; }

apt_install() {
  # The package lists are fetched only if they are missing, or so old that what they name is gone.
  apt_get -s install "$@" >/dev/null 2>&1 || logged apt_get update || return 1
  logged apt_get install "$@" || { logged apt_get update && logged apt_get install "$@"; }
}

apt_get() {
  privileged env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@"
}

# --- Services of those packages ----------------------------------------------------------------------------------
# Debian starts a service when its package is installed, unless /usr/sbin/policy-rc.d forbids it.

POLICY=/usr/sbin/policy-rc.d
MARK="# Temporary, by Reveille's deploy/local/setup.sh: installs packages without starting their services."

# Units the packages bring and the machine has not had until now.
units_to_come() {
  for package in "$@"; do
    unit=$(unit_of "$package")
    [ -z "$unit" ] || unit_is_known "$unit" || echo "$unit"
  done
}

unit_is_known() {
  for folder in /etc/systemd/system /run/systemd/system /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system; do
    [ -e "$folder/$1" ] && return
  done
  return 1
}

hold_services() {
  # One of our own, left by a run that was killed, is replaced; anybody else's is respected.
  if [ -e "$POLICY" ] && ! grep -qF "$MARK" "$POLICY"; then return; fi
  trap release_services EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  printf '#!/bin/sh\n%s\nexit 101\n' "$MARK" | privileged tee "$POLICY" >/dev/null
  privileged chmod 755 "$POLICY"
}

release_services() {
  if [ -e "$POLICY" ] && grep -qF "$MARK" "$POLICY"; then privileged rm -f "$POLICY"; fi
  trap - EXIT HUP INT TERM
}

# Neither now nor at boot. There is something to stop only where somebody else's policy allowed the start.
keep_off() {
  for unit in $1; do
    if [ -d /run/systemd/system ]; then
      logged privileged systemctl disable --now "$unit" || say "please do: systemctl disable --now $unit"
    else
      command -v systemctl >/dev/null && logged privileged systemctl disable "$unit"
      script=/etc/init.d/${unit%.service}
      [ ! -x "$script" ] || logged privileged "$script" stop || say "please do: $script stop"
    fi
  done
}

# --- Main --------------------------------------------------------------------------------------------------------

log=$root/.reveille/setup.log

# Output of tools goes to the log, and the end of it to stderr when they fail.
logged() {
  printf '+ %s\n' "$*" >>"$log"
  from=$(wc -l <"$log")
  # Nobody who outlives us may hold the lock.
  "$@" >>"$log" 2>&1 </dev/null 9>&- && return
  status=$?
  tail -n +"$((from + 1))" "$log" | tail -n 20 >&2
  return "$status"
}

mkdir -p .reveille
# One at a time: `npm start` and `npm test` may begin together.
if command -v flock >/dev/null; then
  exec 9>.reveille/setup.lock
  flock 9
fi
: >"$log"
install_node_modules
install_debian_packages
