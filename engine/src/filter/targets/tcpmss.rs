//! `-j TCPMSS`: a SYN asks for smaller segments than it did (`tcpmss_mangle_packet`).

use super::super::subject::Subject;
use super::Next;
use crate::ip::offload::finish_checksum;
use crate::route::{OutputKey, output_route};
use crate::wire::{checksum, ethernet, ipv4, protocol, tcp};

/// Bytes of IP and TCP header.
const HEADERS: usize = ipv4::HEADER + tcp::HEADER;
/// The option: its kind and its length.
const MSS: u8 = 2;
const MSS_LENGTH: usize = 4;
/// What is meant if nothing is said (RFC 879).
const DEFAULT_MSS: u16 = 536;
/// Where TCP's checksum stands.
const CHECKSUM: usize = 16;

/// To `size`, or to what fits the way there and the way back.
pub(super) fn clamp(subject: &mut Subject<'_>, size: Option<u16>) -> Next {
    if subject.header.fragment_offset() != 0 {
        return Next::Continue;
    }
    let sized = tcp::Tcp::sized(subject.payload());
    let (Ok(segment), Some(size)) = (sized, size.or_else(|| fitting(subject))) else { return Next::Drop };
    // What is added or changed must not be left out of a sum that somebody else is to finish.
    finish_checksum(subject.frame, ethernet::HEADER);
    let start = subject.header.header_length;
    match find_mss(subject.payload(), segment.data_offset) {
        Some(at) => lower(subject, start + at, size),
        None if subject.payload().len() > segment.data_offset => {}
        None if segment.data_offset >= tcp::HEADER + tcp::MAX_OPTIONS => {}
        None => insert(subject, start, size.min(DEFAULT_MSS)),
    }
    Next::Continue
}

/// What fits both ways (`tcpmss_reverse_mtu`).
fn fitting(subject: &Subject<'_>) -> Option<u16> {
    let back = output_route(subject.net, subject.rib, &OutputKey::to(subject.header.source));
    let mtu = back.map_or(subject.mtu, |route| route.mtu.min(subject.mtu));
    let size = (mtu as usize).checked_sub(HEADERS).filter(|size| *size > 0)?;
    u16::try_from(size).ok()
}

/// Where the option's value stands in a segment.
fn find_mss(segment: &[u8], header_length: usize) -> Option<usize> {
    let mut at = tcp::HEADER;
    while at + MSS_LENGTH <= header_length {
        match *segment.get(at..)?.first_chunk::<2>()? {
            [MSS, 4] => return Some(at + 2),
            // "End" and "nothing" are single bytes.
            [0 | 1, _] | [_, 0] => at += 1,
            [_, length] => at += usize::from(length),
        }
    }
    None
}

/// A smaller value stays.
fn lower(subject: &mut Subject<'_>, at: usize, size: u16) {
    let Some(old) = subject.frame.get(at..).and_then(|rest| rest.first_chunk::<2>()) else { return };
    if u16::from_be_bytes(*old) > size
        && let Some(place) = subject.frame.get_mut(at..at + 2)
    {
        place.copy_from_slice(&size.to_be_bytes());
        write_checksum(subject);
    }
}

/// Puts the option before all others.
fn insert(subject: &mut Subject<'_>, start: usize, size: u16) {
    let [high, low] = size.to_be_bytes();
    let end = subject.frame.len();
    subject.frame.resize(end + MSS_LENGTH);
    let options = start + tcp::HEADER;
    subject.frame.copy_within(options..end, options + MSS_LENGTH);
    if let Some(place) = subject.frame.get_mut(options..options + MSS_LENGTH) {
        place.copy_from_slice(&[MSS, MSS_LENGTH as u8, high, low]);
    }
    if let Some(offset) = subject.frame.get_mut(start + 12) {
        *offset += (MSS_LENGTH as u8 / 4) << 4;
    }
    subject.header.total_length += MSS_LENGTH as u16;
    ipv4::set_total_length(subject.frame, subject.header.total_length);
    write_checksum(subject);
}

fn write_checksum(subject: &mut Subject<'_>) {
    let (source, destination) = (subject.header.source, subject.header.destination);
    let start = subject.header.header_length;
    let Some(segment) = subject.frame.get_mut(start..) else { return };
    let Some(place) = segment.get_mut(CHECKSUM..CHECKSUM + 2) else { return };
    place.fill(0);
    let pseudo = checksum::pseudo(source, destination, protocol::TCP, segment.len());
    let sum = checksum::finish(pseudo + checksum::sum(segment));
    if let Some(place) = segment.get_mut(CHECKSUM..CHECKSUM + 2) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
}
