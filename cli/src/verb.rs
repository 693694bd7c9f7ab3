//! What the binary does, a file a verb.

pub(crate) mod router;
mod run;
mod shell;

use crate::args::Verb;
use std::process::ExitCode;

/// Does it.
pub(crate) fn run(verb: Verb) -> ExitCode {
    let done = match verb {
        Verb::Run { lab, realtime, script } => run::run(&lab, realtime, &script),
        Verb::Router(args) => return router::router(&args),
        Verb::Shell { lab, fast } => shell::shell(&lab, !fast),
    };
    done.unwrap_or_else(|error| {
        eprintln!("vethlab: {error}");
        ExitCode::FAILURE
    })
}
