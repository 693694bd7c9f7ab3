# Two namespaces on one cable: who asks, who answers, what each has learned of the other.
ip netns add a; ip netns add b
ip link add va netns a type veth peer name vb netns b
ip -n a addr add 10.1.0.1/24 dev va
ip -n b addr add 10.1.0.2/24 dev vb
ip -n a link set va up
ip -n a -br link
ip -n b link set vb up; sleep 0.3
ip -n a link show va; ip -n b link show vb
ip netns exec a ping -c 2 -i 0.2 10.1.0.2; echo "rc=$?"
ip -n a neigh; ip -n b neigh
ip netns exec b ping -c 1 -s 1000 10.1.0.1; echo "rc=$?"
ip netns exec a ping -c 1 -W 1 127.0.0.1; echo "rc=$?"
ip -n a link set lo up
ip netns exec a ping -c 1 10.1.0.1; echo "rc=$?"
ip -n a route get 10.1.0.2; ip -n a route show table local
ip netns del a; sleep 0.2; ip netns list
