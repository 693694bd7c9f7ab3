# What `! --sport` and `! --dport` together ask: two single ports are compared at once, ranges each for itself.
ip link set lo up
c(){ iptables -A INPUT "$@"; }
c -p udp ! --sport 1000 ! --dport 2000
c -p udp ! --sport 1000:1000 ! --dport 2000:2000
c -p udp ! --sport 1000:1001 ! --dport 2000
c -p udp ! --sport 1000 ! --dport 2000:2001
c -p udp ! --sport 1000 --dport 2000
c -p udp --sport 1000 ! --dport 2000
c -p udp ! --sport 0 ! --dport 2000
c -p udp ! --sport 1000
c -p udp ! --dport 2000
c -p tcp ! --sport 1000 ! --dport 2000
c -p tcp ! --sport 1000 ! --dport 2000 --syn
c -p tcp ! --sport 1000 ! --dport 2000 --tcp-option 2
iptables -A INPUT -p udp -j DROP
for ports in "1000 2000" "1000 2001" "1001 2000" "1001 2001"; do
  set -- $ports
  echo x | nc -n -u -w 1 -p $1 127.0.0.1 $2; nc -n -z -w 1 -p $1 127.0.0.1 $2
  echo "$ports"; iptables -L INPUT -v -n -x; iptables -Z
done
iptables-save | grep -e -A
