//! The binary's verbs `run` and `shell`, as their users meet them.

#![allow(clippy::unwrap_used, reason = "tests")]

mod clients;
mod common;
mod kernel;
mod run;
mod shell;
