# A router between two hosts: forwarding off and on, time to live, no way back, no way at all.
for n in h1 r h2; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns h1 type veth peer name r1 netns r
ip link add eth0 netns h2 type veth peer name r2 netns r
ip -n h1 addr add 10.1.0.2/24 dev eth0; ip -n r addr add 10.1.0.1/24 dev r1
ip -n h2 addr add 10.2.0.2/24 dev eth0; ip -n r addr add 10.2.0.1/24 dev r2
ip -n h1 link set eth0 up; ip -n h2 link set eth0 up; ip -n r link set r1 up; ip -n r link set r2 up
sleep 0.3
ip -n h1 route add default via 10.1.0.1
ip netns exec h1 ping -c 1 -W 1 10.2.0.2; echo "forwarding off rc=$?"
ip netns exec r sysctl -w net.ipv4.ip_forward=1
ip netns exec h1 ping -c 1 -W 1 10.2.0.2; echo "no way back rc=$?"
ip -n h2 route add 10.1.0.0/24 via 10.2.0.1
ip netns exec h1 ping -c 2 -i 0.2 10.2.0.2; echo "rc=$?"
ip netns exec h1 ping -c 1 -t 1 10.2.0.2; echo "ttl 1 rc=$?"
ip netns exec h1 ping -c 1 -t 2 10.2.0.2; echo "ttl 2 rc=$?"
ip netns exec h1 ping -c 1 -W 1 10.3.0.1; echo "nowhere rc=$?"
ip netns exec h1 ping -c 1 -W 1 10.2.0.255; echo "broadcast of the far net rc=$?"
ip netns exec h1 ping -c 1 -Q 0x10 10.2.0.2; echo "tos rc=$?"
