//! `vethlab run SCRIPT`: a real bash runs the script, its network commands act in a lab.

use crate::args::LabArgs;
use crate::home::Home;
use crate::kernel::Records;
use crate::server::{End, Record, Server};
use crate::{client, init, kernel, shim, signals};
use nix::sys::signal::Signal;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};
use vethlab_sim::{Lab, Options};

/// Runs it to its end; the status is the script's.
pub(crate) fn run(args: &LabArgs, log: Option<&Path>, realtime: bool, script: &[OsString]) -> io::Result<ExitCode> {
    let home = Home::new()?;
    let mut bash = command(args, &home)?;
    if let Some(log) = log {
        shim::make(&home.shims())?;
        shim::start_log(log, &mut bash)?;
        bash.env("PATH", home.path(Some(&home.shims()))?).env(client::PATH_FIRST, home.shims());
    }
    bash.arg("bash").args(script);
    host(args, home, bash, realtime)
}

/// Runs it on the real kernel.
pub(crate) fn run_on_kernel(args: &LabArgs, log: Option<&Path>, script: &[OsString]) -> io::Result<ExitCode> {
    if args.trace || args.path_first.is_some() || args.seed != 0 {
        let text = "--trace, --seed and --path-first are for the simulator: the kernel has none of them";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    kernel::run(Records { pcap: args.pcap.as_deref(), log }, script)
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
