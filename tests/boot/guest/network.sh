#!/bin/sh
# AWS as a network namespace at the other end of the instance's only network card: metadata, services and registry are
# reached through it, over the instance's own name table. Nothing leads out of the virtual machine.
set -eu
ip netns add aws
ip link add ens5 type veth peer name aws0 netns aws
ip -n aws link set lo up
for address in 10.99.0.1/24 10.99.0.2/24 10.99.0.3/24 169.254.169.254/32; do
    ip -n aws address add "$address" dev aws0
done
ip -n aws link set aws0 up
ip address add 10.99.0.10/24 dev ens5
ip link set ens5 up
ip route add default via 10.99.0.1
