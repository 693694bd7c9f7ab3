//! What a packet says of its flow: two addresses, a protocol, and what the protocol adds.

use crate::addr::Ipv4Addr;
use crate::wire::icmpv4::kind;
use crate::wire::{Icmp, Ipv4, protocol};

/// One end of a flow: an address, and the port, the id or the key that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct End {
    /// The address.
    pub address: Ipv4Addr,
    /// TCP and UDP: the port. ICMP: the id, at the source only. Others: 0.
    pub port: u16,
}

/// A flow in one direction (`struct nf_conntrack_tuple`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tuple {
    /// From whom.
    pub source: End,
    /// To whom; ICMP has no port here.
    pub destination: End,
    /// Type and code of ICMP; 0 in others.
    pub icmp: (u8, u8),
    /// The protocol.
    pub protocol: u8,
}

/// Protocols that are told apart here and nowhere else.
pub(crate) const GRE: u8 = 47;
pub(crate) const SCTP: u8 = 132;
pub(crate) const UDPLITE: u8 = 136;

/// True if a protocol's header begins with two ports.
pub(crate) const fn has_ports(number: u8) -> bool {
    matches!(number, protocol::TCP | protocol::UDP | UDPLITE | SCTP)
}

impl Tuple {
    /// The tuple of a packet with this header, whose payload, or the beginning of it, is `payload`: `None` for later
    /// fragments, and where what is needed of the payload is cut short (`nf_ct_get_tuple`).
    #[inline]
    pub fn of(header: &Ipv4, payload: &[u8]) -> Option<Tuple> {
        if header.fragment_offset() != 0 {
            return None;
        }
        let mut tuple = Tuple {
            source: End { address: header.source, port: 0 },
            destination: End { address: header.destination, port: 0 },
            icmp: (0, 0),
            protocol: header.protocol,
        };
        match header.protocol {
            protocol::ICMP => {
                let icmp = Icmp::parse(payload)?;
                tuple.icmp = (icmp.kind, icmp.code);
                tuple.source.port = icmp.id();
            }
            number if has_ports(number) => {
                let &[a, b, c, d] = payload.first_chunk::<4>()?;
                tuple.source.port = u16::from_be_bytes([a, b]);
                tuple.destination.port = u16::from_be_bytes([c, d]);
            }
            _ => {}
        }
        Some(tuple)
    }

    /// All of it in two words, to be hashed; of the second the high byte is free.
    #[inline]
    pub(super) fn words(&self) -> [u64; 2] {
        let Tuple { source, destination, icmp: (kind, code), protocol } = *self;
        let ports = u64::from(source.port) << 16 | u64::from(destination.port);
        let extra = u64::from(protocol) << 16 | u64::from(kind) << 8 | u64::from(code);
        [u64::from(source.address.to_bits()) << 32 | ports, u64::from(destination.address.to_bits()) << 24 | extra]
    }

    /// The tuple of the answers (`nf_ct_invert_tuple`): `None` for ICMP messages that are not answered.
    #[inline]
    pub fn inverted(&self) -> Option<Tuple> {
        if self.protocol != protocol::ICMP {
            return Some(Tuple { source: self.destination, destination: self.source, ..*self });
        }
        let kind = answer(self.icmp.0)?;
        Some(Tuple {
            source: End { address: self.destination.address, port: self.source.port },
            destination: End { address: self.source.address, port: 0 },
            icmp: (kind, self.icmp.1),
            protocol: self.protocol,
        })
    }
}

/// The ICMP type that answers this one, or that this one answers.
const fn answer(icmp: u8) -> Option<u8> {
    Some(match icmp {
        kind::ECHO => kind::ECHO_REPLY,
        kind::ECHO_REPLY => kind::ECHO,
        kind::TIMESTAMP => kind::TIMESTAMP_REPLY,
        kind::TIMESTAMP_REPLY => kind::TIMESTAMP,
        kind::INFO_REQUEST => kind::INFO_REPLY,
        kind::INFO_REPLY => kind::INFO_REQUEST,
        kind::ADDRESS => kind::ADDRESS_REPLY,
        kind::ADDRESS_REPLY => kind::ADDRESS,
        _ => return None,
    })
}
