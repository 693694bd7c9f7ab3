//! `brctl`, as bridge-utils 1.7 has it. The real one speaks through `/sys/class/net` and old `ioctl`s; so does this one.

mod change;
mod show;

use super::Proc;
use super::getopt::{Item, Long, Takes, getopt};
use crate::lab::Exit;
use crate::view;
use vethlab_engine::control::{Errno, IfIndex};

const LONG: &[Long] = &[("help", Takes::Nothing, 'h'), ("version", Takes::Nothing, 'V')];

/// A command: its name, how many words it needs at least, what it does, and how its words are called.
struct Command {
    name: &'static str,
    words: usize,
    run: fn(&Brctl, &[String]) -> Result<(), String>,
    help: &'static str,
}

const COMMANDS: &[Command] = &[
    Command { name: "addbr", words: 1, run: change::addbr, help: "<bridge>\t\tadd bridge" },
    Command { name: "delbr", words: 1, run: change::delbr, help: "<bridge>\t\tdelete bridge" },
    Command { name: "addif", words: 2, run: change::addif, help: "<bridge> <device>\tadd interface to bridge" },
    Command { name: "delif", words: 2, run: change::delif, help: "<bridge> <device>\tdelete interface from bridge" },
    Command { name: "hairpin", words: 3, run: change::hairpin, help: "<bridge> <port> {on|off}\tturn hairpin on/off" },
    Command { name: "setageing", words: 2, run: change::setageing, help: "<bridge> <time>\t\tset ageing time" },
    Command {
        name: "setbridgeprio",
        words: 2,
        run: change::setbridgeprio,
        help: "<bridge> <prio>\t\tset bridge priority",
    },
    Command { name: "setfd", words: 2, run: change::setfd, help: "<bridge> <time>\t\tset bridge forward delay" },
    Command { name: "sethello", words: 2, run: change::sethello, help: "<bridge> <time>\t\tset hello time" },
    Command { name: "setmaxage", words: 2, run: change::setmaxage, help: "<bridge> <time>\t\tset max message age" },
    Command { name: "setpathcost", words: 3, run: change::setpathcost, help: "<bridge> <port> <cost>\tset path cost" },
    Command {
        name: "setportprio",
        words: 3,
        run: change::setportprio,
        help: "<bridge> <port> <prio>\tset port priority",
    },
    Command { name: "show", words: 0, run: show::show, help: "[ <bridge> ]\t\tshow a list of bridges" },
    Command { name: "showmacs", words: 1, run: show::showmacs, help: "<bridge>\t\tshow a list of mac addrs" },
    Command { name: "showstp", words: 1, run: show::showstp, help: "<bridge>\t\tshow bridge stp info" },
    Command { name: "stp", words: 2, run: change::stp, help: "<bridge> {on|off}\tturn stp on/off" },
];

/// A running `brctl`.
struct Brctl {
    p: Proc,
}

/// The program.
pub(super) async fn main(p: Proc) -> Exit {
    let parsed = getopt(p.argv(), "Vh", LONG);
    match parsed.items.first() {
        Some(Item::Option('V', _)) => {
            p.out("bridge-utils, 1.7\n");
            return Exit::Status(0);
        }
        Some(Item::Option(..)) => return help(&p, 0),
        Some(Item::Bad(complaint)) => {
            p.err(complaint);
            p.err("Unknown option '?'\n");
            return help(&p, 1);
        }
        None => {}
    }
    let Some((name, words)) = parsed.operands.split_first() else { return help(&p, 1) };
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        p.err(&format!("never heard of command [{name}]\n"));
        return help(&p, 1);
    };
    if words.len() < command.words {
        p.out("Incorrect number of arguments for command\n");
        p.out(&format!("Usage: brctl {} {}\n", command.name, command.help));
        return Exit::Status(1);
    }
    let brctl = Brctl { p };
    match (command.run)(&brctl, words) {
        Ok(()) => Exit::Status(0),
        Err(text) => {
            brctl.p.err(&text);
            Exit::Status(1)
        }
    }
}

fn help(p: &Proc, status: i32) -> Exit {
    p.out("Usage: brctl [commands]\ncommands:\n");
    for Command { name, help, .. } in COMMANDS {
        p.out(&format!("\t{name:<10}\t{help}\n"));
    }
    Exit::Status(status)
}

impl Brctl {
    /// What stands in a file below `/sys/class/net`, without its newline.
    fn read(&self, path: &str) -> Result<String, Errno> {
        let bytes = view::read(&mut self.p.world(), self.p.ns(), &format!("/sys/class/net/{path}"))?;
        Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_string())
    }

    /// The same as a number, of any C base; 0 if it is none.
    fn number(&self, path: &str) -> u64 {
        let text = self.read(path).unwrap_or_default();
        match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).unwrap_or(0),
            None => text.parse().unwrap_or(0),
        }
    }

    /// Writes a number into a file of `/sys/class/net`.
    fn write(&self, path: &str, value: i64) -> Result<(), Errno> {
        let path = format!("/sys/class/net/{path}");
        view::write(&mut self.p.world(), self.p.ns(), &path, format!("{value}\n").as_bytes())
    }

    /// The names in a folder of `/sys/class/net`, sorted.
    fn list(&self, path: &str) -> Vec<String> {
        let entries = view::list(&self.p.world(), self.p.ns(), &format!("/sys/class/net/{path}"));
        entries.unwrap_or_default().into_iter().map(|entry| entry.name).collect()
    }

    /// The link of this name.
    fn link(&self, name: &str) -> Option<IfIndex> {
        self.p.world().stack(self.p.ns()).ports().named(name).map(|port| port.index)
    }

    /// The link of this name is a bridge.
    fn is_bridge(&self, name: &str) -> bool {
        view::kind(&self.p.world(), self.p.ns(), &format!("/sys/class/net/{name}/bridge")).is_ok()
    }
}
