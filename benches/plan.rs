//! Routers in a row as the commands that make them of kernel namespaces: what [`Chain`](crate::chain::Chain) is in memory.

use crate::chain::{NETWORKS, iptables};
use crate::kernel::Netns;
use std::io;
use std::net::Ipv4Addr;

/// Namespaces, and a command line in one of them after the other.
#[derive(Clone, Debug)]
pub struct Plan {
    namespaces: usize,
    lines: Vec<(usize, String)>,
}

/// The MAC at a cable's left (1) or right (2) end.
pub fn mac(cable: usize, end: u8) -> [u8; 6] {
    [2, 0, 0, (cable >> 8) as u8, cable as u8, end]
}

fn text(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

/// The address at a cable's left (1) or right (2) end.
pub fn address(cable: usize, end: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, (cable >> 8) as u8, cable as u8, end)
}

impl Plan {
    /// A generator (0), so many routers in a row, and a sink behind them. A router's port to the left is `l`, its port to the
    /// right `r`; it has so many routes, and knows its neighbours' MACs.
    pub fn chain(routers: usize, routes: u32) -> Plan {
        let mut plan = Plan { namespaces: routers + 2, lines: Vec::new() };
        for cable in 0..=routers {
            let (left, right, next) = (text(mac(cable, 1)), text(mac(cable, 2)), cable + 1);
            let add =
                format!("ip link add name r address {left} type veth peer name l address {right} netns {{{next}}}");
            plan.lines.extend([
                (cable, add),
                (cable, "ip link set dev r up".into()),
                (next, "ip link set dev l up".into()),
            ]);
        }
        for router in 1..=routers {
            let (left, right) = (router - 1, router);
            let mut lines = vec![
                format!("ip addr add {}/24 dev l", address(left, 2)),
                format!("ip addr add {}/24 dev r", address(right, 1)),
                format!("ip neigh add {} lladdr {} dev l nud permanent", address(left, 1), text(mac(left, 1))),
                format!("ip neigh add {} lladdr {} dev r nud permanent", address(right, 2), text(mac(right, 2))),
            ];
            let network = |number: u32| Ipv4Addr::from(NETWORKS + (number << 8));
            lines.extend((0..routes).map(|at| format!("ip route add {}/24 via {}", network(at), address(right, 2))));
            lines.push("sysctl -q -w net.ipv4.ip_forward=1".into());
            plan.lines.extend(lines.into_iter().map(|line| (router, line)));
        }
        plan
    }

    /// The router gets the rules of [`Chain::filtered`](crate::chain::Chain::filtered).
    pub fn filtered(mut self, router: usize) -> Plan {
        self.lines.extend(iptables("l", "r").into_iter().map(|rule| (router, format!("iptables {rule}"))));
        self
    }

    /// Makes it.
    pub fn build(&self) -> io::Result<Vec<Netns>> {
        let all: Vec<Netns> = (0..self.namespaces).map(|_| Netns::new()).collect::<io::Result<_>>()?;
        let paths: Vec<String> = all.iter().map(Netns::path).collect();
        let named = |line: &str| {
            let (before, rest) = line.split_once('{')?;
            let (number, after) = rest.split_once('}')?;
            Some(format!("{before}{}{after}", paths.get(number.parse::<usize>().ok()?)?))
        };
        let mut rest = self.lines.as_slice();
        while let Some((at, line)) = rest.first() {
            let Some(netns) = all.get(*at) else { break };
            // Lines of `ip` that follow each other are one process.
            let batch = rest.iter().take_while(|(ns, line)| ns == at && line.starts_with("ip ")).count();
            let (these, others) = rest.split_at(batch.max(1));
            rest = others;
            if batch == 0 {
                netns.run_lines([line.as_str()])?;
                continue;
            }
            let lines = these.iter().map(|(_, line)| named(line).unwrap_or_else(|| line.clone()));
            let input: String = lines.map(|line| format!("{}\n", line.trim_start_matches("ip "))).collect();
            netns.run(&["ip", "-batch", "-"], &input)?;
        }
        Ok(all)
    }
}
