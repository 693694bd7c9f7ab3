# rp_filter: a packet whose source lies elsewhere is dropped, strictly or loosely.
for n in h r; do ip netns add $n; ip -n $n link set lo up; done
for i in 1 2; do
    ip link add e$i netns h type veth peer name r$i netns r
    ip -n h addr add 10.1.$i.2/24 dev e$i; ip -n r addr add 10.1.$i.1/24 dev r$i
    ip -n h link set e$i up; ip -n r link set r$i up
done
sleep 0.3
try() { ip netns exec h ping -c 1 -W 1 -I 10.1.2.2 10.1.1.1; echo "$1 rc=$?"; }
ip netns exec r sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.r1.rp_filter=0; try off
ip netns exec r sysctl -qw net.ipv4.conf.r1.rp_filter=1; try strict
ip netns exec r sysctl -qw net.ipv4.conf.r1.rp_filter=2; try loose
