#!/bin/sh
# Stands in for nginx in fakecloud's metadata helper: a port of the instance that leads to its metadata.
[ "${1:-}" = -c ] || exit 0
case "$*" in *quit*) exit 0 ;; esac
target=$(awk '$1 == "proxy_pass" { sub(/^http:\/\//, "", $2); sub(/;$/, "", $2); print $2 }' "$2")
port=$(awk '$1 == "listen" { sub(/.*:/, "", $2); sub(/;$/, "", $2); print $2 }' "$2")
address=${target%%/*}
export SANDBOX_HOST="${address%%:*}" SANDBOX_PORT="${address##*:}" SANDBOX_PATH="/${target#*/}"
nc -llllllllllllllll -p "$port" -e /usr/local/bin/metadata </dev/null >/dev/null 2>&1 &
