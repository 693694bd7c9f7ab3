//! A program of the lab, as a process: it hands its words to the server, prints what comes back, passes signals on, and ends
//! as the program ends.

mod becoming;
mod disk;
mod link;
mod talk;
mod timeout;

pub(crate) use self::becoming::{PATH_FIRST, RC};

use self::link::Link;
use self::talk::{End, Talk};
use crate::wire::Request;
use nix::sys::signal::Signal;
use std::io;
use std::process::ExitCode;
use vethlab_engine::device::process::restore_default;
use vethlab_sim::userland::{PROGRAMS, REFUSED};

/// The environment variable that says where the server listens.
pub(crate) const SOCKET: &str = "VETHLAB_SOCKET";
/// The environment variable by which a process whose ancestors have ended still knows its namespace.
pub(crate) const NAMESPACE: &str = "VETHLAB_NS";
/// The name by which this program visits one of several places of `ip -all netns exec`.
const VISIT: &str = "vethlab-visit";

/// What follows the last slash.
pub(crate) fn base_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// True if a process called by this name is a client.
pub(crate) fn plays(name: &str) -> bool {
    in_lab(name) || name == VISIT
}

/// True if the lab runs (or refuses) a program of this name.
fn in_lab(name: &str) -> bool {
    PROGRAMS.iter().any(|(known, _)| *known == name) || REFUSED.contains(&name)
}

/// Plays the program that it is called by.
pub(crate) fn main(argv: Vec<String>) -> ExitCode {
    // Rust programs start with it ignored; ours end quietly when nobody reads on, as `ping … | head -1` shows.
    restore_default(Signal::SIGPIPE);
    let name = argv.first().map(|word| base_name(word)).unwrap_or_default().to_string();
    let played = match name.as_str() {
        VISIT => becoming::visit(&argv),
        _ => program(argv),
    };
    played.unwrap_or_else(|error| {
        eprintln!("vethlab: {name}: no lab: {error}");
        ExitCode::from(127)
    })
}

fn program(argv: Vec<String>) -> io::Result<ExitCode> {
    let mut talk = Talk::new(Link::open(argv.first().map(String::as_str).unwrap_or_default())?)?;
    run(&mut talk, argv, None)
}

/// Runs a program of the lab, and what it becomes.
fn run(talk: &mut Talk, mut argv: Vec<String>, mut ns: Option<u32>) -> io::Result<ExitCode> {
    loop {
        let name = argv.first().map(|word| base_name(word)).unwrap_or_default().to_string();
        talk.send(&Request::Run { argv, env: link::environment(), tty: link::tty(), typed: link::typed(), ns })?;
        match talk.finish()? {
            End::Status(status) => return Ok(ExitCode::from(status as u8)),
            End::Signaled(signal) => return Ok(link::die_of(signal)),
            End::Timeout(limit) => return timeout::watch(limit.into()),
            End::Exec { places, argv: words, by_ip } => {
                let by = becoming::By { name, ip: by_ip };
                let alone = matches!(&places[..], [(_, heading)] if heading.is_empty());
                let Some((place, _)) = places.first().filter(|_| alone) else {
                    return becoming::visit_all(&by, &places, &words);
                };
                match becoming::turn_into(talk, &by, *place, words)? {
                    becoming::Turn::Again(words) => (argv, ns) = (words, Some(*place)),
                    becoming::Turn::Over(code) => return Ok(code),
                }
            }
        }
    }
}
