//! VXLANs at work: Ethernet in UDP (`drivers/net/vxlan/vxlan_core.c`).
//!
//! A VXLAN's port may be in another namespace than the one whose routes its datagrams take: then frames cross between the
//! two, with the host they go to or came from.

use super::fdb::entry;
use super::output::{Ident, Own};
use super::packet::Packet;
use super::{Cx, Stack};
use crate::addr::{IpAddr, Ipv4Addr, Mac};
use crate::control::{Errno, FdbEntry, FdbMode, FdbSpec, IfIndex, NeighborMode, Refusal};
use crate::frame::{Crossing, FrameBuf};
use crate::ip::offload::finish_checksum;
use crate::link::Port;
use crate::link::virt::Place;
use crate::link::vxlan::{REMOTES, Remote, Underlay, Vtep, Vxlan, VxlanSpec};
use crate::observe::Observer;
use crate::reason::DropReason;
use crate::route::OutputKey;
use crate::time::Time;
use crate::wire::ipv4::options::OwnOptions;
use crate::wire::{Ethernet, Ipv4, Udp, ethernet, ipv4, protocol, udp};

/// Bytes of the VXLAN header.
const HEADER: usize = 8;
/// The flag that says that there is a number.
const HAS_VNI: u8 = 0x08;
/// Where the time to live stands in an IPv4 header.
const TTL: usize = 8;

impl Stack {
    fn vxlan(&self, index: IfIndex) -> Option<&Vxlan> {
        self.config.ports.get(index)?.rare.vxlan.as_deref()
    }

    fn vxlan_mut(&mut self, index: IfIndex) -> Option<&mut Vxlan> {
        self.config.ports.vxlan_mut(index)
    }

    /// The end of a VXLAN is here, under this number, or is another now.
    pub fn vtep_put(&mut self, number: u64, vtep: Vtep) {
        let vteps = &mut self.config.switches.vteps;
        vteps.retain(|(known, _)| *known != number);
        vteps.push((number, vtep));
        vteps.sort_by_key(|(number, _)| *number);
    }

    /// It is gone.
    pub fn vtep_remove(&mut self, number: u64) {
        if let Some(switches) = self.config.switches.own_mut() {
            switches.vteps.retain(|(known, _)| *known != number);
        }
    }

    /// A frame leaves by a VXLAN (`vxlan_xmit`): to all hosts that its goal may be behind.
    pub(super) fn vxlan_transmit<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        index: IfIndex,
        frame: FrameBuf,
        observer: &mut O,
    ) {
        let to = Ethernet::parse(&frame).map_or(Mac::ZERO, |header| header.destination);
        let now = cx.now;
        let Some(vxlan) = self.vxlan_mut(index) else {
            return self.discard(cx, frame, DropReason::HostTargetGone, observer);
        };
        let (spec, underlay) = (vxlan.spec, vxlan.underlay);
        let known = if vxlan.records.contains_key(&to) { to } else { Mac::ZERO };
        if let Some(record) = vxlan.records.get_mut(&known) {
            record.used = now;
        }
        let count = vxlan.records.get(&known).map_or(0, |record| record.remotes.len());
        if count == 0 {
            if let Some(counters) = self.config.ports.counters_mut(index) {
                counters.tx_dropped += 1;
            }
            return self.discard(cx, frame, DropReason::VxlanNoRemote, observer);
        }
        for at in 1..count {
            let remote = self.vxlan(index).and_then(|vxlan| vxlan.records.get(&known)?.remotes.get(at).copied());
            if let Some(remote) = remote {
                self.counters.made += 1;
                let mut copy = cx.pool.copy(&frame);
                *copy.offload_mut() = *frame.offload();
                self.vxlan_send(cx, underlay, spec, remote, copy, observer);
            }
        }
        match self.vxlan(index).and_then(|vxlan| vxlan.records.get(&known)?.remotes.first().copied()) {
            Some(remote) => self.vxlan_send(cx, underlay, spec, remote, frame, observer),
            None => self.discard(cx, frame, DropReason::VxlanNoRemote, observer),
        }
    }

    fn vxlan_send<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        underlay: Underlay,
        spec: VxlanSpec,
        remote: Remote,
        frame: FrameBuf,
        observer: &mut O,
    ) {
        match underlay {
            Underlay::Here => self.encapsulate(cx, spec, remote, frame, observer),
            Underlay::Elsewhere(number) => self.cross(cx, Crossing::Encapsulate(number, remote), frame),
        }
    }

    /// A frame of a VXLAN of another namespace is sent by the routes of this one.
    pub fn vxlan_from_above<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        spec: VxlanSpec,
        remote: Remote,
        frame: FrameBuf,
        observer: &mut O,
    ) {
        self.counters.received += 1;
        self.encapsulate(cx, spec, remote, frame, observer);
        self.finish(cx, observer);
    }

    /// `vxlan_xmit_one`
    fn encapsulate<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        spec: VxlanSpec,
        remote: Remote,
        mut frame: FrameBuf,
        observer: &mut O,
    ) {
        let local = match spec.local {
            Some(IpAddr::V4(local)) => Some(local),
            _ => None,
        };
        let key = OutputKey { source: local, oif: remote.via.or(spec.dev), ..OutputKey::to(remote.ip) };
        let Ok(route) = self.output_way(cx.now, &key) else {
            return self.discard(cx, frame, DropReason::NoRoute, observer);
        };
        finish_checksum(&mut frame, 0);
        let too_long = ipv4::HEADER + udp::HEADER + HEADER + frame.len() > usize::from(u16::MAX);
        if too_long || frame.offload().segment_size.is_some() {
            return self.discard(cx, frame, DropReason::TooBig, observer);
        }
        let source_port = flow_port(&frame, spec.srcport, self.config.sysctls.ip_local_port_range());
        let [_, a, b, c] = remote.vni.to_be_bytes();
        frame.push(HEADER);
        crate::wire::put(&mut frame, 0, [HAS_VNI, 0, 0, 0, a, b, c, 0]);
        let (source, destination) = (local.unwrap_or(route.source), remote.ip);
        let header = Udp { source: source_port, destination: remote.port, length: 0, checksum: 0 };
        let header = header.emit(source, destination, &frame);
        let like = Ipv4 { tos: spec.tos, protocol: protocol::UDP, source, destination, ..Ipv4::UNSAID };
        let mut datagram = self.build(cx, &route, &like, &OwnOptions::default(), &[&header, &frame]);
        let ttl = if spec.ttl == 0 && destination.is_multicast() { 1 } else { spec.ttl };
        if let Some(place) = datagram.get_mut(TTL).filter(|_| ttl != 0) {
            *place = ttl;
        }
        if spec.df == 1 {
            ipv4::set_flags_fragment(&mut datagram, ipv4::DF);
        }
        self.consume(cx, frame);
        let _ = self.send(cx, &route, datagram, Own::kernel(Ident::Chosen, 0), observer);
    }

    /// A UDP datagram comes in: `None` if no VXLAN listens on its port (`vxlan_rcv`).
    pub(super) fn vxlan_receive(&mut self, cx: &mut Cx<'_>, packet: &Packet) -> Option<Result<(), DropReason>> {
        let segment = packet.payload();
        let header = Udp::parse(segment)?;
        let listens = |vtep: &Vtep| vtep.up && vtep.port == header.destination;
        self.config.switches.vteps.iter().find(|(_, vtep)| listens(vtep))?;
        Some(self.decapsulate(cx, packet, header.destination))
    }

    fn decapsulate(&mut self, cx: &mut Cx<'_>, packet: &Packet, port: u16) -> Result<(), DropReason> {
        let Ipv4 { source, destination, .. } = packet.header;
        let header = Udp::checked(source, destination, packet.payload())?;
        let payload = packet.payload().get(udp::HEADER..usize::from(header.length)).unwrap_or(&[]);
        let Some((&[flags, _, _, _, a, b, c, _], inner)) = payload.split_first_chunk::<HEADER>() else {
            return Err(DropReason::VxlanHeader);
        };
        let link = Ethernet::parse(inner).filter(|_| flags & HAS_VNI != 0).ok_or(DropReason::VxlanHeader)?;
        let vni = u32::from_be_bytes([0, a, b, c]);
        let is_it = |vtep: &Vtep| vtep.up && vtep.port == port && vtep.vni == vni;
        let found = self.config.switches.vteps.iter().find(|(_, vtep)| is_it(vtep)).map(|(_, vtep)| vtep.place);
        let place = found.ok_or(DropReason::VxlanUnknown)?;
        if let Place::Here(index) = place {
            self.vxlan_admits(cx.now, index, &link, source)?;
        }
        self.counters.made += 1;
        let frame = cx.pool.copy(inner);
        match place {
            Place::Here(index) => self.again.rising.push_back(Packet::new(frame, index)),
            Place::Elsewhere(number) => self.cross(cx, Crossing::Decapsulated(number, source), frame),
        }
        Ok(())
    }

    /// `vxlan_set_mac`: no frame of our own that has come back, and none of somebody who is known to be elsewhere.
    fn vxlan_admits(&mut self, now: Time, index: IfIndex, link: &Ethernet, from: Ipv4Addr) -> Result<(), DropReason> {
        let own = self.config.ports.get(index).map_or(Mac::ZERO, |port| port.mac);
        if link.source == own || link.source.is_multicast() || link.source == Mac::ZERO {
            return Err(DropReason::SourceMac);
        }
        let trusted = self.vxlan_mut(index).is_none_or(|vxlan| vxlan.learn(link.source, from, now));
        if trusted { Ok(()) } else { Err(DropReason::VxlanMoved) }
    }

    /// A frame that was taken out of its datagram in another namespace comes in by a VXLAN.
    pub fn vxlan_from_below<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        index: IfIndex,
        from: Ipv4Addr,
        frame: FrameBuf,
        observer: &mut O,
    ) {
        let link = Ethernet::parse(&frame);
        let admitted = link.ok_or(DropReason::FrameTooShort);
        match admitted.and_then(|link| self.vxlan_admits(cx.now, index, &link, from)) {
            Ok(()) => self.receive(cx, index, frame, observer),
            Err(reason) => {
                self.counters.received += 1;
                self.discard(cx, frame, reason, observer);
            }
        }
    }

    /// True if a VXLAN of ours listens to this group.
    #[cold]
    pub(super) fn vxlan_joined(&self, group: Ipv4Addr) -> bool {
        self.config.switches.vteps.iter().any(|(_, vtep)| vtep.up && vtep.group == Some(group))
    }

    /// `vxlan_fdb_add`
    pub(super) fn vxlan_fdb_add(&mut self, now: Time, spec: &FdbSpec) -> Result<(), Refusal> {
        let vxlan = self.vxlan_mut(spec.port).ok_or(Errno::NoDev)?;
        let remote = remote_of(spec, &vxlan.spec)?.ok_or(Errno::Inval)?;
        let append = spec.mode == FdbMode::Append;
        let full = Refusal::from(Errno::NoSpc);
        let Some(record) = vxlan.records.get_mut(&spec.mac) else {
            let creates = spec.mode != FdbMode::Neighbor(NeighborMode::Change);
            creates.then_some(()).ok_or(Errno::NoEnt)?;
            return if vxlan.add(spec.mac, spec.state, remote, now) { Ok(()) } else { Err(full) };
        };
        let many = spec.mac.is_multicast() || spec.mac == Mac::ZERO;
        match spec.mode {
            FdbMode::Neighbor(NeighborMode::Add) => return Err(Errno::Exist.into()),
            FdbMode::Neighbor(_) if many => return Err(Errno::OpNotSupp.into()),
            // One more destination is only for those who have many.
            FdbMode::Append if !many => return Ok(()),
            _ => {}
        }
        if append {
            if record.remotes.len() >= REMOTES {
                return Err(full);
            }
            if !record.remotes.contains(&remote) {
                record.remotes.push(remote);
            }
        } else {
            record.remotes = vec![remote];
        }
        (record.state, record.updated) = (spec.state, now);
        Ok(())
    }

    /// `vxlan_fdb_delete`
    pub(super) fn vxlan_fdb_delete(&mut self, spec: &FdbSpec) -> Result<(), Refusal> {
        let vxlan = self.vxlan_mut(spec.port).ok_or(Errno::NoDev)?;
        let remote = remote_of(spec, &vxlan.spec)?;
        let record = vxlan.records.get_mut(&spec.mac).ok_or(Errno::NoEnt)?;
        match remote {
            Some(remote) if record.remotes.len() > 1 => {
                let at = record.remotes.iter().position(|known| *known == remote).ok_or(Errno::NoEnt)?;
                record.remotes.remove(at);
            }
            Some(remote) if !record.remotes.contains(&remote) => return Err(Errno::NoEnt.into()),
            _ => drop(vxlan.records.remove(&spec.mac)),
        }
        Ok(())
    }

    /// What a VXLAN knows, the newest first.
    pub(super) fn vxlan_fdb(&self, now: Time, port: &Port, entries: &mut Vec<FdbEntry>) {
        let Some(vxlan) = port.rare.vxlan.as_deref() else { return };
        let mut records: Vec<_> = vxlan.records.iter().collect();
        records.sort_by_key(|(_, record)| core::cmp::Reverse(record.sequence));
        for (mac, record) in records {
            for remote in &record.remotes {
                entries.push(FdbEntry {
                    own: true,
                    state: record.state,
                    used: Some((now.since(record.used), now.since(record.updated))),
                    dst: Some(IpAddr::V4(remote.ip)),
                    dport: Some(remote.port).filter(|port| *port != vxlan.spec.port()),
                    vni: Some(remote.vni).filter(|vni| *vni != vxlan.spec.id),
                    via: remote.via,
                    ..entry(*mac, port.index)
                });
            }
        }
    }
}

/// What `dst`, `port`, `vni` and `via` say (`vxlan_fdb_parse`).
fn remote_of(spec: &FdbSpec, own: &VxlanSpec) -> Result<Option<Remote>, Errno> {
    let ip = match spec.dst {
        None => return Ok(None),
        Some(IpAddr::V4(ip)) => ip,
        Some(IpAddr::V6(_)) => return Err(Errno::AfNoSupport),
    };
    let (port, vni) = (spec.dport.unwrap_or(own.port()), spec.vni.unwrap_or(own.id));
    Ok(Some(Remote { ip, port, vni, via: spec.via }))
}

/// The source port: one a flow, the same both ways (`udp_flow_src_port`).
fn flow_port(frame: &[u8], said: (u16, u16), range: (u16, u16)) -> u16 {
    let (first, last) = if said.1 > said.0 { said } else { range };
    let mut key = [0; 4];
    if let Some(header) = frame.get(ethernet::HEADER..).and_then(Ipv4::parse) {
        let (a, b) = (u64::from(header.source.to_bits()), u64::from(header.destination.to_bits()));
        key = [a.min(b), a.max(b), header.protocol.into(), 0];
        if matches!(header.protocol, protocol::TCP | protocol::UDP) && !header.is_fragment() {
            let ports = frame.get(ethernet::HEADER + header.header_length..).and_then(<[u8]>::first_chunk::<4>);
            let [a, b, c, d] = ports.copied().unwrap_or_default().map(u64::from);
            let (a, b) = (a << 8 | b, c << 8 | d);
            key[3] = a.min(b) << 16 | a.max(b);
        }
    }
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let hash = key.into_iter().fold(0xcbf2_9ce4_8422_2325, mix);
    let span = u64::from(last.saturating_sub(first)) + 1;
    first.wrapping_add(((hash >> 16) % span) as u16)
}
