//! Tables of route collectors (RIPE RIS, RouteViews): the `TABLE_DUMP_V2` records of MRT, RFC 6396, of which a bench wants
//! the prefixes and who announced them first.

use std::net::{Ipv4Addr, Ipv6Addr};
use vethlab_engine::addr::{Address, Prefix};

/// The type of records that hold a table.
const TABLE_DUMP_V2: u16 = 13;
/// Its subtypes with unicast routes.
const RIB_IPV4_UNICAST: u16 = 2;
const RIB_IPV6_UNICAST: u16 = 4;
/// Time, type, subtype, length.
const HEADER: usize = 12;

/// Prefixes, each with the number of the peer that its first entry is from.
pub type Found<A> = Vec<(Prefix<A>, u16)>;

/// True if a file begins as such a table does.
pub fn is_mrt(bytes: &[u8]) -> bool {
    number(bytes, 4) == Some(TABLE_DUMP_V2)
}

/// All prefixes of a table; an error tells at which byte it is not one.
pub fn prefixes(mut bytes: &[u8]) -> Result<(Found<Ipv4Addr>, Found<Ipv6Addr>), String> {
    let (mut v4, mut v6, whole) = (Vec::new(), Vec::new(), bytes.len());
    while !bytes.is_empty() {
        let broken = || format!("the MRT record at byte {} is broken", whole - bytes.len());
        let length = bytes.get(8..HEADER).and_then(|length| length.try_into().ok()).map(u32::from_be_bytes);
        let end = HEADER.saturating_add(length.ok_or_else(broken)? as usize);
        let body = bytes.get(HEADER..end).ok_or_else(broken)?;
        match (number(bytes, 4), number(bytes, 6)) {
            (Some(TABLE_DUMP_V2), Some(RIB_IPV4_UNICAST)) => v4.push(route::<Ipv4Addr>(body).ok_or_else(broken)?),
            (Some(TABLE_DUMP_V2), Some(RIB_IPV6_UNICAST)) => v6.push(route::<Ipv6Addr>(body).ok_or_else(broken)?),
            _ => {}
        }
        bytes = &bytes[end..];
    }
    Ok((v4, v6))
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// A record's prefix and the first peer: a sequence number, the length, as many bytes as it needs, how many entries.
fn route<A: Address>(body: &[u8]) -> Option<(Prefix<A>, u16)> {
    let length = *body.get(4)?;
    let (count, width) = (usize::from(length).div_ceil(8), usize::from(A::BITS / 8));
    if u32::from(length) > u32::from(A::BITS) {
        return None;
    }
    let mut bits = [0u8; 16];
    bits.get_mut(16 - width..16 - width + count)?.copy_from_slice(body.get(5..5 + count)?);
    let prefix = Prefix::of(A::from_bits(u128::from_be_bytes(bits)), length);
    let entries = number(body, 5 + count)?;
    Some((prefix, if entries == 0 { 0 } else { number(body, 7 + count)? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u16, body: &[u8]) -> Vec<u8> {
        let length = body.len() as u32;
        [&[0; 4][..], &TABLE_DUMP_V2.to_be_bytes(), &kind.to_be_bytes(), &length.to_be_bytes(), body].concat()
    }

    fn table() -> Vec<u8> {
        let v4 = [0, 0, 0, 1, 22, 192, 0, 8, 0, 1, 0, 7, 0, 0, 0, 0, 0, 0];
        let v6 = [0, 0, 0, 2, 32, 0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0];
        let peers = record(1, &[1, 2, 3, 4, 0, 0, 0, 0]);
        [peers, record(RIB_IPV4_UNICAST, &v4), record(RIB_IPV6_UNICAST, &v6)].concat()
    }

    #[test]
    fn prefixes_are_read_with_their_first_peer() {
        assert!(is_mrt(&table()));
        let (v4, v6) = prefixes(&table()).expect("a table");
        assert_eq!(v4, [(Prefix::of(Ipv4Addr::new(192, 0, 8, 0), 22), 7)]);
        assert_eq!(v6, [(Prefix::of("2001:db8::".parse().expect("an address"), 32), 9)]);
    }

    #[test]
    fn a_table_that_ends_early_or_is_wrong_is_refused_and_told_where() {
        let whole = table();
        for length in (1..whole.len()).filter(|length| ![20, 50].contains(length)) {
            assert!(prefixes(&whole[..length]).is_err(), "{length}");
        }
        assert_eq!(prefixes(&whole[..49]), Err("the MRT record at byte 20 is broken".to_string()));
        let mut long = whole;
        long[20 + HEADER + 4] = 33;
        assert_eq!(
            prefixes(&long),
            Err("the MRT record at byte 20 is broken".to_string()),
            "an IPv4 prefix of 33 bits"
        );
    }
}
