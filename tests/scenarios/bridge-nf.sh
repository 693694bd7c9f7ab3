# Bridged packets and iptables: FORWARD and POSTROUTING see them, policies, REJECT, DNAT to a neighbour and out of the bridge, physdev.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1; sysctl -qw net.ipv6.conf.default.disable_ipv6=1
ip link add br0 type bridge; ip link set br0 up; ip addr add 10.0.0.254/24 dev br0
for i in 1 2 3; do
  ip netns add h$i; ip netns exec h$i sysctl -qw net.ipv6.conf.all.disable_ipv6=1
  ip link add p$i type veth peer name eth0 netns h$i
  ip link set p$i master br0; ip link set p$i up
  ip -n h$i link set lo up; ip -n h$i link set eth0 up; ip -n h$i addr add 10.0.0.$i/24 dev eth0
  ip -n h$i route add default via 10.0.0.254
done
sleep 1.2
ip netns exec h1 ping -c 1 -W 1 10.0.0.2; echo "rc=$?"
iptables -A FORWARD -i br0 -o br0 -p icmp; iptables -L FORWARD -v -n -x
ip netns exec h1 ping -c 2 -i 0.2 -W 1 10.0.0.2; echo "rc=$?"; iptables -L FORWARD -v -n -x
iptables -P FORWARD DROP; ip netns exec h1 ping -c 1 -W 1 10.0.0.2; echo "policy rc=$?"
ip netns exec h1 ping -c 1 -W 1 10.0.0.254; echo "host rc=$?"
iptables -A FORWARD -m physdev --physdev-in p1 --physdev-out p2 -j ACCEPT; iptables -A FORWARD -m physdev --physdev-is-bridged -m state --state ESTABLISHED -j ACCEPT
ip netns exec h1 ping -c 1 -W 1 10.0.0.2; echo "physdev rc=$?"; ip netns exec h2 ping -c 1 -W 1 10.0.0.1; echo "not the other way rc=$?"
iptables -L FORWARD -v -n -x
sysctl -w net.bridge.bridge-nf-call-iptables=0; ip netns exec h2 ping -c 1 -W 1 10.0.0.1; echo "not asked rc=$?"; sysctl -w net.bridge.bridge-nf-call-iptables=1
iptables -F FORWARD; iptables -A FORWARD -s 10.0.0.1 -j REJECT; iptables -P FORWARD ACCEPT
ip netns exec h1 ping -c 1 -W 1 10.0.0.2; echo "reject rc=$?"; iptables -F FORWARD
echo "== DNAT"
iptables -t nat -A PREROUTING -d 10.0.0.77 -j DNAT --to-destination 10.0.0.2; ip -n h1 neigh add 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0
ping -c 1 10.0.0.2 > /dev/null; ip netns exec h1 ping -c 2 -i 0.3 -W 1 10.0.0.77; echo "to a neighbour rc=$?"
sysctl -w net.ipv4.ip_forward=1; ip netns exec h1 ping -c 1 -W 1 10.0.0.77; echo "forwarding rc=$?"
iptables -t nat -F; iptables -t nat -A PREROUTING -d 10.0.0.78 -j DNAT --to-destination 10.0.0.254; ip -n h1 neigh add 10.0.0.78 lladdr 02:00:00:00:00:78 dev eth0
ip netns exec h1 ping -c 1 -W 1 10.0.0.78; echo "to the host rc=$?"
ip netns add out; ip link add wan type veth peer name eth0 netns out; ip addr add 192.0.2.1/24 dev wan; ip link set wan up
ip -n out addr add 192.0.2.2/24 dev eth0; ip -n out link set eth0 up; ip -n out route add default via 192.0.2.1; sleep 0.3
iptables -t nat -F; iptables -t nat -A PREROUTING -d 10.0.0.79 -j DNAT --to-destination 192.0.2.2; ip -n h1 neigh add 10.0.0.79 lladdr 02:00:00:00:00:79 dev eth0
ip netns exec h1 ping -c 1 -W 1 10.0.0.79; echo "out of the bridge rc=$?"
iptables -t nat -A POSTROUTING -s 10.0.0.0/24 -o br0 -j MASQUERADE; ip netns exec h1 ping -c 1 -W 1 10.0.0.3; echo "masqueraded bridged rc=$?"; iptables -t nat -L POSTROUTING -v -n -x
ip -n h3 neigh show to 10.0.0.254 | awk '{print $1, $3}'
iptables -t nat -F
echo "== MTU"
ip link set p3 mtu 1000; ip netns exec h1 ping -c 1 -W 1 -s 1400 -M dont 10.0.0.3; echo "cut rc=$?"; ip netns exec h1 ping -c 1 -W 1 -s 1400 -M do 10.0.0.3; echo "DF rc=$?"
sysctl -w net.bridge.bridge-nf-call-iptables=0; ip netns exec h1 ping -c 1 -W 1 -s 1400 -M dont 10.0.0.3; echo "not asked rc=$?"
