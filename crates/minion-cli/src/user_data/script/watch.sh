
# ended: whether the container stopped or was restarted.
ended() {
    [ "$(docker inspect --format '{{.State.Running}} {{.RestartCount}}' app 2>/dev/null)" != 'true 0' ]
}
last_words() {
    say "the container does not stay up: $(docker inspect --format 'exit code {{.State.ExitCode}}, restarts {{.RestartCount}} {{.State.Error}}' app 2>&1)"
    docker logs --tail 20 app 2>&1 | while IFS= read -r line; do say "| $line"; done
}
# watch TIMES SECONDS
watch() {
    left=$1
    while [ "$left" -gt 0 ]; do
        sleep "$2"
        if ended; then last_words; return 1; fi
        left=$((left - 1))
    done
}
doing='watching the container'
if watch 5 2; then
    say 'the container runs'
    { watch 60 10 || :; } </dev/null >>"$root/run/minion/watch.log" 2>&1 &
fi
exit 0
