# Fragments end where the first is refused: a veth takes none that is too long for its peer, on a host and on a router.
ip netns add one; ip netns add two
for n in one two; do ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1; done
ip link add eth0 netns one address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns two
ip -n one link set lo up; ip -n two link set lo up
ip -n one addr add 10.0.0.1/24 dev eth0; ip -n two addr add 10.0.0.2/24 dev eth0
ip -n two link set eth0 mtu 1000
ip -n one link set eth0 up; ip -n two link set eth0 up; sleep 1.2
ip -n one neigh replace 10.0.0.2 lladdr 02:00:00:00:01:02 dev eth0 nud permanent
ip netns exec two iptables -t raw -A PREROUTING -p icmp
for s in 900 1472 1473 2000 2500 3000 5000; do
ip netns exec one ping -n -c 1 -W 0.3 -s $s -M dont 10.0.0.2; echo rc $?
ip netns exec two iptables -t raw -L PREROUTING -v -n -x | tail -1
done
ip -n one -s link show eth0
ip -n two -s link show eth0
ip netns add three; ip netns exec three sysctl -qw net.ipv6.conf.all.disable_ipv6=1
ip link add eth1 netns one address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:02:02 netns three
ip -n three link set eth0 mtu 3000; ip -n one link set eth1 mtu 3000
ip -n one addr add 10.0.1.1/24 dev eth1; ip -n three addr add 10.0.1.2/24 dev eth0
ip -n one link set eth1 up; ip -n three link set eth0 up; sleep 1.2
ip -n one neigh replace 10.0.1.2 lladdr 02:00:00:00:02:02 dev eth1 nud permanent
ip -n three neigh replace 10.0.1.1 lladdr 02:00:00:00:02:01 dev eth0 nud permanent
ip -n three route add default via 10.0.1.1; ip -n two route add default via 10.0.0.1
ip netns exec one sysctl -qw net.ipv4.ip_forward=1
for s in 900 2000 2900 5000; do
ip netns exec three ping -n -c 1 -W 0.3 -s $s -M dont 10.0.0.2; echo rc $?
ip -n one -s link show eth0 | tail -1
done
ip netns exec one tc qdisc add dev eth1 root pfifo limit 1
ip netns exec one ping -n -c 1 -W 0.3 -s 8000 -M dont 10.0.1.2; echo rc $?
ip -n one -s link show eth1
