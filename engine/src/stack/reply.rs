//! Packets that the stack makes itself: their header, options and payload.

use super::{Cx, Stack};
use crate::addr::Ipv4Addr;
use crate::control::RouteKind;
use crate::frame::FrameBuf;
use crate::route::OutputRoute;
use crate::wire::ipv4::options::{self, Options, OwnOptions};
use crate::wire::ipv4::{self, Ipv4};

impl Stack {
    /// A packet with this header's TOS, protocol and addresses, and these pieces of payload, ready to be sent but for its
    /// id: TTL as the route or the sysctl says, DF not set. It counts as made.
    pub(super) fn build(
        &mut self,
        cx: &mut Cx<'_>,
        route: &OutputRoute,
        like: &Ipv4,
        echo: &OwnOptions,
        pieces: &[&[u8]],
    ) -> FrameBuf {
        self.counters.made += 1;
        let options = echo.bytes();
        let header_length = ipv4::HEADER + options.len();
        let length = header_length + pieces.iter().map(|piece| piece.len()).sum::<usize>();
        let mut frame = cx.pool.take(length);
        frame.resize(header_length);
        let first = echo.options.next_hop.filter(|_| echo.options.source_route != 0);
        let header = Ipv4 {
            total_length: length as u16,
            id: 0,
            flags_fragment: 0,
            ttl: self.ttl(route),
            destination: first.unwrap_or(like.destination),
            ..*like
        };
        header.write(options, &mut frame);
        if !options.is_empty() {
            let outgoing = if route.source.is_unspecified() { like.source } else { route.source };
            let time = options::midnight(cx.now.0 / 1_000_000);
            options::build(ipv4::header_mut(&mut frame), &echo.options, like.destination, outgoing, time);
            ipv4::write_checksum(&mut frame);
        }
        for piece in pieces {
            frame.extend(piece);
        }
        frame
    }

    /// Whom an answer by this way is addressed to: who had no address to speak from is answered on `lo`.
    pub(super) fn answered(route: &OutputRoute, asker: Ipv4Addr) -> Ipv4Addr {
        if asker.is_unspecified() { route.destination } else { asker }
    }

    /// The mark of what answers a packet with this one (`IP4_REPLY_MARK`).
    pub(super) fn reply_mark(&self, mark: u32) -> u32 {
        if self.config.sysctls.fwmark_reflect() { mark } else { 0 }
    }

    /// The TTL of a packet that starts here (`ip_select_ttl`).
    pub(super) fn ttl(&self, route: &OutputRoute) -> u8 {
        if route.kind == RouteKind::Multicast {
            return 1;
        }
        let hoplimit = route.metrics.hoplimit.filter(|limit| *limit != 0);
        hoplimit.map_or(self.config.sysctls.ip_default_ttl(), |limit| limit as u8)
    }

    /// The options that answer those of a packet; `None` if they cannot be answered.
    pub(super) fn echo_options(&self, packet: &[u8], options: &Options) -> Option<OwnOptions> {
        if options.length == 0 {
            return Some(OwnOptions::default());
        }
        let foreign = |asked: Ipv4Addr| self.address_kind(asked) == RouteKind::Unicast;
        options::echo(ipv4::header(packet), options, &foreign)
    }
}
