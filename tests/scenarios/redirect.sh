# A router that is not on the way tells of the better one.
for n in h r1 r2; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns h type veth peer name h1 netns r1
ip link add x netns r1 type veth peer name x netns r2
ip -n h addr add 10.1.0.2/24 dev eth0
ip -n r1 addr add 10.1.0.1/24 dev h1
ip -n r1 addr add 10.9.0.1/24 dev x; ip -n r2 addr add 10.9.0.2/24 dev x
ip -n r1 addr add 10.1.0.254/24 dev h1
ip -n r2 addr add 10.7.0.1/32 dev lo
for x in "h eth0" "r1 h1" "r1 x" "r2 x"; do set -- $x; ip -n $1 link set $2 up; done
ip netns exec r1 sysctl -qw net.ipv4.ip_forward=1
ip -n h route add default via 10.1.0.1
ip -n r2 route add default via 10.9.0.1
ip -n r1 route add 10.7.0.1 via 10.9.0.2
ip -n r1 route add 10.6.0.0/16 via 10.1.0.77
sleep 0.3
ip netns exec h ping -c 2 -i 0.2 10.7.0.1; echo "straight on rc=$?"
ip netns exec h ping -c 1 -W 0.5 10.6.0.1; echo "back where it came from rc=$?"
ip -n h route get 10.6.0.1 | head -1
