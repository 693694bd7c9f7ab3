# Addresses that follow one another, and what their routes do meanwhile.
ip netns add n
ip -n n link add e0 type veth peer name e1
ip -n n link set e0 up; ip -n n link set e1 up
A="ip -n n addr"
for i in 1 2 3; do $A add 10.0.0.$i/24 dev e0; done
$A add 10.0.0.4/25 dev e0
$A del 10.0.0.1/24 dev e0
$A show e0 | grep 'inet '; ip -n n route; ip -n n route show table local
$A flush dev e0
ip netns exec n sysctl -w net.ipv4.conf.e0.promote_secondaries=1
for i in 1 2 3; do $A add 10.0.0.$i/24 dev e0; done
for i in 1 2; do ip -n n route add 10.$i.0.0/16 via 10.0.0.9 src 10.0.0.$i; done
$A del 10.0.0.1/24 dev e0
$A show e0 | grep 'inet '; ip -n n route; ip -n n route show table local
$A add 192.168.1.5/24 dev e0 noprefixroute; $A add 192.168.1.6/24 dev e0; ip -n n route
$A del 192.168.1.5/24 dev e0; $A add 192.168.2.1/24 dev e0 metric 77; ip -n n route
$A change 192.168.2.1/24 dev e0 metric 88; ip -n n route
$A add 10.6.0.0/31 dev e1; $A add 10.5.0.1/30 dev e1; $A add 10.7.0.2/8 dev e1; ip -n n route show table local dev e1
ip -n n link set e0 down; ip -n n route; ip -n n link set e0 up; ip -n n route
$A flush dev e0 to 192.168.0.0/16; $A show e0 | grep 'inet '
$A flush scope global; ip -n n route; echo "rc=$?"
