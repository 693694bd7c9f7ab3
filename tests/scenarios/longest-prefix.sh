# The longest prefix wins, then the smallest metric; a route that goes uncovers the next.
for n in h r1 r2; do ip netns add $n; ip -n $n link set lo up; done
for i in 1 2; do
    ip link add e$i netns h type veth peer name eth0 netns r$i
    ip -n h addr add 10.1.$i.1/24 dev e$i; ip -n r$i addr add 10.1.$i.2/24 dev eth0
    ip -n h link set e$i up; ip -n r$i link set eth0 up
    ip -n r$i addr add 10.7.0.1/32 dev lo; ip -n r$i addr add 10.7.1.1/32 dev lo
done
sleep 0.3
ip -n h route add 10.7.0.0/16 via 10.1.1.2
ip -n h route add 10.7.1.0/24 via 10.1.2.2
ip -n h route add default via 10.1.2.2 metric 10
ip -n h route
for d in 10.7.0.1 10.7.1.1; do ip netns exec h ping -c 1 -W 1 $d; ip -n h route get $d; done
ip -n h route del 10.7.1.0/24; ip netns exec h ping -c 1 10.7.1.1
ip -n h route add 10.7.0.0/16 via 10.1.2.2 metric 5; ip -n h route add 10.7.0.0/16 via 10.1.2.2; echo "rc=$?"
ip -n h link set e1 down; ip -n h route; ip netns exec h ping -c 1 10.7.1.1
