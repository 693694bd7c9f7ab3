# Nobody has the address: three requests, a second apart, then host unreachable.
ip netns add a; ip netns add b
ip link add va netns a type veth peer name vb netns b
ip -n a addr add 10.1.0.1/24 dev va; ip -n b addr add 10.1.0.2/24 dev vb
ip -n a link set lo up; ip -n a link set va up; ip -n b link set vb up; sleep 0.3
ip netns exec a ping -c 1 10.1.0.9; echo "rc=$?"
ip -n a neigh
ip netns exec a ping -c 1 -W 0.5 10.1.0.10; echo "rc=$?"
ip -n a neigh show 10.1.0.10; sleep 3; ip -n a neigh show 10.1.0.10
ip -n a neigh add 10.1.0.11 lladdr 02:00:00:00:00:11 dev va
ip netns exec a ping -c 1 -W 1 10.1.0.11; echo "a wrong MAC rc=$?"
ip -n a neigh show nud permanent
# Who has no address to speak from speaks from 0.0.0.0, and hears of it at 127.0.0.1.
ip -n a addr flush dev va; ip -n a addr add 169.254.1.1/16 scope link dev va
ip -n a route add 10.2.0.0/16 via 10.1.0.12 dev va onlink
ip -n a route get 10.2.0.9
ip netns exec a ping -c 1 -W 4 10.2.0.9; echo "rc=$?"
# What such a packet asks of its own host is answered there.
ip netns exec a iptables -t nat -A OUTPUT -j REDIRECT
ip netns exec a timeout 3 tcpdump -i lo -n -t -q > out 2> /dev/null & sleep 1.5
ip netns exec a ping -c 1 -W 0.5 10.2.0.9; echo "rc=$?"
wait; sed 's/id [0-9]*/id N/' out; rm out
