//! `-j REJECT`: the sender is told (`net/ipv4/netfilter/nf_reject_ipv4.c`).

use super::bridge_nf::put_link;
use super::output::{Ident, Own};
use super::packet::{Packet, Routed};
use super::{Cx, Stack};
use crate::addr::Mac;
use crate::filter::{RejectWith, Sender};
use crate::observe::Observer;
use crate::route::OutputKey;
use crate::wire::icmpv4::{code, kind};
use crate::wire::ipv4::options::OwnOptions;
use crate::wire::{Ethernet, Icmp, Ipv4, Tcp, checksum, ethernet, ipv4, protocol};

impl Stack {
    /// Tells the sender of a packet that it is dropped, unless it is a later fragment, or broken.
    #[cold]
    pub(super) fn reject<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        packet: &mut Packet,
        with: RejectWith,
        observer: &mut O,
    ) {
        if packet.header.fragment_offset() != 0 || !is_right(packet) {
            return;
        }
        let code = match with {
            RejectWith::NetUnreachable => code::NET_UNREACH,
            RejectWith::HostUnreachable => code::HOST_UNREACH,
            RejectWith::PortUnreachable => code::PORT_UNREACH,
            RejectWith::ProtoUnreachable => code::PROT_UNREACH,
            RejectWith::NetProhibited => code::NET_ANO,
            RejectWith::HostProhibited => code::HOST_ANO,
            RejectWith::AdminProhibited => code::PKT_FILTERED,
            RejectWith::TcpReset => return self.reject_with_reset(cx, packet, observer),
        };
        if packet.sender == Sender::Kernel && packet.header.protocol == protocol::ICMP {
            // The kernel speaks ICMP with one tongue (`icmp_xmit_lock`), and it is in use.
            return;
        }
        let message = Icmp { kind: kind::DEST_UNREACH, code, rest: [0; 4] };
        self.icmp_send(cx, &(&*packet).into(), message, observer);
    }

    /// `nf_send_reset`: from whom the segment was for, whoever that is. Where a bridge brought the segment, the reset leaves
    /// by the bridge's port without being asked about, with the MAC that the segment was for.
    fn reject_with_reset<O: Observer>(&mut self, cx: &mut Cx<'_>, packet: &mut Packet, observer: &mut O) {
        let segment = packet.payload();
        let reset = Tcp::parse(segment).filter(|_| packet.header.protocol == protocol::TCP);
        let Some(reset) = reset.and_then(|head| head.refuse(segment.len())) else { return };
        if packet.route.is_to_many() {
            return;
        }
        let Ipv4 { source, destination, .. } = packet.header;
        let mark = self.reply_mark(packet.mark);
        let key = OutputKey { source: Some(destination), any_source: true, mark, ..OutputKey::to(source) };
        let Ok(route) = self.output_way(cx.now, &key) else { return };
        let reply = Ipv4 { tos: 0, source: destination, destination: source, ..packet.header };
        let head = reset.emit(destination, source, &[]);
        let mut frame = self.build(cx, &route, &reply, &OwnOptions::default(), &[&head]);
        ipv4::set_flags_fragment(&mut frame, ipv4::DF);
        if let Some(conntrack) = self.conntrack.own_mut() {
            conntrack.set_closing(cx.now, &packet.nfct);
        }
        if let Some(port) = packet.physdev.0 {
            ipv4::write_checksum(&mut frame);
            put_link(&mut frame, &answered(packet));
            let _ = self.transmit(cx, port, frame, Routed::NOT_YET, observer);
            return;
        }
        let own = Own { nfct: packet.nfct.attach(), sender: Sender::Nobody, ..Own::kernel(Ident::Zero, mark) };
        let _ = self.send(cx, &route, frame, own, observer);
    }
}

/// The link header of an answer to a packet whose own link header is still in front of it.
fn answered(packet: &mut Packet) -> Ethernet {
    packet.frame.push(ethernet::HEADER);
    let link = Ethernet::parse(&packet.frame);
    packet.frame.pull(ethernet::HEADER);
    let source = packet.source_mac.unwrap_or(Mac::ZERO);
    let asked = link.filter(|link| link.source == source).map(|link| link.destination);
    Ethernet { destination: source, source: asked.unwrap_or(Mac::ZERO), ethertype: ethernet::IPV4 }
}

/// True unless the checksum of the payload is wrong (`nf_reject_verify_csum`); that of many protocols is not looked at.
fn is_right(packet: &Packet) -> bool {
    /// Where UDP's checksum stands; 0 is none.
    const UDP_CHECKSUM: core::ops::Range<usize> = 6..8;
    if packet.frame.offload().partial_checksum.is_some() {
        return true;
    }
    let Ipv4 { source, destination, protocol, .. } = packet.header;
    let payload = packet.payload();
    match protocol {
        protocol::UDP if payload.get(UDP_CHECKSUM) == Some(&[0, 0]) => true,
        protocol::TCP | protocol::UDP => {
            let pseudo = checksum::pseudo(source, destination, protocol, payload.len());
            checksum::fold(pseudo + checksum::sum(payload)) == 0xffff
        }
        protocol::ICMP | protocol::IGMP => checksum::holds(payload),
        _ => true,
    }
}
