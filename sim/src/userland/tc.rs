//! `tc` of iproute2 6.1.0: the queueing discipline at the root of a port. Classes, filters and actions are refused.

mod change;
mod netem;
mod show;
mod tbf;
mod units;

use super::Proc;
use crate::lab::Exit;
pub(super) use show::qdisc_kind;

const VERSION: &str = "tc utility, iproute2-6.1.0, libbpf 1.1.2\n";
const USAGE: &str = "\
Usage:\ttc [ OPTIONS ] OBJECT { COMMAND | help }
\ttc [-force] -batch filename
where  OBJECT := { qdisc | class | filter | chain |
\t\t    action | monitor | exec }
       OPTIONS := { -V[ersion] | -s[tatistics] | -d[etails] | -r[aw] |
\t\t    -o[neline] | -j[son] | -p[retty] | -c[olor]
\t\t    -b[atch] [filename] | -n[etns] name | -N[umeric] |
\t\t     -nm | -nam[es] | { -cf | -conf } path
\t\t     -br[ief] }
";
const QDISC_USAGE: &str = "\
Usage: tc qdisc [ add | del | replace | change | show ] dev STRING
       [ handle QHANDLE ] [ root | ingress | clsact | parent CLASSID ]
       [ estimator INTERVAL TIME_CONSTANT ]
       [ stab [ help | STAB_OPTIONS] ]
       [ ingress_block BLOCK_INDEX ] [ egress_block BLOCK_INDEX ]
       [ [ QDISC_KIND ] [ help | OPTIONS ] ]

       tc qdisc { show | list } [ dev STRING ] [ QDISC_ID ] [ invisible ]
Where:
QDISC_KIND := { [p|b]fifo | tbf | prio | cbq | red | etc. }
OPTIONS := ... try tc qdisc add <desired QDISC_KIND> help
STAB_OPTIONS := ... try tc qdisc add stab help
QDISC_ID := { root | ingress | handle QHANDLE | parent CLASSID }
";

/// How a command ends: with a status, and text for standard error.
#[derive(Debug, PartialEq, Eq)]
struct Stop {
    status: i32,
    text: String,
}

type Done<T = ()> = Result<T, Stop>;

fn stop<T>(status: i32, text: impl Into<String>) -> Done<T> {
    Err(Stop { status, text: text.into() })
}

fn incomplete<T>() -> Done<T> {
    stop(255, "Command line is not complete. Try option \"help\"\n")
}

fn not_simulated<T>(what: &str) -> Done<T> {
    stop(2, format!("tc: {what} is not simulated\n"))
}

/// `matches()`: the word is the beginning of a command.
fn matches(word: &str, command: &str) -> bool {
    !word.is_empty() && command.starts_with(word)
}

/// The words of a command.
struct Words<'a> {
    words: &'a [String],
    at: usize,
}

impl<'a> Words<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).map(String::as_str)
    }

    fn next(&mut self) -> Option<&'a str> {
        let word = self.peek();
        self.at += usize::from(word.is_some());
        word
    }

    /// The value of the word before (`NEXT_ARG`).
    fn value(&mut self) -> Done<&'a str> {
        self.next().map_or_else(incomplete, Ok)
    }

    /// The next word, if it begins with a digit, or with a sign if that is allowed.
    fn number(&mut self, signed: bool) -> Option<&'a str> {
        let fits = |c: char| c.is_ascii_digit() || signed && c == '-';
        self.peek().filter(|word| word.starts_with(fits))?;
        self.next()
    }
}

/// What was asked for before the object.
#[derive(Clone, Copy, Debug, Default)]
struct Options {
    statistics: bool,
    details: bool,
    /// Binary units of rates.
    iec: bool,
}

/// `tc`
pub(super) async fn main(p: Proc) -> Exit {
    let status = match run(&p) {
        Ok(()) => 0,
        Err(Stop { status, text }) => {
            p.err(&text);
            status
        }
    };
    Exit::Status(status)
}

fn run(p: &Proc) -> Done {
    let mut words = Words { words: p.argv(), at: 1 };
    let Some(tc) = read_options(p, &mut words)? else { return Ok(()) };
    let Some(object) = words.next() else {
        p.err(USAGE);
        return Ok(());
    };
    match object {
        _ if matches(object, "qdisc") => tc.qdisc(words),
        _ if matches(object, "class") => tc.nothing(words, "class", "classes (tc class)"),
        _ if matches(object, "filter") => tc.nothing(words, "filter", "filters (tc filter)"),
        _ if matches(object, "chain") => tc.nothing(words, "chain", "chains (tc chain)"),
        _ if matches(object, "actions") => tc.nothing(words, "actions", "actions (tc actions)"),
        _ if matches(object, "monitor") || matches(object, "exec") => not_simulated(&format!("tc {object}")),
        _ if matches(object, "help") => {
            p.err(USAGE);
            Ok(())
        }
        _ => stop(255, format!("Object \"{object}\" is unknown, try \"tc help\".\n")),
    }
}

/// Options before the object that are not simulated.
const NO_OPTIONS: [&str; 12] = [
    "-json",
    "-pretty",
    "-color",
    "-batch",
    "-force",
    "-raw",
    "-oneline",
    "-Numeric",
    "-names",
    "-conf",
    "-brief",
    "-timestamp",
];

/// Reads the options before the object. None if one of them was all that was wanted.
fn read_options<'a>(p: &'a Proc, words: &mut Words<'a>) -> Done<Option<Tc<'a>>> {
    let mut options = Options::default();
    let mut ns = p.ns();
    while let Some(word) = words.peek().filter(|word| word.starts_with('-')) {
        words.at += 1;
        let name = word.strip_prefix("--").map_or(word, |long| word.get(word.len() - long.len() - 1..).unwrap_or(word));
        match name {
            _ if matches(name, "-stats") || matches(name, "-statistics") => options.statistics = true,
            _ if matches(name, "-details") => options.details = true,
            "-iec" => options.iec = true,
            _ if matches(name, "-Version") => {
                p.out(VERSION);
                return Ok(None);
            }
            _ if matches(name, "-help") => {
                p.err(USAGE);
                return Ok(None);
            }
            _ if matches(name, "-netns") => {
                let name = words.value()?;
                let found = p.world().netns_named(name);
                let missing = format!("Cannot open network namespace \"{name}\": No such file or directory\n");
                ns = found.map_or_else(|| stop(255, missing), Ok)?;
            }
            _ if NO_OPTIONS.iter().any(|known| matches(name, known)) => {
                return not_simulated(&format!("option {word}"));
            }
            _ => return stop(255, format!("Option \"{word}\" is unknown, try \"tc -help\".\n")),
        }
    }
    Ok(Some(Tc { p, ns, options }))
}

/// A running `tc`.
struct Tc<'a> {
    p: &'a Proc,
    ns: crate::world::NsId,
    options: Options,
}

impl Tc<'_> {
    fn qdisc(&self, mut words: Words<'_>) -> Done {
        use vethlab_engine::qdisc::QdiscMode;
        let Some(command) = words.next() else { return self.show(words) };
        match command {
            _ if matches(command, "add") => self.set(words, QdiscMode::Add),
            _ if matches(command, "change") => self.set(words, QdiscMode::Change),
            _ if matches(command, "replace") => self.set(words, QdiscMode::Replace),
            _ if matches(command, "link") => self.set(words, QdiscMode::Link),
            _ if matches(command, "delete") => self.delete(words),
            _ if matches(command, "list") || matches(command, "show") || matches(command, "lst") => self.show(words),
            _ if matches(command, "help") => {
                self.p.err(QDISC_USAGE);
                Ok(())
            }
            _ => stop(255, format!("Command \"{command}\" is unknown, try \"tc qdisc help\".\n")),
        }
    }

    /// Objects of which there are none: they are listed, and not made.
    fn nothing(&self, mut words: Words<'_>, object: &str, what: &str) -> Done {
        let command = words.next().unwrap_or("show");
        if matches(command, "list") || matches(command, "show") || matches(command, "lst") {
            while let Some(word) = words.next() {
                if word == "dev" {
                    self.port(words.value()?)?;
                }
            }
            return Ok(());
        }
        let known = ["add", "change", "replace", "delete", "get", "flush", "link"];
        if known.iter().any(|known| matches(command, known)) {
            return not_simulated(what);
        }
        stop(255, format!("Command \"{command}\" is unknown, try \"tc {object} help\".\n"))
    }

    /// The port of a name.
    fn port(&self, name: &str) -> Done<vethlab_engine::control::IfIndex> {
        let world = self.p.world();
        let port = world.stack(self.ns).ports().named(name).map(|port| port.index);
        port.map_or_else(|| stop(1, format!("Cannot find device \"{name}\"\n")), Ok)
    }
}

#[cfg(test)]
mod tests;
