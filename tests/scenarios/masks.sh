# Masks that are wrong, /32, onlink, peers, and whom lo answers for.
for n in a b; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns a type veth peer name eth0 netns b
ip -n a link set eth0 up; ip -n b link set eth0 up
clear() { ip -n a addr flush dev eth0; ip -n b addr flush dev eth0; }
A="ip netns exec a"; B="ip netns exec b"
ip -n a addr add 192.168.1.10/24 dev eth0; ip -n b addr add 192.168.1.130/25 dev eth0
$A ping -c 1 -W 1 192.168.1.130; echo "rc=$?"; $B ping -c 1 -W 1 192.168.1.10; echo "rc=$?"
ip -n b route add 192.168.1.0/25 dev eth0; $B ping -c 1 -W 1 192.168.1.10 | grep ttl
clear; ip -n a addr add 10.5.0.1/32 dev eth0; ip -n b addr add 10.6.0.1/32 dev eth0; ip -n b route add 10.5.0.1 dev eth0
ip -n a route add default via 10.6.0.1; echo "rc=$?"; ip -n a route add default via 10.6.0.1 dev eth0; echo "rc=$?"
ip -n a route add default via 10.6.0.1 dev eth0 onlink; ip -n a route; $A ping -c 1 -W 1 10.6.0.1 | grep ttl
ip -n a route del default; ip -n a route add 10.6.0.1 dev eth0; ip -n a route add default via 10.6.0.1; ip -n a route
$A ping -c 1 -W 1 10.6.0.1 | grep ttl; $A ping -c 1 -W 1 8.8.8.8; echo "rc=$?"
clear; ip -n a addr add 10.7.0.1 peer 10.7.0.2 dev eth0; ip -n b addr add 10.7.0.2 peer 10.7.0.1 dev eth0
ip -n a -4 addr show eth0; ip -n a route; ip -n a route show table local; $A ping -c 1 -W 1 10.7.0.2 | grep ttl
ip -n a addr del 10.7.0.1 peer 10.7.0.2 dev eth0; ip -n a addr add 10.7.0.1 peer 10.7.0.2/24 dev eth0; ip -n a route
ip -n a addr add 10.99.0.1/24 dev lo; ip -n b route add 10.99.0.0/24 dev eth0
$A ping -c 1 10.99.0.77 | grep ttl; $B ping -c 1 -W 1 10.99.0.77 | grep ttl
ip -n a -s link show lo | sed -n '4p;6p'
