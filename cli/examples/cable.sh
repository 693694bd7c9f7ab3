ip netns add red
ip link add veth-host type veth peer name veth-red netns red
ip addr add 10.0.0.1/24 dev veth-host
ip link set veth-host up
ip -n red addr add 10.0.0.2/24 dev veth-red
ip -n red link set veth-red up
ping -c 1 10.0.0.2
ip netns exec red ping -c 1 8.8.8.8
