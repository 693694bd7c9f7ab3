# Three hosts on a bridge: who is learned where, static and sticky entries, flags of ports, ageing, ports that go and come.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1; sysctl -qw net.ipv6.conf.default.disable_ipv6=1
ip link add br0 type bridge ageing_time 300; ip link set br0 address 02:00:00:00:00:99; ip link set br0 up
for i in 1 2 3; do
  ip netns add h$i; ip netns exec h$i sysctl -qw net.ipv6.conf.all.disable_ipv6=1
  ip netns exec h$i sysctl -qw net.ipv6.conf.default.disable_ipv6=1
  ip link add p$i type veth peer name eth0 netns h$i
  ip -n h$i link set eth0 address 02:00:00:00:01:0$i; ip link set p$i address 02:00:00:00:02:0$i
  ip link set p$i master br0; ip link set p$i up
  ip -n h$i link set lo up; ip -n h$i link set eth0 up; ip -n h$i addr add 10.0.0.$i/24 dev eth0
done
# Nobody asks again whether a neighbour is still there: when that happens is chance.
for i in 1 2 3; do ip netns exec h$i sysctl -qw net.ipv4.neigh.eth0.delay_first_probe_time=100; done
sysctl -qw net.ipv4.neigh.br0.delay_first_probe_time=100
sleep 1.2
learned() { bridge fdb show br br0 | grep -v permanent | sort; }
learned; bridge link
ip netns exec h1 ping -c 1 -W 1 10.0.0.2; echo "rc=$?"; learned
ip netns exec h3 ping -c 1 -W 1 10.0.0.2; echo "rc=$?"; learned
bridge fdb get 02:00:00:00:01:02 br br0; bridge fdb get 02:00:00:00:01:0f br br0; echo "rc=$?"
ip addr add 10.0.0.254/24 dev br0; ping -c 1 -W 1 10.0.0.1; echo "host rc=$?"
ip netns exec h2 ping -c 1 -W 1 10.0.0.254; echo "to host rc=$?"
ip netns exec h1 ping -c 1 -W 1 -b 10.0.0.255; echo "broadcast rc=$?"
echo "== ageing"
sleep 9.5; learned; ip link set br0 type bridge ageing_time 30000
echo "== entries by hand"
bridge fdb add 02:00:00:00:01:03 dev p1 master static; echo "rc=$?"; learned
ip netns exec h2 ping -c 1 -W 1 10.0.0.3; echo "on the wrong port rc=$?"; learned
bridge fdb replace 02:00:00:00:01:02 dev p1 master sticky static; echo "rc=$?"; learned
ip netns exec h1 ping -c 1 -W 1 10.0.0.2; echo "sticky rc=$?"; learned
bridge fdb del 02:00:00:00:01:02 dev p1 master; echo "rc=$?"; bridge fdb del 02:00:00:00:01:02 dev p1 master; echo "rc=$?"
ip netns exec h1 ping -c 1 -W 1 10.0.0.2; echo "rc=$?"
echo "== isolated"
bridge link set dev p1 isolated on; bridge link set dev p2 isolated on
ip -n h1 neigh flush all; ip netns exec h1 ping -c 1 -W 1 10.0.0.2; echo "rc=$?"
ip netns exec h1 ping -c 1 -W 1 10.0.0.3; echo "rc=$?"; ping -c 1 -W 1 10.0.0.1; echo "rc=$?"
bridge link set dev p1 isolated off; ip netns exec h1 ping -c 1 -W 1 10.0.0.2; echo "rc=$?"
bridge link set dev p2 isolated off
echo "== learning and flood off"
bridge link set dev p2 learning off flood off; ip link set p2 type bridge_slave fdb_flush; learned
ip netns exec h1 ping -c 1 -W 1 10.0.0.2; echo "rc=$?"; learned
bridge link set dev p2 flood on; ip netns exec h1 ping -c 1 -W 1 10.0.0.2; echo "rc=$?"; learned
bridge link set dev p2 learning on bcast_flood off; ip -n h1 neigh flush all
ip netns exec h1 ping -c 1 -W 1 10.0.0.2; echo "rc=$?"; sleep 3; bridge link set dev p2 bcast_flood on
echo "== a port goes down, and up"
ip link set p3 down; bridge link; learned; ip netns exec h1 ping -c 1 -W 1 10.0.0.3; echo "rc=$?"
ip link set p3 up; sleep 1.2; bridge link; ip netns exec h1 ping -c 1 -W 2 10.0.0.3; echo "rc=$?"; learned
echo "== a port leaves, and another namespace"
ip link set p2 nomaster; learned; ip netns exec h1 ping -c 1 -W 1 10.0.0.2; echo "rc=$?"
ip link set p2 master br0; ip netns exec h1 ping -c 1 -W 2 10.0.0.2; echo "rc=$?"
ip link set p3 netns h1; bridge link; learned; ip -n h1 -br link show p3 | awk '{print $1, $2}'
echo "== the bridge goes"
ip -br link | awk '{print $1, $2}'; ip link del br0; echo "rc=$?"; ip -br link | awk '{print $1, $2}'; ip route
ip netns exec h1 ping -c 1 -W 1 10.0.0.2; echo "rc=$?"
