//! ns-3 as a peer: a line of routers in another simulator (`peers/ns3_chain.cc`), a program that is built when it is first
//! asked for, and told what to do line by line, so that it takes its turn in each round.

use crate::dpdk::Peer;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What the program needs of ns-3.
const MODULES: [&str; 6] =
    ["ns3-core", "ns3-csma", "ns3-internet", "ns3-network", "ns3-point-to-point", "ns3-traffic-control"];

/// A host, a line of routers and a host.
pub struct Ns3Chain {
    peer: Peer,
}

/// Builds the program; why that did not work, if it did not.
pub fn build(dir: &Path) -> io::Result<PathBuf> {
    let installed = Command::new("pkg-config").arg("--cflags").arg("--libs").args(MODULES).output()?;
    if !installed.status.success() {
        return Err(io::Error::other("ns-3 is not installed (apt-get install libns3-dev libgsl-dev pkg-config g++)"));
    }
    let flags = String::from_utf8_lossy(&installed.stdout).into_owned();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/ns3_chain.cc");
    let program = dir.join("ns3_chain");
    let mut compiler = Command::new("c++");
    compiler.args(["-O3", "-march=native"]).arg(source).arg("-o").arg(&program).args(flags.split_whitespace());
    let failed = || io::Error::other("c++ does not build peers/ns3_chain.cc (apt-get install libgsl-dev)");
    compiler.status()?.success().then_some(program).ok_or_else(failed)
}

impl Ns3Chain {
    /// So many routers, with cables of this kind: `ethernet`, or `ppp`.
    pub fn start(program: &Path, kind: &str, routers: usize) -> io::Result<Ns3Chain> {
        let mut command = Command::new(program);
        Ok(Ns3Chain { peer: Peer::start(command.arg(kind).arg(routers.to_string()), "ns3_chain")? })
    }

    /// Sends so many datagrams, one a microsecond: how long that took, and how many arrived.
    pub fn run(&mut self, datagrams: usize) -> io::Result<(Duration, u64)> {
        self.peer.tell(&format!("run {datagrams}"))?;
        self.peer.two()
    }
}
