#!/busybox sh
printf 'Content-Type: text/plain\r\n\r\nHello from version %s on %s.\n' "$VERSION" "$(hostname)"
