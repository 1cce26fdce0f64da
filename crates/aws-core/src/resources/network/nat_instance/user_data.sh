#!/bin/sh
# Run once by cloud-init, as root: from now on, and after each start, the instance forwards packets, and sends them
# on under its own address. Who may send any is decided by its security group. `overlord` reads on the console how it ends.
set -eu

# In front of every path: tests run this in a directory of their own.
root=''
doing='starting'

say() {
	if [ -c "$root/dev/console" ] && { echo "nat: $*" >"$root/dev/console"; } 2>/dev/null; then return 0; fi
	echo "nat: $*"
}
at_exit() {
	status=$?
	[ "$status" -eq 0 ] || say "failed: status $status while $doing"
}
trap at_exit EXIT

doing='switching forwarding on'
cat >"$root/etc/sysctl.d/90-nat.conf" <<'EOF'
net.ipv4.ip_forward = 1
net.ipv4.conf.all.send_redirects = 0
net.ipv4.conf.default.send_redirects = 0
EOF
sysctl -q -p "$root/etc/sysctl.d/90-nat.conf"

mkdir -p "$root/etc/nat"
cat >"$root/etc/nat/rules.nft" <<'EOF'
add table ip nat_instance
flush table ip nat_instance
table ip nat_instance {
	chain postrouting {
		type nat hook postrouting priority 100; policy accept;
		oifname != "lo" masquerade
	}
}
EOF
cat >"$root/etc/systemd/system/nat.service" <<'EOF'
[Unit]
Description=Network address translation
After=network-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /etc/nat/rules.nft

[Install]
WantedBy=multi-user.target
EOF

# A t4g.nano has 512 MB. dnf takes more than is free there for the list of packages, and the kernel would end it.
swap=
if ! [ -x "$root/usr/sbin/nft" ] && [ "$(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' "$root/proc/meminfo")" -lt 1500000 ]; then
	doing='making a swap file'
	swap="$root/var/swap"
	(umask 077 && dd if=/dev/zero of="$swap" bs=1M count=1024 2>/dev/null)
	mkswap "$swap" >/dev/null
	swapon "$swap"
fi

# The instance gets its address, and so the way to the package, only once it runs: half an hour is plenty.
doing='installing nftables'
tries=360
until [ -x "$root/usr/sbin/nft" ] || dnf -q -y --setopt=install_weak_deps=False install nftables; do
	tries=$((tries - 1))
	[ "$tries" -gt 0 ] || exit 1
	# Not each time: the console keeps 64 KB.
	[ $((tries % 6)) -ne 5 ] || say "waiting: nftables cannot be installed yet; $tries tries are left"
	sleep 5
done
if [ -n "$swap" ] && swapoff "$swap"; then rm "$swap"; fi

doing='loading the rules'
systemctl daemon-reload
systemctl enable --now nat.service
"$root/usr/sbin/nft" list table ip nat_instance >/dev/null
say 'ready'
