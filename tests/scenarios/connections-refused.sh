# What becomes of a connect that a router, a filter or the other end is against.
export LC_ALL=C
for n in a r b; do ip netns add $n; ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv4.ip_forward=1; ip -n $n link set lo up; done
ip link add e netns a address 02:00:00:00:00:01 type veth peer name w netns r address 02:00:00:00:00:02
ip link add e netns r address 02:00:00:00:00:03 type veth peer name w netns b address 02:00:00:00:00:04
ip -n a addr add 10.0.1.1/24 dev e; ip -n r addr add 10.0.1.2/24 dev w; ip -n r addr add 10.0.2.1/24 dev e; ip -n b addr add 10.0.2.2/24 dev w
for l in a:e r:w r:e b:w; do ip -n ${l%:*} link set ${l#*:} up; done
ip -n a route add default via 10.0.1.2; ip -n b route add default via 10.0.2.1
# Known neighbours, so that nobody asks in the midst of it.
ip -n a neigh replace 10.0.1.2 lladdr 02:00:00:00:00:02 dev e; ip -n r neigh replace 10.0.1.1 lladdr 02:00:00:00:00:01 dev w
ip -n r neigh replace 10.0.2.2 lladdr 02:00:00:00:00:04 dev e; ip -n b neigh replace 10.0.2.1 lladdr 02:00:00:00:00:03 dev w
ip netns exec b nc -l 80 > /dev/null &
sleep 0.3
try() { ip netns exec a nc -w 2 -vz ${1:-10.0.2.2} 80; echo "rc=$?"; }
try
for with in icmp-port-unreachable icmp-net-unreachable icmp-host-unreachable icmp-proto-unreachable icmp-net-prohibited icmp-host-prohibited icmp-admin-prohibited tcp-reset; do
    echo $with
    ip netns exec r iptables -A FORWARD -p tcp --dport 80 -j REJECT --reject-with $with
    try
    ip netns exec r iptables -F
done
ip netns exec r iptables -A FORWARD -p tcp --dport 80 -j DROP; try; ip netns exec r iptables -F
ip netns exec b iptables -A INPUT -p tcp --dport 80 -j REJECT; try; ip netns exec b iptables -F
ip netns exec a iptables -A OUTPUT -p tcp --dport 80 -j REJECT; try; ip netns exec a iptables -F
ip netns exec a iptables -A OUTPUT -p tcp --dport 80 -j DROP; try; ip netns exec a iptables -F
ip -n r route add prohibit 10.0.9.0/24; ip -n r route add unreachable 10.0.8.0/24; ip -n r route add blackhole 10.0.7.0/24
for net in 9 8 7 6; do try 10.0.$net.2; done
wait
# Who may not even repeat its answer forgets who asked: nothing more is said when it may again.
ip netns exec b timeout 5 nc -l 80 > /dev/null & sleep 0.4
ip netns exec b iptables -A OUTPUT -p tcp --sport 80 -j DROP; ip netns exec a timeout 0.5 nc -vz 10.0.2.2 80; ip netns exec b ss -tan state syn-recv; sleep 1
ip netns exec b ss -tan state syn-recv; ip netns exec b iptables -R OUTPUT 1 -p tcp --sport 80; sleep 2.5; ip netns exec b iptables -L OUTPUT -n -v
wait
# Whose last word may not leave says it when the other side's comes, which is acknowledged by itself before.
ip netns exec a sysctl -qw net.ipv4.tcp_rto_min_us=100000000
ip netns exec b timeout 1.5 nc -lk 80 > /dev/null & sleep 0.4
ip netns exec a iptables -A OUTPUT -p tcp --tcp-flags FIN FIN -j DROP; try; ip netns exec a ss -tan state fin-wait-1; ip netns exec a iptables -F
ip netns exec a iptables -A OUTPUT -p tcp --tcp-flags FIN,ACK ACK
wait; sleep 0.2; ip netns exec a iptables -L OUTPUT -n -v
# What a mark leaves without a way has not been sent either: it is tried again with what is said next.
ip -n a rule add fwmark 1 table 100; ip -n a route add blackhole default table 100
ip netns exec b timeout 1.5 nc -lk 80 > /dev/null & sleep 0.4
ip netns exec a iptables -t mangle -A OUTPUT -p tcp ! --syn -j MARK --set-mark 1
echo hello | ip netns exec a timeout 0.5 nc -nN -w 1 10.0.2.2 80; ip netns exec a iptables -t mangle -L OUTPUT -n -v -x
wait
