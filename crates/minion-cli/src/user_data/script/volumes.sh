
# make_file_system DEVICE_OR_FILE: unless it has one.
make_file_system() {
    [ -z "$(blkid -o value -s TYPE "$1" 2>/dev/null || :)" ] || return 0
    if has mkfs.ext4; then mkfs.ext4 -q -F "$1"; else mkfs.xfs -q -f "$1"; fi
}

# mount_at SOURCE DIRECTORY OPTIONS: now, and at every boot before Docker starts.
mount_at() {
    make_file_system "$1" || return 1
    mkdir -p "$2"
    mount -o "$3" "$1" "$2" || return 1
    echo "$1 $2 auto $3,nofail,x-systemd.before=docker.service 0 2" >>"$root/etc/fstab"
}
