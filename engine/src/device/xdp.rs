//! AF_XDP sockets, in generic copy mode: what a veth end has for us to use.
//!
//! | file | job |
//! |---|---|
//! | `umem.rs` | the memory that frames lie in, one for all ports, and who may use which part of it |
//! | `ring.rs` | rings of descriptors between the kernel and us |
//! | `endpoint.rs` | a socket with its rings, bound to an interface |
//! | `program.rs` | the few instructions that lead an interface's frames into its socket |
//! | `socket.rs` | the [`Device`](super::Device) |
//! | `sender.rs` | a socket that only sends, as fast as it can: a generator for benches |
//!
//! Frames come without a word about what is not finished. An unfinished checksum shows all the same: its field holds the
//! sum of the pseudo header; so it is noted, and finished when the frame leaves. A super-frame fits in no chunk: the kernel
//! drops it, and the device complains.

mod endpoint;
mod program;
mod ring;
mod sender;
mod socket;
mod umem;
mod unfinished;

pub use program::DropSink;
pub use sender::Sender;
pub use socket::XdpSocket;
pub use umem::Memory;

/// The rights that it wants beyond those of a packet socket.
const RIGHTS: &str = "run as root of the machine: AF_XDP wants CAP_BPF and CAP_NET_ADMIN";
