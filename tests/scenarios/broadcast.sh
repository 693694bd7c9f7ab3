# Pings to everybody, and who answers them.
ip netns add a; ip netns add b
ip link add va netns a type veth peer name vb netns b
ip -n a addr add 10.1.0.1/24 brd + dev va; ip -n b addr add 10.1.0.2/24 brd + dev vb
ip -n a link set lo up; ip -n a link set va up; ip -n b link set vb up; sleep 0.3
ip netns exec a ping -c 1 -W 1 10.1.0.255; echo "without -b rc=$?"
ip netns exec a ping -b -c 1 -W 1 10.1.0.255; echo "ignored rc=$?"
ip netns exec b sysctl -qw net.ipv4.icmp_echo_ignore_broadcasts=0
ip netns exec a ping -b -c 1 -W 1 10.1.0.255; echo "rc=$?"
ip netns exec a ping -b -c 1 -W 1 255.255.255.255; echo "no way rc=$?"
ip netns exec a ping -c 1 -W 1 -I va 224.0.0.1; echo "the group of all rc=$?"
