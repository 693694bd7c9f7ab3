//! The `vethlab` binary.
//!
//! One file plays several parts, told apart by the name it is called by:
//!
//! - `vethlab` reads its command line ([`args`]) and does what a verb says ([`verb`]). `run` and `shell` make a private
//!   directory ([`home`]), start a real bash in it and become the [`server`]: one lab, and a socket.
//! - `ip`, `ping` and every other program of the lab are links in that directory to this file. Called so, it is a
//!   [`client`]: it passes its words to the server and prints what comes back.
//! - `vethlab-inside` is the first process of the namespaces in which `--on kernel` runs a script on the real
//!   [`kernel`](kernel).
//! - `vethlab vethlab-shim` stands before a program whose doings are written down ([`shim`]); [`diff`] compares what was.
//! - `vethlab-init` is the script's process before it becomes bash ([`init`]): from then on the calls by which it and all
//!   that it starts name files of the kernel are answered from the lab ([`files`]).

mod args;
mod client;
mod diff;
mod files;
mod home;
mod init;
mod kernel;
mod server;
mod shim;
mod signals;
mod tree;
mod verb;
mod wire;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let called = words.first().map(String::as_str).unwrap_or_default();
    match client::base_name(called) {
        init::NAME => init::main(),
        kernel::NAME => kernel::main(),
        _ if words.get(1).is_some_and(|word| word == shim::WORD) => shim::main(),
        name if client::plays(name) => client::main(words),
        _ => verb::run(args::Args::parse().verb),
    }
}
