# Macvlans: each mode among siblings and with the outside, in other namespaces than the link they stand on.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1; sysctl -qw net.ipv6.conf.default.disable_ipv6=1
for n in low out m1 m2; do ip netns add $n; ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip netns exec $n sysctl -qw net.ipv6.conf.default.disable_ipv6=1; ip -n $n link set lo up; done
ip link add eth0 netns low type veth peer name eth0 netns out
ip -n low addr add 10.0.0.1/24 dev eth0; ip -n low link set eth0 up; ip -n out addr add 10.0.0.9/24 dev eth0; ip -n out link set eth0 up; sleep 1.2
ip netns exec out sysctl -qw net.ipv4.neigh.eth0.delay_first_probe_time=100
for mode in bridge private vepa; do
  echo "== $mode"
  for i in 1 2; do
    ip -n low link add mv$i link eth0 type macvlan mode $mode; ip -n low link set mv$i netns m$i
    ip -n m$i addr add 10.0.0.1$i/24 dev mv$i; ip -n m$i link set mv$i up
  done
  sleep 1.2; ip -n m1 -br link | awk '{print $1, $2, $NF}'
  ip netns exec m1 ping -c 1 -W 1 10.0.0.9; echo "out rc=$?"; ip netns exec m1 ping -c 1 -W 4 10.0.0.12; echo "sibling rc=$?"
  ip netns exec m1 ping -c 1 -W 1 10.0.0.1; echo "below rc=$?"; ip netns exec out ping -c 1 -W 1 10.0.0.12; echo "in rc=$?"
  ip -n m1 link del mv1; ip -n m2 link del mv2
done
echo "== what follows the link below"
ip -n low link add mv1 link eth0 type macvlan mode bridge; ip -n low link add mv2 link mv1 type macvlan mode bridge
ip -n low link set mv1 up; sleep 1.2; ip -n low -br link | awk '{print $1, $2, $NF}'
ip -n low link set eth0 down; sleep 1.2; ip -n low -br link | awk '{print $1, $2, $NF}'; ip -n low link set eth0 up; sleep 1.2; ip -n low -br link | awk '{print $1, $2, $NF}'
ip -n out link set eth0 down; sleep 1.2; ip -n low -br link | awk '{print $1, $2, $NF}'; ip -n out link set eth0 up; sleep 1.2; ip -n low -br link | awk '{print $1, $2, $NF}'
ip -n low link set eth0 mtu 1400; ip -n low -o link show mv1 | sed 's/.*mtu \([0-9]*\).*/\1/'; ip -n low link set eth0 mtu 1500; ip -n low -o link show mv1 | sed 's/.*mtu \([0-9]*\).*/\1/'
ip -n low link set mv1 mtu 1600; echo "rc=$?"; ip -n low link set mv1 mtu 1300; ip -n low -o link show mv1 | sed 's/.*mtu \([0-9]*\).*/\1/'
ip -n low link add br0 type bridge
echo "== what may not be"
ip -n low link set mv2 address 02:00:00:00:00:77; ip -n low link set mv1 address 02:00:00:00:00:77; echo "down rc=$?"; ip -n low link set mv2 up; echo "rc=$?"; ip -n low link set mv1 address 02:00:00:00:00:78; ip -n low link set mv2 up; ip -n low link set mv1 address 02:00:00:00:00:77; echo "rc=$?"; ip -n low link set mv1 master br0; echo "rc=$?"
ip -n low link add mv3 link eth0 mtu 1501 type macvlan; echo "rc=$?"; ip -n low link add mv3 link lo type macvlan; echo "rc=$?"; ip -n low link add mv3 type macvlan; echo "rc=$?"
ip -n low link add mv3 link eth0 type macvlan mode passthru; echo "rc=$?"; ip -n low link set eth0 master br0; echo "rc=$?"
ip -n low link del mv1; ip -n low link del mv2; ip -n low link set eth0 master br0; echo "rc=$?"; ip -n low link add mv3 link eth0 type macvlan; echo "rc=$?"; ip -n low link set eth0 nomaster
echo "== passthru, and the end"
ip -n low link add mv4 link eth0 type macvlan mode passthru; echo "rc=$?"; ip -n low link add mv5 link eth0 type macvlan; echo "rc=$?"
ip -n low link set mv4 netns m1; ip -n m1 addr add 10.0.0.4/24 dev mv4; ip -n m1 link set mv4 up; sleep 1.2; ip netns exec out ping -c 1 -W 1 10.0.0.4; echo "rc=$?"
ip -n low link del eth0; ip -n m1 -br link | awk '{print $1}'
