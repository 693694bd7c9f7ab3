# VXLANs: point to point and behind bridges, learned and static entries, head-end replication, a device that moved.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1; sysctl -qw net.ipv6.conf.default.disable_ipv6=1
for n in a b r c; do ip netns add $n; ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip netns exec $n sysctl -qw net.ipv6.conf.default.disable_ipv6=1; ip -n $n link set lo up; done
ip link add va netns a type veth peer name ra netns r; ip link add vb netns b type veth peer name rb netns r
ip link add vc netns c type veth peer name rc netns r
i=0; for n in a b c; do i=$((i + 1))
  ip -n $n addr add 10.$i.0.2/24 dev v$n; ip -n $n link set v$n up; ip -n r addr add 10.$i.0.1/24 dev r$n; ip -n r link set r$n up
  ip -n $n route add default via 10.$i.0.1
done
for n in a b c; do ip netns exec $n sysctl -qw net.ipv4.neigh.v$n.delay_first_probe_time=100; ip netns exec r sysctl -qw net.ipv4.neigh.r$n.delay_first_probe_time=100; done
ip netns exec r sysctl -qw net.ipv4.ip_forward=1; sleep 1.2
echo "== point to point"
ip -n a link add vx0 address 02:00:00:00:00:0a type vxlan id 42 dstport 4789 local 10.1.0.2 remote 10.2.0.2 dev va; echo "rc=$?"
ip -n b link add vx0 address 02:00:00:00:00:0b type vxlan id 42 dstport 4789 local 10.2.0.2 remote 10.1.0.2 dev vb; echo "rc=$?"
ip -n a addr add 192.168.0.1/24 dev vx0; ip -n b addr add 192.168.0.2/24 dev vx0
ip -n a -br link | awk '{print $1, $2, $NF}'; ip -n a link set vx0 up; ip -n a -br link | awk '{print $1, $2, $NF}'; ip -n a -o link show vx0 | sed 's/.*mtu/mtu/'
ip netns exec a ping -c 1 -W 1 192.168.0.2; echo "other end down rc=$?"; sleep 2.5; ip -n b link set vx0 up
ip netns exec a ping -c 2 -i 0.3 -W 1 192.168.0.2; echo "rc=$?"
ip netns exec a bridge fdb show dev vx0; ip netns exec b bridge fdb show dev vx0
ip netns exec a ping -c 1 -W 1 -s 1422 -M do 192.168.0.2; echo "largest rc=$?"; ip netns exec a ping -c 1 -W 1 -s 1423 -M do 192.168.0.2; echo "larger rc=$?"
ip netns exec a ping -c 1 -W 1 -s 3000 192.168.0.2; echo "fragments rc=$?"
echo "== what may not be"
ip -n a link add vx1 type vxlan id 42 dstport 4789 dev va; echo "twin rc=$?"; ip -n a link add vx1 type vxlan id 43 dstport 4789 group 239.1.1.1; echo "rc=$?"
ip -n a link del vx0; ip -n b link del vx0
echo "== a wrong number, and nobody behind"
ip -n a link add vx0 type vxlan id 7 dstport 4789 remote 10.2.0.2; ip -n a -o link show vx0 | sed 's/.*mtu/mtu/'; ip -n b link add vx0 type vxlan id 8 dstport 4789 remote 10.1.0.2
ip -n a addr add 192.168.0.1/24 dev vx0; ip -n b addr add 192.168.0.2/24 dev vx0; ip -n a link set vx0 up; ip -n b link set vx0 up
ip netns exec a ping -c 1 -W 0.5 192.168.0.2; echo "rc=$?"; ip -n a link del vx0; ip -n b link del vx0
echo "== entries by hand"
i=0; for n in a b c; do i=$((i + 1)); ip -n $n link add vx0 address 02:00:00:00:00:0$n type vxlan id 9 dstport 4789 nolearning; ip -n $n addr add 192.168.0.$i/24 dev vx0; ip -n $n link set vx0 up; done
ip netns exec a ping -c 1 -W 0.5 192.168.0.2; echo "nobody knows rc=$?"
ip netns exec a bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.2.0.2; ip netns exec a bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.3.0.2
ip netns exec b bridge fdb add 02:00:00:00:00:0a dev vx0 dst 10.1.0.2; ip netns exec c bridge fdb add 02:00:00:00:00:0a dev vx0 dst 10.1.0.2
ip netns exec a ping -c 1 -W 0.5 192.168.0.2; echo "rc=$?"; ip netns exec a ping -c 1 -W 0.5 192.168.0.3; echo "rc=$?"; ip netns exec a bridge fdb show dev vx0 | grep dst
ip netns exec a bridge fdb del 00:00:00:00:00:00 dev vx0 dst 10.3.0.2; ip netns exec a bridge fdb show dev vx0 | grep dst; ip -n a neigh flush all
ip netns exec a ping -c 1 -W 0.5 192.168.0.3; echo "rc=$?"; ip -n a link set vx0 down
ip netns exec a bridge fdb add 02:00:00:00:00:0a dev vx0; echo "no dst rc=$?"; ip netns exec a bridge fdb add 02:00:00:00:00:0f dev vx0 dst 10.3.0.2; ip netns exec a bridge fdb add 02:00:00:00:00:0f dev vx0 dst 10.3.0.2; echo "rc=$?"
ip netns exec a bridge fdb append 02:00:00:00:00:0f dev vx0 dst 10.2.0.2; echo "rc=$?"; ip netns exec a bridge fdb replace 02:00:00:00:00:0f dev vx0 dst 10.2.0.2; echo "rc=$?"; ip netns exec a bridge fdb show dev vx0 | grep dst
ip netns exec a bridge fdb del 02:00:00:00:00:0e dev vx0; echo "rc=$?"
for n in a b c; do ip -n $n link del vx0; done
echo "== behind bridges"
for n in a b; do
  o=b; [ $n = b ] && o=a; r=10.2.0.2; [ $n = b ] && r=10.1.0.2
  ip -n $n link add br0 type bridge mcast_snooping 0; ip -n $n link set br0 up; ip -n $n link add vx0 type vxlan id 10 dstport 4789 remote $r dev v$n
  ip -n $n link set vx0 master br0 up; ip netns add h$n; ip netns exec h$n sysctl -qw net.ipv6.conf.all.disable_ipv6=1
  ip link add p0 netns $n type veth peer name eth0 netns h$n; ip -n $n link set p0 master br0 up; ip -n h$n link set eth0 up
done
ip -n ha addr add 172.16.0.1/24 dev eth0; ip -n hb addr add 172.16.0.2/24 dev eth0; sleep 1.2
ip netns exec ha ping -c 2 -i 0.3 -W 1 172.16.0.2; echo "rc=$?"; ip -n a -o link show br0 | sed 's/.*mtu \([0-9]*\).*/\1/'
ip netns exec a bridge fdb show br br0 | grep -v permanent | wc -l
ip netns exec ha ping -c 1 -W 1 -s 1472 -M do 172.16.0.2; echo "too long for the tunnel rc=$?"
for n in a b; do ip -n $n link del vx0; ip -n $n link del br0; done
echo "== in another namespace"
ip -n a link add vx0 type vxlan id 11 dstport 4789 remote 10.2.0.2 dev va; ip -n a link set vx0 netns ha
ip -n b link add vx0 type vxlan id 11 dstport 4789 remote 10.1.0.2 dev vb; ip -n b addr add 192.168.0.2/24 dev vx0; ip -n b link set vx0 up
ip -n ha addr add 192.168.0.1/24 dev vx0; ip -n ha link set vx0 up; ip netns exec ha ping -c 1 -W 0.5 192.168.0.2; echo "rc=$?"
ip -n a link del va; ip -n ha -br link | awk '{print $1}'
