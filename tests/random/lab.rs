//! Container labs: hosts on bridges, routers between them, filter rules and NAT everywhere, and traffic of every kind.

mod flows;
mod rules;

use super::draw::Draw;
use super::{HEAD, Script};

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
        for site in &self.sites {
            site.build(script);
        }
        if self.sites.len() == 2 {
            script.line("ip link add up0 netns r0 type veth peer name up1 netns r1");
            for (own, other, net) in [(0, 1, 2), (1, 0, 1)] {
                script.line(&format!("ip -n r{own} addr add 192.168.9.{}/30 dev up{own}", own + 1));
                quick(script, &format!("r{own}"), &format!("up{own}"));
                script.line(&format!("ip -n r{own} link set up{own} up"));
                if script.draw.chance(92) {
                    script.line(&format!("ip -n r{own} route add 10.{net}.0.0/24 via 192.168.9.{}", other + 1));
                }
            }
        }
        script.line("sleep 1.2");
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
    fn build(&self, script: &mut Script) {
        let (number, net) = (self.number, self.number + 1);
        namespace(script, &format!("r{number}"));
        script.line(&format!("ip netns exec r{number} sysctl -qw net.ipv4.ip_forward=1"));
        script.line(&format!("ip -n r{number} link add br{number} type bridge"));
        quick(script, &format!("r{number}"), &format!("br{number}"));
        script.line(&format!("ip -n r{number} addr add 10.{net}.0.1/24 dev br{number}"));
        script.line(&format!("ip -n r{number} link set br{number} up"));
        if script.draw.chance(25) {
            script.line(&format!("ip netns exec r{number} sysctl -qw net.bridge.bridge-nf-call-iptables=0"));
        }
        for Host { name, address } in &self.hosts {
            namespace(script, name);
            script.line(&format!("ip link add v{name} netns r{number} type veth peer name eth0 netns {name}"));
            quick(script, name, "eth0");
            script.line(&format!("ip -n r{number} link set v{name} master br{number} up"));
            script.line(&format!("ip -n {name} addr add {address}/24 dev eth0"));
            script.line(&format!("ip -n {name} link set eth0 up"));
            script.line(&format!("ip -n {name} route add default via 10.{net}.0.1"));
            if script.draw.chance(15) {
                script.line(&format!("bridge -n r{number} link set dev v{name} hairpin on"));
            }
        }
    }
}

/// A namespace in which ICMP errors are not rationed.
fn namespace(script: &mut Script, name: &str) {
    script.line(&format!("ip netns add {name}"));
    script.line(&format!("ip netns exec {name} sysctl -qw net.ipv4.icmp_ratelimit=0"));
    script.line(&format!("ip -n {name} link set lo up"));
}

/// Neighbours on this link answer or fail at once, and are not asked again.
fn quick(script: &mut Script, name: &str, device: &str) {
    script.line(&format!(
        "ip netns exec {name} sysctl -qw net.ipv4.neigh.{device}.{{retrans_time_ms=20,base_reachable_time_ms=3600000,\
         delay_first_probe_time=3600,gc_stale_time=3600,locktime=0}}"
    ));
}

/// The script of a seed.
pub fn lab(seed: u64) -> String {
    let mut script = Script { draw: Draw::new(seed ^ 0x1ab), text: format!("# Lab {seed}.\n{HEAD}") };
    let lab = Lab::draw(&mut script.draw);
    lab.build(&mut script);
    let tables = rules::write(&mut script, &lab);
    flows::servers(&mut script, &lab);
    flows::traffic(&mut script, &lab);
    for (name, table) in &tables {
        script.line(&format!("run ip netns exec {name} iptables -t {table} -L -v -n -x"));
    }
    for name in lab.names() {
        script.line(&format!("flows {name}"));
    }
    script.line("kill $(jobs -p); wait 2>/dev/null");
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
