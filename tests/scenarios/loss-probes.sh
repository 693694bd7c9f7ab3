# What becomes of data that is lost at the end: a probe, and then the timer; without SACK or probes the timer alone.
ip netns add one; ip netns add two
for n in one two; do ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1; done
ip link add eth0 netns one address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns two
ip -n one addr add 10.0.0.1/24 dev eth0; ip -n two addr add 10.0.0.2/24 dev eth0
ip -n one link set eth0 up; ip -n two link set eth0 up; sleep 1.2
ip -n one neigh replace 10.0.0.2 lladdr 02:00:00:00:01:02 dev eth0 nud permanent; ip -n two neigh replace 10.0.0.1 lladdr 02:00:00:00:01:01 dev eth0 nud permanent
try(){
  ip netns exec two nc -l -p $1 >/dev/null & sleep 0.3
  (sleep 0.3; echo hello; sleep 0.3; ip netns exec two iptables -A INPUT -p tcp -j DROP; echo lost; sleep $2; ip netns exec two iptables -L INPUT -v -n -x >&2; ip netns exec two iptables -F; sleep 2) | timeout 6 ip netns exec one nc -N 10.0.0.2 $1
  wait
}
try 81 1.1
try 82 2.3
ip netns exec one sysctl -qw net.ipv4.tcp_early_retrans=0
try 83 1.1
ip netns exec one sysctl -qw net.ipv4.tcp_early_retrans=3; ip netns exec two sysctl -qw net.ipv4.tcp_sack=0
try 84 1.1
