//! Which flows are meant.

use super::print::id;
use std::net::Ipv4Addr;
use vethlab_engine::conntrack::{Conn, Tuple, status};

/// `-i`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(pub(super) u32);

/// `-n`, `-g`, `-j`, perhaps with an address and a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Nat {
    pub(super) address: Option<Ipv4Addr>,
    pub(super) port: Option<u16>,
}

/// `--sport` and the like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ports {
    pub(super) source: Option<u16>,
    pub(super) destination: Option<u16>,
    pub(super) reply_source: Option<u16>,
    pub(super) reply_destination: Option<u16>,
}

/// What a flow must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Select {
    /// `-s`: an address and its mask.
    pub(super) source: Option<(Ipv4Addr, Ipv4Addr)>,
    /// `-d`
    pub(super) destination: Option<(Ipv4Addr, Ipv4Addr)>,
    /// `-r`
    pub(super) reply_source: Option<(Ipv4Addr, Ipv4Addr)>,
    /// `-q`
    pub(super) reply_destination: Option<(Ipv4Addr, Ipv4Addr)>,
    /// `-p`
    pub(super) protocol: Option<u8>,
    pub(super) ports: Ports,
    pub(super) icmp_type: Option<u8>,
    pub(super) icmp_code: Option<u8>,
    pub(super) icmp_id: Option<u16>,
    /// `--state`
    pub(super) state: Option<String>,
    /// `-u`: bits that must be set.
    pub(super) status: Option<u32>,
    /// `-m`: value and mask.
    pub(super) mark: Option<(u32, u32)>,
    pub(super) id: Option<Id>,
    /// `-n`
    pub(super) source_nat: Option<Nat>,
    /// `-g`
    pub(super) destination_nat: Option<Nat>,
    /// `-j`: one of both will do.
    pub(super) any_nat: bool,
    /// Another zone than 0, in which nothing is.
    pub(super) other_zone: bool,
}

/// `None` fits all.
fn is<T: PartialEq>(asked: Option<T>, value: T) -> bool {
    asked.is_none_or(|asked| asked == value)
}

fn within(asked: Option<(Ipv4Addr, Ipv4Addr)>, address: Ipv4Addr) -> bool {
    asked.is_none_or(|(net, mask)| net & mask == address & mask)
}

/// The two places of a tuple's ports as the library sees them: of ICMP the id, and type and code.
fn places(tuple: &Tuple) -> (u16, u16) {
    match tuple.protocol {
        1 => (tuple.source.port, u16::from_be_bytes([tuple.icmp.0, tuple.icmp.1])),
        _ => (tuple.source.port, tuple.destination.port),
    }
}

impl Select {
    pub(super) fn fits(&self, conn: &Conn) -> bool {
        let [original, reply] = &conn.tuples;
        let addresses = within(self.source, original.source.address)
            && within(self.destination, original.destination.address)
            && within(self.reply_source, reply.source.address)
            && within(self.reply_destination, reply.destination.address);
        let mark = self.mark.is_none_or(|(value, mask)| conn.mark & mask == value);
        let status = self.status.is_none_or(|status| conn.has(status));
        let id = self.id.is_none_or(|asked| asked.0 == id(conn));
        addresses && mark && status && id && !self.other_zone && self.fits_protocol(conn) && self.fits_nat(conn)
    }

    fn fits_protocol(&self, conn: &Conn) -> bool {
        let [original, reply] = &conn.tuples;
        let Ports { source, destination, reply_source, reply_destination } = self.ports;
        is(self.protocol, original.protocol)
            && is(source, original.source.port)
            && is(destination, original.destination.port)
            && is(reply_source, reply.source.port)
            && is(reply_destination, reply.destination.port)
            && is(self.icmp_type, original.icmp.0)
            && is(self.icmp_code, original.icmp.1)
            && is(self.icmp_id, original.source.port)
            && self.state.as_deref().is_none_or(|state| conn.tcp_state() == Some(state))
    }

    /// `filter_nat`. To the library a flow is translated if the nat table was asked and its two tuples differ; what it takes for
    /// the ports of ICMP always does.
    fn fits_nat(&self, conn: &Conn) -> bool {
        let [original, reply] = &conn.tuples;
        let ((from, to), (reply_from, reply_to)) = (places(original), places(reply));
        let source = self.source_nat.map(|nat| {
            let done = conn.has(status::SRC_NAT_DONE);
            let address = done && reply.destination.address != original.source.address;
            nat.is(address, reply.destination.address, done && reply_to != from, reply_to)
        });
        let destination = self.destination_nat.map(|nat| {
            let done = conn.has(status::DST_NAT_DONE);
            let address = done && reply.source.address != original.destination.address;
            nat.is(address, reply.source.address, done && reply_from != to, reply_from)
        });
        match (source, destination) {
            (Some(source), Some(destination)) if self.any_nat => source || destination,
            (source, destination) => source.unwrap_or(true) && destination.unwrap_or(true),
        }
    }
}

impl Nat {
    fn is(self, translates_address: bool, address: Ipv4Addr, translates_port: bool, port: u16) -> bool {
        let right_address = self.address.map(|asked| translates_address && asked == address);
        let right_port = self.port.map(|asked| translates_port && asked == port);
        match (right_address, right_port) {
            (None, None) => translates_address || translates_port,
            (address, port) => address.unwrap_or(true) && port.unwrap_or(true),
        }
    }
}
