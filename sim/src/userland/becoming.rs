//! Becoming another program: what `sudo`, `su`, `nsenter` and `unshare` end in.

use super::Proc;
use crate::lab::Exit;
use crate::world::NsId;

/// Ends by becoming `argv` in this namespace.
pub(crate) fn exec(ns: NsId, argv: Vec<String>) -> Exit {
    Exit::Exec { places: vec![(ns, String::new())], argv, by_ip: false }
}

/// Ends with a shell, or with a command that a shell is given by `-c`.
pub(crate) fn shell(p: &Proc, ns: NsId, command: Option<String>) -> Exit {
    let mut argv = vec![p.env("SHELL").unwrap_or("/bin/bash").to_string()];
    if let Some(command) = command {
        argv.extend(["-c".to_string(), command]);
    }
    exec(ns, argv)
}

/// Prints a complaint and ends with this status.
pub(crate) fn fail(p: &Proc, status: i32, complaint: &str) -> Exit {
    p.err(complaint);
    Exit::Status(status)
}
