
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
    mib=$2
    # mkfs.xfs makes nothing smaller (xfsprogs 5.19, "Filesystem must be larger than 300MB").
    if [ -n "$mib" ] && [ "$mib" -lt 300 ] && ! has mkfs.ext4; then
        mib=300
        say "the temporary file system $1 has $mib MiB in place of $2: there is no mkfs.ext4, and XFS takes no less"
    fi
    if [ -n "$mib" ]; then
        { truncate -s "${mib}M" "$temporary/$1.img" && mount_at "$temporary/$1.img" "$temporary/$1" loop; } ||
            say "the size of a temporary file system cannot be limited to $mib MiB here"
    fi
    chmod 1777 "$temporary/$1"
}
