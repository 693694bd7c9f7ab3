# Rules of the filter table: policies, drops and rejects at each hook, and who is told what.
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
ipt -P FORWARD DROP; pa 10.2.0.2; L filter
ipt -A FORWARD -i ra -o rb -s 10.1.0.0/24 -j ACCEPT; pa 10.2.0.2; L filter
ipt -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT; pa 10.2.0.2; pb 10.1.0.2; L filter
ipt -F; ipt -P FORWARD ACCEPT; ipt -X
for w in icmp-net-unreachable icmp-host-unreachable icmp-port-unreachable icmp-proto-unreachable icmp-net-prohibited icmp-host-prohibited icmp-admin-prohibited; do ipt -I FORWARD -p icmp -j REJECT --reject-with $w; pa 10.2.0.2; done; L filter
ipt -F FORWARD
ipt -A INPUT -p icmp --icmp-type 8 -s 10.1.0.2 -j REJECT; pa 10.1.0.1; pa 10.2.0.1; pb 10.1.0.1; L filter
ipt -F INPUT
ipt -A OUTPUT -d 10.2.0.2 -j DROP; pr 10.2.0.2; pr 10.1.0.2; pb 10.2.0.1; L filter
ipt -R OUTPUT 1 -d 10.2.0.2 -j REJECT; pr 10.2.0.2; pb 10.2.0.1; L filter
ipt -F OUTPUT; ipt -Z
ipt -A INPUT -p udp --dport 33434:33500 -j REJECT --reject-with icmp-admin-prohibited
ip netns exec a traceroute -n -q 1 -w 1 -m 3 10.2.0.2; echo "rc=$?"; L filter
ipt -A FORWARD -p udp -j REJECT --reject-with icmp-host-prohibited
ip netns exec a traceroute -n -q 1 -w 1 -m 3 10.2.0.2; echo "rc=$?"; L filter
ipt -A OUTPUT -p icmp --icmp-type 3 -j DROP
ip netns exec a traceroute -n -q 1 -w 0.4 -m 3 10.2.0.2; echo "rc=$?"; L filter
