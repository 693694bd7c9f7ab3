//! Programs that run inside a world: words in, text and exit status out, as Linux's own tools do.
//!
//! A program is an `async fn(Proc) -> Exit`. It runs until it waits ([`Proc::sleep_until`], [`Proc::receive`],
//! [`Proc::file`]); nothing else is asynchronous, no thread and no clock is involved.

mod arp;
mod arping;
mod becoming;
mod brctl;
pub(crate) mod conntrack;
mod curl;
mod date;
mod ethtool;
mod getopt;
pub(crate) mod hostname;
mod http;
mod id;
mod ifconfig;
mod ip;
mod iptables;
pub(crate) mod modules;
mod nc;
mod netdb;
mod netstat;
mod nettools;
mod nsenter;
mod number;
mod ping;
pub(crate) mod proc;
mod python;
mod quote;
mod refused;
mod regex;
mod resolve;
mod route;
mod sleep;
mod socket;
mod ss;
mod sudo;
mod sysctl;
mod tc;
mod tcpdump;
mod telnet;
mod timeout;
mod tracepath;
mod traceroute;
mod unshare;
mod wget;

pub use proc::{Heard, OutFile, Proc, Ready, Wait, Wake};
pub use refused::REFUSED;
pub(crate) use refused::refusal;
pub use timeout::signal_name;

use crate::lab::Exit;
use std::future::Future;
use std::pin::Pin;

/// A program's body.
pub type Program = fn(Proc) -> Pin<Box<dyn Future<Output = Exit>>>;

/// The program of this name.
pub fn find(name: &str) -> Option<Program> {
    PROGRAMS.iter().find(|(known, _)| *known == name).map(|(_, program)| *program)
}

/// Programs of which only a part is ours: for the rest they become the real program of their own name.
pub const PARTLY: &[&str] = &["python", "python3"];

/// All programs, by name.
pub const PROGRAMS: &[(&str, Program)] = &[
    ("arp", |p| Box::pin(arp::main(p))),
    ("arping", |p| Box::pin(arping::main(p))),
    ("brctl", |p| Box::pin(brctl::main(p))),
    ("bridge", |p| Box::pin(ip::bridge::main(p))),
    ("conntrack", |p| Box::pin(conntrack::main(p))),
    ("curl", |p| Box::pin(curl::main(p))),
    ("ethtool", |p| Box::pin(ethtool::main(p))),
    ("hostname", |p| Box::pin(hostname::main(p))),
    ("id", |p| Box::pin(id::id(p))),
    ("ifconfig", |p| Box::pin(ifconfig::main(p))),
    ("ip", |p| Box::pin(ip::main(p))),
    ("ip6tables", |p| Box::pin(iptables::v6(p))),
    ("ip6tables-nft", |p| Box::pin(iptables::v6(p))),
    ("ip6tables-nft-restore", |p| Box::pin(iptables::v6(p))),
    ("ip6tables-nft-save", |p| Box::pin(iptables::v6(p))),
    ("ip6tables-restore", |p| Box::pin(iptables::v6(p))),
    ("ip6tables-save", |p| Box::pin(iptables::v6(p))),
    ("iptables", |p| Box::pin(iptables::main(p))),
    ("iptables-nft", |p| Box::pin(iptables::main(p))),
    ("iptables-nft-restore", |p| Box::pin(iptables::restore_main(p))),
    ("iptables-nft-save", |p| Box::pin(iptables::save_main(p))),
    ("iptables-restore", |p| Box::pin(iptables::restore_main(p))),
    ("iptables-save", |p| Box::pin(iptables::save_main(p))),
    ("lsmod", |p| Box::pin(modules::lsmod(p))),
    ("modprobe", |p| Box::pin(modules::modprobe(p))),
    ("nc", |p| Box::pin(nc::main(p))),
    ("nc.openbsd", |p| Box::pin(nc::main(p))),
    ("netcat", |p| Box::pin(nc::main(p))),
    ("netstat", |p| Box::pin(netstat::main(p))),
    ("nsenter", |p| Box::pin(nsenter::nsenter(p))),
    ("ping", |p| Box::pin(ping::main(p))),
    ("ping4", |p| Box::pin(ping::main(p))),
    ("ping6", |p| Box::pin(ping::main(p))),
    ("python", |p| Box::pin(python::main(p))),
    ("python3", |p| Box::pin(python::main(p))),
    ("route", |p| Box::pin(route::main(p))),
    ("sleep", |p| Box::pin(sleep::main(p))),
    ("ss", |p| Box::pin(ss::main(p))),
    ("su", |p| Box::pin(sudo::su(p))),
    ("sudo", |p| Box::pin(sudo::sudo(p))),
    ("tracepath", |p| Box::pin(tracepath::main(p))),
    ("traceroute", |p| Box::pin(traceroute::main(p))),
    ("traceroute4", |p| Box::pin(traceroute::main(p))),
    ("traceroute6", |p| Box::pin(traceroute::main(p))),
    ("sysctl", |p| Box::pin(sysctl::main(p))),
    ("tc", |p| Box::pin(tc::main(p))),
    ("tcpdump", |p| Box::pin(tcpdump::main(p))),
    ("telnet", |p| Box::pin(telnet::main(p))),
    ("timeout", |p| Box::pin(timeout::main(p))),
    ("unshare", |p| Box::pin(unshare::main(p))),
    ("wget", |p| Box::pin(wget::main(p))),
    ("whoami", |p| Box::pin(id::whoami(p))),
];
