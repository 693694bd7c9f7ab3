//! Namespaces, cables and addresses.

use super::Script;
use super::draw::Draw;
use std::collections::VecDeque;
use std::net::Ipv4Addr;

/// One end of a cable.
pub(super) struct End {
    pub(super) ns: usize,
    pub(super) name: String,
    /// Its addresses, as `ip addr add` takes them.
    given: Vec<String>,
    /// Its addresses, bare.
    pub(super) addresses: Vec<Ipv4Addr>,
    mtu: Option<u32>,
}

/// A drawn network. The ends 2n and 2n + 1 are those of cable n.
pub(super) struct Net {
    pub(super) namespaces: usize,
    pub(super) ends: Vec<End>,
    /// Addresses on `lo`, by namespace.
    pub(super) loopback: Vec<Option<Ipv4Addr>>,
    lo_up: Vec<bool>,
    /// The ends of a cable may have different MTUs. What is larger than one link lets through then stays below two: of a
    /// datagram's fragments that wait for a neighbour the kernel sends the first before it makes the next, and notices
    /// that it is refused; a simulator whose cables are long does not.
    pub(super) uneven: bool,
}

impl Net {
    pub(super) fn draw(draw: &mut Draw) -> Net {
        let namespaces = 2 + draw.below(4);
        let star = draw.chance(30);
        let mut pairs: Vec<(usize, usize)> = (1..namespaces)
            .map(|ns| match () {
                () if star => (0, ns),
                () if draw.chance(70) => (ns - 1, ns),
                () => (draw.below(ns), ns),
            })
            .collect();
        if draw.chance(40) {
            pairs.push((0, namespaces - 1));
        }
        let uneven = draw.chance(30);
        let mtu = |draw: &mut Draw| draw.chance(15).then(|| draw.pick(&[576, 1000, 1280, 1400, 2000, 9000]));
        let mut ends = Vec::new();
        for (cable, pair) in pairs.iter().enumerate() {
            let [a, b] = addresses(draw, cable as u8 + 1);
            let same = mtu(draw);
            for (ns, given) in [(pair.0, a), (pair.1, b)] {
                let addresses = given.iter().filter_map(|one| one.split(['/', ' ']).next()?.parse().ok()).collect();
                let mtu = if uneven { mtu(draw) } else { same };
                ends.push(End { ns, name: format!("v{cable}"), given, addresses, mtu });
            }
        }
        let loopback = (0..namespaces).map(|ns| draw.chance(50).then(|| Ipv4Addr::new(172, 16, ns as u8, 1))).collect();
        let lo_up = (0..namespaces).map(|_| draw.chance(90)).collect();
        Net { namespaces, ends, loopback, lo_up, uneven }
    }

    /// Writes down what makes it. Names of ends in one namespace differ, for cables have numbers.
    pub(super) fn build(&self, script: &mut Script) {
        for ns in 0..self.namespaces {
            script.line(&format!("ip netns add n{ns}"));
            script.line(&format!("ip netns exec n{ns} sysctl -qw net.ipv4.icmp_ratelimit=0"));
            if self.lo_up[ns] {
                script.line(&format!("ip -n n{ns} link set lo up"));
            }
        }
        for (cable, pair) in self.ends.chunks(2).enumerate() {
            let [a, b] = pair else { continue };
            script.line(&format!(
                "ip link add v{cable} netns n{} address 02:00:00:00:{cable:02x}:0a type veth peer name v{cable} netns n{} \
                 address 02:00:00:00:{cable:02x}:0b",
                a.ns, b.ns
            ));
            for end in pair {
                script.line(&format!(
                    "ip netns exec n{} sysctl -qw net.ipv4.neigh.{}.{{retrans_time_ms=20,base_reachable_time_ms=3600000,\
                     delay_first_probe_time=3600,gc_stale_time=3600,locktime=0,proxy_delay=0}}",
                    end.ns, end.name
                ));
            }
        }
        let addresses_first = script.draw.chance(70);
        for step in [addresses_first, !addresses_first] {
            for end in &self.ends {
                if step { end.number(script) } else { end.raise(script) }
            }
        }
        for (ns, address) in self.loopback.iter().enumerate() {
            if let Some(address) = address {
                script.line(&format!("run ip -n n{ns} addr add {address}/32 dev lo"));
            }
        }
        script.line("sleep 1.2");
    }

    /// The ends in a namespace.
    pub(super) fn of(&self, ns: usize) -> Vec<&End> {
        self.ends.iter().filter(|end| end.ns == ns).collect()
    }

    /// The other end of the cable of `ends[index]`.
    pub(super) fn peer(&self, index: usize) -> &End {
        &self.ends[index ^ 1]
    }

    /// The other end of its cable: both have the same name.
    pub(super) fn opposite(&self, end: &End) -> &End {
        self.ends.iter().find(|other| other.name == end.name && other.ns != end.ns).unwrap_or(&self.ends[0])
    }

    /// All addresses, those of loopbacks too.
    pub(super) fn addresses(&self) -> Vec<Ipv4Addr> {
        let ends = self.ends.iter().flat_map(|end| end.addresses.iter().copied());
        ends.chain(self.loopback.iter().flatten().copied()).collect()
    }

    /// By namespace the number of the end through which the shortest way to it leaves `from`.
    pub(super) fn ways(&self, from: usize) -> Vec<Option<usize>> {
        let mut ways = vec![None; self.namespaces];
        let mut queue = VecDeque::from([from]);
        while let Some(ns) = queue.pop_front() {
            for (index, _) in self.ends.iter().enumerate().filter(|(_, end)| end.ns == ns) {
                let next = self.peer(index).ns;
                if next != from && ways[next].is_none() {
                    ways[next] = if ns == from { Some(index) } else { ways[ns] };
                    queue.push_back(next);
                }
            }
        }
        ways
    }
}

impl End {
    fn number(&self, script: &mut Script) {
        for address in &self.given {
            script.line(&format!("run ip -n n{} addr add {address} dev {}", self.ns, self.name));
        }
    }

    fn raise(&self, script: &mut Script) {
        let mtu = self.mtu.map(|mtu| format!(" mtu {mtu}")).unwrap_or_default();
        script.line(&format!("run ip -n n{} link set {}{mtu} up", self.ns, self.name));
    }
}

/// The addresses of both ends of a cable, as `ip addr add` takes them.
fn addresses(draw: &mut Draw, cable: u8) -> [Vec<String>; 2] {
    let brd = if draw.chance(40) { " brd +" } else { "" };
    let (a, b) = (format!("10.{cable}.0.1"), format!("10.{cable}.0.2"));
    let mut both = match draw.below(12) {
        0 => [vec![format!("10.{cable}.0.0/31")], vec![format!("10.{cable}.0.1/31")]],
        1 => [vec![format!("{a} peer {b}")], vec![format!("{b} peer {a}")]],
        2 => [vec![format!("{a}/16{brd}")], vec![format!("{b}/24{brd}")]],
        3 => [vec![format!("{a}/30{brd}")], vec![format!("{b}/30{brd}")]],
        4 => [vec![format!("{a}/24")], vec![]],
        5 => [vec![format!("{a}/32")], vec![format!("{b}/32")]],
        6 => [vec![format!("{a} peer {b}/24")], vec![format!("{b}/24{brd}")]],
        _ => [vec![format!("{a}/24{brd}")], vec![format!("{b}/24{brd}")]],
    };
    for (index, end) in both.iter_mut().enumerate() {
        let host = 11 + 10 * index + draw.below(3);
        match draw.below(10) {
            0 => end.push(format!("10.{cable}.0.{host}/24")),
            1 => end.push(format!("10.{}.0.{host}/24", 100 + cable)),
            2 => end.insert(0, format!("10.{}.0.{host}/25{brd}", 100 + cable)),
            3 => end.push(format!("10.{cable}.0.{host}/25")),
            4 => end.push(format!("169.254.{cable}.{host}/16 scope link")),
            _ => {}
        }
    }
    both
}
