# Settings through files, as tutorials write them.
ip netns add a
ip link add va netns a type veth peer name vb
ip netns exec a bash -c 'cat /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv4/ip_forward; cat /proc/sys/net/ipv4/ip_forward'
cat /proc/sys/net/ipv4/ip_forward
ip netns exec a sysctl net.ipv4.ip_forward
ip netns exec a bash -c 'echo nonsense > /proc/sys/net/ipv4/ip_forward'; echo "rc=$?"
ip netns exec a bash -c 'cat /sys/class/net/va/mtu; cat /sys/class/net/va/operstate; ls /sys/class/net'
ls /sys/class/net; [ -e /sys/class/net/vb ] && echo "vb is here"; [ -e /sys/class/net/va ] || echo "va is not"
ls /run/netns; [ -e /var/run/netns/a ] && echo "a has a name"
ip netns exec a bash -c 'for f in /proc/sys/net/ipv4/conf/va/*_filter; do echo "${f##*/}=$(cat $f)"; done'
cat /sys/class/net/vb/carrier; echo "rc=$?"
cat /proc/sys/net/ipv4/conf/nosuch/forwarding; echo "rc=$?"
