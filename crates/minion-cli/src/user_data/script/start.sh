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

# need COMMAND PACKAGE: when the machine image does not have it.
need() {
    has "$1" && return 0
    doing="installing $2"
    say "$doing"
    has dnf || { say "there is no $1, and no dnf to install $2 with"; return 1; }
    try 5 dnf install -y -q "$2"
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
