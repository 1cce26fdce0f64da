#!/bin/sh
# Run once by cloud-init, as root: from now on, and after each start, the instance forwards packets, and sends them
# on under its own address. Who may send any is decided by its security group.
set -eu

cat >/etc/sysctl.d/90-nat.conf <<'EOF'
net.ipv4.ip_forward = 1
net.ipv4.conf.all.send_redirects = 0
net.ipv4.conf.default.send_redirects = 0
EOF
sysctl -q -p /etc/sysctl.d/90-nat.conf

mkdir -p /etc/nat
cat >/etc/nat/rules.nft <<'EOF'
add table ip nat_instance
flush table ip nat_instance
table ip nat_instance {
	chain postrouting {
		type nat hook postrouting priority 100; policy accept;
		oifname != "lo" masquerade
	}
}
EOF
cat >/etc/systemd/system/nat.service <<'EOF'
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

# The instance gets its address, and so the way to the package, only once it runs: half an hour is plenty.
tries=360
until [ -x /usr/sbin/nft ] || dnf -q -y install nftables; do
	tries=$((tries - 1))
	if [ "$tries" -le 0 ]; then
		echo 'nat: nftables could not be installed' >&2
		exit 1
	fi
	sleep 5
done

systemctl daemon-reload
systemctl enable --now nat.service
echo 'nat: ready'
