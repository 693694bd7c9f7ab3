# What a container host does by hand: a bridge, MASQUERADE, a published port, a policy of DROP, and what is let through again.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1; sysctl -qw net.ipv6.conf.default.disable_ipv6=1
quiet() { ip netns add $1; ip netns exec $1 sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1; ip -n $1 link set lo up; }
quiet inet; ip link add eth1 type veth peer name eth0 netns inet
ip addr add 192.0.2.1/24 dev eth1; ip link set eth1 up; ip -n inet addr add 192.0.2.100/24 dev eth0; ip -n inet link set eth0 up
brctl addbr docker0; ip addr add 172.18.0.1/16 dev docker0; ip link set docker0 up
i=1; for c in c1 c2; do
  i=$((i + 1)); quiet $c; ip link add $c-host type veth peer name $c-cont; ip link set $c-cont netns $c
  brctl addif docker0 $c-host; ip link set $c-host up
  ip netns exec $c ip link set $c-cont name eth0; ip netns exec $c ip link set eth0 up
  ip netns exec $c ip addr add 172.18.0.$i/16 dev eth0; ip netns exec $c ip route add default via 172.18.0.1
done
echo 1 > /proc/sys/net/ipv4/ip_forward; sleep 1
p() { ip netns exec c1 ping -n -c 1 -W 0.5 $1; echo "rc=$?"; }
p 192.0.2.100
iptables -t nat -A POSTROUTING -s 172.18.0.0/16 -o eth1 -j MASQUERADE
p 192.0.2.100; p 172.18.0.3; conntrack -L -p icmp | sort; iptables -t nat -L -n -v
iptables -t nat -A PREROUTING -i eth1 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.18.0.2:80
ip netns exec c1 nc -l -p 80 < /dev/null > got.txt & sleep 0.3
echo hello | ip netns exec inet nc -N -w 2 192.0.2.1 8080; echo "rc=$?"; wait; cat got.txt
ip netns exec inet nc -z -v -w 1 192.0.2.1 8080; echo "rc=$?"; ip netns exec inet nc -z -v -w 1 192.0.2.1 8081; echo "rc=$?"
iptables -P FORWARD DROP; p 192.0.2.100; p 172.18.0.3
iptables -A FORWARD -i docker0 -o docker0 -j ACCEPT; p 172.18.0.3
iptables -A FORWARD -i docker0 -o eth1 -j ACCEPT; p 192.0.2.100
iptables -A FORWARD -i eth1 -o docker0 -m state --state RELATED,ESTABLISHED -j ACCEPT; p 192.0.2.100
iptables -L FORWARD -n -v --line-numbers; iptables -S; iptables-save -c
