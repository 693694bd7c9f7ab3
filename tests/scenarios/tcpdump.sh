# What tcpdump shows of pings, ARP, datagrams that nobody wants, and a way that ends: at one interface, at all, and from a file.
export LC_ALL=C
for n in a r b; do ip netns add $n; ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv4.ip_forward=1; ip -n $n link set lo up; done
ip link add e netns a address 02:00:00:00:00:01 type veth peer name w netns r address 02:00:00:00:00:02
ip link add e netns r address 02:00:00:00:00:03 type veth peer name w netns b address 02:00:00:00:00:04
ip -n a addr add 10.0.1.1/24 dev e; ip -n r addr add 10.0.1.2/24 dev w; ip -n r addr add 10.0.2.1/24 dev e; ip -n b addr add 10.0.2.2/24 dev w
for l in a:e r:w r:e b:w; do ip -n ${l%:*} link set ${l#*:} up; done
ip -n a route add default via 10.0.1.2; ip -n b route add default via 10.0.2.1
sleep 0.3
names='s/id [0-9]*, seq/id N, seq/; s/, id [0-9]*, offset/, id N, offset/; s/\.[0-9]* > \(.*\): UDP/.P > \1: UDP/; s/cksum 0x[0-9a-f]*/cksum S/; s/^[0-9]* packets* received by filter/N received/'
listen() { ip netns exec $1 timeout 4 tcpdump "${@:2}" > out 2> err; echo "rc=$?"; sed "$names" out; sed "$names" err; }
cd "$(mktemp -d)"

listen a -i e -n -t -e & sleep 1.5
ip netns exec a ping -c 1 10.0.2.2 > /dev/null; wait
listen r -i any -n -t -v icmp & sleep 1.5
ip netns exec a ping -c 1 -t 1 10.0.2.2 > /dev/null; wait
listen a -i e -n -t -q not arp & sleep 1.5
ip netns exec a traceroute -n -q 1 -N 1 -m 2 10.0.2.2 > /dev/null; wait
listen b -i w -t -c 2 'icmp[icmptype] = icmp-echo or icmp[icmptype] = icmp-echoreply' & sleep 1.5
ip netns exec a ping -c 2 -i 1.2 10.0.2.2 > /dev/null; wait
listen a -i lo -n -t -e & sleep 1.5
ip netns exec a ping -c 1 -s 8 -p 5a 127.0.0.1 > /dev/null; wait
ip netns exec a timeout 4 tcpdump -i e -w file.pcap -U 2> err & sleep 1.5
ip netns exec a ping -c 2 -i 0.2 10.0.1.2 > /dev/null; wait
sed "$names" err
tcpdump -r file.pcap -n -t -Q in 2>&1 | sed "$names"
tcpdump -r file.pcap --count icmp 2> /dev/null
ip -n a link set e down; ip netns exec a tcpdump -i e; echo "rc=$?"
