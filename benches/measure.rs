//! The benches, a file each: what is set up, who takes turns, and what is asked of the figures.

pub mod fib;
pub mod filter;
pub mod forward;
pub mod scale;
pub mod sim;
pub mod veth;

use crate::contest::Session;
use std::time::Duration;

/// A bench.
pub type Measure = fn(&mut Session<'_>);

/// All of them, by name, with a sentence for people.
pub const ALL: [(&str, &str, Measure); 6] = [
    ("fib", "longest-prefix match of a full Internet's routes, against DPDK, poptrie and crates", fib::measure),
    ("forward", "chains of routers in memory, against DPDK's libraries and kernel namespaces", forward::measure),
    ("filter", "20 rules, connection tracking and MASQUERADE, against the kernel with the same rules", filter::measure),
    ("sim", "the event simulator, 16 routers, against ns-3 and kernel namespaces", sim::measure),
    ("scale", "100,000 namespaces: set-up, memory, a wave through all", scale::measure),
    ("veth", "vethlab router on veth cables in each mode, against the kernel, XDP and pnet", veth::measure),
];

/// The kernel, as a peer of what is in memory.
const KERNEL: &str = "kernel namespaces";

/// Millions a second, if all arrived.
fn rate((time, arrived): (Duration, u64), sent: usize) -> Result<f64, String> {
    let all = arrived == sent as u64;
    all.then(|| arrived as f64 / time.as_secs_f64() / 1e6).ok_or_else(|| format!("{arrived} of {sent} arrived"))
}
