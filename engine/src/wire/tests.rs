//! The wire formats against `etherparse`, an independent reader and writer of the same bytes, and against noise.

use super::*;
use crate::addr::{Ipv4Addr, Mac};
use crate::reason::DropReason;
use etherparse::{EtherType, Ethernet2Header, Icmpv4Slice, Ipv4Header, TcpHeader, UdpHeader};
use proptest::collection::vec;
use proptest::prelude::*;

fn address() -> impl Strategy<Value = Ipv4Addr> {
    any::<u32>().prop_map(Ipv4Addr::from_bits)
}

fn mac() -> impl Strategy<Value = Mac> {
    any::<[u8; 6]>().prop_map(Mac)
}

fn ipv4() -> impl Strategy<Value = Ipv4> {
    let words = (any::<u8>(), 20u16.., any::<u16>(), any::<u16>(), any::<u8>(), any::<u8>());
    (words, address(), address()).prop_map(
        |((tos, total_length, id, flags_fragment, ttl, protocol), source, destination)| {
            let flags_fragment = flags_fragment & 0x7fff; // the evil bit has no place in etherparse
            Ipv4 { tos, total_length, id, flags_fragment, ttl, protocol, source, destination, header_length: 20 }
        },
    )
}

fn tcp() -> impl Strategy<Value = Tcp> {
    let words = (any::<u16>(), any::<u16>(), any::<u32>(), any::<u32>(), any::<u8>(), any::<u16>(), any::<u16>());
    words.prop_map(|(source, destination, sequence, acknowledgment, flags, window, urgent)| Tcp {
        source,
        destination,
        sequence,
        acknowledgment,
        flags,
        window,
        urgent,
        data_offset: tcp::HEADER,
        checksum: 0,
    })
}

proptest! {
    #[test]
    fn ethernet_as_etherparse_has_it(destination in mac(), source in mac(), ethertype: u16) {
        let ours = Ethernet { destination, source, ethertype };
        let theirs =
            Ethernet2Header { destination: destination.0, source: source.0, ether_type: EtherType(ethertype) };
        prop_assert_eq!(ours.emit(), theirs.to_bytes());
        prop_assert_eq!(Ethernet::parse(&theirs.to_bytes()), Some(ours));
        prop_assert_eq!(Ethernet::parse(&ours.emit()[..13]), None);
    }

    #[test]
    fn arp_as_etherparse_has_it(operation: u16, sender in (mac(), address()), target in (mac(), address())) {
        let ours = Arp {
            operation, sender_mac: sender.0, sender_ip: sender.1, target_mac: target.0, target_ip: target.1,
        };
        let theirs = etherparse::ArpPacket::new(
            etherparse::ArpHardwareId::ETHERNET, EtherType::IPV4, etherparse::ArpOperation(operation),
            &sender.0.0, &sender.1.octets(), &target.0.0, &target.1.octets(),
        ).unwrap();
        prop_assert_eq!(&ours.emit()[..], &theirs.to_bytes()[..]);
        prop_assert_eq!(Arp::parse(&theirs.to_bytes()), Some(ours));
        for cut in 0..arp::LENGTH {
            prop_assert_eq!(Arp::parse(&ours.emit()[..cut]), None);
        }
    }

    #[test]
    fn ipv4_as_etherparse_has_it(header in ipv4(), options in vec(any::<u8>(), 0..=10usize)) {
        let options: Vec<u8> = options.iter().flat_map(|byte| [*byte; 4]).collect();
        let mut packet = vec![0; 65_535];
        let length = header.write(&options, &mut packet).unwrap();
        let header = Ipv4 { header_length: length, total_length: header.total_length.max(length as u16), ..header };
        header.write(&options, &mut packet).unwrap();
        packet.truncate(usize::from(header.total_length));

        let (theirs, _) = Ipv4Header::from_slice(&packet).unwrap();
        prop_assert_eq!(theirs.calc_header_checksum(), theirs.header_checksum);
        prop_assert_eq!((theirs.ihl() as usize * 4, theirs.total_len), (length, header.total_length));
        prop_assert_eq!((theirs.dscp.value() << 2 | theirs.ecn.value(), theirs.time_to_live), (header.tos, header.ttl));
        prop_assert_eq!((theirs.identification, theirs.protocol.0), (header.id, header.protocol));
        prop_assert_eq!((theirs.dont_fragment, theirs.more_fragments), (header.dont_fragment(), header.more_fragments()));
        prop_assert_eq!(usize::from(theirs.fragment_offset.value()) * 8, header.fragment_offset());
        prop_assert_eq!((theirs.source, theirs.destination), (header.source.octets(), header.destination.octets()));
        prop_assert_eq!(theirs.options.as_slice(), &options[..]);

        let mut again = Vec::new();
        theirs.write(&mut again).unwrap();
        prop_assert_eq!(&again[..], ipv4::header(&packet));
        prop_assert_eq!(Ipv4::checked(&packet), Ok(header));
        prop_assert_eq!(Ipv4::parse(ipv4::header(&packet)), Some(header));
        packet.pop();
        let short = if packet.len() < length { DropReason::IpHeaderLength } else { DropReason::IpTotalLength };
        let short = if packet.len() < ipv4::HEADER { DropReason::IpHeaderTruncated } else { short };
        prop_assert_eq!(Ipv4::checked(&packet), Err(short));
    }

    #[test]
    fn a_mended_checksum_is_the_computed_one(header in ipv4(), id: u16, length: u16, flags: u16) {
        let mut mended = header.emit();
        ipv4::decrement_ttl(&mut mended);
        prop_assert_eq!(mended, Ipv4 { ttl: header.ttl.saturating_sub(1), ..header }.emit());
        ipv4::set_id(&mut mended, id);
        ipv4::set_total_length(&mut mended, length);
        ipv4::set_flags_fragment(&mut mended, flags);
        let mut computed = mended;
        ipv4::write_checksum(&mut computed);
        prop_assert_eq!(mended, computed);
    }

    #[test]
    fn udp_as_etherparse_has_it(
        ports: (u16, u16), from in address(), to in address(), payload in vec(any::<u8>(), 0..300), padding in 0..9usize
    ) {
        let ours = Udp { source: ports.0, destination: ports.1, length: 0, checksum: 0 };
        let theirs =
            UdpHeader::with_ipv4_checksum(ports.0, ports.1, &header_for(from, to), &payload).unwrap().to_bytes();
        prop_assert_eq!(ours.emit(from, to, &payload), theirs);
        let mut segment = [&theirs[..], &payload].concat();
        segment.resize(segment.len() + padding, 0xaa);
        let read = Udp::checked(from, to, &segment).unwrap();
        prop_assert_eq!((read.source, read.destination, usize::from(read.length)), (ports.0, ports.1, 8 + payload.len()));
        segment[0] ^= 0x40;
        prop_assert_eq!(Udp::checked(from, to, &segment), Err(DropReason::UdpChecksum));
        segment[6..8].fill(0);
        prop_assert!(Udp::checked(from, to, &segment).is_ok(), "no checksum is a right checksum");
    }

    #[test]
    fn tcp_as_etherparse_has_it(
        ours in tcp(), from in address(), to in address(),
        payload in vec(any::<u8>(), 0..300), mss in proptest::option::of(any::<u16>()),
    ) {
        let options: Vec<u8> = mss.map(|mss| [[2, 4], mss.to_be_bytes()].concat()).unwrap_or_default();
        let mut segment = vec![0; 60];
        let length = ours.write(from, to, &options, &payload, &mut segment).unwrap();
        segment.truncate(length);
        segment.extend(&payload);
        let (theirs, rest) = TcpHeader::from_slice(&segment).unwrap();
        prop_assert_eq!(theirs.calc_checksum_ipv4_raw(from.octets(), to.octets(), rest).unwrap(), theirs.checksum);
        prop_assert_eq!((theirs.source_port, theirs.destination_port), (ours.source, ours.destination));
        prop_assert_eq!((theirs.sequence_number, theirs.acknowledgment_number), (ours.sequence, ours.acknowledgment));
        prop_assert_eq!((theirs.syn, theirs.ack), (ours.has(tcp::flag::SYN), ours.has(tcp::flag::ACK)));
        prop_assert_eq!((theirs.rst, theirs.fin), (ours.has(tcp::flag::RST), ours.has(tcp::flag::FIN)));
        prop_assert_eq!((theirs.window_size, theirs.urgent_pointer), (ours.window, ours.urgent));
        let mut again = Vec::new();
        theirs.write(&mut again).unwrap();
        prop_assert_eq!(&again[..], &segment[..length]);
        let read = Tcp { data_offset: length, checksum: theirs.checksum, ..ours };
        prop_assert_eq!(Tcp::checked(from, to, &segment), Ok(read));
        segment[5] ^= 1;
        prop_assert_eq!(Tcp::checked(from, to, &segment), Err(DropReason::TcpChecksum));
    }

    #[test]
    fn icmp_as_etherparse_has_it(id: u16, sequence: u16, payload in vec(any::<u8>(), 0..300)) {
        let mut message = Icmp::echo(icmpv4::kind::ECHO, id, sequence).emit(&payload).to_vec();
        message.extend(&payload);
        for reply in [false, true] {
            if reply {
                icmpv4::turn_echo(&mut message);
            }
            let theirs = Icmpv4Slice::from_slice(&message).unwrap();
            let theirs = theirs.header();
            prop_assert_eq!(theirs.icmp_type.calc_checksum(&payload), theirs.checksum);
            let echo = etherparse::IcmpEchoHeader { id, seq: sequence };
            let kind = match reply {
                true => etherparse::Icmpv4Type::EchoReply(echo),
                false => etherparse::Icmpv4Type::EchoRequest(echo),
            };
            prop_assert_eq!(theirs.icmp_type.clone(), kind);
            prop_assert_eq!(&theirs.to_bytes()[..], &message[..icmpv4::HEADER]);
            let read = Icmp::checked(&message).unwrap();
            prop_assert_eq!((read.id(), read.sequence()), (id, sequence));
        }
        message[4] ^= 1;
        prop_assert_eq!(Icmp::checked(&message), Err(DropReason::IcmpChecksum));
    }

    #[test]
    fn noise_never_panics(mut noise in vec(any::<u8>(), 0..100), from in address(), to in address()) {
        let _ = (Ethernet::parse(&noise), Arp::parse(&noise), Ipv4::parse(&noise), Icmp::parse(&noise));
        let _ = (Ipv4::checked(&noise), Icmp::checked(&noise));
        let _ = (Udp::checked(from, to, &noise), Tcp::checked(from, to, &noise));
        let length = noise.len();
        let _ = Tcp::parse(&noise).map(|tcp| tcp.refuse(length));
        ipv4::decrement_ttl(&mut noise);
        ipv4::set_id(&mut noise, 7);
        ipv4::write_checksum(&mut noise);
        icmpv4::turn_echo(&mut noise);
        Ethernet { destination: Mac::ZERO, source: Mac::ZERO, ethertype: 0 }.write(&mut noise);
        if let Ok(header) = Ipv4::checked(&noise) {
            prop_assert!(header.header_length <= usize::from(header.total_length));
            prop_assert!(usize::from(header.total_length) <= noise.len());
        }
    }

    #[test]
    fn a_short_header_holds_as_any_bytes_do(words in vec(prop_oneof![Just(0), Just(u16::MAX), any::<u16>()], 9), at in 0..10usize) {
        let mut header: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let sum = checksum::of(&header).to_be_bytes();
        header.splice(at * 2..at * 2, sum);
        let mut header: [u8; 20] = header.try_into().unwrap();
        prop_assert_eq!(checksum::holds_fixed(&header), checksum::holds(&header));
        prop_assert!(checksum::holds_fixed(&header) || header == [0; 20]);
        header[at] ^= 0x10;
        prop_assert_eq!(checksum::holds_fixed(&header), checksum::holds(&header));
    }

    #[test]
    fn sums_of_pieces_add_up(bytes in vec(any::<u8>(), 0..200), at in 0..100usize) {
        let (left, right) = bytes.split_at((at * 2).min(bytes.len() & !1));
        let whole = checksum::fold(checksum::sum(&bytes));
        prop_assert_eq!(whole, checksum::fold(checksum::sum(left) + checksum::sum(right)));
        let slowly = bytes.chunks(2).fold(0u32, |sum, word| {
            let word = u16::from_be_bytes([word[0], word.get(1).copied().unwrap_or(0)]);
            checksum::fold(sum + u32::from(word)).into()
        });
        prop_assert_eq!(u32::from(whole), slowly);
    }

    /// Right ones, and such that are off by one.
    #[test]
    fn a_checksum_behind_a_pseudo_header_is_the_sum_of_both(
        mut bytes in vec(any::<u8>(), 8..200),
        [source, destination] in any::<[u32; 2]>().prop_map(|both| both.map(Ipv4Addr::from)),
        number in any::<u8>(),
        off in 0..2u16,
    ) {
        let pseudo = checksum::pseudo(source, destination, number, bytes.len());
        bytes[6..8].fill(0);
        let sum = checksum::finish(pseudo + checksum::sum(&bytes)).wrapping_add(off);
        bytes[6..8].copy_from_slice(&sum.to_be_bytes());
        let holds = checksum::fold(pseudo + checksum::sum(&bytes)) == 0xffff;
        prop_assert_eq!(checksum::holds_behind(source, destination, number, &bytes), holds);
        prop_assert!(holds || off == 1);
    }
}

fn header_for(source: Ipv4Addr, destination: Ipv4Addr) -> Ipv4Header {
    Ipv4Header { source: source.octets(), destination: destination.octets(), ..Ipv4Header::default() }
}

/// The order of the checks is that of `ip_rcv_core`: each packet here has its fault and all faults below it.
#[test]
fn ipv4_is_refused_in_linuxs_order() {
    let good = Ipv4 {
        tos: 0,
        total_length: 20,
        id: 1,
        flags_fragment: 0,
        ttl: 64,
        protocol: 1,
        source: Ipv4Addr::new(10, 0, 0, 1),
        destination: Ipv4Addr::new(10, 0, 0, 2),
        header_length: 20,
    };
    let mut packet = Ipv4 { total_length: 19, ..good }.emit();
    assert_eq!(Ipv4::checked(&packet), Err(DropReason::IpTotalLength));
    packet[8] += 1;
    assert_eq!(Ipv4::checked(&packet), Err(DropReason::IpChecksum));
    packet[0] = 0x46;
    assert_eq!(Ipv4::checked(&packet), Err(DropReason::IpHeaderLength));
    packet[0] = 0x44;
    assert_eq!(Ipv4::checked(&packet), Err(DropReason::IpHeaderLength));
    packet[0] = 0x64;
    assert_eq!(Ipv4::checked(&packet), Err(DropReason::IpVersion));
    assert_eq!(Ipv4::checked(&packet[..19]), Err(DropReason::IpHeaderTruncated));
    assert_eq!(Ipv4::checked(&good.emit()), Ok(good));
}

/// RFC 793: a segment with ACK is refused with its own acknowledgment number, one without by acknowledging all of it.
#[test]
fn a_closed_port_refuses() {
    let syn = Tcp { source: 40_000, destination: 80, sequence: u32::MAX, flags: tcp::flag::SYN, ..Tcp::default() };
    let syn = Tcp { data_offset: 24, window: 100, ..syn };
    let refusal = syn.refuse(24).unwrap();
    assert_eq!((refusal.source, refusal.destination, refusal.window), (80, 40_000, 0));
    assert_eq!((refusal.flags, refusal.sequence), (tcp::flag::RST | tcp::flag::ACK, 0));
    assert_eq!(refusal.acknowledgment, 0, "the number after a SYN numbered 2^32 - 1");
    let data = Tcp { flags: tcp::flag::ACK | tcp::flag::PSH, acknowledgment: 77, data_offset: 20, ..syn };
    let refusal = data.refuse(120).unwrap();
    assert_eq!((refusal.flags, refusal.sequence, refusal.acknowledgment), (tcp::flag::RST, 77, 0));
    assert_eq!(refusal.refuse(20), None);
}

/// Right or wrong, zero or not: what RFC 1624 says of it.
#[test]
fn every_checksum_is_mended_when_the_ttl_is_taken_from() {
    for sum in 0..=u16::MAX {
        let mut header = Ipv4 { ttl: 7, protocol: protocol::UDP, ..Ipv4::UNSAID }.emit();
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        ipv4::decrement_ttl(&mut header);
        let wanted = checksum::update(sum, 0x0711, 0x0611);
        assert_eq!((header[8], &header[10..12]), (6, &wanted.to_be_bytes()[..]), "{sum:04x}");
    }
}
