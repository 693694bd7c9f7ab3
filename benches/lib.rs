//! What is measured, and against what. `cargo bench -p vethlab-benches` prints it all, with
//! `--bench tcp` one of them; figures are never asserted in tests.
//!
//! | bench | measures |
//! |---|---|
//! | `forward` | a packet's whole path through routers in a row, in turns with DPDK's libraries |
//! | `fib` | the longest-prefix match of a full Internet's routes, against peers of Rust and C; first that it is right |
//! | `filter` | 20 rules, connection tracking and MASQUERADE, against the kernel |
//! | `veth` | `vethlab router` on veth cables, against the kernel and pnet |
//! | `scale` | 100,000 namespaces |
//! | `sim` | the event simulator: a line of routers, and very many namespaces |
//! | `conntrack` | connections, tracked and translated |
//! | `tcp` | a download of 100 MB through two bridges, NAT and cables that lose, and how long it took in virtual time |
//!
//! `fib`, `filter` and `veth` are what `vethlab bench` measures, by criterion, without ratios: all of it is in [`measure`].
//!
//! | module | is |
//! |---|---|
//! | [`chain`] | routers in a row that hand frames on |
//! | [`prefixes`] | the Internet's prefixes, or as many like them, and addresses to ask for |
//! | [`mrt`] | tables of route collectors |
//! | [`tables`] | looking addresses up, the same way in all tables |
//! | [`race`] | rounds in which all take turns, and what comes of it |
//! | [`world`] | worlds that are measured |
//! | [`dpdk`] | DPDK's tables, in a process of their own |
//! | [`ns3`] | a line of routers in ns-3, in a process of its own |
//! | [`measure`] | the benches of `vethlab bench`, a file each |
//! | [`contest`] | rounds in which all take turns, and rows of a report |
//! | [`report`] | what came of it, and where |
//! | [`machine`] | the machine, the kernel and versions |
//! | [`plan`] | the same row of routers, made of kernel namespaces |
//! | [`traffic`] | frames to be sent through it |
//! | [`kernel`], [`generator`] | kernel namespaces, and who sends and counts in them |
//! | [`cpu`] | CPU time, of whoever carries frames |
//! | [`field`], [`pnet_peer`] | two hosts on veth cables, and who routes between them |

pub mod chain;
pub mod contest;
pub mod cpu;
pub mod dpdk;
pub mod field;
pub mod generator;
pub mod kernel;
pub mod machine;
pub mod measure;
pub mod mrt;
pub mod ns3;
pub mod plan;
pub mod pnet_peer;
pub mod prefixes;
pub mod race;
pub mod report;
pub mod tables;
pub mod traffic;
pub mod world;
