//! Which address and port a flow gets, so that its answers are told from those of all others (`get_unique_tuple`).

use super::Manip;
use crate::addr::Ipv4Addr;
use crate::conntrack::{Conn, Conntrack, Direction, GRE, Nfct, Proto, TcpState, Tuple, has_ports, status};
use crate::filter::NatRange;
use crate::time::Time;
use crate::wire::protocol;
use core::ops::RangeInclusive;

/// Most ports that are tried from one beginning.
const MOST_ATTEMPTS: u32 = 128;
/// Fewest: after so short a search it is given up.
const FEWEST_ATTEMPTS: u32 = 16;
/// Among so many last attempts, flows that are over make room.
const HARDER_ATTEMPTS: u32 = 32;

impl Conntrack {
    /// What the packets of a flow look like when they have passed here. If nothing is free, what comes out is somebody
    /// else's already, and the flow is not confirmed.
    pub(super) fn unique_tuple(
        &mut self,
        now: Time,
        nfct: &Nfct,
        current: Tuple,
        range: &NatRange,
        manip: Manip,
    ) -> Tuple {
        if manip == Manip::Source && !range.random_fully {
            if in_range(&current, range) {
                if !self.taken(now, &current) {
                    return current;
                }
            } else if let Some(tuple) = self.same_source(&current, range)
                && !self.taken(now, &tuple)
            {
                return tuple;
            }
        }
        let mut tuple = current;
        choose_address(&mut tuple, range, manip);
        if !range.random_fully {
            let enough = match &range.ports {
                // A single port is taken as it is said.
                Some(ports) => {
                    range.base_port.is_none()
                        && port_in_range(&tuple, manip, ports)
                        && (ports.start() == ports.end() || !self.taken(now, &tuple))
                }
                None => !self.taken(now, &tuple),
            };
            if enough {
                return tuple;
            }
        }
        self.choose_port(now, nfct, &mut tuple, range, manip);
        tuple
    }

    /// True if the answers to `tuple` would be another flow's packets (`nf_nat_used_tuple`).
    fn taken(&self, now: Time, tuple: &Tuple) -> bool {
        tuple.inverted().is_none_or(|reply| self.find(now, &reply).is_some())
    }

    /// What a flow from the same source became, if that is in the range (`find_appropriate_src`).
    fn same_source(&self, tuple: &Tuple, range: &NatRange) -> Option<Tuple> {
        let mapped = |conn: &Conn| {
            let source = conn.tuples[1].inverted()?.source;
            Some(Tuple { source, ..*tuple }).filter(|mapped| in_range(mapped, range))
        };
        self.same_source_as(tuple).find_map(mapped)
    }

    /// `nf_nat_l4proto_unique_tuple`
    fn choose_port(&mut self, now: Time, nfct: &Nfct, tuple: &mut Tuple, range: &NatRange, manip: Manip) {
        let Some((first, size)) = candidates(tuple, range, manip) else { return };
        let mut offset = match range.base_port {
            Some(base) => key(tuple, manip).wrapping_sub(base),
            None => self.rng.next() as u16,
        };
        let mut attempts = size.min(MOST_ATTEMPTS);
        loop {
            for left in (1..=attempts).rev() {
                *key_mut(tuple, manip) = first.wrapping_add((u32::from(offset) % size) as u16);
                if !self.taken_harder(now, nfct, tuple, left) {
                    return;
                }
                offset = offset.wrapping_add(1);
            }
            if attempts >= size || attempts < FEWEST_ATTEMPTS {
                return;
            }
            attempts /= 2;
            offset = self.rng.next() as u16;
        }
    }

    /// The same as [`Conntrack::taken`], but towards the end of the search a TCP flow that is over goes, if the new one is a
    /// SYN whose number is beyond what that one used (`nf_nat_used_tuple_harder`).
    fn taken_harder(&mut self, now: Time, nfct: &Nfct, tuple: &Tuple, left: u32) -> bool {
        let Some(reply) = tuple.inverted() else { return true };
        let Some((id, direction)) = self.find(now, &reply) else { return false };
        if left > HARDER_ATTEMPTS || tuple.protocol != protocol::TCP || direction == Direction::Original {
            return true;
        }
        let flow = |conn: Option<&Conn>| match conn.map(|conn| &conn.proto) {
            Some(Proto::Tcp(flow)) => Some(*flow),
            _ => None,
        };
        let (Some(new), Some(old)) = (flow(self.conn(nfct)), flow(self.get(id))) else { return true };
        let translated = self.get(id).is_some_and(|conn| conn.has(status::SRC_NAT));
        let over = matches!(old.state, TcpState::TimeWait | TcpState::Close | TcpState::SynSent2);
        let goes = new.state == TcpState::SynSent && over && translated && new.is_beyond(&old);
        if goes {
            self.kill(id);
        }
        !goes
    }
}

/// The part of a tuple that may be changed to make it unique.
fn key(tuple: &Tuple, manip: Manip) -> u16 {
    match manip {
        Manip::Destination if tuple.protocol != protocol::ICMP => tuple.destination.port,
        _ => tuple.source.port,
    }
}

fn key_mut(tuple: &mut Tuple, manip: Manip) -> &mut u16 {
    match manip {
        Manip::Destination if tuple.protocol != protocol::ICMP => &mut tuple.destination.port,
        _ => &mut tuple.source.port,
    }
}

/// The first port that may be taken and how many there are; none if ports cannot be changed.
fn candidates(tuple: &Tuple, range: &NatRange, manip: Manip) -> Option<(u16, u32)> {
    let ordered = |ports: &RangeInclusive<u16>| {
        let (low, high) = (*ports.start().min(ports.end()), *ports.start().max(ports.end()));
        (low, u32::from(high - low) + 1)
    };
    match tuple.protocol {
        protocol::ICMP => Some(range.ports.as_ref().map_or((0, 65_536), ordered)),
        number if !has_ports(number) => None,
        _ => match &range.ports {
            Some(ports) => Some(ordered(ports)),
            None if manip == Manip::Destination => None,
            // What proves by its port that it is root's keeps that.
            None => Some(match tuple.source.port {
                0..512 => (1, 511),
                512..1024 => (600, 424),
                _ => (1024, 64_512),
            }),
        },
    }
}

/// True if the source is in the range as it is.
fn in_range(tuple: &Tuple, range: &NatRange) -> bool {
    let (address, of) = (tuple.source.address, |(low, high): &(Ipv4Addr, Ipv4Addr)| *low..=*high);
    range.addresses.as_ref().is_none_or(|both| of(both).contains(&address))
        && range.ports.as_ref().is_none_or(|ports| port_in_range(tuple, Manip::Source, ports))
}

fn port_in_range(tuple: &Tuple, manip: Manip, ports: &RangeInclusive<u16>) -> bool {
    let has_key = tuple.protocol == protocol::ICMP || has_ports(tuple.protocol) || tuple.protocol == GRE;
    !has_key || ports.contains(&key(tuple, manip))
}

/// One address of the range: the same for the same two ends, or with `--persistent` for the same source
/// (`find_best_ips_proto`).
fn choose_address(tuple: &mut Tuple, range: &NatRange, manip: Manip) {
    let Some((low, high)) = range.addresses else { return };
    let raw = |address: Ipv4Addr| u32::from_le_bytes(address.octets());
    let initial = if range.persistent { 0 } else { raw(tuple.destination.address) };
    let hash = jhash2([raw(tuple.source.address), 0, 0, 0], initial);
    let distance = high.to_bits().wrapping_sub(low.to_bits()).wrapping_add(1);
    let chosen = match low == high {
        true => low,
        false => {
            let step = (u64::from(hash) * u64::from(distance)) >> 32;
            Ipv4Addr::from_bits(low.to_bits().wrapping_add(step as u32))
        }
    };
    match manip {
        Manip::Source => tuple.source.address = chosen,
        Manip::Destination => tuple.destination.address = chosen,
    }
}

/// Jenkins' hash of four words (`jhash2`): it decides which of several addresses is taken, so it is the kernel's.
fn jhash2(words: [u32; 4], initial: u32) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(4 << 2).wrapping_add(initial);
    let (mut a, mut b, mut c) =
        (start.wrapping_add(words[0]), start.wrapping_add(words[1]), start.wrapping_add(words[2]));
    for (x, y, z) in [(4, 6, 8), (16, 19, 4)] {
        a = a.wrapping_sub(c) ^ c.rotate_left(x);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(y);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(z);
        b = b.wrapping_add(a);
    }
    a = a.wrapping_add(words[3]);
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}
