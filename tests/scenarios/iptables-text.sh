# Rules in words: every verb, every listing, and what is said of what cannot be.
i() { echo "$ iptables $*"; iptables "$@"; echo "rc=$?"; }
i -S; i -L; i -N web; i -N web; i -N a-name-that-is-longer-than-28-letters; i -N ACCEPT; i -N -x
i -A INPUT -p tcp --dport 80 -j web; i -A INPUT -p tcp -m multiport --dports 1,2:5,80 -m comment --comment "two words" -j ACCEPT
i -A web -s 10.0.0.0/8,192.0.2.1 -j ACCEPT; i -A web ! -s 10.1.0.0/16 -i eth+ -j RETURN; i -A web -m conntrack --ctstate NEW,ESTABLISHED -j DROP
i -A web -p icmp --icmp-type echo-request -m limit --limit 5/min -j LOG --log-prefix "web: " --log-level 4; i -A web -p udp --sport domain -j REJECT
i -I web 2 -p tcp ! --syn -j REJECT --reject-with tcp-reset; i -I web -m mark --mark 0x1/0xff -g web2; i -N web2; i -I web -m mark --mark 0x1/0xff -g web2
i -A FORWARD -i lo -o eth0 -p tcp --tcp-flags SYN,ACK SYN -j TCPMSS --clamp-mss-to-pmtu; i -A web -m addrtype --dst-type LOCAL -m mac --mac-source 02:00:00:00:00:01 -j ACCEPT
i -A web -m iprange --src-range 10.0.0.1-10.0.0.9 -m statistic --mode random --probability 0.25 -j web2; i -A OUTPUT -m owner --uid-owner 0 -j ACCEPT
i -S; i -S web; i -S web 2; i -L -n; i -L -n -v; i -L web -n -v -x --line-numbers; i -L web 3 -n; i -nvL INPUT; i --list-rules FORWARD -v; i -L INPUT
i -C web -p tcp ! --syn -j REJECT --reject-with tcp-reset; i -C web -j ACCEPT; i -C none -j ACCEPT
i -R web 3 -s 10.2.0.0/16 -j DROP; i -R web 99 -j DROP; i -R web 0 -j DROP; i -D web 1; i -D web 99; i -D web -s 10.2.0.0/16 -j DROP; i -D web -s 10.2.0.0/16 -j DROP
i -X web; i -X none; i -X INPUT; i -E web page; i -E none page; i -E page web2; i -S INPUT; i -F web2; i -F none; i -Z page; i -Z page 1; i -Z
i -P FORWARD DROP; i -P page DROP; i -P INPUT REJECT; i -P INPUT; i -P FORWARD ACCEPT
i -A INPUT -p tcp --dport 99999 -j ACCEPT; i -A INPUT --dport 80 -j ACCEPT; i -A INPUT -p nosuch; i -A INPUT -s 1.2.3; i -A INPUT -s 1.2.3.4/33; i -A INPUT -s no.such.host
i -A INPUT -j NOSUCH; i -A INPUT -m nosuch; i -A INPUT -o eth0; i -A OUTPUT -i eth0; i -A none -j DROP; i -A; i -A INPUT -p; i -A INPUT bad; i -A INPUT --nosuch; i -Y; i -L -S; i
i -A INPUT -j MASQUERADE; i -A INPUT -j DNAT --to 1.2.3.4; i -A INPUT -j REJECT --reject-with nosuch; i -A INPUT -p udp -j REJECT --reject-with tcp-reset; i -A INPUT -j LOG --log-level nosuch
i -A INPUT -m limit --limit 0/s; i -A INPUT -m conntrack --ctstate NOSUCH; i -A INPUT -m multiport --dports 1 -j ACCEPT; i -A INPUT -p tcp -m multiport; i -A INPUT ! -j DROP; i -A INPUT -p tcp -p udp
i -t nosuch -L; i -t nat -N dnat; i -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8080; i -t nat -A PREROUTING -p tcp --dport 443 -j REDIRECT --to-ports 8443
i -t nat -A POSTROUTING ! -o lo -j MASQUERADE --random; i -t nat -A POSTROUTING -j SNAT --to-source 192.0.2.1-192.0.2.9; i -t nat -A PREROUTING -j SNAT --to 1.2.3.4; i -t nat -A dnat -j DNAT; i -t nat -S; i -t nat -nvL
i -t mangle -A PREROUTING -j MARK --set-mark 1; i -t mangle -A PREROUTING -j CONNMARK --save-mark; i -t mangle -A POSTROUTING -j TTL --ttl-set 9; i -t mangle -A FORWARD -j DSCP --set-dscp-class EF; i -t mangle -nvL --line-numbers
i -t raw -A PREROUTING -p udp -j NOTRACK; i -t raw -A OUTPUT -p udp -j CT --notrack; i -t raw -S; i -V; i -w 2 -S OUTPUT; i --version -L
iptables-save | grep -v '^#'; iptables-save -t nat -c | grep -v '^#'; iptables-save | iptables-restore; echo "rc=$?"; iptables-save -t filter | grep -v '^#' | tee saved | wc -l
printf '*filter\n:INPUT ACCEPT [5:6]\n-A INPUT -j DROP\n-A INPUT -j NOSUCH\nCOMMIT\n' | iptables-restore; echo "rc=$?"; printf '*filter\n-A INPUT -s 10.9.0.0/16 -j DROP\nCOMMIT\n' | iptables-restore -n; echo "rc=$?"; i -S INPUT
for t in filter nat mangle raw; do i -t $t -F; i -t $t -X; done; iptables-restore < saved; echo "rc=$?"; iptables-save -t filter | grep -v '^#' | cmp - saved; i -F; i -S
