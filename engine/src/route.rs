//! Routing: which way a packet goes, decided as `net/ipv4/fib_*.c` and `net/ipv4/route.c` decide it.
//!
//! | file | holds |
//! |---|---|
//! | [`types`](Route) | a [`Route`] and its [`NextHops`] |
//! | `prefix_map` | [`PrefixMap`]: prefixes and the longest match among them; [`reference`] is its plain twin, the oracle of the tests |
//! | `table` | the routes of one table, in the kernel's order, with insert and remove |
//! | `groups` | where they lie, by prefix |
//! | `rib` | [`Rib`]: all tables and the [rules](Rule) that choose among them; [`Rib::lookup`] |
//! | `rule`, `rules` | a [`Rule`]: which packets ask which table; adding and deleting them |
//! | `v4`, `v6` | what is checked before a route enters |
//! | `events4` | what addresses, ports and carriers do to the IPv4 tables (`v6` has its own) |
//! | `source` | which of our addresses speaks, and what kind an address is |
//! | `flow` | what a packet asks, and what it is answered |
//! | `output` | [`output_route`]: the way of a packet that starts here |
//! | `input` | [`input_route`]: the way of a packet that came in |
//! | `multipath` | one way of several |
//! | `ways` | ways of packets that came in, as they were found before |
//! | `get`, `get6` | [`route_get`]: what `ip route get` is told |
//! | `exception` | what the path taught us: a smaller MTU, a better gateway |

mod events4;
mod exception;
mod flow;
mod get;
mod get6;
mod groups;
mod input;
mod multipath;
mod net;
mod output;
mod prefix_map;
pub mod reference;
mod rib;
mod rule;
mod rules;
mod source;
mod table;
mod types;
mod v4;
mod v6;
mod ways;

pub use crate::control::RuleAction;
pub use exception::Redirect;
pub use flow::{Answer, Flow, InputKey, InputRoute, OutputKey, OutputRoute, Transport, Unroutable};
pub use get::{RouteGet, RouteGot, RouteWay, route_get};
pub use input::input_route;
pub(crate) use input::lasting_route;
pub use multipath::hash as multipath_hash;
pub use net::Net;
pub use output::output_route;
pub use prefix_map::{Matches, PrefixMap};
pub use rib::Rib;
pub use rule::{Rule, Ruled};
pub use source::{address_kind, address_kind_on, select_address};
pub use types::{NextHop, NextHops, RareRoute, Route, rtcf};
pub(crate) use ways::{Kept, Straight, Ways};

#[cfg(test)]
mod tests;
