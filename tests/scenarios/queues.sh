# Queues at the root of a port: made, changed, shown, felt by what passes, and gone.
for n in a b; do ip netns add $n; ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip -n $n link set lo up; done
ip link add v netns a type veth peer name v netns b
ip -n a addr add 10.0.0.1/24 dev v; ip -n b addr add 10.0.0.2/24 dev v; ip -n a link set v up; ip -n b link set v up
sleep 0.3
t() { echo "$ tc $*"; ip netns exec a tc "$@"; echo "rc=$?"; }
t qdisc show dev v; t qdisc show; t class show dev v; t filter show dev v
t qdisc add dev v root handle 1: pfifo limit 10; t qdisc show dev v; t qdisc add dev v root handle 2: pfifo
t qdisc change dev v root pfifo limit 20; t qdisc replace dev v root handle 3: bfifo; t -s qdisc show dev v
t qdisc replace dev v root handle 4: tbf rate 1mbit burst 32kbit latency 400ms; t qdisc show dev v; t -d qdisc show dev v
ip -n a link show v | grep -o 'qdisc .* state'; ip -n a link set v down; t qdisc show dev v; ip -n a link set v up
t qdisc change dev v root handle 4: tbf rate 2mbit burst 10k limit 20k; t qdisc show dev v
t qdisc replace dev v root handle 5: tbf rate 1mbit burst 1540 latency 5ms peakrate 2mbit mtu 1540; t qdisc show dev v
t qdisc del dev v root; t qdisc del dev v root; t qdisc show dev v
t qdisc add dev nosuch root pfifo; t qdisc add dev v root handle 6: pfifo limit x; t qdisc add dev v root tbf rate fast
t qdisc add dev v root tbf rate 1mbit burst 4k latency 1s; t qdisc show dev v; t qdisc del dev v root
ip netns exec a ping -c 1 10.0.0.2 > /dev/null
# 80 kbit/s and a bucket of 2000 bytes: of four packets of 1042 bytes one passes at once, and one each 104 ms after it.
for packets in 1 2 3 4; do
  t qdisc add dev v root handle 7: tbf rate 80kbit burst 2000 latency 1s
  ip netns exec a ping -c $packets -l $packets -s 1000 -W 3 10.0.0.2 | grep transmitted
  t -s qdisc show dev v; t qdisc del dev v root
done
# The queue is full, and what is longer than the bucket never passes.
t qdisc add dev v root handle 8: tbf rate 80kbit burst 2000 limit 2100
ip netns exec a ping -c 4 -l 4 -s 1000 -W 1 10.0.0.2 | grep transmitted; t -s qdisc show dev v
t qdisc change dev v root handle 8: tbf rate 80kbit burst 500 latency 1s
ip netns exec a ping -c 1 -s 1000 -W 1 10.0.0.2 | grep transmitted; t -s qdisc show dev v
