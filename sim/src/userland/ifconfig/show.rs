//! The listings: `ifconfig`, `ifconfig -a`, `ifconfig -s`, `ifconfig IF`.

use super::{Options, order};
use crate::userland::Proc;
use std::net::{Ipv4Addr, Ipv6Addr};
use vethlab_engine::address::Address4;
use vethlab_engine::control::scope;
use vethlab_engine::link::port::flag as iff;
use vethlab_engine::link::{Port, PortCounters};

/// Long names of the flags, in their order.
const NAMES: &[(u32, &str)] = &[
    (iff::UP, "UP,"),
    (iff::BROADCAST, "BROADCAST,"),
    (iff::LOOPBACK, "LOOPBACK,"),
    (iff::POINTOPOINT, "POINTOPOINT,"),
    (iff::NOTRAILERS, "NOTRAILERS,"),
    (iff::RUNNING, "RUNNING,"),
    (iff::NOARP, "NOARP,"),
    (iff::PROMISC, "PROMISC,"),
    (iff::ALLMULTI, "ALLMULTI,"),
    (iff::SLAVE, "SLAVE,"),
    (iff::MASTER, "MASTER,"),
    (iff::MULTICAST, "MULTICAST,"),
    (iff::DYNAMIC, "DYNAMIC,"),
];

/// Letters of the flags, in the order of `-s`.
const LETTERS: &[(u32, &str)] = &[
    (iff::ALLMULTI, "A"),
    (iff::BROADCAST, "B"),
    (iff::LOOPBACK, "L"),
    (iff::MULTICAST, "M"),
    (iff::DYNAMIC, "d"),
    (iff::PROMISC, "P"),
    (iff::NOTRAILERS, "N"),
    (iff::NOARP, "O"),
    (iff::POINTOPOINT, "P"),
    (iff::SLAVE, "s"),
    (iff::MASTER, "m"),
    (iff::RUNNING, "R"),
    (iff::UP, "U"),
];

const SHORT_TITLE: &str = "Iface      MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n";

/// What is shown of one interface, or of one of its aliases.
#[derive(Clone, Debug)]
struct Shown {
    name: String,
    flags: u32,
    mtu: u32,
    /// The first address that bears the name.
    address: Option<Address4>,
    /// Address, prefix length, scope.
    addresses6: Vec<(Ipv6Addr, u8, u8)>,
    /// `None`: the loopback.
    mac: Option<String>,
    txqueuelen: u32,
    /// Only the interface itself has counters.
    counters: Option<PortCounters>,
}

/// All that are up, or all; `-s` has a title, unless somebody else has printed one.
pub(super) fn all(p: &Proc, options: Options, titled: bool) {
    let mut text = if options.short && titled { SHORT_TITLE.to_string() } else { String::new() };
    {
        let world = p.world();
        let mut list = Vec::new();
        for port in world.stack(p.ns()).ports().iter() {
            let mut names = vec![port.name.to_string()];
            names.extend(port.addresses4.iter().map(|address| address.label.to_string()));
            list.extend(names.into_iter().map(|name| Shown::of(port, &name)));
        }
        list.sort_by(|a, b| order::compare(&a.name, &b.name));
        list.dedup_by(|a, b| a.name == b.name);
        for shown in list.iter().filter(|shown| options.all || shown.flags & iff::UP != 0) {
            text += &shown.text(options);
        }
    }
    p.out(&text);
}

/// One interface, or an alias of one; false if there is none.
pub(super) fn one(p: &Proc, options: Options, name: &str) -> bool {
    if options.short {
        p.out(SHORT_TITLE);
    }
    let shown = {
        let world = p.world();
        let base = name.split(':').next().unwrap_or(name);
        world.stack(p.ns()).ports().named(base).map(|port| Shown::of(port, name))
    };
    match shown {
        Some(shown) => p.out(&shown.text(options)),
        None => {
            p.err(&format!("{name}: error fetching interface information: Device not found\n"));
            return false;
        }
    }
    true
}

impl Shown {
    fn of(port: &Port, name: &str) -> Shown {
        let itself = port.name == *name;
        let addresses6 = port.addresses6.iter().filter(|_| itself);
        Shown {
            name: name.to_string(),
            flags: port.flags() & 0xffff,
            mtu: port.mtu,
            address: port.addresses4.iter().find(|address| address.label == *name).cloned(),
            addresses6: addresses6.map(|address| (address.local, address.length, address.scope)).collect(),
            mac: (!port.is_loopback()).then(|| port.mac.to_string()),
            txqueuelen: port.txqueuelen,
            counters: itself.then_some(port.counters),
        }
    }

    fn text(&self, options: Options) -> String {
        if options.short { self.short() } else { self.long() }
    }

    fn short(&self) -> String {
        let mut text = format!("{:<15} {:>5} ", self.name, self.mtu);
        match self.counters {
            Some(c) => {
                text += &format!("{:>8} {:>6} {:>6} {:<6} ", c.rx_packets, c.rx_errors, c.rx_dropped, 0);
                text += &format!("{:>8} {:>6} {:>6} {:>6} ", c.tx_packets, 0, c.tx_dropped, 0);
            }
            None => text += &format!("{:<56}", "     - no statistics available -"),
        }
        if self.flags == 0 {
            text += "[NO FLAGS]";
        }
        text += &letters(self.flags, LETTERS);
        text + "\n"
    }

    fn long(&self) -> String {
        let mut text = format!("{}: {}  mtu {}\n", self.name, flags(self.flags), self.mtu);
        if let Some(address) = &self.address {
            text += &self.inet(address);
        }
        for (address, length, reach) in &self.addresses6 {
            let (number, name) = match *reach {
                scope::HOST => (0x10, "host"),
                scope::LINK => (0x20, "link"),
                scope::SITE => (0x40, "site"),
                _ => (0, "global"),
            };
            text += &format!("        inet6 {address}  prefixlen {length}  scopeid {number:#x}<{name}>\n");
        }
        match &self.mac {
            Some(mac) => text += &format!("        ether {mac}  txqueuelen {}  (Ethernet)\n", self.txqueuelen),
            None => text += &format!("        loop  txqueuelen {}  (Local Loopback)\n", self.txqueuelen),
        }
        if let Some(counters) = &self.counters {
            text += &statistics(counters);
        }
        text + "\n"
    }

    fn inet(&self, address: &Address4) -> String {
        let mask = Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(address.length)).unwrap_or(0));
        let mut text = format!("        inet {}  netmask {mask}", address.local);
        if self.flags & iff::BROADCAST != 0 {
            text += &format!("  broadcast {}", address.broadcast.unwrap_or(Ipv4Addr::UNSPECIFIED));
        }
        if self.flags & iff::POINTOPOINT != 0 {
            text += &format!("  destination {}", address.peer);
        }
        text + "\n"
    }
}

fn letters(flags: u32, names: &[(u32, &str)]) -> String {
    names.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect()
}

/// `flags=4163<UP,…>`: sixteen bits with a sign, and the last character is a comma made a bracket, or lost.
fn flags(bits: u32) -> String {
    let mut text = format!("flags={}<", bits as u16 as i16);
    text += if bits == 0 { ">" } else { "" };
    text += &letters(bits, NAMES);
    if text.pop() == Some(',') { text + ">" } else { text }
}

fn statistics(c: &PortCounters) -> String {
    format!(
        "        RX packets {}  bytes {} ({})\n        \
         RX errors {}  dropped {}  overruns 0  frame 0\n        \
         TX packets {}  bytes {} ({})\n        \
         TX errors 0  dropped {} overruns 0  carrier 0  collisions 0\n",
        c.rx_packets,
        c.rx_bytes,
        rounded(c.rx_bytes),
        c.rx_errors,
        c.rx_dropped,
        c.tx_packets,
        c.tx_bytes,
        rounded(c.tx_bytes),
        c.tx_dropped
    )
}

/// Tenths of the largest unit that there is more than one of.
fn rounded(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let power = (1..=6).rev().find(|power| bytes > 1 << (10 * power)).unwrap_or(0);
    // Of the largest unit a tenth is rounded down, as ten times as many bytes would not fit.
    let tenths = if power == 6 { bytes / 115_292_150_460_684_697 } else { (bytes * 10) >> (10 * power) };
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS.get(power).unwrap_or(&"EiB"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vethlab_engine::addr::Mac;
    use vethlab_engine::control::Lifetime;
    use vethlab_engine::time::Time;

    fn address(local: [u8; 4], length: u8, broadcast: Option<[u8; 4]>, label: &str) -> Address4 {
        let local = Ipv4Addr::from(local);
        Address4 {
            local,
            peer: local,
            length,
            broadcast: broadcast.map(Ipv4Addr::from),
            scope: 0,
            flags: 0,
            label: label.into(),
            metric: 0,
            protocol: 0,
            valid: Lifetime::FOREVER,
            preferred: Lifetime::FOREVER,
        }
    }

    fn port() -> Port {
        let mut port = Port::new_ethernet(3, "v0", Mac([2, 0, 0, 0, 0, 1]), Time::ZERO);
        port.addresses4.push(address([10, 1, 2, 4], 24, Some([10, 1, 2, 255]), "v0"));
        port.addresses4.push(address([10, 9, 9, 9], 16, None, "v0:0"));
        port
    }

    /// As ifconfig 2.10 prints them.
    #[test]
    fn an_interface_and_its_alias() {
        let mut port = port();
        port.counters = PortCounters { rx_packets: 6, rx_bytes: 252, tx_bytes: 1025, ..PortCounters::default() };
        assert_eq!(
            Shown::of(&port, "v0").long(),
            "\
v0: flags=4098<BROADCAST,MULTICAST>  mtu 1500
        inet 10.1.2.4  netmask 255.255.255.0  broadcast 10.1.2.255
        ether 02:00:00:00:00:01  txqueuelen 1000  (Ethernet)
        RX packets 6  bytes 252 (252.0 B)
        RX errors 0  dropped 0  overruns 0  frame 0
        TX packets 0  bytes 1025 (1.0 KiB)
        TX errors 0  dropped 0 overruns 0  carrier 0  collisions 0

"
        );
        port.set_flags |= iff::UP;
        port.carrier = false;
        port.operstate = vethlab_engine::link::OperState::LowerLayerDown;
        assert_eq!(
            Shown::of(&port, "v0:0").long(),
            "\
v0:0: flags=4099<UP,BROADCAST,MULTICAST>  mtu 1500
        inet 10.9.9.9  netmask 255.255.0.0  broadcast 0.0.0.0
        ether 02:00:00:00:00:01  txqueuelen 1000  (Ethernet)

"
        );
        assert_eq!(
            Shown::of(&port, "v0").short(),
            "v0               1500        6      0      0 0             0      0      0      0 BMU\n"
        );
    }

    #[test]
    fn the_loopback() {
        let mut port = Port::new_loopback(Time::ZERO);
        port.set_flags |= iff::UP;
        port.addresses4.push(address([127, 0, 0, 1], 8, None, "lo"));
        let text = Shown::of(&port, "lo").long();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "lo: flags=73<UP,LOOPBACK,RUNNING>  mtu 65536");
        assert_eq!(lines[1], "        inet 127.0.0.1  netmask 255.0.0.0");
        assert_eq!(lines[2], "        loop  txqueuelen 1000  (Local Loopback)");
    }

    #[test]
    fn flags_are_a_signed_short_and_lose_their_last_character() {
        assert_eq!(flags(0x9003), "flags=-28669<UP,BROADCAST,MULTICAST,DYNAMIC>");
        assert_eq!(flags(0), "flags=0<");
        assert_eq!(flags(0x4000), "flags=16384");
    }

    #[test]
    fn bytes_in_units() {
        for (bytes, text) in [
            (1024, "1024.0 B"),
            (1536, "1.5 KiB"),
            (1_048_577, "1.0 MiB"),
            (5_000_000_000, "4.6 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(rounded(bytes), text);
        }
    }
}
