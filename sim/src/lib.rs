//! Deterministic worlds of namespaces and cables in virtual time, and the programs that run in them.

pub mod capture;
pub mod digest;
pub mod invariant;
pub mod lab;
pub mod trace;
pub mod userland;
pub mod view;
pub mod world;

pub use lab::{Event, Exit, Host, Lab, Options, Pid, Signal, Spawn};
pub use vethlab_engine as engine;
pub use world::{NsId, World};
