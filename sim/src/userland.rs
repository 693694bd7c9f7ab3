//! Programs that run inside a world: words in, text and exit status out, as Linux's own tools do.
//!
//! A program is an `async fn(Proc) -> Exit`. It runs until it waits ([`Proc::sleep_until`], [`Proc::receive`],
//! [`Proc::file`]); nothing else is asynchronous, no thread and no clock is involved.

mod ip;
pub(crate) mod proc;

pub use proc::{Proc, Wake};

use crate::lab::Exit;
use std::future::Future;
use std::pin::Pin;

/// A program's body.
pub type Program = fn(Proc) -> Pin<Box<dyn Future<Output = Exit>>>;

/// The program of this name.
pub fn find(name: &str) -> Option<Program> {
    PROGRAMS.iter().find(|(known, _)| *known == name).map(|(_, program)| *program)
}

/// All programs, by name.
pub const PROGRAMS: &[(&str, Program)] = &[("ip", |p| Box::pin(ip::main(p)))];

/// Names of network commands that are not simulated: they fail with one clear line and status 127, and never fall
/// through to the real tool.
pub const REFUSED: &[&str] = &[];
