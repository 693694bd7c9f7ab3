# Chains that are called and left, limits, every nth packet, marks, and headers that are changed.
ip netns add a; ip netns add r; ip netns add b
ip link add ra netns r address 02:00:00:00:01:01 type veth peer name va address 02:00:00:00:01:02 netns a
ip link add rb netns r address 02:00:00:00:02:01 type veth peer name vb address 02:00:00:00:02:02 netns b
for n in a r b; do ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip -n $n link set lo up; done
ip -n a addr add 10.1.0.2/24 dev va; ip -n r addr add 10.1.0.1/24 dev ra
ip -n b addr add 10.2.0.2/24 dev vb; ip -n r addr add 10.2.0.1/24 dev rb
ip -n a link set va up; ip -n r link set ra up; ip -n r link set rb up; ip -n b link set vb up; sleep 1.2
ip -n a route add default via 10.1.0.1; ip -n b route add default via 10.2.0.1
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
ip netns exec r sysctl -qw net.ipv4.icmp_ratelimit=0
pa(){ ip netns exec a ping -n -c 1 -W 0.3 "$@"; echo "rc=$?"; }
pb(){ ip netns exec b ping -n -c 1 -W 0.3 "$@"; echo "rc=$?"; }
pr(){ ip netns exec r ping -n -c 1 -W 0.3 "$@"; echo "rc=$?"; }
ipt(){ ip netns exec r iptables "$@"; }
L(){ for t in "$@"; do ipt -t $t -L -v -n -x; done; }
ip -n a neigh replace 10.1.0.1 lladdr 02:00:00:00:01:01 dev va nud permanent; ip -n r neigh replace 10.1.0.2 lladdr 02:00:00:00:01:02 dev ra nud permanent
ip -n b neigh replace 10.2.0.1 lladdr 02:00:00:00:02:01 dev vb nud permanent; ip -n r neigh replace 10.2.0.2 lladdr 02:00:00:00:02:02 dev rb nud permanent
ipt -N in1; ipt -N in2; ipt -N in3
ipt -A INPUT -j in1; ipt -A INPUT -g in3
ipt -A in1 -p icmp -j in2; ipt -A in1 -p tcp -j DROP
ipt -A in2 -s 10.1.0.2 -j RETURN; ipt -A in2 -j DROP
ipt -A in3 -j LOG --log-prefix "in3 "; ipt -A in3 -m comment --comment x
pa 10.1.0.1; pb 10.2.0.1; L filter
ipt -P INPUT DROP; pa 10.1.0.1; L filter; ipt -P INPUT ACCEPT
ipt -A INPUT -j ACCEPT
ipt -F; ipt -X
ipt -A INPUT -p icmp -m limit --limit 1/s --limit-burst 2 -j ACCEPT; ipt -A INPUT -p icmp -j DROP
ip netns exec a ping -n -c 5 -i 0.2 -W 0.3 10.1.0.1; L filter
sleep 1.5
ip netns exec a ping -n -c 4 -i 0.2 -W 0.3 10.1.0.1; L filter
ipt -F
ipt -A INPUT -m statistic --mode nth --every 3 --packet 0 -j DROP
ip netns exec a ping -n -c 7 -i 0.2 -W 0.3 10.1.0.1; L filter
ipt -F
ipt -t mangle -A PREROUTING -i ra -j MARK --set-mark 0x5/0xf
ipt -t mangle -A PREROUTING -m mark --mark 5 -j MARK --or-mark 0x10
ipt -t mangle -A POSTROUTING -m mark --mark 0x15 -j TOS --set-tos 0x10
ipt -A FORWARD -m mark --mark 0x15/0xff
ipt -A FORWARD -m mark ! --mark 0x15/0xff
pa 10.2.0.2; L filter mangle
ipt -t mangle -F; ipt -F
ipt -t mangle -A PREROUTING -i ra -j TTL --ttl-set 33; ipt -t mangle -A FORWARD -j DSCP --set-dscp 0x2e
ipt -t mangle -A POSTROUTING -j TTL --ttl-inc 5
pa 10.2.0.2; L mangle
ipt -t mangle -R FORWARD 1 -j TTL --ttl-dec 100; pa 10.2.0.2; L mangle
