
# The instance's own disk where it has one, else the root volume.
temporary="$root/var/lib/minion/temporary"
mkdir -p "$temporary"
for disk in "$root"/dev/disk/by-id/nvme-Amazon_EC2_NVMe_Instance_Storage_*; do
    case $disk in *-part* | *'*') continue ;; esac
    doing='mounting the instance store'
    mount_at "$disk" "$temporary" defaults || say 'the instance store cannot be used; using the root volume'
    break
done

# make_temporary DIRECTORY MIB: MIB may be empty. A size is kept by a file system in a file.
make_temporary() {
    doing="making the temporary file system $1"
    mkdir -p "$temporary/$1"
    if [ -n "$2" ]; then
        { truncate -s "${2}M" "$temporary/$1.img" && mount_at "$temporary/$1.img" "$temporary/$1" loop; } ||
            say "the size of a temporary file system cannot be limited to $2 MiB here"
    fi
    chmod 1777 "$temporary/$1"
}
