//! `ss` (iproute2 6.1): the sockets of a namespace.
//!
//! | file | holds |
//! |---|---|
//! | `ss` | the command line: which tables, which states, what is told of each socket |
//! | `filter` | states, and expressions over addresses and ports |
//! | `row` | one socket in words |
//! | `columns` | the table |
//! | `summary` | `-s` |

mod columns;
mod filter;
mod row;
mod summary;

use self::columns::{Column, Table};
use self::filter::{Expression, States};
use super::Proc;
use super::getopt::{Item, Long, Takes, getopt};
use crate::lab::Exit;
use crate::world::NsId;
use vethlab_engine::local::{SocketInfo, SocketKind};

const USAGE: &str = include_str!("ss/usage.txt");
const VERSION: &str = "ss utility, iproute2-6.1.0\n";
const SHORT: &str = "dhaletuwxnro460spTbEf:mMiA:D:F:vVzZN:KHSO";

#[rustfmt::skip]
const LONG: &[Long] = &[
    ("numeric", Takes::Nothing, 'n'), ("resolve", Takes::Nothing, 'r'), ("options", Takes::Nothing, 'o'),
    ("extended", Takes::Nothing, 'e'), ("memory", Takes::Nothing, 'm'), ("info", Takes::Nothing, 'i'),
    ("processes", Takes::Nothing, 'p'), ("threads", Takes::Nothing, 'T'), ("bpf", Takes::Nothing, 'b'),
    ("events", Takes::Nothing, 'E'), ("dccp", Takes::Nothing, 'd'), ("tcp", Takes::Nothing, 't'),
    ("sctp", Takes::Nothing, 'S'), ("udp", Takes::Nothing, 'u'), ("raw", Takes::Nothing, 'w'),
    ("unix", Takes::Nothing, 'x'), ("tipc", Takes::Nothing, '\u{1}'), ("vsock", Takes::Nothing, '\u{2}'),
    ("all", Takes::Nothing, 'a'), ("listening", Takes::Nothing, 'l'), ("ipv4", Takes::Nothing, '4'),
    ("ipv6", Takes::Nothing, '6'), ("packet", Takes::Nothing, '0'), ("family", Takes::Value, 'f'),
    ("socket", Takes::Value, 'A'), ("query", Takes::Value, 'A'), ("summary", Takes::Nothing, 's'),
    ("diag", Takes::Value, 'D'), ("filter", Takes::Value, 'F'), ("version", Takes::Nothing, 'V'),
    ("help", Takes::Nothing, 'h'), ("context", Takes::Nothing, 'Z'), ("contexts", Takes::Nothing, 'z'),
    ("net", Takes::Value, 'N'), ("tipcinfo", Takes::Nothing, '\u{3}'), ("tos", Takes::Nothing, '\u{4}'),
    ("cgroup", Takes::Nothing, '\u{5}'), ("kill", Takes::Nothing, 'K'), ("no-header", Takes::Nothing, 'H'),
    ("xdp", Takes::Nothing, '\u{6}'), ("mptcp", Takes::Nothing, 'M'), ("oneline", Takes::Nothing, 'O'),
    ("inet-sockopt", Takes::Nothing, '\u{7}'),
];

/// The tables, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Db {
    Netlink,
    PacketRaw,
    PacketDgram,
    UnixStream,
    UnixDgram,
    UnixSeqpacket,
    Raw,
    Udp,
    Tcp,
    Mptcp,
    Dccp,
    Sctp,
    VsockStream,
    VsockDgram,
    Tipc,
    Xdp,
}

/// Their names behind `-A`.
#[rustfmt::skip]
const DBS: &[(&str, &[Db])] = &[
    ("all", &[Db::Netlink, Db::PacketRaw, Db::PacketDgram, Db::UnixStream, Db::UnixDgram, Db::UnixSeqpacket, Db::Raw,
              Db::Udp, Db::Tcp, Db::Mptcp, Db::Dccp, Db::Sctp, Db::VsockStream, Db::VsockDgram, Db::Tipc, Db::Xdp]),
    ("inet", &[Db::Udp, Db::Dccp, Db::Tcp, Db::Mptcp, Db::Sctp, Db::Raw]),
    ("udp", &[Db::Udp]), ("dccp", &[Db::Dccp]), ("tcp", &[Db::Tcp]), ("mptcp", &[Db::Mptcp]), ("sctp", &[Db::Sctp]),
    ("raw", &[Db::Raw]), ("unix", &[Db::UnixStream, Db::UnixDgram, Db::UnixSeqpacket]), ("unix_stream", &[Db::UnixStream]),
    ("u_str", &[Db::UnixStream]), ("unix_dgram", &[Db::UnixDgram]), ("u_dgr", &[Db::UnixDgram]),
    ("unix_seqpacket", &[Db::UnixSeqpacket]), ("u_seq", &[Db::UnixSeqpacket]), ("packet", &[Db::PacketRaw, Db::PacketDgram]),
    ("packet_raw", &[Db::PacketRaw]), ("p_raw", &[Db::PacketRaw]), ("packet_dgram", &[Db::PacketDgram]),
    ("p_dgr", &[Db::PacketDgram]), ("netlink", &[Db::Netlink]), ("tipc", &[Db::Tipc]), ("vsock", &[Db::VsockStream, Db::VsockDgram]),
    ("vsock_stream", &[Db::VsockStream]), ("v_str", &[Db::VsockStream]), ("vsock_dgram", &[Db::VsockDgram]),
    ("v_dgr", &[Db::VsockDgram]), ("xdp", &[Db::Xdp]),
];

/// What is asked.
#[derive(Debug, Default)]
struct Options {
    dbs: Vec<Db>,
    /// Families that `-4`, `-6` and `-f` name; none: those that go with the tables.
    v4: bool,
    v6: bool,
    other_family: bool,
    states: Option<States>,
    numeric: bool,
    resolve: bool,
    timers: bool,
    extended: bool,
    memory: bool,
    info: bool,
    processes: bool,
    oneline: bool,
    no_header: bool,
    summary: bool,
    net: Option<String>,
}

/// An end before anything is shown: text for standard output, for standard error, and the status.
struct Stop(String, String, i32);

/// Shows sockets.
pub(crate) async fn main(p: Proc) -> Exit {
    match run(&p) {
        Ok(()) => Exit::Status(0),
        Err(Stop(out, err, status)) => {
            p.out(&out);
            p.err(&err);
            Exit::Status(status)
        }
    }
}

fn run(p: &Proc) -> Result<(), Stop> {
    let (mut options, operands) = parse(p.argv())?;
    let ns = match &options.net {
        None => p.ns(),
        Some(name) => p.world().netns_named(name).ok_or_else(|| {
            Stop(String::new(), format!("Cannot open network namespace \"{name}\": No such file or directory\n"), 1)
        })?,
    };
    let by_default = options.dbs.is_empty();
    if options.summary {
        p.out(&summary::summary(&p.world(), ns));
        if by_default && operands.is_empty() {
            return Ok(());
        }
    }
    let (states, rest) =
        filter::states(options.states, &operands).map_err(|complaint| Stop(String::new(), complaint, 255))?;
    let states = settle(&mut options, by_default, states)?;
    let expression = Expression::parse(rest).map_err(|complaint| complaint.into_stop(USAGE))?;
    if options.dbs.contains(&Db::Dccp) {
        // The kernel knows it no more.
        p.err("RTNETLINK answers: Invalid argument\n");
    }
    show(p, ns, &options, states, &expression);
    Ok(())
}

/// Reads the command line.
fn parse(argv: &[String]) -> Result<(Options, Vec<String>), Stop> {
    let parsed = getopt(argv, SHORT, LONG);
    let mut options = Options::default();
    for item in parsed.items {
        match item {
            Item::Bad(complaint) => return Err(Stop(String::new(), format!("{complaint}{USAGE}"), 255)),
            Item::Option(letter, value) => options.take(letter, value.unwrap_or_default())?,
        }
    }
    Ok((options, parsed.operands))
}

impl Options {
    fn take(&mut self, letter: char, value: String) -> Result<(), Stop> {
        match letter {
            'n' => self.numeric = true,
            'r' => self.resolve = true,
            'o' => self.timers = true,
            'e' => (self.timers, self.extended) = (true, true),
            'm' => self.memory = true,
            'i' => self.info = true,
            'p' => self.processes = true,
            'O' => self.oneline = true,
            'H' => self.no_header = true,
            's' => self.summary = true,
            'a' => self.states = Some(States::ALL),
            'l' => self.states = Some(States::LISTENING),
            'N' => self.net = Some(value),
            'v' | 'V' => return Err(Stop(VERSION.into(), String::new(), 0)),
            'h' => return Err(Stop(USAGE.into(), String::new(), 0)),
            'Z' | 'z' => return Err(Stop(String::new(), "ss: SELinux is not enabled.\n".into(), 1)),
            _ => return self.take_table(letter, &value),
        }
        Ok(())
    }

    /// Options that name tables and families.
    fn take_table(&mut self, letter: char, value: &str) -> Result<(), Stop> {
        let name = match letter {
            't' => "tcp",
            'u' => "udp",
            'w' => "raw",
            'd' => "dccp",
            'S' => "sctp",
            'M' => "mptcp",
            'x' => "unix",
            '0' => "packet",
            '\u{1}' => "tipc",
            '\u{2}' => "vsock",
            '\u{6}' => "xdp",
            '4' => return self.family("inet"),
            '6' => return self.family("inet6"),
            'f' => return self.family(value),
            'A' => return value.split(',').try_for_each(|name| self.table(name)),
            other => return Err(refused(other)),
        };
        self.table(name)
    }

    fn table(&mut self, name: &str) -> Result<(), Stop> {
        let known = DBS.iter().find(|(known, _)| *known == name);
        let (_, dbs) = known
            .ok_or_else(|| Stop(String::new(), format!("ss: \"{name}\" is illegal socket table id\n{USAGE}"), 255))?;
        let new: Vec<Db> = dbs.iter().copied().filter(|db| !self.dbs.contains(db)).collect();
        self.dbs.extend(new);
        Ok(())
    }

    fn family(&mut self, name: &str) -> Result<(), Stop> {
        match name {
            "inet" => self.v4 = true,
            "inet6" => self.v6 = true,
            "link" | "unix" | "netlink" | "vsock" | "tipc" | "xdp" => self.other_family = true,
            "help" => return Err(Stop(USAGE.into(), String::new(), 0)),
            other => {
                return Err(Stop(String::new(), format!("ss: \"{other}\" is invalid family\n{USAGE}"), 255));
            }
        }
        Ok(())
    }
}

fn refused(letter: char) -> Stop {
    let long = LONG.iter().find(|(_, _, known)| *known == letter).map_or("", |(name, ..)| *name);
    Stop(String::new(), format!("vethlab: ss --{long} is not simulated\n"), 1)
}

/// The tables and the states that are meant where they were not said (`filter_merge_defaults`).
fn settle(options: &mut Options, by_default: bool, states: Option<States>) -> Result<States, Stop> {
    let inet = [Db::Udp, Db::Dccp, Db::Tcp, Db::Mptcp, Db::Sctp, Db::Raw];
    if by_default {
        let all = DBS.iter().find(|(name, _)| *name == "all").map_or(&[][..], |(_, dbs)| dbs);
        let only_inet = options.v4 || options.v6;
        options.dbs = all.iter().copied().filter(|db| !only_inet || inet.contains(db)).collect();
    }
    let states = match states {
        Some(states) => states,
        None if by_default => States::CONNECTED,
        None => options
            .dbs
            .iter()
            .map(|db| States::of_table(inet.contains(db), *db == Db::Tcp))
            .fold(States::NONE, States::or),
    };
    let none = |what: &str| Stop(String::new(), format!("ss: no {what} to show with such filter.\n"), 0);
    if options.dbs.is_empty() {
        return Err(none("socket tables"));
    }
    if states == States::NONE {
        return Err(none("socket states"));
    }
    Ok(states)
}

fn show(p: &Proc, ns: NsId, options: &Options, states: States, expression: &Expression) {
    let mut table = Table::new(!options.no_header);
    if options.dbs.len() == 1 {
        table.disable(Column::Netid);
    }
    if states.is_one() {
        table.disable(Column::State);
    }
    if options.dbs.contains(&Db::Netlink) && states.has_close() && !(options.v4 || options.v6) {
        row::netlink(&mut table, options.numeric, p.pid());
    }
    let now = p.now();
    let sockets = p.world().stack(ns).socket_table(now);
    let order = [Db::PacketDgram, Db::Raw, Db::Udp, Db::Tcp];
    for db in order.into_iter().filter(|db| options.dbs.contains(db)) {
        let here = sockets.iter().filter(|socket| db_of(socket) == db);
        for socket in here.filter(|socket| states.has(socket.state) && options.has_family(socket)) {
            if expression.fits(socket) {
                table.add(row::row(p, ns, options, socket));
            }
        }
    }
    p.out(&table.render());
}

impl Options {
    /// It is of a family that is asked for.
    fn has_family(&self, socket: &SocketInfo) -> bool {
        let any = !(self.v4 || self.v6 || self.other_family);
        let packet = matches!(socket.kind, SocketKind::Packet { .. });
        any || if packet {
            self.other_family
        } else if socket.dual {
            self.v6
        } else {
            self.v4
        }
    }
}

fn db_of(socket: &SocketInfo) -> Db {
    match socket.kind {
        SocketKind::Raw { .. } => Db::Raw,
        SocketKind::Udp => Db::Udp,
        SocketKind::Tcp => Db::Tcp,
        SocketKind::Packet { .. } => Db::PacketDgram,
    }
}

#[cfg(test)]
mod tests;
