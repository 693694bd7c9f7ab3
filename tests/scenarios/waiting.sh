# Who waits how long for an answer that never comes.
ip netns add a; ip netns add b
ip link add eth0 netns a type veth peer name eth0 netns b
ip -n a addr add 10.0.0.1/24 dev eth0; ip -n b addr add 10.0.0.2/24 dev eth0
ip -n a link set eth0 up; ip -n b link set eth0 up
sleep 0.3
ip netns exec a ping -c 3 -W 1 10.0.0.9; echo "rc=$?"
ip netns exec a timeout 0.6 ping 10.0.0.5 > killed; echo "rc=$?"; wc -c < killed
ip netns exec a timeout -s INT 0.6 ping 10.0.0.4 > stopped; echo "rc=$?"; cat stopped
ip -n a neigh | awk '{print $1, $NF}' | sort
