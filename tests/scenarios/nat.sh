# Flows that are translated: masqueraded, forwarded, mapped, redirected; and errors about them.
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
ipt -t nat -A POSTROUTING -o rb -j MASQUERADE; pa 10.2.0.2; pa 10.2.0.2; L nat
ip -n b route del default; pa 10.2.0.2; ip -n b route add default via 10.2.0.1
ipt -t nat -F
ipt -t nat -A POSTROUTING -s 10.1.0.0/24 -j SNAT --to-source 10.2.0.99; ip -n b neigh replace 10.2.0.99 lladdr 02:00:00:00:02:01 dev vb nud permanent; pa 10.2.0.2; ip -n r addr add 10.2.0.99/24 dev rb; pa 10.2.0.2; L nat
ipt -t nat -F
ipt -t nat -A PREROUTING -d 10.1.0.77 -j DNAT --to-destination 10.2.0.2; ipt -t nat -A OUTPUT -d 10.1.0.77 -j DNAT --to-destination 10.2.0.2
ip -n r addr add 10.1.0.77/24 dev ra; pa 10.1.0.77; pr 10.1.0.77; pb 10.1.0.77; L nat
ipt -t nat -F
ipt -t nat -A PREROUTING -d 10.7.0.0/24 -j NETMAP --to 10.2.0.0/24; pa 10.7.0.2; ipt -t nat -A POSTROUTING -s 10.1.0.0/24 -j NETMAP --to 10.8.0.0/24; pa 10.7.0.2; L nat
ipt -t nat -F
ipt -t nat -A PREROUTING -d 10.2.0.2 -j REDIRECT; pa 10.2.0.2; ipt -t nat -A OUTPUT -d 9.9.9.9 -j REDIRECT; ip -n r route add default via 10.2.0.2; pr 9.9.9.9; L nat
ipt -t nat -F; ip -n r route del default
ipt -t nat -A POSTROUTING -o rb -j MASQUERADE; ip netns exec a traceroute -n -q 1 -w 0.5 -m 3 10.2.0.2; ip netns exec a traceroute -n -I -q 1 -w 0.5 -m 3 10.2.0.2; pa 10.2.0.50; sleep 4; L nat
ipt -A FORWARD -d 10.2.0.2 -j REJECT; pa 10.2.0.2; pb 10.1.0.2; L filter nat
