# TCP from its first segment to its last: who listens, who is refused and how, half closed, and what ss and netstat say.
export LC_ALL=C
for n in a b; do ip netns add $n; ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip -n $n link set lo up; done
ip link add e netns a type veth peer name e netns b
ip -n a addr add 10.0.0.1/24 dev e; ip -n b addr add 10.0.0.2/24 dev e
ip -n a link set e up; ip -n b link set e up
cd "$(mktemp -d)"
names='s/:[0-9]\{5\}\b/:PORT/; s/pid=[0-9]*/pid=N/; s/ *[0-9]*\/nc/ N\/nc/; s/ *$//; s/PORT */PORT /; s/Port */Port /'
say() { echo "$@:"; ip netns exec "$@" > out; sed "$names" out; }

ip netns exec a nc -vz 10.0.0.2 80; echo "rc=$?"
ip netns exec b nc -l 80 > one &
sleep 0.3
say b ss -tlnp
say b ss -tln sport = :80
say b ss -tuln state established
say b netstat -tlnp
(echo hello; sleep 4; echo there) | ip netns exec a nc -N 10.0.0.2 80 &
sleep 0.8
for n in a b; do say $n ss -tn; say $n ss -tan dst 10.0.0.0/24; say $n netstat -tn; done
wait; cat one
say a ss -tan
say b ss -tan
say a ss -t state time-wait
# Half closed: the server goes on talking.
(sleep 3; echo late) | ip netns exec b nc -N -l 81 > two &
sleep 0.3
echo early | ip netns exec a nc -N 10.0.0.2 81 > three &
sleep 0.4
say a ss -tn; say b ss -tn
wait; cat two three
ip netns exec a nc -w 1 -vz 10.0.0.9 80; echo "rc=$?"
ip netns exec a nc -vz 10.0.0.9 80; echo "rc=$?"
ip netns exec a nc -vz 10.1.0.9 80; echo "rc=$?"
ip netns exec a nc -vz 127.0.0.1 80; echo "rc=$?"
