# The way through three routers, seen by three tools.
for n in h r1 r2 r3; do ip netns add $n; ip -n $n link set lo up; ip netns exec $n sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0; done
join() { ip link add $2 netns $1 type veth peer name $4 netns $3; ip -n $1 addr add $5 dev $2; ip -n $3 addr add $6 dev $4; ip -n $1 link set $2 up; ip -n $3 link set $4 up; }
join h e r1 w 10.0.1.1/24 10.0.1.2/24
join r1 e r2 w 10.0.2.1/24 10.0.2.2/24
join r2 e r3 w 10.0.3.1/24 10.0.3.2/24
ip -n h route add default via 10.0.1.2
ip -n r1 route add default via 10.0.2.2
ip -n r2 route add 10.0.1.0/24 via 10.0.2.1
ip -n r3 route add default via 10.0.3.1
sleep 0.3
for d in 10.0.1.2 10.0.2.2 10.0.3.2; do ip netns exec h ping -c 1 $d >/dev/null; done
ip netns exec h traceroute -n -q 1 -N 1 10.0.3.2; echo "rc=$?"
ip netns exec h traceroute -I -n -q 1 -N 1 10.0.3.2; echo "rc=$?"
ip netns exec h tracepath -n 10.0.3.2 | sed 's/ *\[.*//'; echo "rc=$?"
ip netns exec h ping -c 1 -R 10.0.2.2; echo "rc=$?"
