# What devices say of themselves, and their features. (Which features there are is another kernel's business: a few stand for all.)
ip link add br0 type bridge
ip link add va type veth peer name vb
ip link set vb up
ip link set va up
features() { ethtool -k "$1" | grep -E '^(rx-checksumming|scatter-gather|generic-.*-offload|large-receive-offload|tx-vlan-offload):'; }
for link in br0 va lo; do
    ethtool -i $link
    ethtool $link
    features $link
    ethtool -K $link gro off gso off
    features $link
    ethtool -K $link gro on
    features $link
    ethtool -K $link lro on
    ethtool -K $link ufo off
    ethtool -K $link rxhash off
    ethtool -K $link sg off
    features $link
    ethtool -K $link sg on gso on
done
ethtool -S br0
ethtool -S lo
ip link set va master br0
ip link set br0 up
sleep 3
ethtool br0
ethtool -i nosuch
ethtool -S nosuch
ethtool -K br0 nosuch on
