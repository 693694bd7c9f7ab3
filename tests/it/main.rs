//! What a user sees, without rights and without a network.

mod determinism;
mod readme;
mod tidy;
mod wrong_commands;
