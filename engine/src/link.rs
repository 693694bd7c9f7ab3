//! Links: the ports of a namespace, and the Ethernet layer.

pub mod bridge;
mod change;
mod event;
mod make;
pub mod name;
pub mod port;
mod ports;
pub mod virt;
pub mod vxlan;

pub use bridge::{Bridge, BridgeChange, BridgeConf, BridgePort, BridgePortChange, BridgeSpec, PortState};
pub use name::Name;
pub use port::{OperState, Port, PortCounters, PortKind, Rare};
pub use ports::{Passing, Ports};
pub use virt::{Lower, Macvlan, MacvlanMode, Upper, Vlan};
pub use vxlan::{Vxlan, VxlanSpec};
