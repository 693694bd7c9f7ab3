//! What the binary does, a file a verb.

pub(crate) mod bench;
pub(crate) mod diff;
pub(crate) mod router;
mod run;
mod shell;

use crate::args::{On, Verb};
use std::process::ExitCode;

/// Does it.
pub(crate) fn run(verb: Verb) -> ExitCode {
    let done = match verb {
        Verb::Run { lab, on: On::Simulator, log, realtime, script } => {
            run::run(&lab, log.as_deref(), realtime, &script)
        }
        Verb::Run { lab, on: On::Kernel, log, script, .. } => run::run_on_kernel(&lab, log.as_deref(), &script),
        Verb::Diff(args) => diff::diff(&args),
        Verb::Bench(args) => bench::bench(&args),
        Verb::Router(args) => return router::router(&args),
        Verb::Shell { lab, fast } => shell::shell(&lab, !fast),
    };
    done.unwrap_or_else(|error| {
        eprintln!("vethlab: {error}");
        ExitCode::FAILURE
    })
}
