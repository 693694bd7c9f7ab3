//! What a user sees, without rights and without a network.

mod readme;
mod tidy;
mod wrong_commands;
