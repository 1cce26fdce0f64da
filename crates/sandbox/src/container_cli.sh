#!/bin/sh
# What fakecloud calls in the place of `docker`: the same, with labels by which all of it is found and removed
# again, and with a way from instances to the sandbox process. Written by `minion sandbox up`.
set -eu
docker=@docker@
label=@label@
case "${1:-} ${2:-}" in
    'network create')
        # Private subnets would have no way to the sandbox's metadata service.
        shift 2
        for argument do
            shift
            [ "$argument" = --internal ] || set -- "$@" "$argument"
        done
        exec "$docker" network create --label "$label" "$@"
        ;;
    'volume create')
        shift 2
        exec "$docker" volume create --label "$label" "$@"
        ;;
esac
[ "${1:-}" = run ] || exec "$docker" "$@"
shift
instance=
for argument do
    case $argument in fakecloud-ec2=*) instance=${argument#*=} ;; esac
done
if [ -n "$instance" ]; then
    set -- --hostname "$instance" --add-host "minion-sandbox:@address@" \
        --env "MINION_SANDBOX=http://minion-sandbox:@port@/@token@/$instance" "$@"
fi
exec "$docker" run --label "$label" "$@"
