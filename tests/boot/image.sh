#!/bin/sh
# image.sh DIRECTORY: a Debian for the boot proof, from the archive that this machine's apt uses. Leaves root (a directory),
# vmlinuz, initrd and, last, packages.txt in the directory. Needs root and debootstrap.
set -eu

out=$1
# What is mounted below goes with this process, however it ends: nothing can be left, and be removed as a file of ours.
[ "${2-}" = private ] || exec unshare --mount --propagation private sh "$0" "$out" private
suite=bookworm
root=$out/root

# The first archive that apt uses for the suite's main packages; a line is `<uri> <suite> <component>`.
# shellcheck disable=SC2016 # they are apt's, not the shell's
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(SUITE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v suite="$suite" '($2 == suite || $3 == suite) && $4 == "main" { print $1; exit }')
[ -n "$mirror" ] || { echo "apt on this machine has no archive of Debian $suite" >&2; exit 1; }

# What the machine image has, and what the stand-ins need.
packages='linux-image-cloud-amd64 systemd systemd-sysv dbus udev kmod iproute2 iptables procps
    cloud-init docker.io docker-registry ca-certificates openssl curl python3 gawk
    e2fsprogs xfsprogs util-linux mount busybox-static bash'

rm -rf --one-file-system "$root"
mkdir -p "$root"
debootstrap --variant=minbase "$suite" "$root" "$mirror"
# Of this machine, for what the packages' own scripts do.
for directory in proc sys dev; do mount --rbind "/$directory" "$root/$directory"; done
cp /etc/resolv.conf "$root/etc/resolv.conf"
grep -v '^127\.' /etc/hosts >"$root/etc/hosts" || :
# No service starts in here.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive chroot "$root" \
    apt-get -y -q --no-install-recommends -o Dpkg::Use-Pty=0 install $packages
chroot "$root" dpkg-query -W >"$out/packages"
rm -f "$root/usr/sbin/policy-rc.d"
for directory in dev sys proc; do umount --recursive "$root/$directory"; done

cp "$root"/boot/vmlinuz-* "$out/vmlinuz"
cp "$root"/boot/initrd.img-* "$out/initrd"
rm -rf "${root:?}"/boot/* "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/doc/* \
    "$root"/usr/share/locale/* "$root"/usr/share/man/*
mv "$out/packages" "$out/packages.txt"
