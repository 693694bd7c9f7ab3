//! The kernel as judge. Everything happens in namespaces that a test makes itself; where the rights for that are missing
//! a test says SKIPPED aloud, and on CI (`VETHLAB_NO_SKIP`) that is a failure.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod bench;
mod iptables;
mod isolation;
mod pack;
mod random;
mod router;
mod scenarios;
mod wrong_commands;
