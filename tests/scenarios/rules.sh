# Rules that look at protocol, ports and users: how they are listed, found and deleted, and which way packets go by them.
ip rule add sport 80 table 5
ip rule add dport 80-90 ipproto tcp table 5
ip rule add ipproto udp dport 53 uidrange 0-100 table 6
ip rule add ipproto 47 table 6
ip rule add ipproto 253 table 7
ip rule add sport 90-80 table 5; echo "rc=$?"
ip rule add sport 0 table 5; echo "rc=$?"
ip rule add sport 70000 table 5; echo "rc=$?"
ip rule add uidrange 100-5 table 5; echo "rc=$?"
ip rule add pref 9 ipproto tcp sport 80 table 5
ip rule add pref 9 ipproto tcp sport 80 table 5; echo "rc=$?"
ip rule add pref 9 ipproto tcp table 5
ip rule add pref 9 uidrange 1-1 table 5
ip rule; ip -j rule; ip -N rule
ip rule show ipproto tcp; ip rule show sport 80; ip rule show dport 80; ip rule show dport 80-90; ip rule show uidrange 0-100
ip rule del dport 80; echo "rc=$?"
ip rule del dport 80-90; ip rule del uidrange 1-1; ip rule del uidrange 1-1; echo "rc=$?"
ip rule flush ipproto tcp; ip rule; ip rule flush; ip rule add lookup main; ip rule add lookup default
ip netns add a; ip netns add r; ip netns add b
ip link add ra netns r type veth peer name va netns a; ip link add rb netns r type veth peer name vb netns b
ip -n a addr add 10.1.0.2/24 dev va; ip -n r addr add 10.1.0.1/24 dev ra
ip -n b addr add 10.2.0.2/24 dev vb; ip -n r addr add 10.2.0.1/24 dev rb
for n in a r b; do ip -n $n link set lo up; done
ip -n a link set va up; ip -n r link set ra up; ip -n r link set rb up; ip -n b link set vb up; sleep 1.2
ip -n a route add default via 10.1.0.1; ip -n b route add default via 10.2.0.1
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
ip -n r rule add pref 100 ipproto icmp unreachable
ip -n r rule add pref 101 ipproto udp dport 33434-33440 prohibit
ip netns exec a ping -c 1 -W 1 10.2.0.2; echo "rc=$?"
ip -n r rule del pref 100
ip netns exec a ping -c 1 -W 1 10.2.0.2; echo "rc=$?"
ip -n a rule add pref 100 ipproto tcp dport 80 lookup 100
ip -n a route add unreachable default table 100
ip -n a route get 10.2.0.2 ipproto tcp dport 80; echo "rc=$?"
ip -n a route get 10.2.0.2 ipproto tcp dport 81; ip -n a route get 10.2.0.2 ipproto udp dport 80
ip -n a rule add pref 99 uidrange 1-100 lookup 100; ip -n a route get 10.2.0.2 uid 5
ip netns exec a ping -c 1 -W 1 10.2.0.2; echo "rc=$?"
