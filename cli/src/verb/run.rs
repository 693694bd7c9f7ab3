//! `vethlab run SCRIPT`: a real bash runs the script, its network commands act in a lab.

use crate::args::LabArgs;
use crate::home::Home;
use crate::server::{End, Record, Server};
use crate::{client, init, signals};
use nix::sys::signal::Signal;
use std::ffi::OsString;
use std::io;
use std::process::{Command, ExitCode};
use vethlab_sim::{Lab, Options};

/// Runs it to its end; the status is the script's.
pub(crate) fn run(args: &LabArgs, realtime: bool, script: &[OsString]) -> io::Result<ExitCode> {
    let home = Home::new()?;
    let mut bash = command(args, &home)?;
    bash.arg("bash").args(script);
    host(args, home, bash, realtime)
}

/// The script's process, but for bash's own words.
pub(crate) fn command(args: &LabArgs, home: &Home) -> io::Result<Command> {
    let mut command = init::command(&home.handover())?;
    command.env("PATH", home.path(args.path_first.as_deref())?).env(client::SOCKET, home.socket());
    command.env_remove(client::NAMESPACE).env_remove(client::RC).env_remove(client::PATH_FIRST);
    if let Some(dir) = &args.path_first {
        command.env(client::PATH_FIRST, std::path::absolute(dir)?);
    }
    Ok(command)
}

/// Runs a lab while the command lives.
pub(crate) fn host(args: &LabArgs, home: Home, command: Command, realtime: bool) -> io::Result<ExitCode> {
    let lab = Lab::new(Options { seed: args.seed, host: args.host.into() });
    let record = Record::new(&lab, args.pcap.as_deref(), args.trace)?;
    match Server::start(lab, &home, command, realtime, record)?.run()? {
        End::Status(status) => Ok(ExitCode::from(status)),
        End::Signaled(signal) => {
            if signal == Signal::SIGINT {
                // A shell that runs us in a loop must see that it was interrupted.
                home.remove();
                signals::die_of(signal);
            }
            Ok(ExitCode::from(128u8.wrapping_add(signal as u8)))
        }
    }
}
