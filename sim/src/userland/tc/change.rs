//! `tc qdisc add|change|replace|link|del`

use super::{Done, QDISC_USAGE, Tc, Words, matches, netem, not_simulated, stop, tbf};
use crate::userland::number::strtoul;
use vethlab_engine::control::Command;
use vethlab_engine::qdisc::{QdiscMode, QdiscRequest, QdiscSpec};

/// Where a discipline is put.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Parent {
    #[default]
    Unsaid,
    Root,
    Class,
}

/// What is said of a discipline.
#[derive(Default)]
struct Said<'a> {
    device: Option<&'a str>,
    handle: u16,
    parent: Parent,
    kind: Option<&'a str>,
    spec: Option<QdiscSpec>,
}

/// Disciplines that iproute2 knows by their options, and nobody simulates.
const OTHERS: &[&str] = &[
    "cake",
    "cbq",
    "cbs",
    "choke",
    "clsact",
    "codel",
    "drr",
    "etf",
    "ets",
    "fq",
    "fq_codel",
    "fq_pie",
    "gred",
    "hfsc",
    "hhf",
    "htb",
    "ingress",
    "mq",
    "mqprio",
    "multiq",
    "noqueue",
    "pfifo_head_drop",
    "pie",
    "plug",
    "prio",
    "qfq",
    "red",
    "sfb",
    "sfq",
    "skbprio",
    "taprio",
    "teql0",
];

fn read<'a>(mut words: Words<'a>, deletes: bool) -> Done<Said<'a>> {
    let mut said = Said::default();
    while let Some(word) = words.next() {
        match word {
            "dev" => {
                let name = words.value()?;
                if said.device.is_some() {
                    return stop(255, format!("Error: duplicate \"dev\": \"{name}\" is the second value.\n"));
                }
                said.device = Some(name);
            }
            "handle" => {
                if said.handle != 0 {
                    return stop(255, format!("Error: duplicate \"handle\": \"{word}\" is the second value.\n"));
                }
                let text = words.value()?;
                let wrong = format!("Error: argument \"{text}\" is wrong: invalid qdisc ID\n");
                said.handle = handle(text).map_or_else(|| stop(255, wrong), Ok)?;
            }
            "root" => {
                if said.parent != Parent::Unsaid {
                    return stop(255, "Error: \"root\" is duplicate parent ID\n");
                }
                said.parent = Parent::Root;
            }
            "ingress" | "clsact" => return not_simulated(&format!("qdisc {word}")),
            "parent" => {
                let text = words.value()?;
                let wrong = format!("Error: argument \"{text}\" is wrong: invalid parent ID\n");
                said.parent = parent(text).map_or_else(|| stop(255, wrong), Ok)?;
            }
            _ if matches(word, "estimator") || matches(word, "stab") => {
                return not_simulated(&format!("tc qdisc … {word}"));
            }
            _ if matches(word, "help") => return stop(0, QDISC_USAGE),
            kind => {
                said.kind = Some(kind);
                said.spec = if deletes && words.peek().is_none() && !needs_options(kind) {
                    None
                } else {
                    Some(options(kind, &mut words)?)
                };
                break;
            }
        }
    }
    Ok(said)
}

/// A kind whose options are missed even when it is to be deleted.
fn needs_options(kind: &str) -> bool {
    kind == "tbf"
}

fn options(kind: &str, words: &mut Words<'_>) -> Done<QdiscSpec> {
    match kind {
        "netem" => netem::parse(words).map(|spec| QdiscSpec::Netem(Box::new(spec))),
        "tbf" => tbf::parse(words).map(QdiscSpec::Tbf),
        "pfifo" | "bfifo" => tbf::parse_fifo(kind, words),
        "pfifo_fast" if words.peek().is_none() => Ok(QdiscSpec::PfifoFast),
        "pfifo_fast" => stop(255, "qdisc 'pfifo_fast' does not support option parsing\n"),
        kind if OTHERS.contains(&kind) => not_simulated(&format!("qdisc {kind}")),
        kind => match words.peek() {
            Some(word) => stop(1, format!("Unknown qdisc \"{kind}\", hence option \"{word}\" is unparsable\n")),
            None => stop(2, "Error: Specified qdisc kind is unknown.\n"),
        },
    }
}

/// The number before the colon; what is behind it does not matter (`get_qdisc_handle`).
fn handle(text: &str) -> Option<u16> {
    if text == "none" {
        return Some(0);
    }
    let number = strtoul(text, 16);
    let known = number.rest.len() < text.len() && (number.rest.is_empty() || number.rest.starts_with(':'));
    u16::try_from(number.value).ok().filter(|_| known)
}

/// `get_tc_classid`
fn parent(text: &str) -> Option<Parent> {
    match text {
        "root" => return Some(Parent::Root),
        "none" => return Some(Parent::Unsaid),
        _ => {}
    }
    let (major, minor) = text.split_once(':')?;
    let number = |text: &str| text.is_empty() || u16::from_str_radix(text, 16).is_ok();
    (number(major) && number(minor)).then_some(Parent::Class)
}

impl Tc<'_> {
    pub(super) fn set(&self, words: Words<'_>, mode: QdiscMode) -> Done {
        let said = read(words, false)?;
        let Some(device) = said.device else { return stop(2, "RTNETLINK answers: No such device\n") };
        let port = self.port(device)?;
        match said.parent {
            Parent::Root => {}
            Parent::Class => return self.below(port, &said),
            Parent::Unsaid => return stop(2, "Error: Handle cannot be zero.\n"),
        }
        self.ask(QdiscRequest::Set { port, mode, handle: said.handle, spec: said.spec })
    }

    pub(super) fn delete(&self, words: Words<'_>) -> Done {
        let said = read(words, true)?;
        let Some(device) = said.device else { return stop(2, "RTNETLINK answers: No such device\n") };
        let port = self.port(device)?;
        match said.parent {
            Parent::Root => {}
            Parent::Class => return stop(2, "Error: Failed to find qdisc with specified classid.\n"),
            Parent::Unsaid => return stop(2, "Error: Failed to find qdisc with specified handle.\n"),
        }
        let kind = said.kind.map(str::to_string);
        self.ask(QdiscRequest::Delete { port, handle: said.handle, kind })
    }

    /// A discipline below another: there are none with classes.
    fn below(&self, port: vethlab_engine::control::IfIndex, said: &Said<'_>) -> Done {
        let exists = self.p.world().stack(self.ns).qdisc(port).is_some();
        if exists && said.kind.is_some() {
            return not_simulated("a qdisc below another (parent MAJOR:MINOR)");
        }
        stop(2, "Error: Failed to find specified qdisc.\n")
    }

    fn ask(&self, request: QdiscRequest) -> Done {
        let done = self.p.world().apply(self.ns, Command::Qdisc(request));
        done.or_else(|refusal| stop(2, format!("{refusal}\n")))
    }
}
