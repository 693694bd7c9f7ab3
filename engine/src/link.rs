//! Links: the ports of a namespace, and the Ethernet layer.

mod change;
mod event;
mod make;
pub mod name;
pub mod port;
mod ports;

pub use port::{OperState, Port, PortCounters, PortKind};
pub use ports::Ports;
