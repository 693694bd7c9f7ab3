//! The packet path of one Linux-like network namespace, as a pure state machine.
//!
//! (map: to be written when the rooms stand)

#![deny(unsafe_code)]

pub mod addr;
pub mod address;
pub mod config;
pub mod control;
pub mod counters;
#[cfg(target_os = "linux")]
pub mod device;
pub mod frame;
pub mod ip;
pub mod link;
pub mod local;
pub mod neighbor;
pub mod observe;
pub mod reason;
pub mod rng;
pub mod route;
#[cfg(target_os = "linux")]
pub mod runner;
pub mod stack;
pub mod sysctl;
pub mod time;
pub mod wire;

pub use stack::{Cx, Stack};
