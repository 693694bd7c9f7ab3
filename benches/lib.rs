//! What is measured, and against what. `cargo bench -p vethlab-benches` prints it all, with
//! `--bench tcp` one of them; figures are never asserted in tests.
//!
//! | bench | measures |
//! |---|---|
//! | `forward` | a packet's whole path through routers in a row, in turns with DPDK's libraries |
//! | `fib` | the longest-prefix match of a full Internet's routes, against peers of Rust and C, in turns |
//! | `sim` | the event simulator: a line of routers, and very many namespaces |
//! | `conntrack` | connections, tracked and translated |
//! | `tcp` | a download of 100 MB through two bridges, NAT and cables that lose, and how long it took in virtual time |
//!
//! | module | is |
//! |---|---|
//! | [`chain`] | routers in a row that hand frames on |
//! | [`prefixes`] | the Internet's prefixes, or as many like them, and addresses to ask for |
//! | [`race`] | rounds in which all take turns, and what comes of it |
//! | [`world`] | worlds that are measured |
//! | [`dpdk`] | DPDK's tables, in a process of their own |

pub mod chain;
pub mod dpdk;
pub mod prefixes;
pub mod race;
pub mod world;
