# What `docker run -p 8080:80` makes: a bridge, a container on it, MASQUERADE for the way out, DNAT for the way in.
cd "$(mktemp -d)"
ip netns add outside
ip link add eth0 type veth peer name eth0 netns outside
ip addr add 203.0.113.2/24 dev eth0
ip link set eth0 up
ip -n outside addr add 203.0.113.9/24 dev eth0
ip -n outside link set eth0 up

ip link add docker0 type bridge
ip addr add 172.17.0.1/16 dev docker0
ip link set docker0 up
ip netns add web
ip link add veth-web type veth peer name eth0 netns web
ip link set veth-web master docker0 up
ip -n web link set lo up
ip -n web addr add 172.17.0.2/16 dev eth0
ip -n web link set eth0 up
ip -n web route add default via 172.17.0.1
sysctl -w net.ipv4.ip_forward=1

iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
iptables -t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
iptables -P FORWARD DROP
iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
iptables -A FORWARD -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
sleep 1

# Out: the container is the host to those outside.
ip netns exec web ping -c 2 203.0.113.9
# In: the published port.
echo 'hello from the container' > index.html
ip netns exec web python3 -m http.server 80 2>served &
sleep 1
ip netns exec outside curl -s http://203.0.113.2:8080/index.html
kill $!
wait 2>/dev/null
grep -o 'GET.*' served
iptables -t nat -S
conntrack -L -p icmp 2>/dev/null | wc -l
