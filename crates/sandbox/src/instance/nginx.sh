#!/bin/sh
# Stands in for nginx in fakecloud's metadata helper: a port of the instance that leads to the sandbox process, which
# knows whose it is by its address.
[ "${1:-}" = -c ] || exit 0
case "$*" in *quit*) exit 0 ;; esac
port=$(awk '$1 == "listen" { sub(/.*:/, "", $2); sub(/;$/, "", $2); print $2 }' "$2")
place=${MINION_SANDBOX#http://}
name=${place%%:*}
to=${place#*:}
address=$(getent ahostsv4 "$name" | awk 'NR == 1 { print $1 }')
# As many connections may wait as there are l's.
nc -llllllllllllllll -p "$port" -e nc "${address:-$name}" "${to%%/*}" </dev/null >/dev/null 2>&1 &
