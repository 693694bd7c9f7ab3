//! What a request looks like, and what its answers say: echo replies, redirects, errors.

use super::describe;
use super::session::Session;
use super::tally::round_trip_text;
use std::net::{IpAddr, Ipv4Addr};
use vethlab_engine::control::Errno;
use vethlab_engine::local::{Datagram, ErrorOrigin, SocketError};

/// `struct timeval`: eight bytes of seconds, eight of microseconds, in the byte order of the machine.
const TIMEVAL: usize = 16;

/// An ICMP header's length.
const HEADER: usize = 8;

impl Session {
    /// An echo request: type, code, checksum, identifier, sequence number, time, data.
    pub(super) fn request(&self, sequence: u16) -> Vec<u8> {
        let mut request = vec![8, 0, 0, 0];
        request.extend(self.ident.to_be_bytes());
        request.extend(sequence.to_be_bytes());
        request.extend(&self.data);
        if self.tally.timing {
            let (seconds, nanos) = self.p.wall_clock();
            let time = (u128::from(nanos / 1000) << 64 | u128::from(seconds)).to_le_bytes();
            if let Some(place) = request.get_mut(HEADER..HEADER + TIMEVAL) {
                place.copy_from_slice(&time);
            }
        }
        let sum = checksum(&request).to_be_bytes();
        request[2..4].copy_from_slice(&sum);
        request
    }

    /// `ping4_receive_error_msg`: 1 for an ICMP error of ours, 0 for another's, -1 for a local one.
    pub(super) fn on_error(&mut self, error: &SocketError) -> i32 {
        match error.origin {
            ErrorOrigin::Local => {
                self.on_local_error(error);
                -1
            }
            ErrorOrigin::Icmp { from, kind, code, .. } => {
                let sequence = self.own_request(&error.payload, error.destination);
                sequence.map_or(0, |sequence| {
                    self.on_icmp_error(error, sequence, from, (kind, code));
                    1
                })
            }
        }
    }

    fn on_local_error(&mut self, error: &SocketError) {
        if self.o.quiet {
            return;
        }
        if self.o.flood {
            self.p.out("E");
        } else if error.errno == Errno::MsgSize {
            self.complain(&format!("local error: message too long, mtu={}", error.info));
        } else {
            self.complain(&format!("local error: {}", error.errno.text()));
        }
        self.tally.errors += 1;
    }

    fn on_icmp_error(&mut self, error: &SocketError, sequence: u16, from: Ipv4Addr, (kind, code): (u8, u8)) {
        self.tally.acknowledge(sequence);
        self.errors_filtered = true;
        self.tally.errors += 1;
        if self.o.quiet {
            return;
        }
        if self.o.flood {
            self.p.out("\x08E");
            return;
        }
        let text = describe::icmp(kind, code, error.info, &|address| self.name(address));
        self.say(&format!("{}From {} icmp_seq={sequence} {text}", self.time_stamp(), self.name(from)));
    }

    /// The sequence number, if these bytes begin a request of ours to this address.
    fn own_request(&self, icmp: &[u8], destination: Ipv4Addr) -> Option<u16> {
        let header: [u8; HEADER] = icmp.get(..HEADER)?.try_into().ok()?;
        let [kind, _, _, _, id_high, id_low, high, low] = header;
        let ours = kind == 8 && destination == self.target.destination;
        (ours && u16::from_be_bytes([id_high, id_low]) == self.ident).then_some(u16::from_be_bytes([high, low]))
    }

    /// `ping4_parse_reply`
    pub(super) fn on_datagram(&mut self, datagram: &Datagram) {
        let packet = &datagram.payload;
        let IpAddr::V4(from) = datagram.source else { return };
        let length = packet.first().map_or(0, |first| usize::from(first & 15) * 4);
        let Some(icmp) = packet.get(length..).filter(|icmp| icmp.len() >= HEADER && length >= 20) else {
            if self.o.verbose {
                let text = format!("packet too short ({} bytes) from {}", packet.len(), self.name(from));
                self.complain(&text);
            }
            return;
        };
        if icmp[0] != 0 {
            self.on_message(icmp, from);
        } else if u16::from_be_bytes([icmp[4], icmp[5]]) == self.ident {
            self.on_echo_reply(datagram, &packet[20..length], icmp, from);
        }
    }

    /// A copy of an ICMP error only counts as heard; of the others, the redirect is told.
    fn on_message(&mut self, icmp: &[u8], from: Ipv4Addr) {
        let inner = &icmp[HEADER..];
        let length = inner.first().map_or(0, |first| usize::from(first & 15) * 4);
        if inner.len() < 28 || inner.len() < length + HEADER {
            return;
        }
        let destination = Ipv4Addr::new(inner[16], inner[17], inner[18], inner[19]);
        let Some(sequence) = self.own_request(&inner[length..], destination) else { return };
        if !matches!(icmp[0], 4 | 5) {
            self.tally.acknowledge(sequence);
            return;
        }
        if self.o.quiet || self.o.flood {
            return;
        }
        let info = u32::from_be_bytes([icmp[4], icmp[5], icmp[6], icmp[7]]);
        let name = |address| self.name(address);
        let mut text = format!("{}From {}: icmp_seq={sequence} ", self.time_stamp(), name(from));
        if checksum(icmp) != 0 {
            text += "(BAD CHECKSUM)";
        }
        text += &describe::icmp(icmp[0], icmp[1], info, &name);
        if self.o.verbose {
            text += &describe::ip_header(inner);
            text += &self.printer.clone().print(inner.get(20..length).unwrap_or_default(), &name);
        }
        self.say(&text);
    }

    fn on_echo_reply(&mut self, datagram: &Datagram, options: &[u8], icmp: &[u8], from: Ipv4Addr) {
        let sequence = u16::from_be_bytes([icmp[6], icmp[7]]);
        self.tally.acknowledge(sequence);
        let trip = self.round_trip(datagram, icmp);
        let duplicate = self.tally.answer(sequence);
        if self.o.quiet {
            self.say("");
            return;
        }
        let bell = if self.o.audible { "\x07" } else { "" };
        if self.o.flood {
            self.p.out(&format!("\x08 \x08{bell}"));
            return;
        }
        let mut text = format!("{}{} bytes from {}:", self.time_stamp(), icmp.len(), self.name(from));
        text += &format!(" icmp_seq={sequence}");
        if self.o.verbose {
            text += &format!(" ident={}", self.ident);
        }
        text += &format!(" ttl={}", datagram.ttl);
        if icmp.len() < self.o.size + HEADER {
            self.say(&format!("{text} (truncated)\n"));
            return;
        }
        if self.tally.timing {
            text += &format!(" time={} ms", round_trip_text(trip));
        }
        if duplicate && (!self.target.multicast || self.o.verbose) {
            text += " (DUP!)";
        }
        if !self.target.multicast && from != self.target.destination {
            text += " (DIFFERENT ADDRESS!)";
        }
        text += &wrong_data(&self.data, &icmp[HEADER..]);
        text += bell;
        let mut printer = std::mem::take(&mut self.printer);
        text += &printer.print(options, &|address| self.name(address));
        self.printer = printer;
        self.say(&format!("{text}\n"));
    }

    /// Microseconds from the time stamp in the answer to its arrival (`-U`: to now), counted.
    fn round_trip(&mut self, datagram: &Datagram, icmp: &[u8]) -> i64 {
        let stamp = icmp.get(HEADER..HEADER + TIMEVAL).and_then(|stamp| <[u8; TIMEVAL]>::try_from(stamp).ok());
        let Some(stamp) = stamp.filter(|_| self.tally.timing) else { return 0 };
        let stamp = u128::from_le_bytes(stamp);
        let (stamp_seconds, stamp_micros) = (stamp as u64 as i64, (stamp >> 64) as u64 as i64);
        let (seconds, nanos) = self.p.wall_clock();
        let age = if self.o.latency { 0 } else { self.p.now().since(datagram.at).as_nanos() as i64 };
        let nanos = seconds as i64 * 1_000_000_000 + i64::from(nanos) - age;
        let sent = stamp_seconds.wrapping_mul(1_000_000).wrapping_add(stamp_micros);
        let mut trip = (nanos / 1000).wrapping_sub(sent);
        if trip < 0 {
            let text = format!("Warning: time of day goes back ({trip}us), taking countermeasures");
            self.complain(&text);
            self.o.latency = true;
            trip = 0;
        }
        self.tally.round_trip(trip);
        if self.o.adaptive {
            self.update_interval();
        }
        trip
    }
}

/// The complaint about the first byte behind the time stamp that is not as it was sent, with all of them.
fn wrong_data(sent: &[u8], came: &[u8]) -> String {
    let mut pairs = sent.iter().zip(came).enumerate().skip(TIMEVAL);
    let Some((at, (should, was))) = pairs.find(|(_, (should, was))| should != was) else { return String::new() };
    let mut text = format!("\nwrong data byte #{at} should be 0x{should:x} but was 0x{was:x}");
    for (at, byte) in came.iter().enumerate().take(sent.len()).skip(TIMEVAL) {
        if at % 32 == TIMEVAL {
            text += &format!("\n#{at}\t");
        }
        text += &format!("{byte:x} ");
    }
    text
}

/// The Internet checksum; 0 over a message that holds its own.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| u64::from(pair[0]) << 8 | u64::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u64 = words.sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_of_a_message_with_its_own_is_zero() {
        let mut message = vec![8, 0, 0, 0, 0, 5, 0, 1, 0xab];
        let sum = checksum(&message).to_be_bytes();
        message[2..4].copy_from_slice(&sum);
        assert_eq!(checksum(&message), 0);
        assert_eq!(checksum(&[]), 0xffff);
    }

    #[test]
    fn data_that_changed_is_shown() {
        let sent: Vec<u8> = (0..20).collect();
        let mut came = sent.clone();
        came[3] = 9; // in the time stamp: nobody looks
        assert_eq!(wrong_data(&sent, &came), "");
        came[17] = 0xff;
        assert_eq!(wrong_data(&sent, &came), "\nwrong data byte #17 should be 0x11 but was 0xff\n#16\t10 ff 12 13 ");
    }
}
