//! Routing: which way a packet goes, decided as `net/ipv4/fib_*.c` and `net/ipv4/route.c` decide it.
//!
//! | file | holds |
//! |---|---|
//! | [`types`](Route) | a [`Route`] and its [`NextHops`] |
//! | `fib` | [`Fib`]: prefixes and the longest match among them; [`reference`] is its plain twin, the oracle of the tests |
//! | `table` | [`Table`]: the routes of one table, in the kernel's order, with add, replace and delete |
//! | `rule` | a [`Rule`]: which packets ask which table |
//! | `rib` | [`Rib`]: all tables and the [rules](Rule) that choose among them; [`Rib::lookup`] |
//! | `v4`, `v6` | what is checked before a route enters, and what addresses, links and carriers do to the tables |
//! | `source` | which of our addresses speaks, and what kind an address is |
//! | `output` | [`output_route`]: the way of a packet that starts here |
//! | `input` | [`input_route`]: the way of a packet that came in |
//! | `get` | [`route_get`]: what `ip route get` is told |
//! | `exception` | what the path taught us: a smaller MTU, a better gateway |

mod fib;
mod flow;
mod get;
mod net;
pub mod reference;
mod rib;
mod rule;
mod types;

pub use fib::{Fib, Matches};
pub use flow::{Answer, Flow, InputKey, InputRoute, OutputKey, OutputRoute, Unroutable};
pub use get::{RouteGet, RouteGot, RouteWay, route_get};
pub use net::Net;
pub use rib::{Rib, input_route, output_route};
pub use rule::{Rule, RuleAction};
pub use types::{NextHop, NextHops, Route, rtcf};
