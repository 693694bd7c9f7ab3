//! AF_XDP sockets, in generic copy mode: what a veth end has for us to use.
//!
//! | file | job |
//! |---|---|
//! | `umem.rs` | the memory that frames lie in, one for all ports, and who may use which part of it |
//! | `ring.rs` | rings of descriptors between the kernel and us |
//! | `endpoint.rs` | a socket with its rings, bound to an interface |
//! | `channels.rs` | how many queues an interface has |
//! | `bpf.rs` | the system call by which programs come into the kernel |
//! | `program.rs` | the few instructions that lead an interface's frames into its socket |
//! | `forwarder.rs` | a router of a few instructions: a peer for benches |
//! | `socket.rs` | the [`Device`](super::Device) |
//! | `sender.rs` | a socket that only sends, as fast as it can: a generator for benches |
//!
//! Frames come without a word about what is not finished. An unfinished checksum shows all the same: its field holds the
//! sum of the pseudo header; so it is noted, and finished when the frame leaves. A super-frame fits in no chunk: the kernel
//! drops it, and the device complains.

mod bpf;
mod channels;
mod endpoint;
mod forwarder;
mod program;
mod ring;
mod sender;
mod socket;
mod umem;
mod unfinished;

pub use forwarder::Forwarder;
pub use program::DropSink;
pub use sender::Sender;
pub use socket::XdpSocket;
pub use umem::Memory;

use super::mode::Failure;
use std::io;

/// What went wrong. Who lacks rights is told so; where memory may not be locked, that is a lack of rights, too.
fn failure(doing: &'static str, why: io::Error) -> Failure {
    const RIGHTS: &str = "run as root of the machine: AF_XDP wants CAP_BPF and CAP_NET_ADMIN";
    match why.raw_os_error() {
        Some(libc::ENOBUFS) => Failure { doing, why, fix: Some(RIGHTS) },
        _ => Failure::new(doing, why, RIGHTS),
    }
}
