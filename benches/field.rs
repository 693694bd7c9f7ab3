//! Two hosts and a router between them, in kernel namespaces: who routes is the kernel, or a process of ours, or a peer.
//!
//! ```text
//!     source                middle                 sink
//!       s0 ─────────────── r0    r1 ─────────────── d0
//!   10.0.1.2          10.0.1.1  10.0.2.1          10.0.2.2
//! ```

use crate::generator::failed;
use crate::kernel::Netns;
use nix::unistd::Pid;
use std::io::{self, BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::NamedTempFile;
use vethlab_engine::device::xdp::Forwarder;

#[cfg(test)]
mod tests;

/// The MACs of the interfaces.
pub const S0: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// The same of the kernel's end in the middle.
pub const R0: [u8; 6] = [2, 0, 0, 0, 0, 2];
/// The other end there.
pub const R1: [u8; 6] = [2, 0, 0, 0, 0, 3];
/// The sink's.
pub const D0: [u8; 6] = [2, 0, 0, 0, 0, 4];
/// The source's address.
pub const SOURCE: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 2);
/// The sink's.
pub const SINK: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);

/// A process that was not told to end does so after this many seconds, whatever became of us.
const LIFE: &str = "60";

/// What a router needs to be one; a line each. The sink's MAC is known, because a sink that drops everything answers no ARP.
const ROUTER: &[&str] = &[
    "ip addr add 10.0.1.1/24 dev r0",
    "ip addr add 10.0.2.1/24 dev r1",
    "ip neigh add 10.0.2.2 lladdr 02:00:00:00:00:04 dev r1 nud permanent",
];

/// The namespaces.
#[derive(Debug)]
pub struct Field {
    /// Where traffic comes from.
    pub source: Netns,
    /// Where it is routed.
    pub middle: Netns,
    /// Where it goes.
    pub sink: Netns,
}

impl Field {
    /// The cables, and the two hosts; nobody routes yet.
    pub fn new() -> io::Result<Field> {
        let field = Field { source: Netns::new()?, middle: Netns::new()?, sink: Netns::new()? };
        let middle = field.middle.path();
        let ends = [(&field.source, "s0", "10.0.1", S0, "r0", R0), (&field.sink, "d0", "10.0.2", D0, "r1", R1)];
        for (host, own, net, mac, other, other_mac) in ends {
            let (mac, other_mac) = (text(mac), text(other_mac));
            let lines = [
                format!(
                    "link add name {own} address {mac} type veth peer name {other} address {other_mac} netns {middle}"
                ),
                format!("addr add {net}.2/24 dev {own}"),
                format!("link set {own} up"),
                format!("route add default via {net}.1"),
            ];
            host.run(&["ip", "-batch", "-"], &(lines.join("\n") + "\n"))?;
        }
        field.middle.run_lines(["ip link set r0 up", "ip link set r1 up"])?;
        Ok(field)
    }

    /// The kernel routes, with these rules besides.
    pub fn kernel_routes(&self, rules: &[String]) -> io::Result<()> {
        self.middle.run_lines(["sysctl -q -w net.ipv4.ip_forward=1"])?;
        self.middle.run_lines(ROUTER.iter().copied())?;
        self.middle.run_lines(rules.iter().map(String::as_str))
    }

    /// The same routes are asked at the door, without the kernel's stack, until what this gives is dropped.
    pub fn xdp_routes(&self) -> io::Result<[Forwarder; 2]> {
        let at = |interface| {
            let index = self.middle.index_of(interface)?;
            self.middle.enter(|| Forwarder::attach(index).map_err(failed))
        };
        Ok([at("r0")?, at("r1")?])
    }
}

fn text(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

/// A `vethlab router` in the middle; ends when it is dropped.
pub struct Router {
    process: Child,
    /// The MAC to which the source sends.
    pub mac: [u8; 6],
    _script: NamedTempFile,
}

impl Router {
    /// Starts it with these options and rules, and waits until it is ready.
    pub fn start(field: &Field, binary: &Path, options: &[&str], rules: &[String]) -> io::Result<Router> {
        let mut script = NamedTempFile::new()?;
        for line in ROUTER.iter().copied().chain(rules.iter().map(String::as_str)) {
            writeln!(script, "{line}")?;
        }
        let mut command = Command::new(binary);
        command.args(["router", "--port", "r0", "r1", "--for", LIFE, "--script"]).arg(script.path()).args(options);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = field.middle.enter(|| command.spawn())?;
        let stderr = process.stderr.take();
        let mut router = Router { process, mac: [0; 6], _script: script };
        let mut last = String::new();
        for line in stderr.into_iter().flat_map(|stderr| BufReader::new(stderr).lines()) {
            last = line?;
            if let Some(mac) = last.split_once("ready: r0 is ").and_then(|(_, rest)| parse(rest.get(..17)?)) {
                router.mac = mac;
                return Ok(router);
            }
        }
        Err(io::Error::other(last.trim_start_matches("vethlab router: ").to_string()))
    }
}

impl Router {
    /// Its process.
    pub fn process(&self) -> Pid {
        Pid::from_raw(self.process.id() as i32)
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn parse(text: &str) -> Option<[u8; 6]> {
    let bytes: Vec<u8> = text.split(':').filter_map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    bytes.try_into().ok()
}
