//! The command line.

use crate::verb::bench::BenchArgs;
use crate::verb::diff::DiffArgs;
use crate::verb::router::RouterArgs;
use clap::{Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;
use vethlab_sim::Host;

/// Container networking without root: run ip, ping and friends in a simulated world, or the same packet path on real veth
/// ends.
#[derive(Debug, Parser)]
#[command(name = "vethlab", version, about)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a bash script: its network commands act on a simulated machine
    Run {
        #[command(flatten)]
        lab: LabArgs,
        /// Where it runs
        #[arg(long, value_enum, default_value_t = On::Simulator)]
        on: On,
        /// Write each command to this file as a line of JSON: words, output, status
        #[arg(long, value_name = "FILE", conflicts_with = "path_first")]
        log: Option<PathBuf>,
        /// Let virtual time keep pace with the wall clock (else it runs as fast as it can)
        #[arg(long)]
        realtime: bool,
        /// The script, and its arguments
        #[arg(required = true, trailing_var_arg = true, value_names = ["SCRIPT", "ARGS"])]
        script: Vec<OsString>,
    },
    /// An interactive bash on a simulated machine
    Shell {
        #[command(flatten)]
        lab: LabArgs,
        /// Let virtual time run as fast as it can (else it keeps pace with the wall clock)
        #[arg(long)]
        fast: bool,
    },
    /// Run a bash script on the simulator and on the real kernel, and show every difference
    Diff(DiffArgs),
    /// Route between real interfaces: the same packet path on AF_PACKET sockets, with the same commands
    Router(RouterArgs),
    /// Measure, with peers beside us in each round: tables, JSON, CSV, an HTML page
    Bench(BenchArgs),
}

/// Where a script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum On {
    /// a simulated machine; the options of the lab are for it
    Simulator,
    /// the real kernel, in network, mount and process namespaces that vanish with the script (and a user namespace, if you
    /// are not root); the host has only lo
    Kernel,
}

/// What lab it is.
#[derive(Debug, clap::Args)]
pub(crate) struct LabArgs {
    /// All chance follows from it: the same seed gives the same bytes
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// What the script finds
    #[arg(long, value_enum, default_value_t = HostArg::Internet)]
    pub(crate) host: HostArg,
    /// Write every frame on every interface to this file, as pcapng with virtual time stamps
    #[arg(long, value_name = "FILE")]
    pub(crate) pcap: Option<PathBuf>,
    /// Print the way of each packet on standard error, a line a step
    #[arg(long)]
    pub(crate) trace: bool,
    /// A directory that stays ahead of our programs on PATH
    #[arg(long, value_name = "DIR")]
    pub(crate) path_first: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum HostArg {
    /// lo up, eth0 10.0.2.15/24 with a default route, and an outside that answers for public addresses
    Internet,
    /// the same with eth0 192.168.1.100/24 via 192.168.1.1
    Home,
    /// only lo, up
    Bare,
}

impl From<HostArg> for Host {
    fn from(host: HostArg) -> Host {
        match host {
            HostArg::Internet => Host::Internet,
            HostArg::Home => Host::Home,
            HostArg::Bare => Host::Bare,
        }
    }
}
