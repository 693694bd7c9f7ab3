# States of flows, marks of packets and of flows, and the ways that marks choose.
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
ipt -A FORWARD -m state --state INVALID; ipt -A FORWARD -m state --state NEW; ipt -A FORWARD -m state --state ESTABLISHED; ipt -A FORWARD -m state --state RELATED; ipt -A FORWARD -m state --state UNTRACKED
ipt -A INPUT -m conntrack --ctstate NEW; ipt -A INPUT -m conntrack --ctstate ESTABLISHED; ipt -A OUTPUT -m conntrack --ctstate NEW; ipt -A OUTPUT -m conntrack --ctstate ESTABLISHED; ipt -A OUTPUT -m conntrack --ctstate RELATED
ipt -A FORWARD -m conntrack --ctdir ORIGINAL; ipt -A FORWARD -m conntrack --ctdir REPLY; ipt -A FORWARD -m conntrack --ctproto 1 --ctorigsrc 10.1.0.0/24; ipt -A FORWARD -m conntrack --ctreplsrc 10.2.0.2; ipt -A FORWARD -m conntrack --ctstatus SEEN_REPLY; ipt -A FORWARD -m conntrack --ctstatus CONFIRMED
ip netns exec a ping -n -c 3 -i 0.2 10.2.0.2; pa 10.1.0.1; pr 10.2.0.2; pr 127.0.0.1; pa 10.2.0.77; sleep 4; ip netns exec a traceroute -n -q 1 -w 0.5 -m 3 10.2.0.2; L filter
ipt -t raw -A PREROUTING -s 10.1.0.2 -j NOTRACK; ipt -t raw -A OUTPUT -o lo -j CT --notrack; ipt -Z
pa 10.2.0.2; pr 127.0.0.1; L filter raw
ipt -t raw -F; ipt -F
ipt -t mangle -A PREROUTING -j CONNMARK --restore-mark; ipt -t mangle -A PREROUTING -m mark --mark 0 -i ra -j MARK --set-mark 3; ipt -t mangle -A POSTROUTING -j CONNMARK --save-mark; ipt -A FORWARD -m mark --mark 3; ipt -A FORWARD -m connmark --mark 3
ip netns exec a ping -n -c 2 -i 0.2 10.2.0.2; L filter mangle
ipt -t mangle -F; ipt -F
ip -n r addr add 10.3.0.1/24 dev rb; ip -n b addr add 10.3.0.2/24 dev vb; ip -n r rule add fwmark 1 lookup 100; ip -n r route add default via 10.3.0.2 table 100; ip -n r route add default via 10.1.0.2
ipt -t mangle -A OUTPUT -d 9.9.9.9 -j MARK --set-mark 1; ip -n b addr add 9.9.9.9/32 dev lo; pr 9.9.9.9; L mangle
ipt -t mangle -F; pr 9.9.9.9; ipt -t mangle -A PREROUTING -i ra -j MARK --set-mark 1; pa 9.9.9.9; L mangle
ipt -t mangle -A OUTPUT -j MARK --set-mark 2; ip -n r rule add fwmark 2 unreachable pref 5; pr 10.2.0.2; pa 10.1.0.1; L mangle
