//! The outside world behind the host's gateway: not a network of stacks but one box that answers as a provider's routers and
//! the hosts of the internet would. Every public address answers echo requests, refuses TCP and UDP, and lies three routers
//! behind the gateway; packets to other addresses are refused by the first of them.

use vethlab_engine::addr::{Ipv4Addr, Mac};
use vethlab_engine::rng::Rng;
use vethlab_engine::time::Duration;
use vethlab_engine::wire::arp::{self, Arp};
use vethlab_engine::wire::ethernet::{self, Ethernet};
use vethlab_engine::wire::icmpv4::{self, Icmp, code, kind};
use vethlab_engine::wire::ipv4::{self, Ipv4};
use vethlab_engine::wire::{Tcp, Udp, protocol};

/// The provider's side of the gateway's uplink.
pub(super) const UPLINK: Ipv4Addr = Ipv4Addr::new(100, 64, 7, 1);

/// The routers on the way, each with the round trip to it in microseconds.
const ROUTERS: [(Ipv4Addr, u64); 3] =
    [(UPLINK, 2_900), (Ipv4Addr::new(198, 51, 100, 17), 6_300), (Ipv4Addr::new(203, 0, 113, 33), 9_200)];

/// The round trip to every host, in microseconds.
const HOSTS: u64 = 11_400;

/// TTL of what starts out there.
const TTL: u8 = 64;

/// Most bytes of a packet that an error quotes (RFC 1812: as much as fits into 576 bytes).
const QUOTE: usize = 576 - ipv4::HEADER - icmpv4::HEADER;

/// The box.
#[derive(Debug)]
pub(super) struct Internet {
    mac: Mac,
    rng: Rng,
}

/// Who answers: its address, how many routers lie before it, and how long the round trip takes.
#[derive(Clone, Copy)]
struct Speaker {
    address: Ipv4Addr,
    distance: u8,
    round_trip: u64,
}

impl Internet {
    pub(super) fn new(rng: Rng) -> Internet {
        Internet { mac: Mac([0x52, 0x55, 100, 64, 7, 1]), rng }
    }

    /// What comes back for a frame, and when.
    pub(super) fn answer(&mut self, frame: &[u8]) -> Option<(Duration, Vec<u8>)> {
        let header = Ethernet::parse(frame)?;
        let payload = frame.get(ethernet::HEADER..)?;
        let (wait, reply) = match header.ethertype {
            ethernet::ARP => (0, self.arp(payload)?),
            ethernet::IPV4 if header.destination == self.mac => self.packet(payload)?,
            _ => return None,
        };
        let back = Ethernet { destination: header.source, source: self.mac, ethertype: header.ethertype };
        Some((Duration::from_micros(wait), [&back.emit()[..], &reply].concat()))
    }

    fn arp(&self, packet: &[u8]) -> Option<Vec<u8>> {
        let asked = Arp::parse(packet).filter(|arp| arp.operation == arp::REQUEST && arp.target_ip == UPLINK)?;
        let reply = Arp {
            operation: arp::REPLY,
            sender_mac: self.mac,
            sender_ip: UPLINK,
            target_mac: asked.sender_mac,
            target_ip: asked.sender_ip,
        };
        Some(reply.emit().to_vec())
    }

    fn packet(&mut self, packet: &[u8]) -> Option<(u64, Vec<u8>)> {
        let header = Ipv4::checked(packet).ok()?;
        let packet = packet.get(..usize::from(header.total_length))?;
        let payload = packet.get(header.header_length..)?;
        let routers = ROUTERS.into_iter().zip(0u8..);
        let mut routers = routers.map(|((address, round_trip), distance)| Speaker { address, distance, round_trip });
        let expired = routers.clone().find(|router| header.ttl <= router.distance + 1);
        let reached = routers.clone().find(|router| router.address == header.destination);
        let first = routers.next()?;
        let host = Speaker { address: header.destination, distance: ROUTERS.len() as u8, round_trip: HOSTS };
        let (speaker, protocol, body) = match (reached, expired) {
            (Some(router), expired) if expired.is_none_or(|expired| expired.distance >= router.distance) => {
                self.at_goal(router, &header, packet, payload)?
            }
            (_, Some(router)) => {
                let error = Icmp { kind: kind::TIME_EXCEEDED, code: code::EXC_TTL, rest: [0; 4] };
                (router, protocol::ICMP, refuse(&header, packet, payload, error)?)
            }
            _ if !is_public(header.destination) => {
                let error = Icmp { kind: kind::DEST_UNREACH, code: code::NET_UNREACH, rest: [0; 4] };
                (first, protocol::ICMP, refuse(&header, packet, payload, error)?)
            }
            _ => self.at_goal(host, &header, packet, payload)?,
        };
        Some((self.jitter(speaker.round_trip), self.wrap(speaker, &header, protocol, &body)))
    }

    /// A few per cent more or less, as on a real line.
    fn jitter(&mut self, round_trip: u64) -> u64 {
        round_trip + self.rng.below(round_trip / 16 + 1)
    }

    /// A packet back to whom this one came from.
    fn wrap(&mut self, from: Speaker, of: &Ipv4, protocol: u8, body: &[u8]) -> Vec<u8> {
        let header = Ipv4 {
            tos: 0,
            total_length: (ipv4::HEADER + body.len()) as u16,
            id: self.rng.next() as u16,
            flags_fragment: 0,
            ttl: TTL - from.distance,
            protocol,
            source: from.address,
            destination: of.source,
            header_length: ipv4::HEADER,
        };
        [&header.emit()[..], body].concat()
    }

    /// What the host that is meant answers: who, the protocol, and the IP payload.
    fn at_goal(
        &mut self,
        own: Speaker,
        header: &Ipv4,
        packet: &[u8],
        payload: &[u8],
    ) -> Option<(Speaker, u8, Vec<u8>)> {
        // Nothing out there puts fragments together.
        if header.is_fragment() {
            return None;
        }
        let unreachable = |code| Icmp { kind: kind::DEST_UNREACH, code, rest: [0; 4] };
        let (protocol, body) = match header.protocol {
            protocol::ICMP => {
                let echo = Icmp::checked(payload).ok().filter(|icmp| icmp.kind == kind::ECHO)?;
                let data = payload.get(icmpv4::HEADER..)?;
                let reply = Icmp { kind: kind::ECHO_REPLY, ..echo };
                (protocol::ICMP, [&reply.emit(data)[..], data].concat())
            }
            protocol::UDP => {
                Udp::sized(payload).ok()?;
                (protocol::ICMP, refuse(header, packet, payload, unreachable(code::PORT_UNREACH))?)
            }
            protocol::TCP => {
                let reset = Tcp::sized(payload).ok()?.refuse(payload.len())?;
                (protocol::TCP, reset.emit(own.address, header.source, &[]).to_vec())
            }
            _ => (protocol::ICMP, refuse(header, packet, payload, unreachable(code::PROT_UNREACH))?),
        };
        Some((own, protocol, body))
    }
}

/// An ICMP error about a packet, unless it must not be answered by one: an error itself, a later fragment.
fn refuse(header: &Ipv4, packet: &[u8], payload: &[u8], error: Icmp) -> Option<Vec<u8>> {
    let about_error = header.protocol == protocol::ICMP && Icmp::parse(payload).is_none_or(|icmp| icmp.is_error());
    if about_error || header.fragment_offset() != 0 {
        return None;
    }
    let quote = packet.get(..packet.len().min(QUOTE))?;
    Some([&error.emit(quote)[..], quote].concat())
}

/// True for addresses that are somebody's in the internet (RFC 6890 lists the others).
fn is_public(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || matches!((a, b, c), (0, ..) | (224.., ..) | (100, 64..=127, _) | (192, 0, 0) | (198, 18 | 19, _));
    !special
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATEWAY: Ipv4Addr = Ipv4Addr::new(100, 64, 7, 2);

    fn ask(destination: Ipv4Addr, ttl: u8, protocol: u8, payload: &[u8]) -> Option<(Ipv4, Vec<u8>)> {
        let mut internet = Internet::new(Rng::new(1));
        let header = Ipv4 {
            tos: 0,
            total_length: (ipv4::HEADER + payload.len()) as u16,
            id: 7,
            flags_fragment: ipv4::DF,
            ttl,
            protocol,
            source: GATEWAY,
            destination,
            header_length: ipv4::HEADER,
        };
        let ethernet = Ethernet { destination: internet.mac, source: Mac([2; 6]), ethertype: ethernet::IPV4 };
        let (_, reply) = internet.answer(&[&ethernet.emit()[..], &header.emit(), payload].concat())?;
        let packet = &reply[ethernet::HEADER..];
        let header = Ipv4::checked(packet).expect("the reply has a good header");
        Some((header, packet[ipv4::HEADER..].to_vec()))
    }

    fn echo(destination: Ipv4Addr, ttl: u8) -> Option<(Ipv4Addr, u8, u8, u8)> {
        let data = b"0123456789";
        let request = Icmp::echo(kind::ECHO, 1, 2);
        let (header, body) = ask(destination, ttl, protocol::ICMP, &[&request.emit(data)[..], data].concat())?;
        let icmp = Icmp::checked(&body).expect("the reply has a good checksum");
        Some((header.source, header.ttl, icmp.kind, icmp.code))
    }

    #[test]
    fn a_path_has_a_router_for_each_ttl_and_a_host_at_its_end() {
        let dns = Ipv4Addr::new(8, 8, 8, 8);
        let exceeded = (kind::TIME_EXCEEDED, code::EXC_TTL);
        for (ttl, (router, _)) in (1..).zip(ROUTERS) {
            assert_eq!(echo(dns, ttl), Some((router, 65 - ttl, exceeded.0, exceeded.1)));
        }
        assert_eq!(echo(dns, 4), Some((dns, 61, kind::ECHO_REPLY, 0)));
        assert_eq!(echo(UPLINK, 1), Some((UPLINK, 64, kind::ECHO_REPLY, 0)));
        assert_eq!(echo(ROUTERS[2].0, 2), Some((ROUTERS[1].0, 63, exceeded.0, exceeded.1)));
    }

    #[test]
    fn private_addresses_are_refused_by_the_provider() {
        for bogon in ["192.168.15.2", "10.9.9.9", "172.31.0.1", "100.99.0.1", "240.0.0.1", "198.19.0.1", "0.1.2.3"] {
            let answer = echo(bogon.parse().expect(bogon), 63);
            assert_eq!(answer, Some((UPLINK, 64, kind::DEST_UNREACH, code::NET_UNREACH)), "{bogon}");
        }
    }

    #[test]
    fn errors_are_not_answered_by_errors() {
        let error = Icmp { kind: kind::DEST_UNREACH, code: 1, rest: [0; 4] };
        assert!(ask(Ipv4Addr::new(10, 0, 0, 1), 9, protocol::ICMP, &error.emit(&[])).is_none());
        assert!(ask(Ipv4Addr::new(8, 8, 8, 8), 1, protocol::ICMP, &error.emit(&[])).is_none());
    }

    #[test]
    fn hosts_refuse_udp_and_tcp() {
        let one = Ipv4Addr::new(1, 1, 1, 1);
        let udp = Udp { source: 5, destination: 33434, length: 8, checksum: 0 };
        let segment = udp.emit(GATEWAY, one, &[]);
        let (_, body) = ask(one, 60, protocol::UDP, &segment).expect("an error");
        assert_eq!((body[0], body[1]), (kind::DEST_UNREACH, code::PORT_UNREACH));
        let syn = Tcp { source: 5, destination: 80, flags: 2, data_offset: 20, ..Tcp::default() };
        let (header, body) = ask(one, 60, protocol::TCP, &syn.emit(GATEWAY, one, &[])).expect("a reset");
        let reset = Tcp::checked(header.source, header.destination, &body).expect("a good segment");
        assert!(reset.has(4) && reset.acknowledgment == 1);
    }
}
