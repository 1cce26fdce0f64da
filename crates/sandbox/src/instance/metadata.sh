#!/bin/sh
# One request to the metadata service, with its path led to this instance's. What the caller still sends is passed
# on, so that the connection stays open until the answer is there.
read -r method path version || exit 0
{
    printf '%s %s%s %s\r\nConnection: close\r\n' "$method" "${SANDBOX_PATH%/}" "$path" "${version%?}"
    while read -r line; do
        [ "$line" != "$(printf '\r')" ] || break
        case $line in [Cc]onnection:*) ;; *) printf '%s\n' "$line" ;; esac
    done
    printf '\r\n'
    exec cat
} | nc "$SANDBOX_HOST" "$SANDBOX_PORT"
