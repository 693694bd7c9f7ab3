//! Any bytes through every reader and every in-place function of `wire` and `ip`: no panic, no frame lost, and where
//! `etherparse` reads an IPv4 header, it reads the same.

#![no_main]

use etherparse::Ipv4HeaderSlice;
use libfuzzer_sys::fuzz_target;
use vethlab_engine::addr::{Ipv4Addr, Mac};
use vethlab_engine::frame::FramePool;
use vethlab_engine::ip::{Fragments, Reassembly};
use vethlab_engine::time::Time;
use vethlab_engine::wire::ipv4::options::{self, Here, OwnOptions};
use vethlab_engine::wire::{Arp, Ethernet, Icmp, Ipv4, Tcp, Udp, icmpv4, ipv4};

const HERE: Here = Here { address: Ipv4Addr::new(10, 0, 0, 1), time: 7 };
const OTHER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

fuzz_target!(|data: &[u8]| {
    readers(data);
    as_etherparse(data);
    in_place(&mut data.to_vec());
    with_options(data);
    fragments(data);
});

fn readers(data: &[u8]) {
    let _ = (Ethernet::parse(data), Arp::parse(data), Icmp::parse(data), Icmp::checked(data));
    let _ = (Udp::checked(HERE.address, OTHER, data), Udp::parse(data));
    let _ = Tcp::checked(HERE.address, OTHER, data);
    if let Some(refusal) = Tcp::parse(data).and_then(|tcp| tcp.refuse(data.len())) {
        let bytes = refusal.emit(HERE.address, OTHER, &[]);
        assert!(Tcp::checked(HERE.address, OTHER, &bytes).is_ok());
    }
}

/// What we take, `etherparse` takes, and reads the same; what it takes and whose checksum is right, we take.
fn as_etherparse(data: &[u8]) {
    let theirs = Ipv4HeaderSlice::from_slice(data).ok();
    if let Ok(ours) = Ipv4::checked(data) {
        let theirs = theirs.as_ref().expect("etherparse refuses it");
        assert_eq!(ours.header_length, theirs.slice().len());
        assert_eq!((ours.source, ours.destination), (theirs.source_addr(), theirs.destination_addr()));
        assert_eq!((ours.id, ours.ttl, ours.protocol), (theirs.identification(), theirs.ttl(), theirs.protocol().0));
        assert_eq!(ours.fragment_offset(), usize::from(theirs.fragments_offset().value()) * 8);
        assert_eq!((ours.dont_fragment(), ours.more_fragments()), (theirs.dont_fragment(), theirs.more_fragments()));
    } else if let Some(theirs) = theirs {
        let fits = (theirs.slice().len()..=data.len()).contains(&usize::from(theirs.total_len()));
        // Their checksum leaves the reserved bit out.
        let reserved = data.get(6).is_some_and(|byte| byte & 0x80 != 0);
        assert!(!fits || reserved || theirs.header_checksum() != theirs.to_header().calc_header_checksum());
    }
}

fn in_place(data: &mut [u8]) {
    Ethernet { destination: Mac::ZERO, source: Mac::ZERO, ethertype: 0 }.write(data);
    ipv4::decrement_ttl(data);
    ipv4::set_id(data, 1);
    ipv4::set_flags_fragment(data, 0);
    ipv4::set_total_length(data, 20);
    ipv4::write_checksum(data);
    icmpv4::turn_echo(data);
    options::keep_copied(data);
}

/// A packet's options received, answered and passed on.
fn with_options(data: &[u8]) {
    let mut header = ipv4::header(data).to_vec();
    if let Ok(mut found) = options::receive(&mut header, HERE, &|address| address != HERE.address) {
        if let Some(own) = options::echo(&header, &found, &|_| false) {
            let mut answer = vec![0; ipv4::HEADER];
            answer.extend(own.bytes());
            options::build(&mut answer, &own.options, OTHER, HERE.address, 7);
            assert!(answer.len() <= 60 && answer.len() % 4 == 0);
        }
        found.next_hop = options::hops_left(&header, &found).find_map(Result::ok);
        found.source_route_hit = found.next_hop.is_some();
        options::forward(&mut header, &mut found, OTHER);
    }
    let _ = OwnOptions::compile(data, &|_| false);
}

/// A packet cut and put together again; then the bytes taken as fragments themselves.
fn fragments(data: &[u8]) {
    let mut pool = FramePool::new();
    let mut table = Reassembly::new();
    let mtu = usize::from(data.first().copied().unwrap_or(0)) * 8 + 28;
    let options = options::Options::default();
    let mut cut = Fragments::new(data, mtu, true);
    while let Some(frame) = cut.as_mut().and_then(|cut| cut.next(&mut pool)) {
        let header = Ipv4::checked(&frame).expect("a right header");
        assert!(frame.len() <= mtu.max(data.len()));
        if let Some(whole) = table.add(Time::ZERO, 1, &header, &options, frame, &mut pool) {
            pool.give(whole.frame);
        }
    }
    for piece in data.chunks(40) {
        let Some(header) = Ipv4::parse(piece).filter(|header| usize::from(header.total_length) <= piece.len()) else {
            continue;
        };
        let frame = pool.copy(piece);
        if let Some(whole) = table.add(Time(1), 2, &header, &options, frame, &mut pool) {
            pool.give(whole.frame);
        }
    }
    table.tick(Time::NEVER);
    while let Some(gone) = table.pop() {
        pool.give(gone.frame);
    }
    assert_eq!((table.held(), pool.taken()), (0, 0));
}
