//! Container labs: hosts on bridges, routers between them, filter rules and NAT everywhere, and traffic of every kind.
//!
//! Hundreds of them are run at a time, so what only prepares one is said in few commands.

mod flows;
mod rules;

use super::Script;
use super::draw::Draw;
use std::fmt::Write;

/// `run COMMAND …` shows the command and its status; `send` does the same, and waits until nobody asks for a neighbour any
/// more; `each NAMESPACE TABLE…` lists rules, how often each matched, and the connections.
const HEAD: &str = r#"run() { echo "+ $*"; "$@" 2>&1 || echo "rc=$?"; }
send() { run "$@"; sleep 0.12; }
each() {
    ip netns exec $1 bash -c 'for table; do iptables -t $table -L -v -n -x; done
    conntrack -L 2>/dev/null | sed -E "s/^([a-z]+ +[0-9]+) [0-9]+/\1/; s/(sport|dport)=[0-9]{4,}//g; s/ id=[0-9]+//g" | sort' -- "${@:2}"
}
"#;

/// Neighbours answer or fail at once, and are not asked again.
const NEIGHBOURS: &str =
    "{retrans_time_ms=20,base_reachable_time_ms=3600000,delay_first_probe_time=3600,gc_stale_time=3600,locktime=0}";

/// A busy machine stretches the kernel's minutes: nothing that is due at a certain time is due in those that a script takes.
const SETTINGS: &[&str] = &[
    // ICMP errors are not rationed.
    "net.ipv4.icmp_ratelimit=0",
    // Nothing is sent again that was not answered.
    "net.ipv4.tcp_rto_min_us=100000000",
    "net.ipv4.tcp_early_retrans=0",
    "net.ipv4.tcp_sack=0",
    "net.ipv4.tcp_synack_retries=0",
    // No flow is forgotten.
    "net.netfilter.nf_conntrack_{icmp_timeout,tcp_timeout_close,tcp_timeout_last_ack,tcp_timeout_syn_recv,udp_timeout}=600",
];

/// A router with a bridge, and the hosts on it.
struct Site {
    /// Its number, from 0: the router is `r0`, its bridge `br0` has 10.1.0.1/24.
    number: usize,
    hosts: Vec<Host>,
}

/// A host on a bridge.
#[derive(Clone)]
struct Host {
    name: String,
    address: String,
}

/// All of it.
struct Lab {
    sites: Vec<Site>,
}

/// What makes a namespace one of the lab.
#[derive(Default)]
struct Plan {
    name: String,
    /// Settings, for `sysctl`.
    settings: String,
    /// Lines for `ip -batch`.
    lines: String,
    /// Settings that are there once a bridge is.
    late: String,
}

impl Plan {
    fn new(name: &str) -> Plan {
        Plan {
            name: name.to_string(),
            settings: SETTINGS.join(" "),
            lines: "link set lo up\n".to_string(),
            late: String::new(),
        }
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.lines, "{line}");
    }

    fn set(&mut self, setting: &str) {
        let _ = write!(self.settings, " {setting}");
    }

    fn quick(&mut self, device: &str) {
        self.set(&format!("net.ipv4.neigh.{device}.{NEIGHBOURS}"));
    }

    fn write(&self, script: &mut Script) {
        let Plan { name, settings, lines, late } = self;
        script.line(&format!("ip netns exec {name} sysctl -qw {settings}"));
        script.line(&format!("ip -n {name} -batch - <<END\n{lines}END"));
        if !late.is_empty() {
            script.line(&format!("ip netns exec {name} sysctl -qw {late}"));
        }
    }
}

impl Lab {
    fn draw(draw: &mut Draw) -> Lab {
        let sites = 1 + usize::from(draw.chance(45));
        let mut hosts = 0;
        let site = |number: usize| {
            let count = if sites == 1 { 2 + draw.below(3) } else { 1 + draw.below(2) };
            let host = |place: usize| {
                hosts += 1;
                Host { name: format!("h{}", hosts - 1), address: format!("10.{}.0.{}", number + 1, 11 + place) }
            };
            Site { number, hosts: (0..count).map(host).collect() }
        };
        Lab { sites: (0..sites).map(site).collect() }
    }

    fn build(&self, script: &mut Script) {
        let mut links = String::new();
        for name in self.names() {
            let _ = writeln!(links, "netns add {name}");
        }
        for site in &self.sites {
            site.links(&mut links);
        }
        let mut plans: Vec<Vec<Plan>> = self.sites.iter().map(|site| site.plans(&mut script.draw)).collect();
        if self.sites.len() == 2 {
            links += "link add up0 netns r0 type veth peer name up1 netns r1\n";
            for (own, other, net) in [(0, 1, 2), (1, 0, 1)] {
                let Some(router) = plans.get_mut(own).and_then(|plans| plans.first_mut()) else { continue };
                router.quick(&format!("up{own}"));
                router.line(&format!("addr add 192.168.9.{}/30 dev up{own}\nlink set up{own} up", own + 1));
                if script.draw.chance(92) {
                    router.line(&format!("route add 10.{net}.0.0/24 via 192.168.9.{}", other + 1));
                }
            }
        }
        script.line(&format!("ip -batch - <<END\n{links}END"));
        plans.iter().flatten().for_each(|plan| plan.write(script));
        // From here on the script says itself what its commands print: writing it down takes a process for each.
        script.line("unset VETHLAB_LOG");
    }

    /// All namespaces.
    fn names(&self) -> Vec<String> {
        let of = |site: &Site| {
            let hosts = site.hosts.iter().map(|host| host.name.clone());
            [format!("r{}", site.number)].into_iter().chain(hosts).collect::<Vec<_>>()
        };
        self.sites.iter().flat_map(of).collect()
    }

    fn hosts(&self) -> Vec<Host> {
        self.sites.iter().flat_map(|site| site.hosts.clone()).collect()
    }

    /// All addresses: those of hosts twice as often as those of routers.
    fn addresses(&self) -> Vec<String> {
        let hosts = self.hosts().into_iter().map(|host| host.address);
        let routers = self.sites.iter().map(|site| format!("10.{}.0.1", site.number + 1));
        let links =
            self.sites.iter().filter(|_| self.sites.len() == 2).map(|site| format!("192.168.9.{}", site.number + 1));
        hosts.clone().chain(hosts).chain(routers).chain(links).collect()
    }
}

impl Site {
    fn links(&self, links: &mut String) {
        let number = self.number;
        for Host { name, .. } in &self.hosts {
            let _ = writeln!(links, "link add v{name} netns r{number} type veth peer name eth0 netns {name}");
        }
    }

    /// The router and the hosts.
    fn plans(&self, draw: &mut Draw) -> Vec<Plan> {
        let (number, net) = (self.number, self.number + 1);
        let mut router = Plan::new(&format!("r{number}"));
        router.set("net.ipv4.ip_forward=1");
        // A bridge that listens to groups joins one itself, and says so twice by chance.
        router.line(&format!(
            "link add br{number} type bridge mcast_snooping 0\naddr add 10.{net}.0.1/24 dev br{number}"
        ));
        router.late = format!("net.ipv4.neigh.br{number}.{NEIGHBOURS}");
        if draw.chance(25) {
            router.late += " net.bridge.bridge-nf-call-iptables=0";
        }
        let mut plans = Vec::new();
        for Host { name, address } in &self.hosts {
            let mut host = Plan::new(name);
            host.quick("eth0");
            host.line(&format!("addr add {address}/24 dev eth0\nlink set eth0 up\nroute add default via 10.{net}.0.1"));
            plans.push(host);
            router.line(&format!("link set v{name} master br{number} up"));
            if draw.chance(15) {
                router.line(&format!("link set v{name} type bridge_slave hairpin on"));
            }
        }
        router.line(&format!("link set br{number} up"));
        plans.insert(0, router);
        plans
    }
}

/// The script of a seed.
pub fn lab(seed: u64) -> String {
    let mut script = Script { draw: Draw::new(seed ^ 0x1ab), text: format!("# Lab {seed}.\n{HEAD}") };
    let lab = Lab::draw(&mut script.draw);
    lab.build(&mut script);
    let tables = rules::write(&mut script, &lab);
    flows::servers(&mut script, &lab);
    flows::traffic(&mut script, &lab);
    for (name, tables) in &tables {
        script.line(&format!("run each {name} {}", tables.join(" ")));
    }
    // What a server that is killed says last is waited for.
    script.line("kill $(jobs -p); wait 2>/dev/null; sleep 0.2");
    script.text
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_seed_is_a_lab() {
        assert_eq!(super::lab(7), super::lab(7));
        assert_ne!(super::lab(7), super::lab(8));
        for seed in 0..200 {
            let script = super::lab(seed);
            assert!(script.contains("iptables") && script.contains("type bridge") && script.contains("send"));
        }
    }
}
