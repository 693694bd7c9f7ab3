ip link show; ifconfig lo; ip route show
sudo ip netns add red; sudo ip netns list
sudo ip netns exec red ip link show
sudo ip link add veth-red type veth peer name veth-host
sudo ip link set veth-red netns red
sudo ip netns exec red ip addr add 192.168.1.1/24 dev veth-red
sudo ip netns exec red ip link set veth-red up
sudo ip addr add 192.168.1.2/24 dev veth-host
sudo ip link set veth-host up
sudo ip route add 192.168.1.1 dev veth-host
ping 192.168.1.1 -c 3
sudo ip netns exec red ping 192.168.1.2 -c 3
