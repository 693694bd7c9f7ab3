//! `iptables`, `iptables-save` and `iptables-restore` of iptables 1.8.9 (nf_tables).
//!
//! A command line is read by [`command`], option by option as `xshared.c` does: matches and targets ([`matches`],
//! [`targets`]) bring options of their own ([`extension`]). What it asks for is carried out by [`run`] on a copy of the
//! tables, and handed to the kernel at once ([`batch`]). [`list`] and [`save`] print.

mod address;
mod batch;
mod canonical;
mod command;
mod dump;
mod extension;
mod getopt;
mod list;
mod matches;
mod read;
mod restore;
mod run;
mod save;
mod stop;
mod targets;
#[cfg(test)]
mod tests;

pub(super) use dump::main as save_main;
pub(super) use restore::main as restore_main;

use self::command::{Command, Parser};
use self::run::{BAD_POLICY, Failure, Run};
use self::stop::Problem;
use super::Proc;
use crate::lab::Exit;

/// What all of them call their version.
const VERSION: &str = "1.8.9 (nf_tables)";

/// Who is running: the name in its messages.
#[derive(Clone, Debug)]
struct Identity {
    name: String,
}

impl Identity {
    /// By what the program was called as.
    fn called(p: &Proc) -> Identity {
        let path = p.argv().first().map_or("", String::as_str);
        Identity { name: path.rsplit('/').next().unwrap_or(path).to_string() }
    }
}

/// `iptables`
pub(super) async fn main(p: Proc) -> Exit {
    let who = Identity { name: "iptables".to_string() };
    match command(&p, &who) {
        Ok(()) => Exit::Status(0),
        Err(Failure::Reason(reason)) => {
            let hint = if reason == BAD_POLICY { " Run `dmesg' for more information." } else { "" };
            p.err(&format!("iptables: {reason}.{hint}\n"));
            Exit::Status(1)
        }
        Err(Failure::Problem(problem)) => end(&p, &who, &problem, None),
    }
}

fn command(p: &Proc, who: &Identity) -> Result<(), Failure> {
    let mut parser = Parser::new(who, p.argv().to_vec(), false);
    let command = parser.parse();
    p.err(&parser.warnings);
    let command = command?;
    note_bytecode(p, who, &command);
    let mut run = Run::new(p);
    for task in run::tasks(command, None)? {
        run.task(task)?;
    }
    Ok(run.batch.commit()?)
}

/// The lab has no bytecode: that `-vv` does not print it, is said.
fn note_bytecode(p: &Proc, who: &Identity, command: &Command) {
    if command.prints_bytecode() {
        p.err(&format!("vethlab: {}: there is no bytecode that -vv could print\n", who.name));
    }
}

/// Says what is wrong and ends.
fn end(p: &Proc, who: &Identity, problem: &Problem, line: Option<usize>) -> Exit {
    let (text, status) = problem.told(who, line);
    if matches!(problem, Problem::Exit(_, 0)) {
        p.out(&text);
    } else {
        p.err(&text);
    }
    Exit::Status(status)
}

/// `ip6tables` and its like: no rule for IPv6 is kept, so that none is thought to hold.
pub(super) async fn v6(p: Proc) -> Exit {
    let name = Identity::called(&p).name;
    p.err(&format!("vethlab: {name} is not simulated: the lab filters IPv4 only; nothing was changed\n"));
    Exit::Status(127)
}
