//! The packet path of one Linux-like network namespace, as a pure state machine.
//!
//! A [`Stack`] is all state of one namespace. It reads no clock, draws no chance of its own and opens no socket: frames,
//! time and a [seed](rng) are arguments, frames and facts are results. So the same code runs in two worlds, real and
//! simulated, and equal inputs give equal outputs, byte for byte.
//!
//! ```text
//!     real:  runner::Runner ── device::packet ──┐                                    ┌── device::packet
//!                                               ├─> Stack::receive ─> … ─> Outbox ───┤
//!     sim:   World::advance_to ── a cable ──────┘                                    └── a cable
//!
//!     1 admit        the link header: for us, for all, for another?   stack/receive.rs   wire/ethernet.rs
//!     2 admit        the IP header: sane, checksum right              stack/v4.rs        wire/ipv4.rs
//!     3 way_in       which way: deliver, forward, or why not          route/input.rs     route/fib.rs
//!     4 forward      time to live, MTU, redirect                      stack/forward.rs
//!       deliver      reassembly, sockets, ICMP                        stack/deliver.rs   local.rs, ip/
//!     5 resolve      the next hop's MAC, or park the packet and ask   neighbor.rs        stack/arp.rs
//!     6 transmit     write the link header, hand over to the port     stack/output.rs
//! ```
//!
//! `walk` (steps 1 to 5) decides and gives a fate or a [`DropReason`](reason::DropReason); `visit` acts on it; `refuse`
//! counts it and builds the ICMP error, if there is one.
//!
//! | around the path | is |
//! |---|---|
//! | [`control`] | configuration as data: a [`Command`](control::Command), and how it is [refused](control::Refusal) |
//! | [`config`], [`link`], [`address`], [`sysctl`] | what a command changes, and what follows from it |
//! | [`route`] | [`Rib`](route::Rib), what the user said, and which way a packet goes |
//! | [`fib`] | [`Fib`](fib::Fib): which prefix is the longest, for three routes or a full Internet's |
//! | [`qdisc`] | queues before a port: delay, loss, a rate |
//! | [`filter`] | rules: tables, chains, matches, targets |
//! | [`conntrack`], [`nat`] | flows, and what their addresses are turned into |
//! | [`observe`], [`counters`], [`reason`] | who watches, what is counted, and why a frame ended |
//! | [`frame`] | buffers: every frame is sent, consumed, or discarded with a reason |
//! | [`time`], [`rng`], [`addr`], [`wire`] | the alphabet |
//!
//! ```
//! use vethlab_engine::frame::{FramePool, Outbox};
//! use vethlab_engine::observe::Silent;
//! use vethlab_engine::{control::Command, time::Time, Cx, Stack};
//!
//! let (mut pool, mut out) = (FramePool::new(), Outbox::new());
//! let mut stack = Stack::new(1);
//! let mut cx = Cx { now: Time::ZERO, pool: &mut pool, out: &mut out };
//! let forward = |value: &str| Command::SysctlWrite("net/ipv4/ip_forward".into(), value.into());
//! stack.apply(&mut cx, forward("1"), &mut Silent).unwrap();
//! assert_eq!(stack.sysctl("net/ipv4/ip_forward").as_deref(), Some("1"));
//! let refusal = stack.apply(&mut cx, forward("perhaps"), &mut Silent).unwrap_err();
//! assert_eq!(refusal.errno.text(), "Invalid argument");
//! ```

#![deny(unsafe_code)]

pub mod addr;
pub mod address;
pub mod config;
pub mod conntrack;
pub mod control;
pub mod counters;
#[cfg(target_os = "linux")]
pub mod device;
pub mod few;
pub mod fib;
pub mod filter;
pub mod frame;
pub mod ip;
pub mod link;
pub mod local;
pub mod nat;
pub mod neighbor;
pub mod observe;
pub mod qdisc;
pub mod reason;
pub mod rng;
pub mod route;
#[cfg(target_os = "linux")]
pub mod runner;
pub mod seldom;
pub mod stack;
pub mod sysctl;
pub mod time;
pub mod wire;

pub use stack::{Cx, Stack};
