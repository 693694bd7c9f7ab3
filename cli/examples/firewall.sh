# A firewall between inside and outside that drops, rejects and logs.
ip netns add inside
ip netns add fw
ip netns add outside
ip link add eth0 netns inside type veth peer name in0 netns fw
ip link add eth0 netns outside type veth peer name out0 netns fw
ip -n inside addr add 192.168.7.2/24 dev eth0
ip -n inside link set eth0 up
ip -n fw addr add 192.168.7.1/24 dev in0
ip -n fw link set in0 up
ip -n fw addr add 198.51.100.1/24 dev out0
ip -n fw link set out0 up
ip -n outside addr add 198.51.100.7/24 dev eth0
ip -n outside link set eth0 up
ip -n inside route add default via 192.168.7.1
ip -n outside route add 192.168.7.0/24 via 198.51.100.1
ip netns exec fw sysctl -w net.ipv4.ip_forward=1

ip netns exec fw iptables-restore <<RULES
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:logged - [0:0]
-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -i in0 -p icmp -j ACCEPT
-A FORWARD -i in0 -p tcp -m multiport --dports 80,443 -j ACCEPT
-A FORWARD -i in0 -p tcp -j REJECT --reject-with tcp-reset
-A FORWARD -i in0 -j REJECT --reject-with icmp-admin-prohibited
-A FORWARD -j logged
-A logged -m limit --limit 5/min -j LOG --log-prefix "dropped: "
-A logged -j DROP
COMMIT
RULES
sleep 1
ip netns exec outside nc -lk 80 </dev/null &
sleep 0.5

# Allowed; reset; prohibited; and from outside, dropped.
ip netns exec inside ping -c 1 198.51.100.7
ip netns exec inside nc -zv 198.51.100.7 80
ip netns exec inside nc -zv 198.51.100.7 22
ip netns exec inside traceroute -n -q 1 -m 3 198.51.100.7
ip netns exec outside ping -c 1 -W 1 192.168.7.2
kill $!
ip netns exec fw iptables -L logged -v -n
