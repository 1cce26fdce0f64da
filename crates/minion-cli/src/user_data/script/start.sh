set -eu

# In front of every path: tests run this in a directory of their own.
root=''
doing='starting'

# To the console, so that it can be read without logging in.
say() {
    if [ -c "$root/dev/console" ] && { echo "minion: $*" >"$root/dev/console"; } 2>/dev/null; then return 0; fi
    echo "minion: $*"
}
at_exit() {
    status=$?
    [ "$status" -eq 0 ] || say "failed with status $status while $doing"
}
trap at_exit EXIT

has() {
    command -v "$1" >/dev/null 2>&1
}

# try TIMES COMMAND..: runs it until it succeeds, with growing pauses.
try() {
    times=$1
    shift
    attempt=1
    until "$@"; do
        [ "$attempt" -lt "$times" ] || return 1
        sleep $((attempt * 2))
        attempt=$((attempt + 1))
    done
}

# needs PROGRAM..: nothing is installed at boot, so the machine image must have them.
needs() {
    doing='looking for the programs of the machine image'
    for program do
        has "$program" || {
            say "the machine image has no $program: use the ECS-optimized Amazon Linux 2023, or an image with $program"
            return 1
        }
    done
}

mkdir -p "$root/run/minion" "$root/var/lib/minion"
chmod 700 "$root/run/minion"
export DOCKER_CONFIG="$root/run/minion/docker"

# The ECS-optimised image starts an agent that looks for a cluster. There is none.
if has systemctl; then
    systemctl disable --now --no-block ecs >/dev/null 2>&1 || :
fi

# docker_up: waits for the engine, two minutes at most.
docker_up() {
    doing='waiting for Docker'
    left=60
    until docker info >/dev/null 2>&1; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || { say 'Docker does not answer'; return 1; }
        sleep 2
    done
}
