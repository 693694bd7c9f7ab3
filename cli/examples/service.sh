# A Kubernetes service: one address, three backends, chosen by statistic.
cd "$(mktemp -d)"
ip link add cni0 type bridge
ip addr add 10.244.0.1/24 dev cni0
ip link set cni0 up
sysctl -w net.ipv4.ip_forward=1
for pod in 1 2 3 4; do
  ip netns add pod$pod
  ip link add veth$pod type veth peer name eth0 netns pod$pod
  ip link set veth$pod master cni0 up
  ip -n pod$pod link set lo up
  ip -n pod$pod addr add 10.244.0.1$pod/24 dev eth0
  ip -n pod$pod link set eth0 up
  ip -n pod$pod route add default via 10.244.0.1
done

iptables-restore <<RULES
*nat
:KUBE-SERVICES - [0:0]
:KUBE-SVC-WEB - [0:0]
:KUBE-SEP-1 - [0:0]
:KUBE-SEP-2 - [0:0]
:KUBE-SEP-3 - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-WEB
-A KUBE-SVC-WEB -m statistic --mode nth --every 3 --packet 0 -j KUBE-SEP-1
-A KUBE-SVC-WEB -m statistic --mode nth --every 2 --packet 0 -j KUBE-SEP-2
-A KUBE-SVC-WEB -j KUBE-SEP-3
-A KUBE-SEP-1 -p tcp -j DNAT --to-destination 10.244.0.11:8080
-A KUBE-SEP-2 -p tcp -j DNAT --to-destination 10.244.0.12:8080
-A KUBE-SEP-3 -p tcp -j DNAT --to-destination 10.244.0.13:8080
COMMIT
RULES
sleep 1
for pod in 1 2 3; do
  echo "this is pod $pod" > index-$pod
  ip netns exec pod$pod sh -c "while nc -l -N -p 8080 < index-$pod > /dev/null; do :; done" &
done
sleep 0.5

for request in 1 2 3 4 5 6; do
  ip netns exec pod4 nc -w 2 10.96.0.10 80 </dev/null
done
iptables -t nat -L KUBE-SVC-WEB -v -n
kill $(jobs -p)
wait 2>/dev/null
