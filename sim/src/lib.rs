//! Deterministic worlds of namespaces and cables in virtual time, and the programs that run in them.
//!
//! A [`World`] holds namespaces, each a [`Stack`](vethlab_engine::Stack) of the engine, the cables between them, and a
//! queue of what happens next, ordered by time and sequence. A [`Lab`] is a world with programs: `ip`, `ping` and the
//! others, which read and print as Linux's own do. Neither needs rights, a network, or an operating system.
//!
//! ```
//! use vethlab_sim::{Host, Lab, Options};
//!
//! let mut lab = Lab::new(Options { seed: 1, host: Host::Bare });
//! for line in [
//!     "ip netns add red",
//!     "ip link add veth-host type veth peer name veth-red netns red",
//!     "ip addr add 10.0.0.1/24 dev veth-host",
//!     "ip link set veth-host up",
//!     "ip -n red addr add 10.0.0.2/24 dev veth-red",
//!     "ip -n red link set veth-red up",
//! ] {
//!     assert_eq!(lab.run(line).status, 0, "{line}");
//! }
//! let ping = lab.run("ping -c 1 10.0.0.2");
//! assert!(ping.stdout.contains("1 packets transmitted, 1 received, 0% packet loss"));
//! ```
//!
//! | module | is |
//! |---|---|
//! | [`world`] | namespaces, cables, time |
//! | [`lab`] | a world and its programs, which are futures |
//! | [`userland`] | the programs: words in, text and exit status out |
//! | [`view`] | `/proc/sys/net`, `/sys/class/net` and `/run/netns` as a namespace shows them |
//! | [`capture`], [`trace`], [`digest`] | what passed: for Wireshark, for people, and as one number |
//! | [`invariant`] | what holds after every step |

pub mod capture;
pub mod digest;
pub mod invariant;
pub mod lab;
pub mod trace;
pub mod userland;
pub mod view;
pub mod world;

pub use lab::{Event, Exit, Host, Lab, Options, Pid, Signal, Spawn};
pub use vethlab_engine as engine;
pub use world::{NsId, World};
