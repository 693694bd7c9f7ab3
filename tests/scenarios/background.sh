# Jobs, pipes and waiting: time is the same for all.
ip netns add a; ip netns add b
ip link add va netns a type veth peer name vb netns b
ip -n a addr add 10.1.0.1/24 dev va; ip -n b addr add 10.1.0.2/24 dev vb
ip -n a link set va up; ip -n b link set vb up; sleep 0.3
ip netns exec a ping -c 3 -i 0.6 -W 0.5 10.1.0.2 > ping.out & pid=$!
sleep 0.9; ip netns exec b sysctl -qw net.ipv4.icmp_echo_ignore_all=1
wait $pid; echo "rc=$?"; grep -c 'bytes from' ping.out
ip netns exec b sysctl -qw net.ipv4.icmp_echo_ignore_all=0
ip netns exec a ping -i 0.2 10.1.0.2 | head -3
ip netns exec a ping 10.1.0.2 >/dev/null & sleep 1; kill -INT $!; wait $!; echo "rc=$?"
(sleep 0.4; echo later) & (sleep 0.2; echo sooner) & wait
for i in 1 2; do ip netns exec a ping -c 1 -W 0.5 10.1.0.$i >/dev/null && echo "$i is up" || echo "$i is down"; done
sleep 3
timeout 1 ip netns exec a ping -q 10.1.0.2 >/dev/null; echo "rc=$?"
