//! A bridge at work (`br_input.c`, `br_forward.c`, `br_device.c`).
//!
//! ```text
//!   a port's frame ──> bridge_takes ──> bridge_receive ──> learn ──> known: one port ──> bridge_forward ──> transmit
//!                       │ not for it                        │        unknown, to many: all of them ──┘
//!                       v                                   v
//!                      the port itself                     the bridge's own port: visit
//! ```

use super::bridge_nf::put_link;
use super::packet::{Cast, Fate, Packet, Routed};
use super::{Cx, Stack};
use crate::addr::Mac;
use crate::control::IfIndex;
use crate::frame::FrameBuf;
use crate::link::bridge::{Bridge, FdbRecord, PortState};
use crate::link::{BridgePort, Port};
use crate::observe::{Observer, Step};
use crate::reason::DropReason;
use crate::time::Time;
use crate::wire::{Ethernet, ethernet};

/// What a frame may have more than MTU and Ethernet header (`VLAN_HLEN`).
const TAG: usize = 4;

/// Where a frame goes that is not for one port only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flood {
    Unicast,
    Multicast,
    Broadcast,
}

/// On whose behalf a bridge sends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sender {
    pub(super) bridge: IfIndex,
    /// The port by which the frame came; none: it is our own.
    pub(super) from: Option<IfIndex>,
    isolated: bool,
}

/// The last byte of a link-local group, `01:80:c2:00:00:0X`.
fn link_local(mac: Mac) -> Option<u8> {
    match mac.0 {
        [0x01, 0x80, 0xc2, 0, 0, last] if last < 0x10 => Some(last),
        _ => None,
    }
}

fn state(port: &Port) -> Option<(&BridgePort, IfIndex)> {
    Some((port.rare.bridge_port.as_deref()?, port.master?))
}

impl Stack {
    /// Whether the bridge takes a frame that a port of it has received (`br_handle_frame`); else it is the port's own.
    pub(super) fn bridge_takes(
        &mut self,
        now: Time,
        packet: &mut Packet,
        header: &Ethernet,
    ) -> Result<Option<Fate>, DropReason> {
        let ports = &self.config.ports;
        let Some((port, master)) = ports.get(packet.port).and_then(state) else { return Ok(None) };
        let Some(bridge_port) = ports.get(master) else { return Ok(None) };
        let Some(bridge) = bridge_port.rare.bridge.as_deref() else { return Ok(None) };
        if header.source.is_multicast() || header.source == Mac::ZERO {
            return Err(DropReason::SourceMac);
        }
        if let Some(last) = link_local(header.destination) {
            let mask = port.group_fwd_mask | bridge.conf.group_fwd_mask;
            // Without a spanning tree its frames are passed on, for others to find loops by.
            let passes = mask & 1 << last != 0 || last == 0 && bridge.conf.stp_state == 0;
            if last == 1 {
                return Err(DropReason::PauseFrame);
            }
            if !passes {
                let learns = matches!(port.state, PortState::Learning | PortState::Forwarding);
                if port.learning && learns && !bridge.conf.no_linklocal_learn {
                    self.bridge_learn(now, master, packet.port, header.source);
                }
                return Ok(None);
            }
        }
        if !matches!(port.state, PortState::Forwarding | PortState::Learning) {
            return Err(DropReason::BridgePortState);
        }
        if header.destination == bridge_port.mac {
            packet.cast = Cast::Host;
        }
        Ok(Some(Fate::Bridge))
    }

    /// Who sent it is behind this port (`br_fdb_update`). True if that is new.
    pub(super) fn bridge_learn(&mut self, now: Time, master: IfIndex, port: IfIndex, source: Mac) -> bool {
        let Some(bridge) = self.config.ports.bridge_mut(master) else {
            return false;
        };
        let hold = bridge.hold_time();
        if hold.is_zero() {
            return false;
        }
        match bridge.fdb.find_mut(source) {
            // Somebody uses a MAC of ours.
            Some(known) if known.local => false,
            Some(known) => {
                known.updated = now;
                let moves = known.port != Some(port) && !known.sticky;
                if moves {
                    known.port = Some(port);
                }
                moves
            }
            None => {
                let most = bridge.conf.fdb_max_learned as usize;
                let room = most == 0 || learned(bridge) < most;
                room && bridge.fdb.insert(FdbRecord::learned(source, port, now), hold)
            }
        }
    }

    /// A frame of one of its ports, behind its link header: iptables is asked, and then it is bridged.
    pub(super) fn bridge_receive<O: Observer>(&mut self, cx: &mut Cx<'_>, mut packet: Packet, observer: &mut O) {
        packet.frame.push(ethernet::HEADER);
        let master = self.config.ports.get(packet.port).and_then(|port| port.master);
        let (Some(master), Some(mut link)) = (master, Ethernet::parse(&packet.frame)) else {
            return self.discard(cx, packet.frame, DropReason::PortDown, observer);
        };
        packet.frame.pull(ethernet::HEADER);
        if let Some(mut packet) = self.bridge_pre_routing(cx, master, packet, &mut link, observer) {
            put_link(&mut packet.frame, &link);
            self.bridge_finish(cx, packet, observer);
        }
    }

    /// A frame of one of its ports, with its link header (`br_handle_frame_finish`).
    pub(super) fn bridge_finish<O: Observer>(&mut self, cx: &mut Cx<'_>, mut packet: Packet, observer: &mut O) {
        let found = self.config.ports.get(packet.port).and_then(state);
        let (Some((port, master)), Some(header)) = (found, Ethernet::parse(&packet.frame)) else {
            return self.discard(cx, packet.frame, DropReason::PortDown, observer);
        };
        let (isolated, learning, forwards) = (port.isolated, port.learning, port.state == PortState::Forwarding);
        if learning && self.bridge_learn(cx.now, master, packet.port, header.source) {
            observer.step(Step::Learned { bridge: master, port: packet.port, mac: header.source });
        }
        if !forwards {
            return self.discard(cx, packet.frame, DropReason::BridgePortState, observer);
        }
        let sender = Sender { bridge: master, from: Some(packet.port), isolated };
        let promiscuous = self.promiscuity(master) > 0;
        let to = header.destination;
        if to.is_multicast() {
            let flood = if to.is_broadcast() { Flood::Broadcast } else { Flood::Multicast };
            packet.cast = if to.is_broadcast() { Cast::Broadcast } else { Cast::Multicast };
            return self.bridge_flood(cx, sender, flood, true, packet, observer);
        }
        match self.bridge_find(cx.now, master, to) {
            Some(known) if known.local => self.bridge_deliver(cx, master, packet, observer),
            Some(known) => self.bridge_one(cx, sender, known.port, promiscuous, packet, observer),
            None => self.bridge_flood(cx, sender, Flood::Unicast, promiscuous, packet, observer),
        }
    }

    /// A frame leaves by the bridge's own port (`br_dev_xmit`).
    pub(super) fn bridge_transmit<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        master: IfIndex,
        frame: FrameBuf,
        observer: &mut O,
    ) {
        let Some(header) = Ethernet::parse(&frame) else {
            return self.discard(cx, frame, DropReason::FrameTooShort, observer);
        };
        let sender = Sender { bridge: master, from: None, isolated: false };
        let packet = Packet::new(frame, master);
        let to = header.destination;
        if to.is_multicast() {
            let flood = if to.is_broadcast() { Flood::Broadcast } else { Flood::Multicast };
            return self.bridge_flood(cx, sender, flood, false, packet, observer);
        }
        match self.bridge_find(cx.now, master, to) {
            Some(known) => self.bridge_one(cx, sender, known.port, false, packet, observer),
            None => self.bridge_flood(cx, sender, Flood::Unicast, false, packet, observer),
        }
    }

    /// Where a MAC is; it is used now.
    fn bridge_find(&mut self, now: Time, master: IfIndex, mac: Mac) -> Option<FdbRecord> {
        let bridge = self.config.ports.bridge_mut(master)?;
        let known = bridge.fdb.find_mut(mac)?;
        if !known.local {
            known.used = now;
        }
        Some(*known)
    }

    /// `should_deliver`
    fn bridge_should_deliver(&self, sender: Sender, to: IfIndex) -> bool {
        let Some((port, master)) = self.config.ports.get(to).and_then(state) else { return false };
        master == sender.bridge
            && (port.hairpin || sender.from != Some(to))
            && port.state == PortState::Forwarding
            && !(sender.isolated && port.isolated)
    }

    /// To the one port behind which it is known to be (`br_forward`), and to the bridge itself if that wants everything.
    fn bridge_one<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        sender: Sender,
        to: Option<IfIndex>,
        local: bool,
        packet: Packet,
        observer: &mut O,
    ) {
        let to = to.filter(|to| self.bridge_should_deliver(sender, *to));
        match to {
            Some(to) if local => {
                let copy = self.packet_copy(cx, &packet);
                self.bridge_forward(cx, sender, to, copy, observer);
            }
            Some(to) => return self.bridge_forward(cx, sender, to, packet, observer),
            None if !local => return self.discard(cx, packet.frame, DropReason::BridgeNoPort, observer),
            None => {}
        }
        self.bridge_deliver(cx, sender.bridge, packet, observer);
    }

    /// To all ports that want it (`br_flood`), the newest first, and to the bridge itself.
    fn bridge_flood<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        sender: Sender,
        flood: Flood,
        local: bool,
        packet: Packet,
        observer: &mut O,
    ) {
        let mut waiting = None;
        for at in 0.. {
            let Some(to) = self.bridge(sender.bridge).and_then(|bridge| bridge.ports.get(at).copied()) else { break };
            if !self.bridge_floods(sender, flood, to) || !self.bridge_should_deliver(sender, to) {
                continue;
            }
            if let Some(to) = waiting.replace(to) {
                let copy = self.packet_copy(cx, &packet);
                self.bridge_forward(cx, sender, to, copy, observer);
            }
        }
        match waiting {
            Some(to) if local => {
                let copy = self.packet_copy(cx, &packet);
                self.bridge_forward(cx, sender, to, copy, observer);
                self.bridge_deliver(cx, sender.bridge, packet, observer);
            }
            Some(to) => self.bridge_forward(cx, sender, to, packet, observer),
            None if local => self.bridge_deliver(cx, sender.bridge, packet, observer),
            None => self.discard(cx, packet.frame, DropReason::BridgeNoPort, observer),
        }
    }

    fn bridge(&self, master: IfIndex) -> Option<&Bridge> {
        self.config.ports.get(master)?.rare.bridge.as_deref()
    }

    /// What a port does not want to be flooded with. Our own frames to many go to all.
    fn bridge_floods(&self, sender: Sender, flood: Flood, to: IfIndex) -> bool {
        let Some((port, _)) = self.config.ports.get(to).and_then(state) else { return false };
        match flood {
            Flood::Unicast => port.flood,
            Flood::Multicast => port.mcast_flood || sender.from.is_none(),
            Flood::Broadcast => port.bcast_flood || sender.from.is_none(),
        }
    }

    /// Another frame with the same bytes, and the same knowledge of them.
    pub(super) fn packet_copy(&mut self, cx: &mut Cx<'_>, packet: &Packet) -> Packet {
        self.counters.made += 1;
        let mut frame = cx.pool.copy(&packet.frame);
        *frame.offload_mut() = *packet.frame.offload();
        packet.with_frame(frame)
    }

    /// A frame, with its link header, leaves by a port of the bridge (`__br_forward`, `br_dev_queue_push_xmit`).
    fn bridge_forward<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        sender: Sender,
        to: IfIndex,
        packet: Packet,
        observer: &mut O,
    ) {
        observer.step(Step::Bridged { bridge: sender.bridge, to });
        if packet.physdev.0.is_none() || sender.from.is_none() {
            return self.bridge_push(cx, to, packet, observer);
        }
        let mtu = self.config.ports.get(to).map_or(0, |port| port.mtu as usize);
        match self.bridge_passing(cx, sender, to, packet, observer) {
            Some(packet) if is_long(&packet.frame, mtu) => self.bridge_cut(cx, to, mtu, packet, observer),
            Some(packet) => self.bridge_push(cx, to, packet, observer),
            None => {}
        }
    }

    /// Hands a frame to the port, if that may send one as long.
    fn bridge_push<O: Observer>(&mut self, cx: &mut Cx<'_>, to: IfIndex, packet: Packet, observer: &mut O) {
        let mtu = self.config.ports.get(to).map_or(0, |port| port.mtu as usize);
        let fits = packet.frame.offload().segment_size.is_some() || packet.frame.len() <= mtu + ethernet::HEADER + TAG;
        if !fits {
            return self.discard(cx, packet.frame, DropReason::BridgePortMtu, observer);
        }
        // Who sent it is somewhere else, and not told.
        let _ = self.transmit(cx, to, packet.frame, Routed::NOT_YET, observer);
    }

    /// A frame, with its link header, comes in by the bridge's own port (`br_pass_frame_up`).
    fn bridge_deliver<O: Observer>(&mut self, cx: &mut Cx<'_>, master: IfIndex, packet: Packet, observer: &mut O) {
        self.rise(cx, master, packet, observer);
    }
}

/// True if a packet is longer than the MTU.
fn is_long(frame: &FrameBuf, mtu: usize) -> bool {
    frame.offload().segment_size.is_none() && frame.len() > mtu + ethernet::HEADER
}

/// How many records were learned.
fn learned(bridge: &Bridge) -> usize {
    bridge.fdb.iter().filter(|record| !record.by_user && !record.local && !record.fixed).count()
}
