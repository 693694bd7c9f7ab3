# The neighbour table by hand, and arping.
ip netns add a; ip netns add b
ip link add va netns a type veth peer name vb address 02:00:00:00:00:0b netns b
ip -n a addr add 10.1.0.1/24 dev va; ip -n b addr add 10.1.0.2/24 dev vb
ip -n a link set va up; ip -n b link set vb up; sleep 0.3
ip netns exec a arping -c 2 -I va 10.1.0.2 | sed 's/  *[0-9.]*ms$//'; echo "rc=$?"
ip -n a neigh; ip -n b neigh
ip netns exec a arping -c 1 -w 1 -I va 10.1.0.9; echo "rc=$?"
ip netns exec a arping -D -c 1 -w 1 -I va 10.1.0.2 | sed 's/  *[0-9.]*ms$//'; echo "rc=$?"
ip netns exec a arping -U -c 1 -I va 10.1.0.1; echo "rc=$?"
ip -n a neigh add 10.1.0.2 lladdr 02:00:00:00:00:0b nud permanent dev va; ip -n a neigh
ip netns exec a ping -c 1 10.1.0.2; echo "rc=$?"
ip -n a neigh replace 10.1.0.2 lladdr 02:00:00:00:00:0c nud reachable dev va; ip -n a neigh
ip netns exec a ping -c 1 -W 1 10.1.0.2; echo "rc=$?"
ip -n a neigh del 10.1.0.2 dev va; ip -n a neigh; ip -n a neigh del 10.1.0.2 dev va; echo "rc=$?"
ip -n a link set va arp off; ip -4 -n a neigh show nud all | sort
