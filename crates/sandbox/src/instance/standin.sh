#!/bin/sh
# Stands in for `docker`, and does the requests to AWS of `curl`, on an instance of the sandbox: the sandbox process does
# what is asked for.
# One line for each argument (a), for each variable that is passed on by name (e), and for standard input (i).
# By `nc` and to an address: a static busybox of some distributions cannot look names up.
encoded() { base64 | tr -d '\n'; }
program=${0##*/}
body=$(
    before=
    input=
    for argument do
        printf 'a '; printf %s "$argument" | encoded; echo
        case $before in
            --env | -e)
                case $argument in
                    *=*) ;;
                    *) eval "value=\${$argument-}"; printf 'e %s ' "$argument"; printf %s "$value" | encoded; echo ;;
                esac
                ;;
        esac
        case $argument in *-stdin) input=yes ;; esac
        before=$argument
    done
    if [ -n "$input" ]; then printf 'i '; encoded; echo; fi
)
# http://NAME:PORT/PATH
place=${MINION_SANDBOX#http://}
name=${place%%:*}
port=${place#*:}
port=${port%%/*}
address=$(getent ahostsv4 "$name" | awk 'NR == 1 { print $1 }')
answer=$(
    printf 'POST /%s/%s HTTP/1.0\r\nHost: %s\r\nContent-Length: %s\r\n\r\n%s' \
        "${place#*/}" "$program" "$name" "${#body}" "$body" | nc "${address:-$name}" "$port" | tr -d '\r' | sed '1,/^$/d'
)
if [ -z "$answer" ]; then
    echo "$program: the sandbox process does not answer" >&2
    exit 125
fi
# shellcheck disable=SC2086 # code, output, errors
set -- $answer
[ "${2:--}" = - ] || printf %s "$2" | base64 -d
[ "${3:--}" = - ] || printf %s "$3" | base64 -d >&2
exit "${1:-125}"
