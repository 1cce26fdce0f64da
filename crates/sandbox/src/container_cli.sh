#!/bin/sh
# What fakecloud calls in the place of `docker`: the same, with labels by which all of it is found and removed
# again, with ports on this computer alone, and with a way from instances to the sandbox process. Written by
# `minion sandbox up`.
set -eu
docker=@docker@
label=@label@

# The engine makes two networks of one name when it is asked for both at once; then neither can be used. So they are made
# one after another. A lock that a killed one has left is taken over.
one_at_a_time() {
    lock=$0.network
    left=200
    until mkdir "$lock" 2>/dev/null; do
        left=$((left - 1))
        if [ "$left" -le 0 ] || [ ! -e "$0" ]; then break; fi
        sleep 0.05
    done
    trap 'rmdir "$lock" 2>/dev/null || :' EXIT
}

case "${1:-} ${2:-}" in
    'network create')
        # Private subnets would have no way to the sandbox's metadata service.
        shift 2
        for argument do
            shift
            [ "$argument" = --internal ] || set -- "$@" "$argument"
        done
        one_at_a_time
        for name do :; done
        if "$docker" network inspect "$name" >/dev/null 2>&1; then
            echo "network with name $name already exists" >&2
            exit 1
        fi
        "$docker" network create --label "$label" "$@"
        exit
        ;;
    'volume create')
        shift 2
        exec "$docker" volume create --label "$label" "$@"
        ;;
esac
[ "${1:-}" = run ] || exec "$docker" "$@"
shift
instance=
helper=
before=
for argument do
    shift
    case $argument in
        fakecloud-ec2=*) instance=${argument#*=} ;;
        fakecloud-ec2-imds=*) helper=${argument#*=} ;;
    esac
    case $before in
        --publish | -p)
            # 8080/tcp or 80:8080/tcp, for no other computer.
            case $argument in
                *:*:*) ;;
                *:*) argument=127.0.0.1:$argument ;;
                *) argument=127.0.0.1::$argument ;;
            esac
            ;;
    esac
    set -- "$@" "$argument"
    before=$argument
done
# By name: command lines are for everybody to read.
export MINION_SANDBOX="http://minion-sandbox:@port@/@token@/$instance$helper"
if [ -n "$instance" ]; then
    set -- --hostname "$instance" --add-host "minion-sandbox:@address@" --env MINION_SANDBOX "$@"
elif [ -n "$helper" ]; then
    # In the instance's network, with its names.
    set -- --env MINION_SANDBOX "$@"
fi
exec "$docker" run --label "$label" "$@"
