# A router that masquerades and publishes a port: flows, their states and times, errors about them, and what ends them.
ip netns add a; ip netns add r; ip netns add b
ip link add a0 netns a type veth peer name r0 netns r
ip link add b0 netns b type veth peer name r1 netns r
ip -n a addr add 10.0.0.2/24 dev a0; ip -n r addr add 10.0.0.1/24 dev r0
ip -n r addr add 192.0.2.1/24 dev r1; ip -n b addr add 192.0.2.2/24 dev b0
for end in "a a0" "r r0" "r r1" "b b0"; do set -- $end; ip -n $1 link set $2 up; done
ip -n a route add default via 10.0.0.1; sleep 0.3
inside() { ip netns exec a "$@"; }; router() { ip netns exec r "$@"; }; outside() { ip netns exec b "$@"; }
router sysctl -qw net.ipv4.ip_forward=1
router conntrack -L
router iptables -t nat -A POSTROUTING -o r1 -j MASQUERADE
router iptables -t nat -A PREROUTING -i r1 -p udp --dport 53 -j DNAT --to-destination 10.0.0.2:5353
router iptables -t nat -A PREROUTING -i r1 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.2:8080
router iptables -A FORWARD -m conntrack --ctstate RELATED -j ACCEPT
inside ping -c 2 -i 0.3 192.0.2.2
router conntrack -L -o extended
router cat /proc/net/nf_conntrack
router conntrack -L -n; router conntrack -L -g; router conntrack -L -p icmp --icmp-type 0
outside ping -c 1 -W 0.3 10.0.0.2
echo "a refused port: the errors are translated, and a reset ends its flow"
inside nc -z -w 1 192.0.2.2 81; echo "rc=$?"
outside nc -z -w 1 192.0.2.1 80; echo "rc=$?"
echo x | outside nc -u -w 1 192.0.2.1 53; echo "rc=$?"
router conntrack -L -p tcp; router conntrack -L -p udp
router iptables -L FORWARD -n -v -x
inside traceroute -n -q 1 -w 0.3 -m 3 192.0.2.2
inside ping -c 1 -t 1 -W 0.3 192.0.2.2
router conntrack -C; router sysctl net.netfilter.nf_conntrack_count
echo "what is counted, and what is forgotten"
router conntrack -F
router sysctl -w net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_icmp_timeout=1
inside ping -c 1 192.0.2.2 > /dev/null; router conntrack -L
router conntrack -L -z > /dev/null; router conntrack -L -o save | sed 's, --icmp-id.*,,'
sleep 1.5; router conntrack -L; router conntrack -C
router sysctl -qw net.netfilter.nf_conntrack_icmp_timeout=30
inside ping -c 1 192.0.2.2 > /dev/null; router conntrack -D -p icmp; router conntrack -D -p icmp; echo "rc=$?"
inside ping -c 1 192.0.2.2 > /dev/null; ip -n r addr add 192.0.2.9/24 dev r1; ip -n r addr del 192.0.2.9/24 dev r1
router conntrack -L
ip -n r link set r1 down; router conntrack -L
router conntrack -S
