# Primary and secondary addresses, /31, /32 and peers: which routes they make, and who speaks.
ip netns add a; ip netns add b
ip link add va netns a type veth peer name vb netns b
ip -n a link set lo up; ip -n b link set lo up
ip -n a link set va up; ip -n b link set vb up; sleep 0.3
ip -n a addr add 10.1.0.1/24 dev va; ip -n a addr add 10.1.0.3/24 dev va; ip -n a addr add 10.2.0.1/31 dev va
ip -n b addr add 10.1.0.2/24 dev vb; ip -n b addr add 10.2.0.0/31 dev vb
ip -n a addr add 10.3.0.1 peer 10.3.0.2 dev va; ip -n b addr add 10.3.0.2 peer 10.3.0.1 dev vb
ip -n a -4 addr show va; ip -n a route; ip -n a route show table local
for d in 10.1.0.2 10.2.0.0 10.3.0.2; do ip netns exec a ping -c 1 $d; echo "rc=$?"; done
ip netns exec a ping -c 1 -I 10.1.0.3 10.1.0.2; echo "from a secondary rc=$?"
ip netns exec a ping -c 1 -I va 10.1.0.2; echo "by the device rc=$?"
ip netns exec a ping -c 1 -I 10.9.9.9 10.1.0.2; echo "from nowhere rc=$?"
ip -n a addr del 10.1.0.1/24 dev va; ip -n a -4 addr show va; ip -n a route
ip netns exec a ping -c 1 -W 1 10.1.0.2; echo "gone rc=$?"
