//! `/proc/net/tcp`, `udp`, `raw` and their likes for IPv6, and `sockstat`.

use crate::world::{NsId, World};
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use vethlab_engine::local::{Endpoint, SocketInfo, SocketKind, SocketState, SocketTimer};

/// Ticks of a user's clock in a second (`USER_HZ`).
const USER_HZ: u128 = 100;
/// Bytes of a line of TCP's tables without its end, and of the others'.
const TCP_LINE: usize = 149;
const DATAGRAM_LINE: usize = 127;
/// Buckets of the table of UDP sockets.
const BUCKETS: u16 = 0x4000;

/// The table of this name.
pub(super) fn table(world: &World, ns: NsId, name: &str) -> String {
    let (six, tcp, udp) = (name.ends_with('6'), name.starts_with("tcp"), name.starts_with("udp"));
    let width = match (six, tcp, udp) {
        (false, true, _) => TCP_LINE,
        (false, _, true) => DATAGRAM_LINE,
        _ => 0,
    };
    // Writing to a string does not fail, here and below.
    let mut text = String::new();
    let _ = writeln!(text, "{:<width$}", heading(six, tcp, udp));
    let sockets = world.stack(ns).socket_table(world.now());
    let is_here = |socket: &&SocketInfo| match socket.kind {
        SocketKind::Tcp => tcp,
        SocketKind::Udp => udp,
        SocketKind::Raw { .. } => name == "raw",
        SocketKind::Packet { .. } => false,
    };
    for (at, socket) in sockets.iter().filter(is_here).filter(|socket| socket.dual == six).enumerate() {
        let line = if tcp { tcp_line(at, socket) } else { datagram_line(socket) };
        let _ = writeln!(text, "{line:<width$}");
    }
    text
}

fn heading(six: bool, tcp: bool, udp: bool) -> String {
    let (local, remote) = if six { ("local_address", "remote_address") } else { ("local_address", "rem_address  ") };
    let ends = if six { format!("{local:<37} {remote:<37}") } else { format!("{local} {remote}") };
    let indent = if udp && !six { " " } else { "" };
    let last = if tcp { "" } else { " ref pointer drops" };
    format!("{indent}  sl  {ends} st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode{last}")
}

/// An end as it lies in the memory of a little-endian machine.
fn end((address, port): Endpoint, six: bool) -> String {
    let word = |address: Ipv4Addr| format!("{:08X}", u32::from_le_bytes(address.octets()));
    match (six, address.is_unspecified()) {
        (false, _) => format!("{}:{port:04X}", word(address)),
        (true, true) => format!("{}:{port:04X}", "0".repeat(32)),
        (true, false) => format!("0000000000000000FFFF0000{}:{port:04X}", word(address)),
    }
}

fn front(at: usize, width: usize, socket: &SocketInfo, queues: (usize, usize)) -> String {
    let (kind, left, retransmits) = match socket.timer {
        Some(SocketTimer { kind, left, retransmits }) => (kind, left.as_millis() * USER_HZ / 1000, retransmits),
        None => (0, 0, 0),
    };
    let (local, remote) = (end(socket.local, socket.dual), end(socket.remote, socket.dual));
    let (send, receive) = queues;
    format!(
        "{at:>width$}: {local} {remote} {:02X} {send:08X}:{receive:08X} {kind:02X}:{left:08X} {retransmits:08X} {:>5} {:>8} {}",
        socket.state as u8, 0, 0, socket.inode
    )
}

/// `get_tcp4_sock`, `get_timewait4_sock`
fn tcp_line(at: usize, socket: &SocketInfo) -> String {
    let pointer = "0".repeat(16);
    let send = if socket.state == SocketState::Listen { 0 } else { socket.send_queue };
    let front = front(at, 4, socket, (send, socket.receive_queue));
    match socket.state {
        SocketState::TimeWait => format!("{front} 3 {pointer}"),
        SocketState::Listen => format!("{front} 1 {pointer} 100 0 0 10 0"),
        SocketState::SynSent => format!("{front} 2 {pointer} 100 0 0 1 -1"),
        _ => format!("{front} 1 {pointer} 20 4 0 10 -1"),
    }
}

/// `udp4_format_sock`, `raw_sock_seq_show`
fn datagram_line(socket: &SocketInfo) -> String {
    let bucket = match socket.kind {
        SocketKind::Raw { protocol } => usize::from(protocol),
        _ => usize::from(socket.local.1 % BUCKETS),
    };
    let width = if socket.kind == SocketKind::Udp && !socket.dual { 5 } else { 4 };
    let front = front(bucket, width, socket, (socket.send_queue, socket.receive_queue));
    format!("{front} 2 {} 0", "0".repeat(16))
}

/// `sockstat_seq_show`
pub(super) fn sockstat(world: &World, ns: NsId) -> String {
    let stack = world.stack(ns);
    let sockets = stack.socket_table(world.now());
    let count = |fits: &dyn Fn(&SocketInfo) -> bool| sockets.iter().filter(|socket| fits(socket)).count();
    let tcp = |socket: &SocketInfo| socket.kind == SocketKind::Tcp;
    let waits = |socket: &SocketInfo| socket.state == SocketState::TimeWait;
    let inuse = count(&|socket| tcp(socket) && !waits(socket) && !socket.dual);
    let orphans = count(&|socket| {
        tcp(socket) && socket.id.is_none() && !waits(socket) && socket.state != SocketState::SynReceived
    });
    let (tw, udp) = (count(&waits), count(&|socket| socket.kind == SocketKind::Udp && !socket.dual));
    let raw = count(&|socket| matches!(socket.kind, SocketKind::Raw { .. }));
    let mut text = format!("sockets: used {}\n", sockets.len().saturating_sub(tw));
    let _ = writeln!(text, "TCP: inuse {inuse} orphan {orphans} tw {tw} alloc {} mem 0", stack.tcp_sockets());
    let _ = writeln!(text, "UDP: inuse {udp} mem 0\nUDPLITE: inuse 0\nRAW: inuse {raw}\nFRAG: inuse 0 memory 0");
    text
}
