//! Network commands that are not simulated. They never fall through to the real tool, so that nothing a script does can
//! reach the real machine's network.

/// Their names: each fails with one clear line and status 127.
#[rustfmt::skip]
pub const REFUSED: &[&str] = &[
    // packet filters and what they track
    "iptables-apply", "iptables-xml", "iptables-translate",
    "iptables-restore-translate", "iptables-legacy",
    "iptables-legacy-save", "iptables-legacy-restore", 
    "ip6tables-apply", "ip6tables-translate", "ip6tables-restore-translate", 
    "ip6tables-legacy", "ip6tables-legacy-save", "ip6tables-legacy-restore", "arptables",
    "arptables-save", "arptables-restore", "ebtables", "ebtables-save", "ebtables-restore", "xtables-monitor",
    "xtables-nft-multi", "xtables-legacy-multi", "nft", "ipset", "ipvsadm", "conntrackd", "nfct", "ufw",
    "firewall-cmd", "firewalld", "shorewall", "fail2ban-client", "fwknop",
    // links and queues
    "vconfig", "ifenslave", "teamd", "teamdctl", "mii-tool", "mii-diag", "devlink",
    "rdma", "tipc", "dcb", "vdpa", "genl", "rtmon", "rtacct", "nstat", "lnstat", "ctstat", "rtstat", "ifstat", "routel",
    "routef", "rtpr", "ipmaddr", "iptunnel", "tunctl", "slattach", "plipconfig", "nameif", "rarp", "ifup", "ifdown",
    "ifquery", "ifrename", "ip6tnl", "iw", "iwconfig", "iwlist", "iwspy", "iwpriv", "iwevent", "rfkill", "wpa_supplicant",
    "wpa_cli", "hostapd", "macchanger", "lldpd", "lldpcli", "lldptool", "netplan", "ipcalc-ng", "xdp-loader", "bpftool",
    "ovs-vsctl", "ovs-ofctl", "ovs-dpctl", "ovs-appctl", "ovs-vswitchd", "ovsdb-client", "ovsdb-server", "ovn-nbctl",
    "ovn-sbctl", "mn", "wg", "wg-quick", "openvpn", "ipsec", "swanctl", "strongswan", "vtysh", "bird", "birdc", "bird6",
    "gobgp", "gobgpd", "exabgp", "zebra", "ripd", "ospfd", "bgpd", "keepalived", "radvd", "rdisc6", "ndisc6", "ndppd",
    // looking at the wire
    "tshark", "wireshark", "dumpcap", "editcap", "ngrep", "tcpflow", "tcpreplay", "iftop", "nethogs", "iptraf",
    "iptraf-ng", "bmon", "vnstat", "nload", "arpwatch", "netsniff-ng", "trafgen", "mausezahn", "scapy",
    // sending and serving
    "ncat", "nc.traditional", "socat", "ssh", "sshd", "scp", "sftp", "sshpass",
    "ssh-copy-id", "ssh-keyscan", "autossh", "mosh", "rsync", "ftp", "lftp", "tftp", "aria2c",
    "lynx", "w3m", "wrk", "iperf", "iperf3", "netperf", "netserver", "qperf", "sockperf",
    "nuttcp", "dig", "nslookup", "host", "delv", "drill", "resolvectl", "whois", "dhclient", "dhcpcd", "udhcpc",
    "udhcpd", "dhcpd", "dnsmasq", "unbound", "named", "rndc", "nginx", "apache2", "httpd", "lighttpd", "haproxy", "squid",
    "nmap", "nping", "hping3", "hping", "masscan", "zmap", "arp-scan", "arpspoof", "arp-fingerprint", "netdiscover", "mtr",
    "mtr-packet", "fping", "fping6", "tcptraceroute", "lft", "clockdiff", "rarpd", "rdate", "ntpdate", "ntpd", "ntpq",
    "chronyc", "chronyd", "snmpget", "snmpwalk", "snmpd", "sendmail", "xinetd", "inetd", "avahi-browse",
    // what manages networks and services
    "nmcli", "nmtui", "networkctl", "connmanctl", "systemctl", "service", "invoke-rc.d", "hostnamectl", "resolvconf",
    "docker", "dockerd", "docker-compose", "podman", "nerdctl", "containerd", "ctr", "crictl", "runc", "kubectl", "kubeadm",
    "minikube", "k3s", "lxc", "lxc-create", "lxc-start", "lxc-attach", "lxc-stop", "lxc-ls", "lxd", "incus", "virsh",
    "systemd-nspawn", "systemd-run", "machinectl", "firejail", "bwrap", "slirp4netns", "passt", "rootlesskit",
    "cnitool", "calicoctl", "cilium", "vpnkit", "proxychains", "proxychains4", "torsocks", "tor",
];

/// What does the same here, if something does.
const INSTEAD: &[(&str, &str)] = &[
    ("nft", "the rules are those of iptables -S and iptables-save"),
    ("iptables-legacy", "iptables"),
    ("iptables-legacy-save", "iptables-save"),
    ("iptables-legacy-restore", "iptables-restore"),
    ("vconfig", "ip link add link DEV name DEV.ID type vlan id ID"),
    ("ifup", "ip link set DEV up"),
    ("ifdown", "ip link set DEV down"),
    ("ncat", "nc"),
    ("nc.traditional", "nc"),
    ("tcptraceroute", "traceroute -T"),
    ("mtr", "traceroute"),
    ("fping", "ping"),
];

/// The line that a command of this name ends with.
pub(crate) fn refusal(name: &str, base: &str) -> String {
    let instead = INSTEAD.iter().find(|(known, _)| *known == base).map(|(_, instead)| format!("; instead: {instead}"));
    let instead = instead.unwrap_or_default();
    format!("vethlab: {name} is not simulated; it was not run, so that the real network stays untouched{instead}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::userland::PROGRAMS;

    #[test]
    fn what_is_refused_names_the_way() {
        for (name, _) in INSTEAD {
            assert!(REFUSED.contains(name), "{name}");
        }
        assert!(refusal("/usr/sbin/nft", "nft").ends_with(" iptables -S and iptables-save\n"));
        assert!(refusal("tshark", "tshark").ends_with(" stays untouched\n"));
    }

    #[test]
    fn nothing_is_both_simulated_and_refused_and_nothing_twice() {
        let mut sorted = REFUSED.to_vec();
        sorted.sort();
        sorted.windows(2).for_each(|pair| assert_ne!(pair[0], pair[1], "listed twice"));
        for (name, _) in PROGRAMS {
            assert!(!REFUSED.contains(name), "{name} is simulated");
        }
    }
}
