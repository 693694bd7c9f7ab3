# A host with two gateways: a mark or an address chooses the way, and flows are shared out by weight.
for n in gw1 gw2 host; do ip netns add $n; ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1; ip -n $n link set lo up; done
for i in 1 2; do
  ip link add h$i netns host address 02:00:00:00:0$i:01 type veth peer name g$i address 02:00:00:00:0$i:02 netns gw$i
  ip -n host addr add 10.$i.0.2/24 dev h$i; ip -n gw$i addr add 10.$i.0.1/24 dev g$i; ip -n host link set h$i up; ip -n gw$i link set g$i up
  ip -n gw$i addr add 8.8.8.8/32 dev lo; ip -n gw$i route add default via 10.$i.0.2
done
ip -n host route add default via 10.1.0.1; ip -n host route add default via 10.2.0.1 table 200; sleep 0.5
h() { ip netns exec host "$@"; }
h ip rule add fwmark 2 table 200; h ip rule
h iptables -t mangle -A OUTPUT -p icmp -j MARK --set-mark 2
h ping -n -c 1 -W 1 8.8.8.8; echo "rc=$?"; h iptables -t mangle -L OUTPUT -n -v; h ip route get 8.8.8.8 mark 2; h ip route get 8.8.8.8
h ip rule add from 10.2.0.2 lookup 200 pref 100; h ping -n -c 1 -I 10.2.0.2 8.8.8.8; h ip rule del fwmark 2; h ip rule show
h ip route replace default nexthop via 10.1.0.1 weight 1 nexthop via 10.2.0.1 weight 2; h ip route; h iptables -t mangle -F
h traceroute -n -q 1 8.8.8.8 | sed 's/ [0-9.]* ms//'
ip -n host link set h2 down; h ip route; h ping -n -c 1 -W 1 8.8.8.8; echo "rc=$?"; ip -n host link set h2 up; h ip route
h ip route replace default nexthop via 10.1.0.1 nexthop via 10.9.0.1; echo "rc=$?"; h ip route del default; h ip route get 8.8.8.8; echo "rc=$?"
