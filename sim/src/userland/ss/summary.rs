//! `ss -s`

use crate::world::{NsId, World};
use vethlab_engine::local::{SocketInfo, SocketKind, SocketState};

/// Sockets that a namespace has besides those of the internet: what the kernel and `ss` itself ask each other by.
const OTHERS: usize = 2;

/// `print_summary`
pub(super) fn summary(world: &World, ns: NsId) -> String {
    let stack = world.stack(ns);
    let sockets = stack.socket_table(world.now());
    let count = |fits: &dyn Fn(&SocketInfo) -> bool| sockets.iter().filter(|socket| fits(socket)).count();
    let tcp = |socket: &SocketInfo| socket.kind == SocketKind::Tcp;
    let over = count(&|socket| socket.state == SocketState::TimeWait);
    let hashed = |dual: bool| {
        let lives = |socket: &SocketInfo| tcp(socket) && socket.state != SocketState::TimeWait;
        count(&|socket| lives(socket) && socket.dual == dual)
    };
    let udp = |dual: bool| count(&|socket| socket.kind == SocketKind::Udp && socket.dual == dual);
    let raw = count(&|socket| matches!(socket.kind, SocketKind::Raw { .. }));
    let established =
        count(&|socket| tcp(socket) && matches!(socket.state, SocketState::Established | SocketState::CloseWait));
    let orphans = count(&|socket| {
        tcp(socket) && socket.id.is_none() && !matches!(socket.state, SocketState::TimeWait | SocketState::SynReceived)
    });
    let (four, six) = (hashed(false), hashed(true));
    let all = stack.tcp_sockets();
    let closed = (all + over).saturating_sub(four + six);
    let inet = raw + udp(false) + udp(true) + four + six;
    let line = |name: &str, four: usize, six: usize| format!("{name}\t  {:<9} {four:<9} {six:<9}\n", four + six);
    let total = inet + OTHERS;
    format!(
        "Total: {total}\nTCP:   {all} (estab {established}, closed {closed}, orphaned {orphans}, timewait {over})\n\n"
    ) + "Transport Total     IP        IPv6\n"
        + &line("RAW", raw, 0)
        + &line("UDP", udp(false), udp(true))
        + &line("TCP", four, six)
        + &line("INET", inet - six - udp(true), six + udp(true))
        + &line("FRAG", 0, 0)
        + "\n"
}
