# Bridges, their ports and what stands on others, as ip, bridge, brctl and /sys show and change them.
quiet() { $1 sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1; }
ip netns add red
quiet; quiet "ip netns exec red"
ip link add br0 address 02:00:00:00:00:99 type bridge ageing_time 12000 priority 4096 mcast_snooping 0
ip link add br1 type bridge mcast_snooping 0
ip link add va address 02:00:00:00:00:0a type veth peer name vb address 02:00:00:00:00:0b
ip link add vc address 02:00:00:00:00:0c master br0 type veth peer name vd address 02:00:00:00:00:0d netns red
ip link add vg address 02:00:00:00:00:0e type veth peer name vh address 02:00:00:00:00:0f
ip link add link vh name mv0 address 02:00:00:00:00:10 type macvlan mode bridge
ip link set va master br0
brctl addif br1 vg
for link in br0 br1 va vb vc vg vh mv0; do ip link set $link up; done
ip -n red link set vd up
ip addr add 10.0.0.1/24 dev br0
ip -n red addr add 10.0.0.2/24 dev vd
sleep 1.5

echo "== as links"
ip link
ip -br link
ip -d link show mv0
ip -j link show vc
ip -br link show master br0
ip -br link show nomaster
ip -br link show type bridge
ip -br link show type bridge_slave
ip -j -br link show type foo
ip addr show br0
ip -4 -br addr
ip route
ip -n red link show vd
ifconfig -s | awk '{print $1, $2, $NF}'

echo "== as ports"
bridge link
bridge -d link show dev vc
bridge -p -j link show dev va
bridge -n red link
brctl show
brctl show br1 nosuch; echo "rc=$?"

echo "== what is learned"
ip netns exec red ping -c 1 -W 1 -q 10.0.0.1 | grep received
bridge fdb show br br0 dynamic
bridge fdb show dev vc dynamic
bridge -j fdb get 02:00:00:00:00:0d br br0
bridge fdb add 02:00:00:00:00:77 dev va master static
bridge fdb add 02:00:00:00:00:77 dev va master static; echo "rc=$?"
bridge fdb show br br0 state static
bridge fdb flush dev br0 static
bridge fdb show br br0 state static
bridge fdb del 02:00:00:00:00:77 dev va master; echo "rc=$?"
brctl showmacs br0 | awk '{print $1, $2, $3}'

echo "== changed"
bridge link set dev va cost 9 priority 3 hairpin on isolated on
bridge -d link show dev va
ip link set va type bridge_slave cost 11 hairpin off
echo 12 > /sys/class/net/va/brport/path_cost
brctl setportprio br0 va 7
bridge link show dev va
brctl hairpin br0 va on; cat /sys/class/net/br0/brif/va/hairpin_mode
echo 500 > /sys/class/net/br0/bridge/ageing_time
echo 5 > /sys/class/net/br0/bridge/hello_time; echo "rc=$?"
ip link set br0 type bridge hello_time 5; echo "rc=$?"
brctl sethello br0 3; cat /sys/class/net/br0/bridge/{hello_time,ageing_time,priority,bridge_id}
basename "$(readlink /sys/class/net/va/master)"
ls /sys/class/net/br0/brif
bridge vlan show
bridge vlan add vid 10 dev va; echo "rc=$?"

echo "== taken apart"
ip link set va nomaster
bridge link
ip link set va master br1
ip -br link
brctl delbr br1; echo "rc=$?"
ip link set br1 down
bridge link show dev va
brctl delbr br1; echo "rc=$?"
ip link del br0 type bridge
ip -br link
ip link del vb
ip -br link
