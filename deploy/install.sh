#!/bin/sh
# Installs this checkout on a Debian or Ubuntu host as a release of its own, and switches the host to it. Run again, it
# upgrades or has nothing to do. It needs root, and Node 20 or newer with npm, which fetch pnpm and the pinned Node 24.
#
#   sh deploy/install.sh               install, or upgrade to this checkout
#   sh deploy/install.sh --rollback    back to the release before; once more: forth again
#   sh deploy/install.sh --uninstall   remove all but /etc/reveille; with --purge that too
#
#   --dry-run      say what would be done, and do nothing
#   --root DIR     work below DIR, an image for example; nothing is started there
#
#   /opt/reveille/releases/VERSION-CONTENT   releases, the newest three of them
#   /opt/reveille/current, previous          links to two of them
#   /usr/local/lib/systemd/system            the units of the current release
#   /usr/local/bin/reveille                  the executable; its completions and manual page are below /usr/local/share
#   /etc/reveille                            configuration and secrets: made once, never changed
#
# A release that refuses the host's configuration is not switched to. One whose roles don't get ready is left again.
set -eu

PNPM=pnpm@12.21.0
SHIPPED="CHANGELOG.md LICENSE README.md deploy docs package.json packages pnpm-lock.yaml pnpm-workspace.yaml .npmrc"
SECRET_FOLDERS="front s2s redis apns fcm sidecar canary"
KEPT=3

checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
umask 022

say() { printf 'install: %s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

# --- What is asked for ---------------------------------------------------------------------------------------------

action=install
dry_run=
purge=
root=
while [ $# -gt 0 ]; do
  case $1 in
    --rollback | --uninstall) action=${1#--} ;;
    --dry-run) dry_run=yes ;;
    --purge) purge=yes ;;
    --root)
      [ $# -gt 1 ] || fail "--root needs a folder"
      root=$(CDPATH='' cd -- "$2" && pwd) || fail "there is no folder $2"
      shift
      ;;
    -h | --help)
      sed -n '2,/^set /s/^# \{0,1\}//p' "$0"
      exit
      ;;
    *) fail "does not know $1; --help lists what it does" ;;
  esac
  shift
done
[ -z "$purge" ] || [ "$action" = uninstall ] || fail "--purge goes with --uninstall"
[ -n "$root" ] || [ -n "$dry_run" ] || [ "$(id -u)" = 0 ] || fail "needs root: sudo sh deploy/install.sh"

opt=$root/opt/reveille
etc=$root/etc/reveille
units=$root/usr/local/lib/systemd/system
program=$root/usr/local/bin/reveille
share=$root/usr/local/share
manual=$share/man/man1/reveille.1

act() {
  if [ -n "$dry_run" ]; then say "would: $*"; else "$@"; fi
}

# Systemd runs here, and it is this machine that is installed.
is_live() { [ -z "$root" ] && [ -d /run/systemd/system ]; }

# --- A release -----------------------------------------------------------------------------------------------------

# Its version and a digest of what it ships: the same content has the same name.
release_of_checkout() {
  cd "$checkout"
  version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
  # shellcheck disable=SC2086 # a list of words
  content=$(find $SHIPPED -name node_modules -prune -o -type f ! -name '*.test.ts' -print | LC_ALL=C sort |
    tr '\n' '\0' | xargs -0 sha256sum | sha256sum | cut -c1-8)
  echo "$version-$content"
}

has_node() {
  command -v npx >/dev/null && node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)'
}

make_release() {
  if [ -d "$opt/releases/$1" ]; then return; fi
  say "making release $1"
  if [ -n "$dry_run" ]; then
    say "would: copy $checkout to $opt/releases/$1 and install its dependencies there"
    return
  fi
  has_node || fail "needs Node 20 or newer with npm (npx): on Debian 13 apt-get install nodejs npm; Debian 12's own is 18, see https://nodejs.org/en/download"
  mkdir -p "$opt/releases"
  new=$opt/releases/.new
  rm -rf "$new"
  mkdir "$new"
  # shellcheck disable=SC2086 # a list of words
  (cd "$checkout" && tar --exclude=node_modules --exclude='*.test.ts' -cf - $SHIPPED) | tar --no-same-owner -xf - -C "$new"
  chmod -R u=rwX,go=rX "$new"
  # CI: pnpm asks no questions.
  (cd "$new" && CI=true npx --yes --loglevel error "$PNPM" install --prod --frozen-lockfile --filter reveille --filter '@reveille/cli...') >"$opt/install.log" 2>&1 </dev/null || {
    tail -n 20 "$opt/install.log" >&2
    fail "$PNPM could not install the dependencies; the whole output is in $opt/install.log"
  }
  # Node comes as an optional dependency, one per kind of machine: pnpm goes on without it.
  [ -x "$new/node_modules/.bin/node" ] ||
    fail "Node 24 was not installed: this machine is no Linux on x64 or arm64, or what the registry sent is not what pnpm-lock.yaml names; see $opt/install.log"
  run_release .new --version >/dev/null || fail "the release does not run on this machine"
  mv -T "$new" "$opt/releases/$1"
}

# run_release RELEASE ARGUMENTS…: the executable of that release.
run_release() {
  tree=$opt/releases/$1
  shift
  "$tree/node_modules/.bin/node" "$tree/packages/cli/src/main.ts" "$@"
}

# A dry run has not made a new release that it could ask.
refuses_config() {
  [ -f "$etc/reveille.yaml" ] && [ -d "$opt/releases/$1" ] && ! run_release "$1" check-config "$etc/reveille.yaml" >/dev/null
}

link_to() { basename "$(readlink "$opt/$1" 2>/dev/null)"; }

# --- Switching -----------------------------------------------------------------------------------------------------

switch_to() {
  was=$(link_to current)
  if [ "$was" != "$1" ]; then
    [ -z "$was" ] || point previous "$was"
    point current "$1"
  fi
  place_units "$opt/releases/$1/deploy/systemd"
  place_program
  if [ "$was" != "$1" ] || [ ! -f "$manual" ]; then place_documents "$1"; fi
}

# In one step: nobody ever sees no link.
point() {
  act ln -sfn "releases/$2" "$opt/$1.new"
  act mv -T "$opt/$1.new" "$opt/$1"
}

place_units() {
  if [ -d "$1" ] && have_units "$1"; then return; fi
  act mkdir -p "$units"
  remove_units
  act cp -R "$1/." "$units"
}

have_units() {
  for unit in "$1"/*; do diff -qr "$unit" "$units/${unit##*/}" >/dev/null 2>&1 || return 1; done
}

remove_units() {
  for unit in "$units"/reveille.target "$units"/reveille-*.service "$units"/reveille-.service.d \
    "$units"/prosody.service.d "$units"/ejabberd.service.d "$units"/haproxy.service.d; do
    if [ -e "$unit" ]; then act rm -r "$unit"; fi
  done
}

place_program() {
  if [ -x "$program" ] && program_text | cmp -s - "$program"; then return; fi
  act mkdir -p "${program%/*}"
  act write_program
}

write_program() {
  program_text >"$program"
  chmod 755 "$program"
}

program_text() {
  cat <<'EOF'
#!/bin/sh
# Made by Reveille's deploy/install.sh.
exec /opt/reveille/current/node_modules/.bin/node /opt/reveille/current/packages/cli/src/main.ts "$@"
EOF
}

place_documents() {
  place_document "$manual" "$1" man
  place_document "$share/bash-completion/completions/reveille" "$1" completion bash
  place_document "$share/zsh/site-functions/_reveille" "$1" completion zsh
  place_document "$share/fish/vendor_completions.d/reveille.fish" "$1" completion fish
}

# place_document FILE RELEASE ARGUMENTS…: what that release prints; a release that does not know how has none.
place_document() {
  document=$1
  shift
  text=$(run_release "$@" 2>/dev/null) || return 0
  act mkdir -p "${document%/*}"
  [ -n "$dry_run" ] || printf '%s\n' "$text" >"$document"
}

remove_documents() {
  for document in "$manual" "$share/bash-completion/completions/reveille" "$share/zsh/site-functions/_reveille" \
    "$share/fish/vendor_completions.d/reveille.fish"; do
    if [ -e "$document" ]; then act rm "$document"; fi
  done
}

place_secret_folders() {
  # Others may pass through, so that the front can read its secret if its file lets it, but see no names.
  for folder in $SECRET_FOLDERS; do
    [ -d "$etc/$folder" ] || act mkdir -p -m 711 "$etc/$folder"
  done
}

# The newest releases stay, and whatever a link leads to.
remove_old_releases() {
  # shellcheck disable=SC2012 # names of ours: no white space in them
  ls -1t "$opt/releases" 2>/dev/null | tail -n +$((KEPT + 1)) | while read -r release; do
    case $release in
      "$(link_to current)" | "$(link_to previous)") ;;
      *) act rm -r "$opt/releases/$release" ;;
    esac
  done
}

# --- Units that run ------------------------------------------------------------------------------------------------

is_configured() { [ -f "$etc/reveille.yaml" ]; }

# One after the other, each until it is ready: the others have the work meanwhile.
restart_units() {
  act systemctl daemon-reload
  for unit in $(running_units); do
    say "restarting $unit"
    act systemctl restart "$unit" || return 1
  done
}

running_units() {
  for pattern in 'reveille-worker@*.service' reveille-ingress.service reveille-front.service reveille-sidecar.service \
    reveille-canary.service; do
    systemctl list-units --plain --no-legend --state=active,activating,reloading "$pattern" | cut -d ' ' -f 1
  done
}

FIRST_UNITS="reveille.target reveille-sidecar.service reveille-ingress.service reveille-worker@1.service reveille-worker@2.service"

first_start() {
  # shellcheck disable=SC2086 # a list of words
  act systemctl ${root:+"--root=$root"} --quiet enable $FIRST_UNITS
  is_live || return 0
  act systemctl daemon-reload
  if is_configured; then
    act systemctl start reveille.target
  else
    say "next: write $etc/reveille.yaml (an example: $opt/current/deploy/config.example.yaml), put the secrets into"
    say "the folders beside it, and: systemctl start reveille.target"
  fi
}

# --- Actions -------------------------------------------------------------------------------------------------------

go_to() {
  before=$(link_to current)
  earlier=$(link_to previous)
  if refuses_config "$1"; then
    fail "release $1 refuses $etc/reveille.yaml, for the reasons above; the host stays as it was"
  fi
  switch_to "$1"
  if [ -z "$before" ]; then
    first_start
  elif is_live && [ "$before" != "$1" ] && ! restart_units; then
    say "a role of $1 did not get ready; see: journalctl -u 'reveille-*' -n 50"
    switch_to "$before"
    [ -z "$earlier" ] || point previous "$earlier"
    restart_units || fail "and neither does one of $before"
    fail "the host runs $before as before"
  fi
}

install() {
  release=$(release_of_checkout)
  installed=$(link_to current)
  [ "$release" = "$installed" ] && say "$release is installed already"
  make_release "$release"
  place_secret_folders
  go_to "$release"
  remove_old_releases
  [ "$release" = "$installed" ] || say "installed $release"
}

rollback() {
  release=$(link_to previous)
  [ -n "$release" ] || fail "there is no release before this one"
  [ -d "$opt/releases/$release" ] || fail "$opt/releases/$release is gone"
  go_to "$release"
  say "rolled back to $release"
}

uninstall() {
  if is_live; then act systemctl stop reveille.target 'reveille-*.service' || true; fi
  act systemctl ${root:+"--root=$root"} --quiet disable reveille.target reveille-sidecar.service reveille-ingress.service reveille-front.service \
    reveille-worker@.service reveille-canary.service || true
  remove_units
  remove_documents
  for path in "$program" "$opt"; do
    if [ -e "$path" ]; then act rm -r "$path"; fi
  done
  if [ -n "$purge" ] && [ -e "$etc" ]; then act rm -r "$etc"; fi
  if is_live; then act systemctl daemon-reload; fi
  if [ -e "$etc" ]; then say "kept $etc, with the secrets in it"; fi
  say "uninstalled"
}

"$action"
