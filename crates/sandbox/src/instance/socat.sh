#!/bin/sh
# Stands in for socat in fakecloud's forwarders: socat TCP-LISTEN:PORT,fork,reuseaddr TCP:ADDRESS:PORT
listen=${1#TCP-LISTEN:}
target=${2#TCP:}
exec nc -llllllllllllllllllllllllllllllll -p "${listen%%,*}" -e nc "${target%%:*}" "${target##*:}"
