# What a link takes with it when it goes down, and what comes back.
ip netns add a; ip netns add b
ip link add va netns a type veth peer name vb netns b
ip -n a addr add 10.1.0.1/24 dev va; ip -n b addr add 10.1.0.2/24 dev vb
ip -n a link set va up; ip -n b link set vb up; sleep 0.3
ip -n a route add 10.5.0.0/16 via 10.1.0.2
ip netns exec a ping -c 1 10.1.0.2; echo "rc=$?"
ip -n a link set va down; ip -n a route; ip -n a neigh; ip -n a -br addr show va | cut -d' ' -f1-3
ip netns exec a ping -c 1 -W 1 10.1.0.2; echo "down rc=$?"
ip -n a link set va up; sleep 0.3; ip -n a route
ip netns exec a ping -c 1 10.1.0.2; echo "rc=$?"
ip -n b link set vb down; sleep 1.2
ip -n a link show va; ip -n a route
ip netns exec a ping -c 1 -W 1 10.1.0.2; echo "peer down rc=$?"
ip -n b link set vb up; sleep 1.2; ip -n a route
ip -n b link del vb; ip -n a -br link; ip -n a route
