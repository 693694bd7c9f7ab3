# Two bridges with two hosts each, and a router between them.
for net in 1 2; do
  ip link add br$net type bridge
  ip link set br$net up
  for host in a b; do
    ip netns add $host$net
    ip link add v$host$net type veth peer name eth0 netns $host$net
    ip link set v$host$net master br$net up
    ip -n $host$net link set eth0 up
  done
  ip -n a$net addr add 10.0.$net.11/24 dev eth0
  ip -n b$net addr add 10.0.$net.12/24 dev eth0
  ip -n a$net route add default via 10.0.$net.1
  ip -n b$net route add default via 10.0.$net.1
done
ip netns add router
for net in 1 2; do
  ip link add vr$net type veth peer name eth$net netns router
  ip link set vr$net master br$net up
  ip -n router addr add 10.0.$net.1/24 dev eth$net
  ip -n router link set eth$net up
done
ip netns exec router sysctl -w net.ipv4.ip_forward=1
sleep 1

# Inside one bridge, and through the router to the other.
ip netns exec a1 ping -c 1 10.0.1.12
ip netns exec a1 ping -c 1 10.0.2.12
ip netns exec a1 traceroute -n -q 1 -N 1 10.0.2.12
# What the bridge has learned: how many hosts stand behind it.
bridge fdb show br br1 | grep -v permanent | grep -c 'master br1'
bridge link show
