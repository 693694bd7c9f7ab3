//! `bind` and `connect`, judged by the kernel.

use super::*;
use crate::control::{AddressMode, AddressSpec, Command, NextHopSpec, RouteMode, RouteSpec};
use crate::stack::originate::tests::{DEVICE, Host, ROUTER, host};

const SECOND: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 11);

/// The namespace in which the kernel was asked: it has a second address, which speaks to 10.0.9.0/24.
fn furnished() -> Host {
    let mut host = host();
    host.apply(Command::AddressAdd(AddressMode::Add, AddressSpec::of(DEVICE, SECOND.into(), 24)));
    let nexthops = vec![NextHopSpec { gateway: Some(ROUTER.into()), ..NextHopSpec::default() }];
    let to = RouteSpec::to(Ipv4Addr::new(10, 0, 9, 0).into(), 24);
    let route = RouteSpec { prefsrc: Some(SECOND.into()), nexthops, ..to };
    host.apply(Command::RouteAdd(RouteMode::Replace, route));
    host
}

/// One call and `getsockname` after it: `CALL ADDRESS ERRNO NAME PORT`, where `any` is a port that was chosen.
fn step(stack: &mut Stack, socket: SocketId, words: &[&str]) -> String {
    let address: Ipv4Addr = words[1].parse().unwrap();
    let done = match words[0] {
        "bind" => stack.bind(socket, address, 5),
        _ => stack.connect(Time::ZERO, socket, address, 9),
    };
    let (name, port) = stack.local_name(socket);
    let port = if port >= 1024 { "any".to_string() } else { port.to_string() };
    format!("{} {address} {} {name} {port}", words[0], done.map_or_else(Errno::number, |()| 0))
}

/// Each line: `KIND|BROADCAST|DONTROUTE|DEVICE`, then up to three calls.
#[test]
fn sockets_are_named_as_the_kernel_named_them() {
    let mut host = furnished();
    for (at, line) in include_str!("kernel.txt").lines().enumerate() {
        let fields: Vec<&str> = line.split('|').collect();
        let kind = if fields[0] == "udp" { SocketKind::Udp } else { SocketKind::Raw { protocol: 253 } };
        let socket = host.stack.socket(kind).unwrap();
        let options = host.stack.options(socket);
        (options.broadcast, options.dont_route) = (fields[1] == "1", fields[2] == "1");
        options.device = Some(fields[3].parse().unwrap()).filter(|device| *device != 0);
        for kernels in &fields[4..] {
            let words: Vec<&str> = kernels.split(' ').collect();
            let ours = step(&mut host.stack, socket, &words);
            assert_eq!(ours, *kernels, "line {}: {line}", at + 1);
        }
        host.stack.close(socket);
    }
}

/// Facts seen on the kernel: who has no name, and what a packet socket cannot do.
#[test]
fn sockets_without_a_name() {
    let mut host = host();
    let packet = host.stack.socket(SocketKind::Packet { ethertype: 0x806 }).unwrap();
    assert_eq!(host.stack.local_name(packet), (Ipv4Addr::UNSPECIFIED, 0));
    assert_eq!(host.stack.bind(packet, ROUTER, 5), Err(Errno::Inval));
    assert_eq!(host.stack.connect(Time::ZERO, packet, ROUTER, 5), Err(Errno::OpNotSupp));
    assert_eq!(host.stack.socket(SocketKind::Raw { protocol: 0 }), Err(Errno::ProtoNoSupport));
    host.stack.close(packet);
    assert_eq!(host.stack.bind(packet, ROUTER, 5), Err(Errno::BadF));
    assert_eq!((host.stack.receive_datagram(packet), host.stack.receive_error(packet)), (None, None));
}
