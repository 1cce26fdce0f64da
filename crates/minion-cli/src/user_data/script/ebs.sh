
# nvme_name DEVICE: the name that the volume has in the launch template, from the vendor's part of what the NVMe controller
# says of itself (Amazon EBS "Map Amazon EBS volumes to NVMe device names"). Images without amazon-ec2-utils have
# neither a link of that name nor ebsnvme-id; Python is there for cloud-init.
nvme_name() {
    if has ebsnvme-id; then ebsnvme-id -b "$1" && return 0; fi
    has python3 || return 1
    python3 -c 'import ctypes, fcntl, struct, sys
data = ctypes.create_string_buffer(4096)
identify = struct.pack("<BBH3I2Q10I", 6, 0, 0, 0, 0, 0, 0, ctypes.addressof(data), 0, 4096, 1, *[0] * 7)
fcntl.ioctl(open(sys.argv[1]), 0xC0484E41, identify)
print(data.raw[3072:3104].rstrip(b"\0 ").decode())' "$1"
}

# ebs_device sdf: where the volume of that name is; on Nitro machines it is an NVMe device.
ebs_device() {
    left=60
    while [ "$left" -gt 0 ]; do
        for device in "$root/dev/$1" "$root/dev/xvd${1#sd}"; do
            if [ -e "$device" ]; then readlink -f "$device"; return 0; fi
        done
        for device in "$root"/dev/nvme*n1; do
            name=$(nvme_name "$device" 2>/dev/null || :)
            case ${name#/dev/} in "$1" | "xvd${1#sd}") echo "$device"; return 0 ;; esac
        done
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
