# A router that answers ARP for what lies behind it.
for n in a r b; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns a type veth peer name ra netns r
ip link add eth0 netns b type veth peer name rb netns r
ip -n a addr add 10.1.0.2/16 dev eth0; ip -n r addr add 10.1.0.1/24 dev ra
ip -n b addr add 10.1.1.2/24 dev eth0; ip -n r addr add 10.1.1.1/24 dev rb
for x in "a eth0" "b eth0" "r ra" "r rb"; do set -- $x; ip -n $1 link set $2 up; done
ip -n b route add default via 10.1.1.1
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
sleep 0.3
ip netns exec a ping -c 1 -W 0.5 10.1.1.2; echo "no proxy rc=$?"
ip -n a neigh flush dev eth0
ip netns exec r sysctl -qw net.ipv4.conf.ra.proxy_arp=1 net.ipv4.neigh.ra.proxy_delay=0
ip netns exec a ping -c 1 -W 1 10.1.1.2; echo "proxy rc=$?"
ip -n r neigh add proxy 10.1.5.5 dev ra; ip -n r neigh show proxy dev ra
