//! What is measured, and against what. `cargo bench -p vethlab-benches` prints it all, with
//! `--bench tcp` one of them; figures are never asserted in tests.
//!
//! | bench | measures |
//! |---|---|
//! | `forward` | one packet through a router's whole path, with few routes and with ten thousand |
//! | `fib` | the longest-prefix match of a full Internet's routes, against peers of Rust and C, in turns |
//! | `sim` | the event simulator: a line of routers, and very many namespaces |
//! | `conntrack` | connections, tracked and translated |
//! | `tcp` | a download of 100 MB through two bridges, NAT and cables that lose, and how long it took in virtual time |
//!
//! | module | is |
//! |---|---|
//! | [`prefixes`] | the Internet's prefixes, or as many like them, and addresses to ask for |
//! | [`race`] | rounds in which all take turns, and what comes of it |
//! | [`world`] | worlds that are measured |
//! | [`dpdk`] | DPDK's tables, in a process of their own |

pub mod dpdk;
pub mod prefixes;
pub mod race;
pub mod world;
