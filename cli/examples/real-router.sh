# Two kernel namespaces, and vethlab between them on real veth ends. As root, or: unshare -Urn bash real-router.sh
unshare -n sleep 30 & left=$!
unshare -n sleep 30 & right=$!
report=$(mktemp)
trap 'kill $left $right; rm $report' EXIT
sleep 0.5
sysctl -qw net.ipv6.conf.all.disable_ipv6=1
for host in $left $right; do nsenter -t $host -n sysctl -qw net.ipv6.conf.all.disable_ipv6=1; done

ip link add r0 type veth peer name eth0 netns $left
ip link add r1 type veth peer name eth0 netns $right
ip link set r0 up; ip link set r1 up
nsenter -t $left -n sh -c 'ip addr add 10.0.1.2/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.1.1'
nsenter -t $right -n sh -c 'ip addr add 10.0.2.2/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.2.1'

vethlab router --port r0 r1 --address r0=10.0.1.1/24 --address r1=10.0.2.1/24 --for 3 >$report 2>&1 & router=$!
sleep 1
nsenter -t $left -n ping -c 2 -i 0.2 10.0.2.2
wait $router; cat $report
