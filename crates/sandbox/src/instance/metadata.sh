#!/bin/sh
# One request to the metadata service, with its path led to this instance's. What the caller still sends is passed
# on, so that the connection stays open until the answer is there. fakecloud answers requests of version 1, too, whatever
# the instance's options say; those of `minion` ask for version 2, and so does this.
read -r method path version || exit 0
exec 3>&1
{
    headers= token=
    while read -r line; do
        [ "$line" != "$(printf '\r')" ] || break
        case $line in
            [Cc]onnection:*) continue ;;
            [Xx]-[Aa]ws-[Ee]c2-[Mm]etadata-[Tt]oken:*) token=given ;;
        esac
        headers="$headers$line
"
    done
    if [ "$method" != PUT ] && [ -z "$token" ]; then
        printf 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' >&3
        exit 0
    fi
    printf '%s %s%s %s\r\nConnection: close\r\n%s\r\n' "$method" "${SANDBOX_PATH%/}" "$path" "${version%?}" "$headers"
    exec cat
} | nc "$SANDBOX_HOST" "$SANDBOX_PORT"
