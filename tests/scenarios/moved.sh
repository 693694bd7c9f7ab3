# Links that move between namespaces, under names and numbers that may be taken there.
for n in a b c; do ip netns add $n; done
ip link add v0 type veth peer name v1
ip addr add 10.0.0.1/24 dev v0; ip link set v0 up; ip link set v1 up
ip route add 10.9.0.0/16 via 10.0.0.2
ip link set v0 netns a; ip route show dev v0; ip -n a -br addr; ip -n a -o link show v0 | cut -d: -f3 | sed 's/ qlen.*//'
ip -n a link set v0 netns b name eth0; ip link set v1 netns b name eth1; ip -n b -br link | awk '{print $1, $2}'
ip -n b link set eth1 netns c name eth9; ip -n c link set eth9 netns 1; ip -br link show eth9 | awk '{print $1, $2}'
ip link add eth0 type veth peer name eth0 netns a; ip link set eth0 netns b; echo "rc=$?"
ip link set eth0 netns b name eth5; ip -n a link del eth0; ip -n b -br link | awk '{print $1, $2}'
ip link add x2 index 50 netns a type veth peer name x2 index 60 netns b; echo "rc=$?"
ip link add x3 index 50 netns a type veth; echo "rc=$?"
ip -n a link set x2 netns b; echo "rc=$?"
ip -n b link set x2 name y2; ip -n a link set x2 netns b; ip -n b -o link | cut -d: -f1,2
ip netns exec c sleep 1 &
sleep 0.1; ip link set eth9 netns $!; ip -n c -br link | awk '{print $1, $2}'; ip link set lo netns a; echo "rc=$?"
wait; ip netns del b; ip -n a -br link | awk '{print $1, $2}'; ip -n c -br link | awk '{print $1, $2}'
ip netns del a; ip netns del c; ip netns; ip -br link | awk '{print $1, $2}'
