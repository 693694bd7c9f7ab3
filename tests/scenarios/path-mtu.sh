# A narrow link behind a router: fragments, do not fragment, the learned MTU.
for n in a r b; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns a type veth peer name ra netns r
ip link add eth0 netns b type veth peer name rb netns r
ip -n a addr add 10.1.0.2/24 dev eth0; ip -n r addr add 10.1.0.1/24 dev ra
ip -n b addr add 10.2.0.2/24 dev eth0; ip -n r addr add 10.2.0.1/24 dev rb
ip -n r link set rb mtu 1000; ip -n b link set eth0 mtu 1000
for x in "a eth0" "b eth0" "r ra" "r rb"; do set -- $x; ip -n $1 link set $2 up; done
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
ip -n a route add default via 10.1.0.1; ip -n b route add default via 10.2.0.1
sleep 0.3
ip netns exec a ping -c 1 -W 1 -M dont -s 3000 10.2.0.2; echo "fragments of fragments rc=$?"
ip netns exec a ping -c 1 -M do -s 1200 10.2.0.2; echo "too large rc=$?"
ip netns exec a ping -c 1 -M do -s 1200 10.2.0.2; echo "known now rc=$?"
ip netns exec a ping -c 1 -s 1200 10.2.0.2; echo "cut at the source rc=$?"
ip -n a route flush cache
ip netns exec b ping -c 1 -s 4000 10.1.0.2; echo "from the narrow side rc=$?"
ip netns exec b ping -c 1 -M do -s 1200 10.1.0.2; echo "its own link rc=$?"
