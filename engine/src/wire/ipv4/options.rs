//! The options of an IPv4 header, as `net/ipv4/ip_options.c` treats them where a packet is received, forwarded,
//! answered, sent or cut: record route, timestamp, source routes, router alert.
//!
//! All functions work on a whole header (20 bytes, then the options). They do not touch its checksum: where something
//! was written ([`Options::changed`]), the caller calls [`write_checksum`](super::write_checksum).

use super::{HEADER, MAX_OPTIONS};
use crate::addr::Ipv4Addr;
use crate::wire::{put, take};

/// Option types, with the "copied" bit (`IPOPT_*`).
#[allow(missing_docs, reason = "Linux's own names")]
pub mod kind {
    pub const END: u8 = 0;
    pub const NOOP: u8 = 1;
    pub const RR: u8 = 7;
    pub const TIMESTAMP: u8 = 68;
    pub const LSRR: u8 = 131;
    pub const SSRR: u8 = 137;
    pub const RA: u8 = 148;
}

/// The bit of an option's type that says it goes into every fragment.
const COPIED: u8 = 0x80;
/// Kinds of timestamps: the low half of a timestamp option's fourth byte.
const TS_ONLY: u8 = 0;
const TS_AND_ADDRESS: u8 = 1;
const TS_PRESPECIFIED: u8 = 3;

/// What the options of a header are, as `struct ip_options` remembers it. The places are offsets from the header's first
/// byte, 0 where there is no such option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Bytes of all options.
    pub length: u8,
    /// Place of a source route.
    pub source_route: u8,
    /// It is a strict one.
    pub strict: bool,
    /// The packet reached a hop of its source route; `next_hop` is the next.
    pub source_route_hit: bool,
    /// The next hop of the source route that was hit; for options that are to be sent, the first.
    pub next_hop: Option<Ipv4Addr>,
    /// Place of a record route.
    pub record_route: u8,
    /// Its slot was taken for an address that is not known yet: that of the way out.
    pub record_route_wants_address: bool,
    /// Place of a timestamp option.
    pub timestamp: u8,
    /// Its slot was taken for an address that is not known yet.
    pub timestamp_wants_address: bool,
    /// Its slot was taken for a time.
    pub timestamp_wants_time: bool,
    /// Place of a router alert.
    pub router_alert: u8,
    /// Bytes of the header were changed: its checksum is no longer right.
    pub changed: bool,
}

/// Malformed options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Offset in the header of the byte that is to blame, for ICMP's "parameter problem".
    pub pointer: u8,
    /// The options before it: the ICMP error is sent with their echo.
    pub before: Options,
}

/// What a receiver writes where options ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Here {
    /// Our address, as `fib_compute_spec_dst` chooses it: the packet's destination if it is ours, else ours towards the sender.
    pub address: Ipv4Addr,
    /// Milliseconds since midnight UT ([`midnight`]).
    pub time: u32,
}

/// Tells if an address is another host's, so that a prespecified timestamp is not for us (`inet_addr_type` says unicast).
pub type IsForeign<'a> = &'a dyn Fn(Ipv4Addr) -> bool;

/// Milliseconds since midnight UT, of a number of them since the epoch (`inet_current_timestamp`).
pub const fn midnight(epoch_millis: u64) -> u32 {
    (epoch_millis % 86_400_000) as u32
}

/// Reads the options of a received header, and writes our address and the time where they ask for it
/// (`ip_options_compile` with a packet).
pub fn receive(header: &mut [u8], here: Here, is_foreign: IsForeign<'_>) -> Result<Options, Malformed> {
    compile(header, Some(here), is_foreign)
}

/// Reads options that a program wants to send (`IP_OPTIONS`), which stand behind a header that is otherwise empty. The
/// first hop of a source route is taken out of it, into [`Options::next_hop`].
fn compile_own(header: &mut [u8], is_foreign: IsForeign<'_>) -> Result<Options, Malformed> {
    compile(header, None, is_foreign)
}

fn compile(header: &mut [u8], here: Option<Here>, is_foreign: IsForeign<'_>) -> Result<Options, Malformed> {
    let length = header.len().saturating_sub(HEADER).min(MAX_OPTIONS);
    let mut found = Options { length: length as u8, ..Options::default() };
    let mut at = HEADER;
    let end = HEADER + length;
    while at < end {
        let blame = |offset: usize, before: Options| Malformed { pointer: (at + offset) as u8, before };
        let option = header.get_mut(at..end).unwrap_or(&mut []);
        match *option {
            [kind::END, ref mut rest @ ..] => {
                found.changed |= rest.iter().any(|byte| *byte != kind::END);
                rest.fill(kind::END);
                break;
            }
            [kind::NOOP, ..] => {
                at += 1;
                continue;
            }
            [_, size, ..] if size >= 2 && usize::from(size) <= end - at => {
                let size = usize::from(size);
                let option = option.get_mut(..size).unwrap_or(&mut []);
                let before = found;
                read_one(option, at as u8, &mut found, here, is_foreign).map_err(|offset| blame(offset, before))?;
                at += size;
            }
            _ => return Err(blame(0, found)),
        }
    }
    Ok(found)
}

/// Reads one option that stands at `place`; the error is the offset in it of the byte to blame.
fn read_one(
    option: &mut [u8],
    place: u8,
    found: &mut Options,
    here: Option<Here>,
    is_foreign: IsForeign<'_>,
) -> Result<(), usize> {
    match option.first().copied() {
        Some(kind::SSRR | kind::LSRR) => read_source_route(option, place, found, here.is_none()),
        Some(kind::RR) => read_record_route(option, place, found, here),
        Some(kind::TIMESTAMP) => read_timestamp(option, place, found, here, is_foreign),
        Some(kind::RA) => match *option {
            [_, _, 0, 0, ..] => {
                found.router_alert = place;
                Ok(())
            }
            [_, _, _, _, ..] => Ok(()),
            _ => Err(1),
        },
        _ => Ok(()),
    }
}

fn read_source_route(option: &mut [u8], place: u8, found: &mut Options, own: bool) -> Result<(), usize> {
    let &mut [kind, _, pointer, ..] = option else { return Err(1) };
    if pointer < 4 {
        return Err(2);
    }
    if found.source_route != 0 {
        return Err(0);
    }
    if own {
        let hops = option.len() - 3;
        if pointer != 4 || hops < 4 || !hops.is_multiple_of(4) {
            return Err(1);
        }
        found.next_hop = address_at(option, 3);
        option.copy_within(7.., 3);
    }
    found.strict = kind == kind::SSRR;
    found.source_route = place;
    Ok(())
}

fn read_record_route(option: &mut [u8], place: u8, found: &mut Options, here: Option<Here>) -> Result<(), usize> {
    if found.record_route != 0 {
        return Err(0);
    }
    let &mut [_, size, pointer, ..] = option else { return Err(1) };
    if pointer < 4 {
        return Err(2);
    }
    if pointer <= size {
        let slot = slot(option, pointer, 4).ok_or(2usize)?;
        if let Some(here) = here {
            put(option, slot, here.address.octets());
            found.changed = true;
        }
        put(option, 2, [pointer + 4]);
        found.record_route_wants_address = true;
    }
    found.record_route = place;
    Ok(())
}

fn read_timestamp(
    option: &mut [u8],
    place: u8,
    found: &mut Options,
    here: Option<Here>,
    is_foreign: IsForeign<'_>,
) -> Result<(), usize> {
    if found.timestamp != 0 {
        return Err(0);
    }
    let &mut [_, size, pointer, marks, ..] = option else { return Err(1) };
    if pointer < 5 {
        return Err(2);
    }
    if pointer <= size {
        let slot = slot(option, pointer, 4).ok_or(2usize)?;
        take_timestamp_slot(option, slot, found, here, is_foreign)?;
    } else if marks & 0xf != TS_PRESPECIFIED {
        // No slot is left: count those who found none.
        if marks >> 4 == 15 {
            return Err(3);
        }
        if here.is_some() {
            put(option, 3, [marks + 0x10]);
            found.changed = true;
        }
    }
    found.timestamp = place;
    Ok(())
}

/// Takes the slot at offset `slot` of a timestamp option, which has room for four bytes at least.
fn take_timestamp_slot(
    option: &mut [u8],
    at: usize,
    found: &mut Options,
    here: Option<Here>,
    is_foreign: IsForeign<'_>,
) -> Result<(), usize> {
    let &mut [_, _, pointer, marks, ..] = option else { return Err(1) };
    let (used, time_at) = match marks & 0xf {
        TS_ONLY => (4, at),
        TS_AND_ADDRESS => {
            slot(option, pointer, 8).ok_or(2usize)?;
            if let Some(here) = here {
                put(option, at, here.address.octets());
            }
            found.timestamp_wants_address = true;
            (8, at + 4)
        }
        TS_PRESPECIFIED => {
            slot(option, pointer, 8).ok_or(2usize)?;
            let asked = address_at(option, at).unwrap_or(Ipv4Addr::UNSPECIFIED);
            if is_foreign(asked) {
                return Ok(());
            }
            (8, at + 4)
        }
        _ => return Ok(()),
    };
    found.timestamp_wants_time = true;
    put(option, 2, [pointer.saturating_add(used)]);
    if let Some(here) = here {
        put(option, time_at, here.time.to_be_bytes());
        found.changed = true;
    }
    Ok(())
}

/// The offset in an option that its pointer (which counts from 1) means, if `length` bytes have room there.
fn slot(option: &[u8], pointer: u8, length: usize) -> Option<usize> {
    let at = usize::from(pointer).checked_sub(1)?;
    (at + length <= option.len()).then_some(at)
}

fn address_at(bytes: &[u8], at: usize) -> Option<Ipv4Addr> {
    take::<4>(bytes, at).map(Ipv4Addr::from)
}

/// The bytes of the option at `place`, by its own length.
fn option_mut(header: &mut [u8], place: u8) -> Option<&mut [u8]> {
    let place = usize::from(place);
    let size = usize::from(*header.get(place + 1)?);
    header.get_mut(place..place + size)
}

/// Writes `bytes` so far before the place where the option's pointer points now.
fn put_back(header: &mut [u8], place: u8, back: usize, bytes: [u8; 4]) {
    if let Some(option) = option_mut(header, place) {
        let at = option.get(2).and_then(|pointer| usize::from(*pointer).checked_sub(back));
        if let Some(at) = at {
            put(option, at, bytes);
        }
    }
}

/// The addresses of a received source route that are still to be visited, the next one first, with the offsets in the
/// header where they stand. It ends early, with an error, where the route is cut in the middle of an address.
pub fn hops_left<'a>(
    header: &'a [u8],
    options: &Options,
) -> impl Iterator<Item = Result<Ipv4Addr, Malformed>> + use<'a> {
    let place = usize::from(options.source_route);
    let option = header.get(place..).unwrap_or(&[]);
    let (size, pointer) = match *option {
        [_, size, pointer, ..] if place != 0 => (usize::from(size), usize::from(pointer)),
        _ => (0, 1),
    };
    let broken = Malformed { pointer: options.source_route.saturating_add(2), before: *options };
    (pointer..=size).step_by(4).map(move |at| match address_at(option, at.saturating_sub(1)) {
        Some(hop) if at + 3 <= size => Ok(hop),
        _ => Err(broken),
    })
}

/// Writes into a packet that is forwarded the address of the way out where a record route asks for it, and takes the
/// next hop of its source route as its destination (`ip_forward_options`). A timestamp keeps the address written on
/// receipt, unless a source route was hit: so the kernel does it.
pub fn forward(header: &mut [u8], options: &mut Options, outgoing: Ipv4Addr) {
    if options.record_route_wants_address {
        put_back(header, options.record_route, 5, outgoing.octets());
        options.changed = true;
    }
    let Some(next_hop) = options.next_hop.filter(|_| options.source_route_hit) else { return };
    take_hop(header, options, next_hop, outgoing);
    if options.timestamp_wants_address {
        put_back(header, options.timestamp, 9, outgoing.octets());
        options.changed = true;
    }
}

fn take_hop(header: &mut [u8], options: &mut Options, next_hop: Ipv4Addr, outgoing: Ipv4Addr) {
    let reached = hops_left(header, options).position(|hop| hop == Ok(next_hop));
    let Some((reached, option)) = reached.zip(option_mut(header, options.source_route)) else { return };
    let pointer = option.get(2).copied().unwrap_or(4).saturating_add(reached as u8 * 4);
    put(option, usize::from(pointer).saturating_sub(1), outgoing.octets());
    put(option, 2, [pointer.saturating_add(4)]);
    put(header, 16, next_hop.octets());
    options.changed = true;
}

/// Finishes the options of a packet that starts here: the last hop of a source route is its `destination`, and the
/// address of the way out and the time go where they are asked for (`ip_options_build`).
pub fn build(header: &mut [u8], options: &Options, destination: Ipv4Addr, outgoing: Ipv4Addr, time: u32) {
    if options.source_route != 0
        && let Some(option) = option_mut(header, options.source_route)
    {
        let last = option.len().saturating_sub(4);
        put(option, last, destination.octets());
    }
    if options.record_route_wants_address {
        put_back(header, options.record_route, 5, outgoing.octets());
    }
    if options.timestamp_wants_address {
        put_back(header, options.timestamp, 9, outgoing.octets());
    }
    if options.timestamp_wants_time {
        put_back(header, options.timestamp, 5, time.to_be_bytes());
    }
}

/// Overwrites with "no operation" what belongs into the first fragment only (`ip_options_fragment`); the header's length
/// stays.
pub fn keep_copied(header: &mut [u8]) {
    let mut at = HEADER;
    while let Some(option) = header.get_mut(at..) {
        match *option {
            [kind::NOOP, ..] => at += 1,
            [kind::END, ..] => return,
            [kind, size, ..] if size >= 2 && usize::from(size) <= option.len() => {
                let size = usize::from(size);
                if kind & COPIED == 0 {
                    option.get_mut(..size).unwrap_or(&mut []).fill(kind::NOOP);
                }
                at += size;
            }
            _ => return,
        }
    }
}

/// Options ready to be sent: their bytes, and what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnOptions {
    bytes: [u8; MAX_OPTIONS],
    /// What they are; [`Options::length`] counts the bytes.
    pub options: Options,
}

impl Default for OwnOptions {
    fn default() -> OwnOptions {
        OwnOptions { bytes: [0; MAX_OPTIONS], options: Options::default() }
    }
}

impl OwnOptions {
    /// The bytes, a multiple of four.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.options.length)).unwrap_or(&[])
    }

    /// Options that a program gives with `IP_OPTIONS`, padded to a multiple of four (`ip_options_get`).
    pub fn compile(given: &[u8], is_foreign: IsForeign<'_>) -> Result<OwnOptions, Malformed> {
        let mut header = [0; HEADER + MAX_OPTIONS];
        let length = HEADER + given.len().next_multiple_of(4);
        for (place, byte) in header.iter_mut().skip(HEADER).zip(given) {
            *place = *byte;
        }
        let header = header.get_mut(..length).ok_or(Malformed { pointer: 0, before: Options::default() })?;
        let options = compile_own(header, is_foreign)?;
        let mut own = OwnOptions { options, ..OwnOptions::default() };
        for (place, byte) in own.bytes.iter_mut().zip(header.iter().skip(HEADER)) {
            *place = *byte;
        }
        Ok(own)
    }

    /// Adds an option and returns its place, or `None` if there is no room.
    fn add(&mut self, option: &[u8]) -> Option<u8> {
        let at = usize::from(self.options.length);
        self.bytes.get_mut(at..at + option.len())?.copy_from_slice(option);
        self.options.length += option.len() as u8;
        Some((HEADER + at) as u8)
    }
}

/// The options of the answer to a packet (`ip_options_echo`): its record route and its timestamps go on, its source
/// route is turned round. `header` and `options` are as [`receive`] left them. `None` if they cannot be answered.
pub fn echo(header: &[u8], options: &Options, is_foreign: IsForeign<'_>) -> Option<OwnOptions> {
    let mut answer = OwnOptions::default();
    if options.record_route != 0 {
        echo_record_route(header, options, &mut answer)?;
    }
    if options.timestamp != 0 {
        echo_timestamp(header, options, &mut answer, is_foreign)?;
    }
    if options.source_route != 0 {
        echo_source_route(header, options, &mut answer)?;
    }
    answer.options.length = answer.options.length.next_multiple_of(4);
    Some(answer)
}

fn copy_option(header: &[u8], place: u8) -> Option<([u8; MAX_OPTIONS], usize)> {
    let place = usize::from(place);
    let size = usize::from(*header.get(place + 1)?);
    let mut copy = [0; MAX_OPTIONS];
    copy.get_mut(..size)?.copy_from_slice(header.get(place..place + size)?);
    Some((copy, size))
}

fn echo_record_route(header: &[u8], options: &Options, answer: &mut OwnOptions) -> Option<()> {
    let (mut copy, size) = copy_option(header, options.record_route)?;
    let option = copy.get_mut(..size)?;
    let &mut [_, _, pointer, ..] = option else { return None };
    if options.record_route_wants_address && usize::from(pointer) <= size {
        slot(option, pointer, 4)?;
        put(option, 2, [pointer + 4]);
        answer.options.record_route_wants_address = true;
    }
    answer.options.record_route = answer.add(option)?;
    Some(())
}

fn echo_timestamp(header: &[u8], options: &Options, answer: &mut OwnOptions, is_foreign: IsForeign<'_>) -> Option<()> {
    let (mut copy, size) = copy_option(header, options.timestamp)?;
    let option = copy.get_mut(..size)?;
    let &mut [_, _, mut pointer, marks, ..] = option else { return None };
    if usize::from(pointer) <= size {
        if options.timestamp_wants_address {
            slot(option, pointer, 4)?;
            answer.options.timestamp_wants_address = true;
            pointer += 4;
        }
        if options.timestamp_wants_time {
            let at = slot(option, pointer, 4)?;
            if marks & 0xf != TS_PRESPECIFIED {
                answer.options.timestamp_wants_time = true;
                pointer += 4;
            } else if slot(option, pointer, 8).is_some() && !is_foreign(address_at(option, at)?) {
                answer.options.timestamp_wants_time = true;
                pointer += 8;
            }
        }
        put(option, 2, [pointer]);
    }
    answer.options.timestamp = answer.add(option)?;
    Some(())
}

/// A source route in reverse: the hops visited, last first, without the sender itself. The first hop is
/// [`Options::next_hop`], and the last slot is left for the destination.
fn echo_source_route(header: &[u8], options: &Options, answer: &mut OwnOptions) -> Option<()> {
    let (copy, size) = copy_option(header, options.source_route)?;
    let [kind, _, pointer, ..] = copy;
    let end = usize::from(pointer).min(size + 1).saturating_sub(4);
    let visited = end / 4;
    let hop = |index: usize| take::<4>(&copy, 3 + end % 4 + index * 4);
    let Some(first) = visited.checked_sub(1).and_then(hop) else { return Some(()) };
    // RFC 1812 wants a route mended that names the sender as its first hop.
    let sender = take::<4>(header, 12);
    let slots = if hop(0) == sender { visited - 1 } else { visited };
    if slots == 0 {
        return Some(());
    }
    let mut reversed = [0; MAX_OPTIONS];
    let length = 3 + slots * 4;
    put(&mut reversed, 0, [kind, length as u8, 4]);
    for slot in 0..slots {
        if let Some(hop) = visited.checked_sub(2 + slot).and_then(hop) {
            put(&mut reversed, 3 + slot * 4, hop);
        }
    }
    answer.options.next_hop = Some(Ipv4Addr::from(first));
    answer.options.strict = options.strict;
    answer.options.source_route = answer.add(reversed.get(..length)?)?;
    Some(())
}

#[cfg(test)]
mod tests;
