# What matches see at each hook: counters of packets that come in, pass, leave, and go through lo.
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
ipt -A INPUT -m addrtype --dst-type LOCAL; ipt -A INPUT -m addrtype --dst-type BROADCAST; ipt -A INPUT -m addrtype ! --src-type LOCAL
ipt -A FORWARD -m addrtype --dst-type UNICAST --src-type UNICAST; ipt -A FORWARD -m addrtype --dst-type LOCAL --limit-iface-in
ipt -A INPUT -m pkttype --pkt-type unicast; ipt -A INPUT -m pkttype --pkt-type broadcast; ipt -A INPUT -m pkttype --pkt-type multicast
ipt -A INPUT -m ttl --ttl-eq 64; ipt -A INPUT -m ttl --ttl-lt 64; ipt -A INPUT -m ttl --ttl-gt 63
ipt -A INPUT -m length --length 84; ipt -A INPUT -m length --length 85:; ipt -A INPUT -m length ! --length 84
ipt -A INPUT -m iprange --src-range 10.1.0.1-10.1.0.9; ipt -A INPUT -m iprange ! --src-range 10.1.0.1-10.1.0.9 --dst-range 10.0.0.0-10.9.9.9
ipt -A INPUT -m tos --tos 0x10/0x3f; ipt -A INPUT -m dscp --dscp 0x2; ipt -A INPUT -f; ipt -A INPUT ! -f
ipt -A INPUT -i r+; ipt -A INPUT ! -i ra; ipt -A INPUT -i lo
ipt -A INPUT -p icmp -m icmp --icmp-type any; ipt -A INPUT -p icmp --icmp-type echo-reply; ipt -A INPUT -p icmp ! --icmp-type echo-request
ipt -A INPUT -s 10.1.0.2/255.255.0.255; ipt -A INPUT ! -s 10.1.0.0/24; ipt -A INPUT ! -p icmp
ipt -A OUTPUT -m owner --uid-owner 0; ipt -A OUTPUT -m owner ! --uid-owner 0; ipt -A OUTPUT -m owner --socket-exists; ipt -A OUTPUT -m owner ! --socket-exists
ipt -A OUTPUT -m owner --uid-owner 5; ipt -A OUTPUT -m owner ! --uid-owner 5 --gid-owner 0; ipt -A OUTPUT -o lo; ipt -A OUTPUT -m mark --mark 7
ipt -t mangle -A POSTROUTING -m owner --uid-owner 0; ipt -t mangle -A POSTROUTING -m owner ! --uid-owner 0; ipt -t mangle -A POSTROUTING -m owner --socket-exists
ipt -A FORWARD -i ra -o rb; ipt -A FORWARD -i rb; ipt -A FORWARD -o r+ -i r+
ipt -t mangle -A PREROUTING -m pkttype --pkt-type unicast; ipt -t mangle -A PREROUTING -m addrtype --dst-type LOCAL; ipt -t mangle -A PREROUTING -m ttl --ttl-eq 64
pa 10.1.0.1; L filter mangle; ipt -Z; ipt -t mangle -Z
pa -Q 0x10 -t 9 -s 1000 10.1.0.1; L filter; ipt -Z
pa -s 3000 10.1.0.1; L filter mangle; ipt -Z; ipt -t mangle -Z
pa -s 3000 10.2.0.2; L filter mangle; ipt -Z; ipt -t mangle -Z
pr -m 7 10.1.0.2; pr 10.1.0.1; pr -s 3000 10.2.0.2; L filter mangle; ipt -Z; ipt -t mangle -Z
ip netns exec a ping -n -b -c 1 -W 0.3 10.1.0.255; ip netns exec a ping -n -c 1 -W 0.3 224.0.0.1; L filter mangle; ipt -Z
ip netns exec a traceroute -n -q 1 -w 0.3 -m 2 10.1.0.1; L filter
