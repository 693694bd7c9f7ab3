# Ports of a bridge in full: what each costs, what is shown of it, who is isolated, and who has left.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1; sysctl -qw net.ipv6.conf.default.disable_ipv6=1
ip link add br0 address 02:00:00:00:00:99 type bridge; ip link set br0 up
for i in 1 2 3; do
  ip netns add ns$i; ip netns exec ns$i sysctl -qw net.ipv6.conf.default.disable_ipv6=1
  ip link add veth$i type veth peer name eth0 netns ns$i; ip link set veth$i master br0; ip link set veth$i up
  ip -n ns$i addr add 10.0.0.$i/24 dev eth0; ip -n ns$i link set eth0 up
done
sleep 1.2
ip link show master br0; bridge link; ip -d link show br0; ip -d link show veth1; brctl show; brctl showstp br0
for i in 2 3; do ip netns exec ns1 ping -c 1 -W 1 10.0.0.$i; echo "rc=$?"; done
bridge fdb show br br0 | grep -v permanent | wc -l; brctl showmacs br0 | wc -l
ip link set veth3 nomaster; ip netns exec ns1 ping -c 1 -W 0.5 10.0.0.3; echo "left rc=$?"; ip -d link show veth3
bridge link set dev veth1 isolated on; bridge link set dev veth2 isolated on; bridge -d link show dev veth1
ip netns exec ns1 ping -c 1 -W 0.5 10.0.0.2; echo "isolated rc=$?"
bridge link set dev veth2 isolated off cost 7 priority 5; bridge link show dev veth2; ip netns exec ns1 ping -c 1 -W 0.5 10.0.0.2; echo "rc=$?"
# What says nothing of its speed costs 100, what stands on a cable as much as that.
ip link add u1 type veth peer name u2; ip link add br1 type bridge; ip link add br2 type bridge
ip link add vx1 type vxlan id 1 dstport 4789 remote 10.0.0.1 dev u1
ip link add vx2 type vxlan id 2 dstport 4789 remote 10.0.0.1
ip link add vx3 type vxlan id 3 dstport 4789 dev br1
ip link add vx4 type vxlan id 4 dstport 4789 remote 10.0.0.1 dev lo
ip link add mv1 link u2 type macvlan mode bridge; ip link add mv2 link br1 type macvlan
for port in u1 vx1 vx2 vx3 vx4 mv1 mv2; do ip link set $port master br2; bridge link show dev $port; done
ip link set br1 master br2; echo "rc=$?"; ip link set br2 master br2; echo "rc=$?"; ip link set lo master br2; echo "rc=$?"
ip link del br0; ip link show veth1; ip link del br2; brctl show
