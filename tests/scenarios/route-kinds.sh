# Routes that refuse: as a router tells others, and as it tells its own programs.
for n in a r; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns a type veth peer name ra netns r
ip -n a addr add 10.1.0.2/24 dev eth0; ip -n r addr add 10.1.0.1/24 dev ra
ip -n a link set eth0 up; ip -n r link set ra up
ip netns exec r sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0
ip -n a route add default via 10.1.0.1
ip -n r route add blackhole 10.8.1.0/24
ip -n r route add unreachable 10.8.2.0/24
ip -n r route add prohibit 10.8.3.0/24
ip -n r route add throw 10.8.4.0/24
sleep 0.3
for i in 1 2 3 4 5; do ip netns exec a ping -c 1 -W 1 10.8.$i.1; echo "from a host: $i rc=$?"; done
for i in 1 2 3 4 5; do ip netns exec r ping -c 1 -W 1 10.8.$i.1; echo "at the router: $i rc=$?"; done
for i in 1 2 3 4 5; do ip -n r route get 10.8.$i.1; echo "get: $i rc=$?"; done
ip -n r route
