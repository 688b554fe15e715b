#!/bin/sh
# Puts what ejabberd as front reads beside its rendered configuration into place: the secret of front and ingress, and the
# certificate of each hostname. ejabberd loads them if it runs.
#
#   sh ejabberd-import.sh FOLDER                where FOLDER/HOSTNAME has fullchain.pem and privkey.pem, e.g. /etc/letsencrypt/live
#   sh ejabberd-import.sh --root DIR FOLDER     below another root folder, without changes of owner and without loading
#
# As root: once when ejabberd.yml, the secret and the certificate are there, then after each renewal (a deploy hook of certbot).
set -eu

fail() {
  printf 'ejabberd-import: %s\n' "$*" >&2
  exit 1
}

root=
if [ "${1:-}" = --root ]; then
  root=$2
  shift 2
fi
[ $# = 1 ] || fail "usage: ejabberd-import.sh [--root DIR] FOLDER, e.g. /etc/letsencrypt/live"
live=$1
etc=$root/etc/ejabberd
secret_file=$root/etc/reveille/front/component.secret
[ -r "$etc/ejabberd.yml" ] || fail "$etc/ejabberd.yml is missing: copy the rendered one there first"
[ -r "$secret_file" ] || fail "$secret_file is missing: make it first, it is the secret of front and ingress"

# Readable for ejabberd, and nobody but root may write it.
place() {
  (umask 077 && cat >"$1.new")
  if [ -z "$root" ]; then chgrp ejabberd "$1.new"; fi
  chmod 640 "$1.new"
  mv "$1.new" "$1"
}

secret=$(head -n 1 "$secret_file")
case $secret in
  '') fail "$secret_file is empty" ;;
  *[\"\\]*) fail "$secret_file has a quote or a backslash in its first line, which YAML would take apart: make another one" ;;
esac
printf 'define_macro:\n  COMPONENT_SECRET: "%s"\n' "$secret" | place "$etc/component-secret.yml"

mkdir -p "$etc/certs"
if [ -z "$root" ]; then chgrp ejabberd "$etc/certs"; fi
chmod 750 "$etc/certs"
# The hostnames are the keys below `hosts:` of the component listeners.
hostnames=$(sed -n 's/^      "\([^"]*\)":$/\1/p' "$etc/ejabberd.yml")
for hostname in $hostnames; do
  chain=$live/$hostname/fullchain.pem
  key=$live/$hostname/privkey.pem
  if [ ! -r "$chain" ] || [ ! -r "$key" ]; then
    fail "no certificate for $hostname, which servers ask for: $chain and $key are looked for"
  fi
  cat "$chain" "$key" | place "$etc/certs/$hostname.pem"
  printf 'imported the certificate for %s\n' "$hostname"
done

# ejabberd warns without a certificate for its own host, where nobody can log in, and of one that it does not trust.
if [ ! -e "$etc/certs/localhost.pem" ]; then
  pair=$(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout - -out - 2>/dev/null)
  printf '%s\n' "$pair" | place "$etc/certs/localhost.pem"
fi
{
  cat "$root/etc/ssl/certs/ca-certificates.crt"
  openssl x509 -in "$etc/certs/localhost.pem"
} | place "$etc/ca.pem"

if [ -z "$root" ] && systemctl --quiet is-active ejabberd; then ejabberdctl reload_config; fi
