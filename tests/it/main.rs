//! What a user sees, without rights and without a network.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod bench;
mod determinism;
mod download;
mod iptables;
mod readme;
mod tidy;
mod wrong_commands;
