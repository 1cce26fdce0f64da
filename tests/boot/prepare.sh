#!/bin/sh
# prepare.sh ROOT PROGRAMS: makes the bare Debian in this directory the instance of the boot proof. PROGRAMS is the table of
# what the boot script calls (crates/minion-cli/src/user_data/script/programs.txt).
set -eu

root=$1
programs=$2
here=$(dirname "$0")
own=$root/opt/boot-proof

mkdir -p "$own/path" "$own/tls" "$root/var/lib/boot-proof" "$root/etc/cloud/cloud.cfg.d"
cp "$here"/guest/*.py "$here"/guest/*.sh "$here"/guest/*.yml "$own/"

# As on Amazon Linux.
ln -sf bash "$root/bin/sh"

# The PATH of user data: each program of the table, by Debian's own, and nothing else. What the table calls optional may be
# missing. `tee` is not the script's: cloud-init passes all output of user data through it.
{ grep -v '^#' "$programs"; echo tee coreutils; } | while read -r program _ optional; do
    real=$(chroot "$root" /bin/bash -c "command -v -- '$program'") || real=
    if [ -n "$real" ]; then
        ln -sf "$real" "$own/path/$program"
    elif [ "$optional" != optional ]; then
        echo "$program of $programs is not among the packages of image.sh" >&2
        exit 1
    fi
done

# Each name of AWS's leads into the namespace of its stand-ins, with a certificate that the instance trusts.
region=eu-west-1
registry=100000000001.dkr.ecr.$region.amazonaws.com
names="api.ecr.$region.amazonaws.com ssm.$region.amazonaws.com secretsmanager.$region.amazonaws.com
    logs.$region.amazonaws.com"
{
    echo '127.0.0.1 localhost'
    for name in $names; do echo "10.99.0.2 $name"; done
    echo "10.99.0.3 $registry"
} >"$root/etc/hosts"
echo 'nameserver 10.99.0.1' >"$root/etc/resolv.conf"
echo ip-10-99-0-10 >"$root/etc/hostname"
(
    cd "$own/tls"
    exec 2>openssl.log
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/CN=boot proof' \
        -addext 'basicConstraints=critical,CA:TRUE' -keyout ca.key -out ca.pem
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$registry" -keyout server.key -out server.csr
    for name in $names $registry; do echo "$name"; done |
        awk '{ all = all (NR > 1 ? "," : "") "DNS:" $1 } END { print "subjectAltName=" all }' >extensions
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile extensions -out server.pem
    rm -f ca.key server.csr extensions
)
mkdir -p "$root/usr/local/share/ca-certificates"
cp "$own/tls/ca.pem" "$root/usr/local/share/ca-certificates/boot-proof.crt"
chroot "$root" update-ca-certificates >/dev/null

# cloud-init takes user data from EC2's metadata service, and leaves the network alone, which is up already.
cat >"$root/etc/cloud/cloud.cfg.d/90_boot-proof.cfg" <<'CONFIG'
datasource_list: [Ec2]
network: {config: disabled}
# Those of Amazon Linux that have something to do with user data; the others only take time here.
cloud_init_modules: [migrator, write-files, set_hostname, update_hostname]
cloud_config_modules: [runcmd]
cloud_final_modules: [write-files-deferred, scripts-vendor, scripts-per-once, scripts-per-boot, scripts-per-instance,
    scripts-user, final-message]
CONFIG
# No DHCP server is there to answer.
rm -f "$root/sbin/dhclient"
cp "$here"/guest/units/*.service "$root/etc/systemd/system/"
cp "$here"/guest/units/*.rules "$root/etc/udev/rules.d/"
chroot "$root" systemctl --quiet enable ecs boot-proof-network boot-proof-metadata boot-proof-aws boot-proof-registry \
    boot-proof-check
chroot "$root" systemctl --quiet mask docker-registry apt-daily.timer apt-daily-upgrade.timer systemd-networkd-wait-online
# Names of network cards that EC2 has, and no wait for what a virtual machine without one lacks.
echo '/dev/vda / ext4 defaults 0 1' >"$root/etc/fstab"
# Nobody signs in; a person who looks for a fault does, on the console.
chroot "$root" passwd --quiet --delete root
