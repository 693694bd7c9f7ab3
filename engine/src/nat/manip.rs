//! A packet's addresses, ports and checksums are rewritten (`nf_nat_proto.c`).

use super::Manip;
use crate::addr::Ipv4Addr;
use crate::conntrack::{Conn, Conntrack, Direction, End, Nfct, Tuple, UDPLITE, status};
use crate::control::IfIndex;
use crate::filter::Hook;
use crate::reason::DropReason;
use crate::wire::icmpv4::{self, kind};
use crate::wire::{Icmp, Ipv4, checksum, ipv4, protocol, tcp};

impl Conntrack {
    /// Translates a packet, as its flow says (`nf_nat_packet`, and `nf_nat_icmp_reply_translation` for ICMP errors). `unfinished`:
    /// the checksum of its payload holds the pseudo header's sum only. `out` is where it leaves, at POSTROUTING. True if
    /// an address has changed: the route may be another then.
    pub fn nat_packet(
        &mut self,
        packet: &mut [u8],
        unfinished: bool,
        nfct: &Nfct,
        hook: Hook,
        out: IfIndex,
    ) -> Result<bool, DropReason> {
        let Some(mut header) = Ipv4::parse(packet) else { return Ok(false) };
        self.nat(packet, &mut header, unfinished, nfct, (hook, out))
    }

    /// [`Conntrack::nat_packet`] of a packet whose header was read, and changes with the packet's.
    #[inline(always)]
    pub(crate) fn nat(
        &mut self,
        packet: &mut [u8],
        header: &mut Ipv4,
        unfinished: bool,
        nfct: &Nfct,
        (hook, out): (Hook, IfIndex),
    ) -> Result<bool, DropReason> {
        let Some(conn) = self.conn(nfct) else { return Ok(false) };
        let (direction, manip) = (nfct.info().direction(), Manip::at(hook));
        if nfct.info().is_related() && header.protocol == protocol::ICMP {
            return of_error(packet, header, conn, manip, direction);
        }
        if hook == Hook::PostRouting && left_elsewhere(conn, direction, out) {
            nfct.conn_id().into_iter().for_each(|id| self.kill(id));
            return Err(DropReason::NatOutChanged);
        }
        if !applies(conn, manip, direction) {
            return Ok(false);
        }
        let answers = conn.tuple(direction.other());
        let end = match answers.protocol {
            protocol::ICMP => answers.inverted().map(|target| half(&target, manip)),
            // Of the others an answer's other half is this half: there is no tuple to put together.
            _ => Some(half(answers, manip.other())),
        };
        let Some(end) = end else { return Ok(false) };
        Ok(rewrite(packet, header, end, answers.protocol, manip, unfinished))
    }
}

/// An ICMP error about a flow.
#[inline(never)]
fn of_error(
    packet: &mut [u8],
    header: &mut Ipv4,
    conn: &Conn,
    manip: Manip,
    direction: Direction,
) -> Result<bool, DropReason> {
    let quoted = *conn.tuple(direction.other());
    let Some(target) = quoted.inverted() else { return Ok(false) };
    let [translated, done] = [status::NAT_MASK, status::NAT_DONE_MASK];
    let may_redirect = conn.has(done) && conn.status & translated == 0;
    let bound = applies(conn, manip, direction);
    error(packet, header, bound.then_some((target, quoted)), manip, may_redirect)
}

/// The change that is made to the original's packets is made to the other half of the answers.
fn applies(conn: &Conn, manip: Manip, direction: Direction) -> bool {
    let of = if direction == Direction::Reply { manip.other() } else { manip };
    conn.has(of.bit())
}

/// `nf_nat_oif_changed`
fn left_elsewhere(conn: &Conn, direction: Direction, out: IfIndex) -> bool {
    direction == Direction::Original && conn.masquerade != 0 && conn.masquerade != out
}

/// An ICMP error: the packet it quotes becomes what its receiver knows, and then it becomes an error from there.
fn error(
    packet: &mut [u8],
    header: &mut Ipv4,
    tuples: Option<(Tuple, Tuple)>,
    manip: Manip,
    may_redirect: bool,
) -> Result<bool, DropReason> {
    let end = usize::from(header.total_length).min(packet.len());
    let message = packet.get_mut(header.header_length..end).ok_or(DropReason::NatMalformed)?;
    let icmp = Icmp::parse(message).filter(|_| checksum::holds(message)).ok_or(DropReason::NatMalformed)?;
    if icmp.kind == kind::REDIRECT && !may_redirect {
        return Err(DropReason::NatMalformed);
    }
    let Some((target, quoted)) = tuples else { return Ok(false) };
    let inner = message.get_mut(icmpv4::HEADER..).ok_or(DropReason::NatMalformed)?;
    if let Some(mut header) = Ipv4::parse(inner) {
        let manip = manip.other();
        rewrite(inner, &mut header, half(&quoted, manip), quoted.protocol, manip, false);
    }
    write(message, 2, [0, 0]);
    let sum = checksum::of(message).to_be_bytes();
    write(message, 2, sum);
    // Of the error itself only the address changes: its header has no id.
    Ok(rewrite(packet, header, half(&target, manip), protocol::ICMP, manip, false))
}

/// The half of a tuple that is changed; the id of ICMP is in both.
#[inline]
fn half(target: &Tuple, manip: Manip) -> End {
    match manip {
        Manip::Source => target.source,
        Manip::Destination if target.protocol == protocol::ICMP => {
            End { port: target.source.port, ..target.destination }
        }
        Manip::Destination => target.destination,
    }
}

/// One half of a packet, and of its header as it was read, becomes this end; true if its address was another.
#[inline]
fn rewrite(packet: &mut [u8], header: &mut Ipv4, end: End, number: u8, manip: Manip, unfinished: bool) -> bool {
    let (place, at) = match manip {
        Manip::Source => (&mut header.source, 12),
        Manip::Destination => (&mut header.destination, 16),
    };
    let (old, new) = (core::mem::replace(place, end.address), end.address);
    let addresses = address_change(old, new);
    if header.fragment_offset() == 0
        && let Some(payload) = packet.get_mut(header.header_length..)
    {
        let change = Change { addresses, unfinished };
        match number {
            protocol::TCP => change.tcp(payload, manip, end.port),
            protocol::UDP | UDPLITE => change.udp(payload, manip, end.port),
            protocol::ICMP => echo(payload, end.port),
            _ => {}
        }
    }
    if let Some(ip) = packet.first_chunk_mut::<{ ipv4::HEADER }>() {
        write(ip, at, new.octets());
        let sum = u16::from_be_bytes([ip[10], ip[11]]);
        write(ip, 10, checksum::changed(sum, addresses).to_be_bytes());
    }
    old != new
}

/// A change of an address, as the checksum of a payload sees it.
struct Change {
    addresses: u32,
    /// The checksum holds the pseudo header's sum, not inverted, and no ports.
    unfinished: bool,
}

impl Change {
    fn tcp(&self, segment: &mut [u8], manip: Manip, port: u16) {
        const CHECKSUM: usize = 16;
        let Some(before) = set_port(segment, manip, port) else { return };
        // Quoted in an error, its checksum may be cut off.
        if segment.len() < tcp::HEADER {
            return;
        }
        if let Some(sum) = read(segment, CHECKSUM) {
            write(segment, CHECKSUM, self.mend(sum, before, port).to_be_bytes());
        }
    }

    fn udp(&self, datagram: &mut [u8], manip: Manip, port: u16) {
        const CHECKSUM: usize = 6;
        let Some(before) = set_port(datagram, manip, port) else { return };
        let Some(sum) = read(datagram, CHECKSUM).filter(|sum| *sum != 0 || self.unfinished) else { return };
        let sum = match self.mend(sum, before, port) {
            // That would mean that there is none.
            0 => 0xffff,
            sum => sum,
        };
        write(datagram, CHECKSUM, sum.to_be_bytes());
    }

    fn mend(&self, sum: u16, before: u16, port: u16) -> u16 {
        match self.unfinished {
            true => !checksum::changed(!sum, self.addresses),
            false => checksum::changed(sum, self.addresses + checksum::change(before, port)),
        }
    }
}

/// The id of a question or an answer.
fn echo(message: &mut [u8], id: u16) {
    let is_query = |kind: u8| matches!(kind, kind::ECHO | kind::ECHO_REPLY | kind::TIMESTAMP..=kind::ADDRESS_REPLY);
    let (Some(before), Some(sum)) = (read(message, 4), read(message, 2)) else { return };
    if message.first().is_some_and(|kind| is_query(*kind)) {
        write(message, 4, id.to_be_bytes());
        write(message, 2, checksum::update(sum, before, id).to_be_bytes());
    }
}

/// An address that changes, as a checksum over it sees it.
fn address_change(old: Ipv4Addr, new: Ipv4Addr) -> u32 {
    let halves = |address: Ipv4Addr| ((address.to_bits() >> 16) as u16, address.to_bits() as u16);
    let ((a, b), (c, d)) = (halves(old), halves(new));
    checksum::change(a, c) + checksum::change(b, d)
}

/// Sets a port; what it was.
fn set_port(segment: &mut [u8], manip: Manip, port: u16) -> Option<u16> {
    let at = if manip == Manip::Source { 0 } else { 2 };
    let before = read(segment, at)?;
    write(segment, at, port.to_be_bytes());
    Some(before)
}

#[inline]
fn read(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk::<2>().copied().map(u16::from_be_bytes)
}

#[inline]
fn write<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
    if let Some(place) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<N>()) {
        *place = value;
    }
}
