//! The five hooks of netfilter, and what is asked at each (`net/netfilter/core.c`, `nf_nat_proto.c`).
//!
//! ```text
//!   PREROUTING   (fragments are put together)  raw  conntrack  mangle  nat (destination)
//!   INPUT        mangle  filter  nat (source)  confirm
//!   FORWARD      mangle  filter
//!   OUTPUT       raw  conntrack  mangle  nat (destination)  filter; what changes the way is routed again
//!   POSTROUTING  mangle  nat (source)  confirm
//! ```

use super::packet::{Cast, Fate, Packet, Routed};
use super::{Cx, Stack};
use crate::addr::{IpAddr, Ipv4Addr};
use crate::control::{Errno, IfIndex, RouteKind};
use crate::filter::{Glance, Hook, PktType, Subject, TableName, Verdict};
use crate::observe::{Observer, Step};
use crate::reason::DropReason;
use crate::route::{Net, OutputKey, OutputRoute};
use crate::time::Time;
use crate::wire::Ipv4;

/// Where a packet comes from and goes to, as far as it is known.
#[derive(Clone, Copy)]
struct Ways {
    hook: Hook,
    inward: Option<IfIndex>,
    outward: Option<IfIndex>,
}

impl Stack {
    /// Asks all that is hooked in there about a packet that begins with its IP header: on its way from `inward` to `outward`
    /// (`NF_HOOK`). What is asked may change the packet. An error ends it: the caller discards it and tells nobody, for
    /// who is to be told has been told. (A packet of our own is not routed again here: see [`Stack::local_out`].)
    #[inline(always)]
    pub(super) fn hook<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        hook: Hook,
        packet: &mut Packet,
        inward: Option<IfIndex>,
        outward: Option<IfIndex>,
        observer: &mut O,
    ) -> Result<(), DropReason> {
        let ways = Ways { hook, inward, outward };
        match hook {
            Hook::PreRouting => {
                self.ask_table(cx, TableName::Raw, ways, packet, observer)?;
                self.track(cx.now, hook, packet)?;
                self.ask_table(cx, TableName::Mangle, ways, packet, observer)?;
                if self.translate(cx, ways, packet, observer)? {
                    // What it was when it left here through `lo` holds no more.
                    packet.route = Routed::NOT_YET;
                }
                Ok(())
            }
            Hook::Input => {
                self.ask_table(cx, TableName::Mangle, ways, packet, observer)?;
                self.ask_table(cx, TableName::Filter, ways, packet, observer)?;
                self.translate(cx, ways, packet, observer)?;
                self.confirm(cx.now, packet)
            }
            Hook::Forward => {
                self.ask_table(cx, TableName::Mangle, ways, packet, observer)?;
                self.ask_table(cx, TableName::Filter, ways, packet, observer)
            }
            Hook::Output => {
                self.ask_table(cx, TableName::Raw, ways, packet, observer)?;
                self.track(cx.now, hook, packet)?;
                self.ask_table(cx, TableName::Mangle, ways, packet, observer)?;
                self.translate(cx, ways, packet, observer)?;
                self.ask_table(cx, TableName::Filter, ways, packet, observer)
            }
            Hook::PostRouting => {
                self.ask_table(cx, TableName::Mangle, ways, packet, observer)?;
                self.translate(cx, ways, packet, observer)?;
                self.confirm(cx.now, packet)
            }
        }
    }

    /// A packet comes in, and is not routed yet. Where connections are tracked, fragments wait until they are all there.
    #[inline(always)]
    pub(super) fn before_routing<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        packet: &mut Packet,
        observer: &mut O,
    ) -> Result<Option<Fate>, DropReason> {
        // What came up through a bridge was asked about there (`ip_sabotage_in`).
        if packet.risen && packet.physdev.0.is_some() {
            return Ok(None);
        }
        if packet.header.is_fragment() && self.conntrack.is_on() && !self.reassemble(cx, packet, observer) {
            return Ok(Some(Fate::Gather));
        }
        let inward = Some(packet.port);
        self.hook(cx, Hook::PreRouting, packet, inward, None, observer)?;
        Ok(None)
    }

    /// A packet of our own is to leave: asks OUTPUT, and routes it again where what it asks for has changed
    /// (`ip_local_out`, `nf_route_table_hook4`, `nf_nat_ipv4_local_fn`). All tables see the way that it had first.
    #[cold]
    pub(super) fn local_out<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        route: &mut OutputRoute,
        packet: &mut Packet,
        bound: Option<IfIndex>,
        observer: &mut O,
    ) -> Result<(), (DropReason, Errno)> {
        let denied = |reason| (reason, Errno::Perm);
        let ways = Ways { hook: Hook::Output, inward: None, outward: Some(route.oif) };
        self.ask_table(cx, TableName::Raw, ways, packet, observer).map_err(denied)?;
        self.track(cx.now, Hook::Output, packet).map_err(denied)?;
        let asked_for = way_key(packet);
        self.ask_table(cx, TableName::Mangle, ways, packet, observer).map_err(denied)?;
        if way_key(packet) != asked_for {
            self.reroute(cx.now, route, packet, bound, observer)?;
        }
        if self.translate(cx, ways, packet, observer).map_err(denied)? {
            self.reroute(cx.now, route, packet, bound, observer)?;
        }
        self.ask_table(cx, TableName::Filter, ways, packet, observer).map_err(denied)
    }

    /// Another way for a packet of our own; its source stays (`ip_route_me_harder`).
    fn reroute<O: Observer>(
        &mut self,
        now: Time,
        route: &mut OutputRoute,
        packet: &mut Packet,
        bound: Option<IfIndex>,
        observer: &mut O,
    ) -> Result<(), (DropReason, Errno)> {
        let Ipv4 { source, destination, tos, .. } = packet.header;
        let speaks = matches!(self.address_kind(source), RouteKind::Local | RouteKind::Unicast);
        let key = OutputKey {
            source: speaks.then_some(source),
            any_source: true,
            oif: bound,
            tos,
            mark: packet.mark,
            ..OutputKey::to(destination)
        };
        *route = self.output_way(now, &key).map_err(|errno| (DropReason::RerouteFailed, errno))?;
        packet.set_way(route);
        let gateway = route.gateway.map(IpAddr::V4);
        observer.step(Step::Rerouted { destination: IpAddr::V4(destination), port: route.oif, gateway });
        Ok(())
    }

    /// Asks one table, if it has anything to say. (Only for one that is asked the ways are laid down in memory.)
    #[inline(always)]
    fn ask_table<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        table: TableName,
        ways: Ways,
        packet: &mut Packet,
        observer: &mut O,
    ) -> Result<(), DropReason> {
        if self.filter.asks(table, ways.hook) {
            self.ask_chain(cx, table, ways.hook, (ways.inward, ways.outward), packet, observer)
        } else {
            Ok(())
        }
    }

    #[inline(never)]
    fn ask_chain<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        table: TableName,
        hook: Hook,
        (inward, outward): (Option<IfIndex>, Option<IfIndex>),
        packet: &mut Packet,
        observer: &mut O,
    ) -> Result<(), DropReason> {
        let glance = Glance { hook, header: &packet.header, packet: &packet.frame };
        let state = || self.conntrack.state(&packet.nfct);
        let verdict = match self.filter.sift(table, &glance, state, observer) {
            Ok(verdict) => verdict,
            Err(from) => self.ask_rules(cx, table, from, Ways { hook, inward, outward }, packet, observer),
        };
        match verdict {
            Verdict::Accept => Ok(()),
            Verdict::Drop => Err(DropReason::FilterDrop),
            Verdict::Broken => Err(DropReason::FilterBroken),
            Verdict::Reject(with) => {
                self.reject(cx, packet, with, observer);
                Err(DropReason::FilterReject)
            }
        }
    }

    #[inline(never)]
    fn ask_rules<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        table: TableName,
        from: usize,
        Ways { hook, inward, outward }: Ways,
        packet: &mut Packet,
        observer: &mut O,
    ) -> Verdict {
        let Stack { config, filter, conntrack, .. } = self;
        let port = |index: Option<IfIndex>| index.and_then(|index| config.ports.get(index));
        let name = |index| port(index).map(|port| port.name.as_str());
        let to = pkt_type(packet);
        let mut subject = Subject {
            hook,
            frame: &mut packet.frame,
            header: &mut packet.header,
            mark: &mut packet.mark,
            inward: port(inward),
            outward: port(outward),
            physdev: (name(packet.physdev.0), name(packet.physdev.1)),
            to,
            source_mac: packet.source_mac,
            sender: packet.sender,
            next_hop: packet.next_hop,
            mtu: packet.mtu,
            net: Net::new(cx.now, &config.ports, &config.sysctls),
            rib: &config.rib4,
            conntrack: &mut *conntrack,
            nfct: &mut packet.nfct,
        };
        filter.ask(table, from, &mut subject, observer)
    }

    /// The packet's connection is found, or begun.
    #[inline(always)]
    fn track(&mut self, now: Time, hook: Hook, packet: &mut Packet) -> Result<(), DropReason> {
        if !self.conntrack.is_on() {
            return Ok(());
        }
        let unfinished = packet.frame.offload().partial_checksum.is_some();
        let read = (Some(&packet.header), &packet.frame[..]);
        self.conntrack.look_at(now, hook, read, unfinished, &mut packet.nfct)
    }

    /// The packet's connection is known from now on.
    #[inline]
    fn confirm(&mut self, now: Time, packet: &mut Packet) -> Result<(), DropReason> {
        if !self.conntrack.is_on() {
            return Ok(());
        }
        self.conntrack.confirm(now, &mut packet.nfct)
    }

    /// Asks the `nat` table about a connection that begins, and translates the packet as its connection is (`nf_nat_inet_fn`).
    /// True if an address has changed.
    #[inline(always)]
    fn translate<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        ways: Ways,
        packet: &mut Packet,
        observer: &mut O,
    ) -> Result<bool, DropReason> {
        if !self.filter.translates() {
            return Ok(false);
        }
        let hook = ways.hook;
        if self.conntrack.nat_wanted(&packet.nfct, packet.header.protocol, hook) {
            self.ask_nat(cx, ways.hook, (ways.inward, ways.outward), packet, observer)?;
        }
        let unfinished = packet.frame.offload().partial_checksum.is_some();
        let Packet { frame, header, nfct, .. } = packet;
        let changed = self.conntrack.nat(frame, header, unfinished, nfct, (hook, ways.outward.unwrap_or(0)))?;
        if changed {
            let (source, destination) = (header.source.into(), header.destination.into());
            observer.step(Step::Translated { hook, source, destination });
        }
        Ok(changed)
    }

    /// The `nat` table decides about a connection that begins, or nobody does.
    #[inline(never)]
    fn ask_nat<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        hook: Hook,
        (inward, outward): (Option<IfIndex>, Option<IfIndex>),
        packet: &mut Packet,
        observer: &mut O,
    ) -> Result<(), DropReason> {
        self.ask_table(cx, TableName::Nat, Ways { hook, inward, outward }, packet, observer)?;
        if self.conntrack.nat_wanted(&packet.nfct, packet.header.protocol, hook) {
            self.conntrack.nat_null(cx.now, &packet.nfct, hook);
        }
        Ok(())
    }
}

/// What the way of a packet of our own depends on.
fn way_key(packet: &Packet) -> (u32, u8, Ipv4Addr, Ipv4Addr) {
    let Ipv4 { tos, source, destination, .. } = packet.header;
    (packet.mark, tos, source, destination)
}

/// What `-m pkttype` sees.
fn pkt_type(packet: &Packet) -> PktType {
    match packet.cast {
        Cast::Host | Cast::OtherHost => PktType::Unicast,
        Cast::Broadcast => PktType::Broadcast,
        Cast::Multicast => PktType::Multicast,
        Cast::Looped if packet.header.destination.is_multicast() => PktType::Multicast,
        Cast::Looped => PktType::Broadcast,
    }
}
