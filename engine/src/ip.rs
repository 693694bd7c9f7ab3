//! IPv4 beyond its header: cutting packets in fragments, putting them together again, and what senders left to devices.

pub mod fragment;
pub mod offload;
pub mod reassembly;

pub use fragment::Fragments;
pub use reassembly::Reassembly;
