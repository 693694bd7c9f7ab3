//! What a name or a number asks of a packet, by its qualifiers.

use super::lex::number;
use super::{Base, Number, Relation, Test};
use crate::userland::netdb;
use crate::userland::resolve::{Family, resolve};
use crate::userland::tcpdump::pcap::LinkType;
use std::net::{IpAddr, Ipv6Addr};

type Compiled<T = Test> = Result<T, String>;

/// What stands before an address or a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Link,
    Ip,
    Ip6,
    Arp,
    Rarp,
    /// A protocol over IP: its name and number, and over which versions it goes.
    Over(&'static str, u8, Versions),
    Stp,
}

/// IPv4, IPv6 or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Versions {
    V4,
    V6,
    Both,
}

/// `src`, `dst` and both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Source,
    Destination,
    Either,
    Both,
}

/// What a name or number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Host,
    Net,
    Port,
    PortRange,
    Proto,
    Gateway,
}

/// What is said of a name or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Qualifiers {
    pub(super) protocol: Option<Protocol>,
    pub(super) direction: Direction,
    pub(super) kind: Option<Kind>,
    /// A direction was said.
    pub(super) said: bool,
}

/// An IPv4 address or a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address<'a> {
    /// One number.
    Short(u32),
    /// Numbers with dots.
    Dotted(&'a str),
}

const TCP: Protocol = Protocol::Over("tcp", 6, Versions::Both);
const UDP: Protocol = Protocol::Over("udp", 17, Versions::Both);
const SCTP: Protocol = Protocol::Over("sctp", 132, Versions::Both);
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const ARP: u16 = 0x0806;
const RARP: u16 = 0x8035;
const FRAGMENT: u32 = 44;

impl Protocol {
    pub(super) fn named(word: &str) -> Option<Protocol> {
        Some(match word {
            "link" | "ether" => Protocol::Link,
            "ip" => Protocol::Ip,
            "ip6" => Protocol::Ip6,
            "arp" => Protocol::Arp,
            "rarp" => Protocol::Rarp,
            "tcp" => TCP,
            "udp" => UDP,
            "sctp" => SCTP,
            "icmp" => Protocol::Over("icmp", 1, Versions::V4),
            "igmp" => Protocol::Over("igmp", 2, Versions::V4),
            "igrp" => Protocol::Over("igrp", 9, Versions::V4),
            "pim" => Protocol::Over("pim", 103, Versions::Both),
            "vrrp" => Protocol::Over("vrrp", 112, Versions::V4),
            "carp" => Protocol::Over("carp", 112, Versions::V4),
            "icmp6" => Protocol::Over("icmp6", 58, Versions::V6),
            "ah" => Protocol::Over("ah", 51, Versions::Both),
            "esp" => Protocol::Over("esp", 50, Versions::Both),
            "stp" => Protocol::Stp,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Protocol::Link => "link",
            Protocol::Ip => "ip",
            Protocol::Ip6 => "ip6",
            Protocol::Arp => "arp",
            Protocol::Rarp => "rarp",
            Protocol::Over(name, ..) => name,
            Protocol::Stp => "stp",
        }
    }
}

impl Kind {
    pub(super) fn named(word: &str) -> Option<Kind> {
        Some(match word {
            "host" => Kind::Host,
            "net" => Kind::Net,
            "port" => Kind::Port,
            "portrange" => Kind::PortRange,
            "proto" => Kind::Proto,
            "gateway" => Kind::Gateway,
            _ => return None,
        })
    }
}

/// Makes tests; knows how many VLAN tags what follows lies behind.
pub(super) struct Compiler {
    link: LinkType,
    tags: usize,
    pub(super) depth: usize,
}

impl Compiler {
    pub(super) fn new(link: LinkType) -> Compiler {
        Compiler { link, tags: 0, depth: 0 }
    }

    fn of_type(&self, kind: u16) -> Test {
        Test::Type(kind, self.tags)
    }

    fn at(&self, base: Base, offset: u32, size: u8) -> Number {
        Number::Load(base, Box::new(Number::Constant(offset)), size)
    }

    /// Bytes behind the link header.
    fn network_at(&self, offset: u32, size: u8) -> Number {
        self.at(Base::Network(self.tags), offset, size)
    }

    /// `tcp` alone.
    pub(super) fn protocol(&self, protocol: Protocol) -> Compiled {
        Ok(match protocol {
            Protocol::Link => return Err("link layer applied in wrong context".to_string()),
            Protocol::Ip => self.of_type(IPV4),
            Protocol::Ip6 => self.of_type(IPV6),
            Protocol::Arp => self.of_type(ARP),
            Protocol::Rarp => self.of_type(RARP),
            Protocol::Over(_, number, versions) => self.over_ip(number.into(), versions),
            Protocol::Stp => {
                let start = Number::Load(Base::Packet, Box::new(Number::Constant(12)), 2);
                let short = compare(start, Relation::LessOrEqual, 1500);
                short.and(equal(self.at(Base::Packet, 14, 2), 0x4242))
            }
        })
    }

    fn over_ip(&self, number: u32, versions: Versions) -> Test {
        let v4 = || self.of_type(IPV4).and(equal(self.network_at(9, 1), number));
        let v6 = || {
            let fragment = equal(self.network_at(6, 1), FRAGMENT).and(equal(self.network_at(40, 1), number));
            self.of_type(IPV6).and(equal(self.network_at(6, 1), number).or(fragment))
        };
        match versions {
            Versions::V4 => v4(),
            Versions::V6 => v6(),
            Versions::Both => v4().or(v6()),
        }
    }

    /// Where `tcp[0]` lies, and what a packet must be that has it.
    pub(super) fn base(&self, protocol: Protocol) -> Compiled<(Base, Option<Test>)> {
        Ok(match protocol {
            Protocol::Link => (Base::Packet, None),
            Protocol::Over(_, number, Versions::V6) => {
                (Base::Transport6(self.tags), Some(self.over_ip(number.into(), Versions::V6)))
            }
            Protocol::Over(_, number, _) => {
                let guard = self.over_ip(number.into(), Versions::V4).and(self.whole());
                (Base::Transport(self.tags), Some(guard))
            }
            other => (Base::Network(self.tags), Some(self.protocol(other)?)),
        })
    }

    /// No fragment but the first.
    fn whole(&self) -> Test {
        let offset = Number::Operation('&', Box::new(self.network_at(6, 2)), Box::new(Number::Constant(0x1fff)));
        compare(offset, Relation::Equal, 0)
    }

    /// A name (`gen_scode`).
    pub(super) fn name(&self, name: &str, q: Qualifiers) -> Compiled {
        match q.kind {
            Some(Kind::Net) => Err(format!("unknown network '{name}'")),
            None | Some(Kind::Host) if q.protocol == Some(Protocol::Link) => {
                Err(format!("unknown ether host '{name}'"))
            }
            None | Some(Kind::Host) => {
                let versions = [Family::V4, Family::V6].map(|family| resolve(name, family).ok());
                let mut tests = Vec::new();
                for address in versions.into_iter().flatten() {
                    tests.push(match address {
                        IpAddr::V4(address) => self.host(address.to_bits(), u32::MAX, q)?,
                        IpAddr::V6(address) => self.ipv6(address, 128, q)?,
                    });
                }
                tests.into_iter().reduce(Test::or).ok_or_else(|| format!("unknown host '{name}'"))
            }
            Some(Kind::Port) => {
                let wanted = port_protocol(q.protocol, "port")?;
                let known = [TCP, UDP, SCTP].map(|p| netdb::service(name, Some(p.name())).map(|port| (p, port)));
                let known: Vec<(Protocol, u16)> = known.into_iter().flatten().collect();
                let Some((first, port)) = known.first().copied() else { return Err(format!("unknown port '{name}'")) };
                let only = (known.len() == 1).then_some(first);
                match (wanted, only) {
                    (Some(wanted), Some(only)) if wanted != only => Err(format!("port '{name}' is {}", only.name())),
                    (wanted, only) => Ok(self.ports(port, port, wanted.or(only), q.direction)),
                }
            }
            Some(Kind::PortRange) => {
                let wanted = port_protocol(q.protocol, "portrange")?;
                let unknown = || format!("unknown port in range '{name}'");
                let port = |text: &str| match number(text) {
                    Some(port) => u16::try_from(port).map_err(|_| format!("illegal port number {port} > 65535")),
                    None => netdb::service(text, Some("tcp")).or(netdb::service(text, Some("udp"))).ok_or_else(unknown),
                };
                let (low, high) = name.split_once('-').ok_or_else(unknown)?;
                let (low, high) = (port(low)?, port(high)?);
                Ok(self.ports(low.min(high), low.max(high), wanted, q.direction))
            }
            Some(Kind::Proto) => {
                let value = self.protocol_named(name, q.protocol)?;
                self.proto(value, q)
            }
            Some(Kind::Gateway) => Err("the filter word 'gateway' is not simulated".to_string()),
        }
    }

    fn protocol_named(&self, name: &str, of: Option<Protocol>) -> Compiled<u32> {
        const ETHERNET: &[(&str, u32)] =
            &[("ip", 0x800), ("ip6", 0x86dd), ("arp", 0x806), ("rarp", 0x8035), ("ipv6", 0x86dd), ("loopback", 0x9000)];
        const IP: &[(&str, u32)] = &[
            ("icmp", 1),
            ("igmp", 2),
            ("tcp", 6),
            ("udp", 17),
            ("ipv6", 41),
            ("gre", 47),
            ("esp", 50),
            ("ah", 51),
            ("ipv6-icmp", 58),
            ("pim", 103),
            ("vrrp", 112),
            ("sctp", 132),
            ("udplite", 136),
        ];
        let (table, word) = match of {
            Some(Protocol::Link) => (ETHERNET, "ether"),
            _ => (IP, "ip"),
        };
        let found = table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        found.ok_or_else(|| format!("unknown {word} proto '{name}'"))
    }

    /// A number, or an address (`gen_ncode`).
    pub(super) fn number(&self, address: Address<'_>, q: Qualifiers) -> Compiled {
        match q.kind {
            None | Some(Kind::Host | Kind::Net) => {
                if q.protocol == Some(Protocol::Link) {
                    return Err("illegal link layer address".to_string());
                }
                let (value, mask) = match address {
                    Address::Short(value) if q.kind == Some(Kind::Net) => {
                        let shift = if value == 0 { 0 } else { value.leading_zeros() / 8 * 8 };
                        (value << shift, u32::MAX << shift)
                    }
                    Address::Short(value) => (value, u32::MAX),
                    Address::Dotted(text) => {
                        let (value, bits) = dotted(text)?;
                        (value, mask_of(bits))
                    }
                };
                self.host(value, mask, q)
            }
            Some(kind @ (Kind::Port | Kind::PortRange)) => {
                let word = if kind == Kind::Port { "port" } else { "portrange" };
                let wanted = port_protocol(q.protocol, word)?;
                let value = self.plain(address)?;
                let port = u16::try_from(value).map_err(|_| format!("illegal port number {value} > 65535"))?;
                Ok(self.ports(port, port, wanted, q.direction))
            }
            Some(Kind::Gateway) => Err("'gateway' requires a name".to_string()),
            Some(Kind::Proto) => {
                let value = self.plain(address)?;
                self.proto(value, q)
            }
        }
    }

    fn plain(&self, address: Address<'_>) -> Compiled<u32> {
        match address {
            Address::Short(value) => Ok(value),
            Address::Dotted(text) => dotted(text).map(|(value, _)| value),
        }
    }

    /// `net 10.0.0.0/8`
    pub(super) fn network(&self, text: &str, length: u32, q: Qualifiers) -> Compiled {
        let (value, _) = dotted(text)?;
        if length > 32 {
            return Err("mask length must be <= 32".to_string());
        }
        let mask = mask_of(length);
        if value & !mask != 0 {
            return Err(format!("non-network bits set in \"{text}/{length}\""));
        }
        self.net_only(value, mask, q)
    }

    /// `net 10.0.0.0 mask 255.0.0.0`
    pub(super) fn masked(&self, text: &str, mask: &str, q: Qualifiers) -> Compiled {
        let ((value, _), (bits, _)) = (dotted(text)?, dotted(mask)?);
        if value & !bits != 0 {
            return Err(format!("non-network bits set in \"{text} mask {mask}\""));
        }
        self.net_only(value, bits, q)
    }

    fn net_only(&self, value: u32, mask: u32, q: Qualifiers) -> Compiled {
        match q.kind {
            Some(Kind::Net) => self.host(value, mask, q),
            _ => Err("Mask syntax for networks only".to_string()),
        }
    }

    pub(super) fn mac(&self, mac: [u8; 6], q: Qualifiers) -> Compiled {
        if q.protocol != Some(Protocol::Link) || !matches!(q.kind, None | Some(Kind::Host)) {
            return Err("ethernet address used in non-ether expression".to_string());
        }
        if self.link != LinkType::Ethernet {
            return Err(NO_MACS.to_string());
        }
        let [a, b, c, d, e, f] = mac;
        let (high, low) = (u32::from_be_bytes([a, b, c, d]), u16::from_be_bytes([e, f]));
        let at = |offset| {
            equal(self.at(Base::Packet, offset, 4), high).and(equal(self.at(Base::Packet, offset + 4, 2), low.into()))
        };
        Ok(directed(q.direction, at(6), at(0)))
    }

    pub(super) fn ipv6(&self, address: Ipv6Addr, length: u32, q: Qualifiers) -> Compiled {
        if length > 128 {
            return Err("mask length must be <= 128".to_string());
        }
        let mask = if length == 0 { 0 } else { u128::MAX << (128 - length) };
        let value = address.to_bits();
        if value & !mask != 0 {
            return Err(format!("non-network bits set in \"{address}/{length}\""));
        }
        let word = match q.kind {
            None | Some(Kind::Host) if length != 128 => return Err("Mask syntax for networks only".to_string()),
            None | Some(Kind::Host) => "host",
            Some(Kind::Net) => "net",
            _ => return Err("invalid qualifier against IPv6 address".to_string()),
        };
        match q.protocol {
            None | Some(Protocol::Ip6) => {}
            Some(Protocol::Link) => return Err(format!("link-layer modifier applied to ip6 {word}")),
            Some(protocol) => return Err(format!("'{}' modifier applied to ip6 {word}", protocol.name())),
        }
        let at = |offset: u32| {
            let words = (0..4).map(|word| {
                let shift = 96 - 32 * word;
                let (value, mask) = ((value >> shift) as u32, (mask >> shift) as u32);
                masked_equal(self.network_at(offset + 4 * word, 4), mask, value)
            });
            words.fold(Test::True, Test::and)
        };
        Ok(self.of_type(IPV6).and(directed(q.direction, at(8), at(24))))
    }

    /// An IPv4 address or network (`gen_host`).
    fn host(&self, value: u32, mask: u32, q: Qualifiers) -> Compiled {
        let word = if q.kind == Some(Kind::Net) { "net" } else { "host" };
        let test = |kind, source, destination| {
            let at = |offset| masked_equal(self.network_at(offset, 4), mask, value);
            self.of_type(kind).and(directed(q.direction, at(source), at(destination)))
        };
        let (ip, arp, rarp) = (|| test(IPV4, 12, 16), || test(ARP, 14, 24), || test(RARP, 14, 24));
        match q.protocol {
            None => Ok(ip().or(arp()).or(rarp())),
            Some(Protocol::Ip) => Ok(ip()),
            Some(Protocol::Arp) => Ok(arp()),
            Some(Protocol::Rarp) => Ok(rarp()),
            Some(Protocol::Link) => Err(format!("link-layer modifier applied to {word}")),
            Some(Protocol::Ip6) => Err(format!("'ip6' modifier applied to ip {word}")),
            Some(protocol) => Err(format!("'{}' modifier applied to {word}", protocol.name())),
        }
    }

    /// Ports from `low` to `high` (`gen_port`, `gen_port6`).
    fn ports(&self, low: u16, high: u16, protocol: Option<Protocol>, direction: Direction) -> Test {
        let numbers: Vec<u32> = match protocol {
            Some(Protocol::Over(_, number, _)) => vec![number.into()],
            _ => vec![17, 6, 132],
        };
        let carried = |offset| {
            let tests = numbers.iter().map(|number| equal(self.network_at(offset, 1), *number));
            tests.reduce(Test::or).unwrap_or(Test::True)
        };
        let ports = |base| {
            let at = |offset| {
                let port = self.at(base, offset, 2);
                if low == high {
                    return equal(port, low.into());
                }
                let above = compare(port.clone(), Relation::GreaterOrEqual, low.into());
                above.and(compare(port, Relation::LessOrEqual, high.into()))
            };
            directed(direction, at(0), at(2))
        };
        let v4 = self.of_type(IPV4).and(carried(9)).and(self.whole()).and(ports(Base::Transport(self.tags)));
        let v6 = self.of_type(IPV6).and(carried(6)).and(ports(Base::Transport6(self.tags)));
        v4.or(v6)
    }

    /// `ip proto 6` (`gen_proto`).
    fn proto(&self, value: u32, q: Qualifiers) -> Compiled {
        if q.said {
            return Err("can't parse filter expression: syntax error".to_string());
        }
        match q.protocol {
            None => Ok(self.over_ip(value, Versions::Both)),
            Some(Protocol::Link) => Ok(self.of_type(value as u16)),
            Some(Protocol::Ip) => Ok(self.of_type(IPV4).and(equal(self.network_at(9, 1), value))),
            Some(Protocol::Ip6) => Ok(self.over_ip(value, Versions::V6)),
            Some(protocol @ (Protocol::Arp | Protocol::Rarp)) => {
                Err(format!("{} does not encapsulate another protocol", protocol.name()))
            }
            Some(protocol) => Err(format!("'{} proto' is bogus", protocol.name())),
        }
    }

    /// `broadcast` and `multicast`.
    pub(super) fn cast(&self, protocol: Option<Protocol>, multicast: bool) -> Compiled {
        match (protocol, multicast) {
            (None | Some(Protocol::Link), _) if self.link != LinkType::Ethernet => {
                Err(if multicast { NO_GROUPS } else { "not a broadcast link" }.to_string())
            }
            (None | Some(Protocol::Link), false) => {
                let high = equal(self.at(Base::Packet, 0, 4), u32::MAX);
                Ok(high.and(equal(self.at(Base::Packet, 4, 2), 0xffff)))
            }
            (None | Some(Protocol::Link), true) => {
                let bit = Number::Operation('&', Box::new(self.at(Base::Packet, 0, 1)), Box::new(Number::Constant(1)));
                Ok(compare(bit, Relation::NotEqual, 0))
            }
            (Some(Protocol::Ip), false) => {
                // No network is known, so all bits are the host's.
                let to = |value| equal(self.network_at(16, 4), value);
                Ok(self.of_type(IPV4).and(to(0).or(to(u32::MAX))))
            }
            (Some(Protocol::Ip), true) => {
                let group = compare(self.network_at(16, 1), Relation::GreaterOrEqual, 224);
                Ok(self.of_type(IPV4).and(group))
            }
            (Some(Protocol::Ip6), true) => Ok(self.of_type(IPV6).and(equal(self.network_at(24, 1), 255))),
            (_, false) => Err("only link-layer/IP broadcast filters supported".to_string()),
            (_, true) => Err(NO_GROUPS.to_string()),
        }
    }

    /// `vlan`: what follows lies behind the tag.
    pub(super) fn vlan(&mut self, number: Option<u32>) -> Compiled {
        let number = match number {
            Some(number) if number > 4095 => {
                return Err(format!("VLAN tag {number} greater than maximum 4095"));
            }
            number => number.map(|number| number as u16),
        };
        let test = Test::Vlan(number, self.tags);
        self.tags += 1;
        Ok(test)
    }

    /// `ifindex`
    pub(super) fn interface(&self, index: u32) -> Compiled {
        match self.link {
            LinkType::Cooked2 => Ok(equal(self.at(Base::Packet, 4, 4), index)),
            _ => Err("the filter word 'ifindex' is not simulated on one interface".to_string()),
        }
    }
}

const NO_GROUPS: &str =
    "link-layer multicast filters supported only on ethernet/FDDI/token ring/ARCNET/802.11/ATM LANE/Fibre Channel";
const NO_MACS: &str = "ethernet addresses supported only on ethernet/FDDI/token ring/802.11/ATM LANE/Fibre Channel";

fn port_protocol(protocol: Option<Protocol>, word: &str) -> Compiled<Option<Protocol>> {
    match protocol {
        None => Ok(None),
        Some(protocol) if [TCP, UDP, SCTP].contains(&protocol) => Ok(Some(protocol)),
        Some(_) => Err(format!("illegal qualifier of '{word}'")),
    }
}

fn directed(direction: Direction, source: Test, destination: Test) -> Test {
    match direction {
        Direction::Source => source,
        Direction::Destination => destination,
        Direction::Either => source.or(destination),
        Direction::Both => source.and(destination),
    }
}

fn compare(left: Number, relation: Relation, right: u32) -> Test {
    Test::Compare { guards: Vec::new(), left, relation, right: Number::Constant(right) }
}

fn equal(left: Number, right: u32) -> Test {
    compare(left, Relation::Equal, right)
}

fn masked_equal(left: Number, mask: u32, value: u32) -> Test {
    match mask {
        0 => Test::True,
        u32::MAX => equal(left, value),
        mask => {
            let masked = Number::Operation('&', Box::new(left), Box::new(Number::Constant(mask)));
            equal(masked, value & mask)
        }
    }
}

fn mask_of(bits: u32) -> u32 {
    if bits == 0 { 0 } else { u32::MAX << (32 - bits) }
}

/// Numbers with dots: the address they are the beginning of, and how many bits they are (`__pcap_atoin`).
fn dotted(text: &str) -> Compiled<(u32, u32)> {
    let invalid = || format!("invalid IPv4 address '{text}'");
    let parts: Vec<u32> = text.split('.').map(number).collect::<Option<_>>().ok_or_else(invalid)?;
    if parts.len() > 4 || parts.iter().any(|part| *part > 255) {
        return Err(invalid());
    }
    let bits = 8 * parts.len() as u32;
    let value = parts.iter().fold(0u32, |value, part| value << 8 | part);
    Ok((value << (32 - bits), bits))
}
