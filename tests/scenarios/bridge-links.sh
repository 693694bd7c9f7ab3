# What a bridge takes from its ports (MAC, MTU, carrier), who may be one, and what it is told.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1; sysctl -qw net.ipv6.conf.default.disable_ipv6=1
s() { ip -br link | awk '{print $1, $2, $NF}'; }
m() { ip -o link show br0 | sed 's/.*mtu/mtu/'; }
ip link add br0 type bridge; ip link add br1 type bridge
ip link add v0 type veth peer name v1; ip link add v2 type veth peer name v3
for i in 0 1 2 3; do ip link set v$i address 02:00:00:00:00:1$i; done
s; ip link set br0 up; s
echo "== who may be a port"
ip link set br0 master br0; echo "rc=$?"; ip link set br1 master br0; echo "rc=$?"; ip link set lo master br0; echo "rc=$?"
ip link set v0 master v1; echo "rc=$?"; ip link set v0 nomaster; echo "rc=$?"
ip link set v0 master br1; echo "rc=$?"; ip -br link show master br1 | awk '{print $1}'
ip link set v0 master br0; echo "rc=$?"; ip -br link show master br1; sleep 1.2; s
echo "== carrier"
ip link set v1 up; sleep 1.2; s; ip link set v0 up; sleep 1.2; s; bridge link
ip link set v1 down; sleep 1.2; s; bridge link
ip link set v1 up; sleep 1.2; s; ip link set v0 down; sleep 1.2; s; ip link set v0 up; sleep 1.2; s
ip link set br0 down; sleep 1.2; s; bridge link; ip link set br0 up; sleep 1.2; s; bridge link
echo "== MTU"
m; ip link set v0 mtu 1400; m; ip link set v2 master br0; m; ip link set v2 mtu 1300; m; ip link set v2 nomaster; m
ip link set v0 mtu 1500; m; ip link set br0 mtu 1600; m; ip link set v0 mtu 1450; m; ip link set br0 mtu 60; echo "rc=$?"
echo "== MAC"
ip link set v2 master br0; m; ip link set v0 address 02:00:00:00:00:05; m; ip link set v0 nomaster; m; ip link set v2 nomaster; m
ip link set v2 master br0; ip link set br0 address 02:00:00:00:00:09; m; ip link set v0 master br0; m; bridge fdb show br br0 | grep master
ip link set br0 address 01:00:00:00:00:00; echo "rc=$?"; ip link set br0 address 00:00:00:00:00:00; echo "rc=$?"
ip link set v2 nomaster; bridge fdb show br br0 | grep master; ip link set v0 nomaster; m
echo "== netns, names"
ip netns add x; ip link set br0 netns x; echo "rc=$?"; ip link set v0 master br0; ip link set v0 netns x; bridge link
ip link add type bridge; ip link add type bridge; ip -br link | awk '{print $1}'; ip link del bridge0; ip link del bridge1
ip link add br0 type bridge; echo "rc=$?"; ip link add b7 mtu 9000 type bridge; ip -o link show b7 | sed 's/.*mtu/mtu/'
ip link add b8 mtu 40 type bridge; echo "rc=$?"; ip link add b9 address 02:00:00:00:00:77 type bridge
ip link set v2 master b9; ip -o link show b9 | sed 's/.*mtu/mtu/'
echo "== what it is told"
ip link set b9 type bridge forward_delay 100; echo "rc=$?"; ip link set b9 type bridge hello_time 5; echo "rc=$?"
ip link set b9 type bridge group_fwd_mask 1; echo "rc=$?"; ip link set b9 type bridge vlan_filtering 1; echo "rc=$?"
ip link set b9 type bridge mcast_router 7; echo "rc=$?"; ip link set v3 type bridge ageing_time 5; echo "rc=$?"
ip link set v2 type bridge_slave state 3; echo "rc=$?"; ip link set v2 type bridge_slave cost 0; echo "rc=$?"
ip link set v2 type bridge_slave priority 99; echo "rc=$?"; ip link set v3 type bridge_slave state 3; echo "rc=$?"
bridge link set dev v3 state 3; echo "rc=$?"; ip link set v2 type bridge_slave priority 20 cost 9 hairpin on; bridge -d link show dev v2
ip link del v3; ip link show b9 | head -1 | sed 's/.*mtu/mtu/'; bridge link; ip link del lo; echo "rc=$?"
