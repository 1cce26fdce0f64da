
# ebs_device sdf: where the volume of that name is; on Nitro machines it is an NVMe device.
ebs_device() {
    left=60
    while [ "$left" -gt 0 ]; do
        for device in "$root/dev/$1" "$root/dev/xvd${1#sd}"; do
            if [ -e "$device" ]; then readlink -f "$device"; return 0; fi
        done
        if has ebsnvme-id; then
            for device in "$root"/dev/nvme*n1; do
                name=$(ebsnvme-id -b "$device" 2>/dev/null || :)
                case ${name#/dev/} in "$1" | "xvd${1#sd}") echo "$device"; return 0 ;; esac
            done
        fi
        left=$((left - 1))
        sleep 2
    done
    say "the EBS volume /dev/$1 did not appear" >&2
    return 1
}

# mount_ebs sdf DIRECTORY
mount_ebs() {
    doing="mounting the EBS volume /dev/$1"
    device=$(ebs_device "$1")
    make_file_system "$device"
    id=$(blkid -o value -s UUID "$device")
    mkdir -p "$2"
    mount "$device" "$2"
    echo "UUID=$id $2 auto defaults,nofail,x-systemd.before=docker.service 0 2" >>"$root/etc/fstab"
    chmod 1777 "$2"
}
# Makes the names that volumes have in the launch template; the minimal images lack it.
need ebsnvme-id amazon-ec2-utils || :
