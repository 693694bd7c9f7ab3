//! The kernel's own routes in XDP: what a router of a few instructions does, as a peer for benches.

use super::bpf::XDP;
use super::program::{ANSWER, EXIT, PASS, attach, call, instruction, set};
use crate::device::mode::Failure;
use std::os::fd::OwnedFd;

/// Forwards the IPv4 packets that an interface receives by the kernel's routes and neighbours, without its stack, until it
/// is dropped: no filter sees them. What it cannot forward goes to the stack: other protocols, options, a TTL that ends,
/// neighbours that are not known yet. Generic mode, which on veth cables is the faster one for frames that senders make.
pub struct Forwarder {
    _link: OwnedFd,
}

impl Forwarder {
    /// Begins to do so, on the interface of this index, in the network namespace of this thread.
    pub fn attach(index: u32) -> Result<Forwarder, Failure> {
        Ok(Forwarder { _link: attach(XDP, &forward(), index)? })
    }
}

/// Registers: where arguments and results come by, those that calls leave alone, and the end of the stack.
const ARG1: u8 = 1;
const ARG2: u8 = 2;
const ARG3: u8 = 3;
const ARG4: u8 = 4;
const CONTEXT: u8 = 6;
const FRAME: u8 = 7;
const END: u8 = 8;
const STACK: u8 = 10;

/// Sizes of what is loaded and stored, as in an operation's bits.
const WORD: u8 = 0x00;
const HALF: u8 = 0x08;
const BYTE: u8 = 0x10;
const DOUBLE: u8 = 0x18;

/// `to = *(size *)(from + offset)`
const fn load(size: u8, to: u8, from: u8, offset: i16) -> u64 {
    instruction(0x61 | size, to, from, offset, 0)
}

/// `*(size *)(to + offset) = from`
const fn store(size: u8, to: u8, offset: i16, from: u8) -> u64 {
    instruction(0x63 | size, to, from, offset, 0)
}

/// `*(size *)(to + offset) = immediate`
const fn put(size: u8, to: u8, offset: i16, immediate: i32) -> u64 {
    instruction(0x62 | size, to, 0, offset, immediate)
}

/// `to = from`
const fn copy(to: u8, from: u8) -> u64 {
    instruction(0xbf, to, from, 0, 0)
}

/// `to += immediate`
const fn add(to: u8, immediate: i32) -> u64 {
    instruction(0x07, to, 0, 0, immediate)
}

/// `to = htons(to)`
const fn swap(to: u8) -> u64 {
    instruction(0xdc, to, 0, 0, 16)
}

/// Conditions of a jump: a register is above another one, is not a number, is at most that, or less.
const ABOVE: u8 = 0x2d;
const NOT: u8 = 0x55;
const AT_MOST: u8 = 0xb5;
const LESS: u8 = 0xa5;

/// A jump to where the frame is left to the stack. How far that is, is known when all is written.
const fn leave_if(left: u8, condition: u8, right: u8, immediate: i32) -> u64 {
    instruction(condition, left, right, 0, immediate)
}

/// True for what [`leave_if`] made: another jump knows how far it goes.
const fn leaves(written: u64) -> bool {
    matches!(written as u8, ABOVE | NOT | AT_MOST) && (written >> 16) as i16 == 0
}

/// The program.
fn forward() -> Vec<u64> {
    let mut program = [&accept()[..], &look_up(), &rewrite(), &send()].concat();
    let end = program.len();
    program.extend([set(ANSWER, PASS), EXIT]);
    for (at, written) in program.iter_mut().enumerate().filter(|(_, written)| leaves(**written)) {
        // A jump is counted from the instruction behind it.
        *written |= ((end - at - 1) as u64) << 16;
    }
    program
}

/// Where things are in a frame with an Ethernet and an IPv4 header: the TTL, its checksum and so on.
mod at {
    pub(super) const ETHERTYPE: i16 = 12;
    pub(super) const VERSION: i16 = 14;
    pub(super) const TOS: i16 = 15;
    pub(super) const LENGTH: i16 = 16;
    pub(super) const TTL: i16 = 22;
    pub(super) const PROTOCOL: i16 = 23;
    pub(super) const CHECKSUM: i16 = 24;
    pub(super) const SOURCE: i16 = 26;
    pub(super) const DESTINATION: i16 = 30;
    pub(super) const PAYLOAD: i32 = 34;
}

/// A whole IPv4 header without options, and a TTL to take one from.
fn accept() -> [u64; 12] {
    /// In `struct xdp_md`.
    const DATA: i16 = 0;
    const DATA_END: i16 = 4;
    let ipv4 = i32::from(u16::from_ne_bytes([8, 0]));
    [
        copy(CONTEXT, ARG1),
        load(WORD, FRAME, CONTEXT, DATA),
        load(WORD, END, CONTEXT, DATA_END),
        copy(ARG1, FRAME),
        add(ARG1, at::PAYLOAD),
        leave_if(ARG1, ABOVE, END, 0),
        load(HALF, ARG1, FRAME, at::ETHERTYPE),
        leave_if(ARG1, NOT, 0, ipv4),
        load(BYTE, ARG1, FRAME, at::VERSION),
        leave_if(ARG1, NOT, 0, 0x45),
        load(BYTE, ARG1, FRAME, at::TTL),
        leave_if(ARG1, AT_MOST, 0, 1),
    ]
}

/// `struct bpf_fib_lookup`, at the end of the stack: what is asked, and what comes back.
mod fib {
    pub(super) const SIZE: i16 = 64;
    pub(super) const FAMILY: i16 = -SIZE;
    pub(super) const PROTOCOL: i16 = 1 - SIZE;
    pub(super) const LENGTH: i16 = 6 - SIZE;
    pub(super) const IFINDEX: i16 = 8 - SIZE;
    pub(super) const TOS: i16 = 12 - SIZE;
    pub(super) const SOURCE: i16 = 16 - SIZE;
    pub(super) const DESTINATION: i16 = 32 - SIZE;
    pub(super) const SOURCE_MAC: i16 = 52 - SIZE;
    pub(super) const DESTINATION_MAC: i16 = 58 - SIZE;
}

/// Asks the kernel's routes and neighbours; what they do not know is left to the stack.
fn look_up() -> Vec<u64> {
    const FIB_LOOKUP: i32 = 69;
    const AF_INET: i32 = 2;
    /// In `struct xdp_md`.
    const INGRESS_IFINDEX: i16 = 12;
    let mut asked: Vec<u64> = (0..fib::SIZE / 8).map(|word| put(DOUBLE, STACK, 8 * word - fib::SIZE, 0)).collect();
    asked.push(put(BYTE, STACK, fib::FAMILY, AF_INET));
    for (size, from, to) in [
        (BYTE, at::PROTOCOL, fib::PROTOCOL),
        (BYTE, at::TOS, fib::TOS),
        (WORD, at::SOURCE, fib::SOURCE),
        (WORD, at::DESTINATION, fib::DESTINATION),
    ] {
        asked.extend([load(size, ARG1, FRAME, from), store(size, STACK, to, ARG1)]);
    }
    // The length is a number of this machine's.
    asked.extend([load(HALF, ARG1, FRAME, at::LENGTH), swap(ARG1), store(HALF, STACK, fib::LENGTH, ARG1)]);
    asked.extend([load(WORD, ARG1, CONTEXT, INGRESS_IFINDEX), store(WORD, STACK, fib::IFINDEX, ARG1)]);
    asked.extend([
        copy(ARG1, CONTEXT),
        copy(ARG2, STACK),
        add(ARG2, (-fib::SIZE).into()),
        set(ARG3, fib::SIZE.into()),
        set(ARG4, 0),
        call(FIB_LOOKUP),
        leave_if(ANSWER, NOT, 0, 0),
    ]);
    asked
}

/// One from the TTL, the checksum to match (`ip_decrease_ttl`), and both MACs.
fn rewrite() -> Vec<u64> {
    let mut written = vec![
        load(BYTE, ARG1, FRAME, at::TTL),
        add(ARG1, -1),
        store(BYTE, FRAME, at::TTL, ARG1),
        load(HALF, ARG1, FRAME, at::CHECKSUM),
        swap(ARG1),
        add(ARG1, 0x100),
        // What is carried comes in again at the right; so does one if the sum would be all ones.
        instruction(LESS, ARG1, 0, 1, 0xffff),
        add(ARG1, 1),
        swap(ARG1),
        store(HALF, FRAME, at::CHECKSUM, ARG1),
    ];
    for half in [0, 2, 4] {
        for (from, to) in [(fib::DESTINATION_MAC, half), (fib::SOURCE_MAC, 6 + half)] {
            written.extend([load(HALF, ARG1, STACK, from + half), store(HALF, FRAME, to, ARG1)]);
        }
    }
    written
}

/// `return bpf_redirect(ifindex, 0)`
fn send() -> [u64; 4] {
    const REDIRECT: i32 = 23;
    [load(WORD, ARG1, STACK, fib::IFINDEX), set(ARG2, 0), call(REDIRECT), EXIT]
}
