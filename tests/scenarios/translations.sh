# Every kind of translation: hairpin, ranges, shared ports, redirected, mapped by network, in OUTPUT; errors come back translated.
ip netns add a; ip netns add r; ip netns add b
ip link add a0 netns a type veth peer name r0 netns r
ip link add b0 netns b type veth peer name r1 netns r
ip -n a addr add 10.0.0.2/24 dev a0; ip -n a addr add 10.0.0.3/24 dev a0; ip -n r addr add 10.0.0.1/24 dev r0
ip -n r addr add 192.0.2.1/24 dev r1; ip -n b addr add 192.0.2.2/24 dev b0
for end in "a a0" "r r0" "r r1" "b b0" "b lo" "a lo" "r lo"; do set -- $end; ip -n $1 link set $2 up; done
ip -n a route add default via 10.0.0.1; sleep 0.3
inside() { ip netns exec a "$@"; }; router() { ip netns exec r "$@"; }; outside() { ip netns exec b "$@"; }
router sysctl -qw net.ipv4.ip_forward=1
router iptables -t nat -A PREROUTING -d 192.0.2.1 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.2:8080
router iptables -t nat -A POSTROUTING -s 10.0.0.0/24 -d 10.0.0.0/24 -j MASQUERADE
router iptables -t nat -A POSTROUTING -o r1 -p udp -j SNAT --to-source 192.0.2.50-192.0.2.60
router iptables -t nat -A POSTROUTING -o r1 -j MASQUERADE --to-ports 4000-4000
router iptables -t nat -A PREROUTING -i r0 -p udp --dport 53 -j REDIRECT --to-ports 5353
router iptables -t nat -A OUTPUT -p tcp --dport 99 -j DNAT --to-destination 192.0.2.2:7000
router iptables -t nat -A PREROUTING -i r0 -d 198.51.100.0/24 -j NETMAP --to 192.0.2.0/24
router iptables -t mangle -A PREROUTING -p udp -j CONNMARK --set-mark 7
ip -n b route add 192.0.2.48/28 via 192.0.2.1
inside timeout 3 nc -l -p 8080 > /dev/null & sleep 0.5
echo hi | inside nc -N -w2 192.0.2.1 80; echo "hairpin rc=$?"
router conntrack -L -p tcp
wait
outside timeout 3 nc -l -p 7000 > /dev/null & sleep 0.5
echo hi | router nc -N -w2 192.0.2.1 99; echo "output dnat rc=$?"
wait
router conntrack -L -p tcp --dport 99
for s in 10.0.0.2 10.0.0.3; do for p in 600 80 3333; do echo x | inside nc -u -w1 -s $s -p $p 192.0.2.2 9999; done; done
router conntrack -L -p udp --dport 9999 --orig-port-src 600
router conntrack -L -p udp --dport 9999 -s 10.0.0.2
router conntrack -L -p udp -m 7 | wc -l
router conntrack -C
echo x | inside nc -u -w1 8.8.8.8 53
router conntrack -L -p udp --dport 53
inside ping -c1 -W 0.5 198.51.100.2
router conntrack -L -p icmp
inside nc -z -v -w1 192.0.2.2 81; inside nc -z -v -w1 192.0.2.2 82
inside traceroute -n -q1 -w1 -m3 198.51.100.2
ip -n r link set r1 mtu 1000
inside ping -c1 -W 0.5 -M do -s 1200 192.0.2.2
router iptables -t nat -L -n -v -x
router iptables -t raw -A PREROUTING -p icmp -j CT --notrack
inside ping -c1 -W 0.5 192.0.2.2
router conntrack -D -p icmp > /dev/null
inside ping -c1 -W 0.5 192.0.2.2
router conntrack -L -p icmp
