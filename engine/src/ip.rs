//! IPv4 beyond its header: cutting packets in fragments, and putting them together again.

pub mod fragment;
pub mod reassembly;

pub use fragment::Fragments;
pub use reassembly::Reassembly;
