#!/bin/sh
# Stands in for `docker` and `aws` on an instance of the sandbox: the sandbox process does what is asked for.
# One line for each argument (a), for each variable that is passed on by name (e), and for standard input (i).
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
answer=$(wget -q -T 900 -O - --post-data "$body" "$MINION_SANDBOX/$program") || {
    echo "$program: the sandbox process does not answer" >&2
    exit 125
}
# shellcheck disable=SC2086 # code, output, errors
set -- $answer
[ "${2:--}" = - ] || printf %s "$2" | base64 -d
[ "${3:--}" = - ] || printf %s "$3" | base64 -d >&2
exit "${1:-125}"
