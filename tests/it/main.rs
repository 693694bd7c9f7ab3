//! What a user sees, without rights and without a network.

mod tidy;
mod wrong_commands;
