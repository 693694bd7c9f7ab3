//! One socket in words.

use super::Options;
use super::columns::{Row, Table};
use crate::userland::{Proc, netdb, resolve};
use crate::world::NsId;
use vethlab_engine::control::IfIndex;
use vethlab_engine::local::{Endpoint, SocketInfo, SocketKind, SocketState, SocketTimer, TcpInfo};
use vethlab_engine::time::Duration;

/// Netlink sockets that the kernel has itself in every namespace: name, number, and bytes of a question that waits.
const NETLINK: &[(&str, u32, u32)] = &[
    ("rtnl", 0, 0),
    ("tcpdiag", 4, 832),
    ("xfrm", 6, 0),
    ("audit", 9, 0),
    ("fiblookup", 10, 0),
    ("nft", 12, 0),
    ("uevent", 15, 0),
    ("genl", 16, 0),
];
/// `ss` itself, whose answer waits.
const OWN_ANSWER: u32 = 4352;

/// `netlink_show`
pub(super) fn netlink(table: &mut Table, numeric: bool, pid: u32) {
    for (name, number, waits) in NETLINK {
        let family = if numeric { number.to_string() } else { (*name).to_string() };
        let kernel = if numeric { "0" } else { "kernel" };
        table.add(netlink_row(&family, kernel.to_string(), *waits));
        if *name == "tcpdiag" {
            let own = if numeric { pid.to_string() } else { format!("ss/{pid}") };
            table.add(netlink_row(&family, own, OWN_ANSWER));
        }
    }
}

fn netlink_row(family: &str, port: String, waits: u32) -> Row {
    let text = |text: &str| text.to_string();
    [
        text("nl"),
        text("UNCONN"),
        waits.to_string(),
        text("0"),
        format!("{family}:"),
        port,
        text("*"),
        text(""),
        text(""),
    ]
}

/// The line of a socket (`inet_show_sock`).
pub(super) fn row(p: &Proc, ns: NsId, options: &Options, socket: &SocketInfo) -> Row {
    let netid = match socket.kind {
        SocketKind::Raw { .. } => "raw",
        SocketKind::Udp => "udp",
        SocketKind::Tcp => "tcp",
        SocketKind::Packet { .. } => "p_dgr",
    };
    let (local, remote) = (ends(p, ns, options, socket, true), ends(p, ns, options, socket, false));
    [
        netid.to_string(),
        state(socket.state).to_string(),
        socket.receive_queue.to_string(),
        socket.send_queue.to_string(),
        local.0,
        local.1,
        remote.0,
        remote.1,
        details(p, ns, options, socket),
    ]
}

fn state(state: SocketState) -> &'static str {
    match state {
        SocketState::Established => "ESTAB",
        SocketState::SynSent => "SYN-SENT",
        SocketState::SynReceived => "SYN-RECV",
        SocketState::FinWait1 => "FIN-WAIT-1",
        SocketState::FinWait2 => "FIN-WAIT-2",
        SocketState::TimeWait => "TIME-WAIT",
        SocketState::Close => "UNCONN",
        SocketState::CloseWait => "CLOSE-WAIT",
        SocketState::LastAck => "LAST-ACK",
        SocketState::Listen => "LISTEN",
        SocketState::Closing => "CLOSING",
    }
}

/// One end: its address and its port.
fn ends(p: &Proc, ns: NsId, options: &Options, socket: &SocketInfo, ours: bool) -> (String, String) {
    let (address, port) = if ours { socket.local } else { socket.remote };
    if let SocketKind::Packet { ethertype } = socket.kind {
        let device = socket.device.map_or_else(|| "*".to_string(), |device| name_of(p, ns, device));
        let protocol = format!("{}:", protocol_of(ethertype));
        return if ours { (protocol, device) } else { ("*".to_string(), String::new()) };
    }
    let name = || options.resolve.then(|| resolve::name_of(address)).flatten().map(str::to_string);
    let mut text = match (socket.dual, address.is_unspecified()) {
        (true, true) => "*".to_string(),
        (true, false) => format!("[::ffff:{address}]"),
        (false, _) => name().unwrap_or_else(|| address.to_string()),
    };
    if let Some(device) = socket.device.filter(|_| ours) {
        text = format!("{text}%{}", name_of(p, ns, device));
    }
    (text + ":", port_text(options, socket.kind, (address, port), ours))
}

fn name_of(p: &Proc, ns: NsId, device: IfIndex) -> String {
    let world = p.world();
    let port = world.stack(ns).ports().get(device);
    port.map_or_else(|| format!("if{device}"), |port| port.name.to_string())
}

fn protocol_of(ethertype: u16) -> String {
    match ethertype {
        3 => "*".to_string(),
        0x800 => "ip".to_string(),
        0x806 => "arp".to_string(),
        other => format!("[{other}]"),
    }
}

fn port_text(options: &Options, kind: SocketKind, (_, port): Endpoint, ours: bool) -> String {
    let name = match kind {
        SocketKind::Raw { protocol } if ours => netdb::protocol_name(protocol),
        SocketKind::Udp => netdb::port_name(port, "udp"),
        SocketKind::Tcp => netdb::port_name(port, "tcp"),
        _ => None,
    };
    match name.filter(|_| !options.numeric) {
        _ if port == 0 => "*".to_string(),
        Some(name) => name.to_string(),
        None => port.to_string(),
    }
}

/// What follows the addresses: who has it, its timer, and so on.
fn details(p: &Proc, ns: NsId, options: &Options, socket: &SocketInfo) -> String {
    let mut text = String::new();
    if options.processes {
        text += &users(p, ns, socket);
    }
    if options.timers {
        text += &socket.timer.map_or_else(String::new, timer);
    }
    if options.extended {
        text += &extended(socket);
    }
    let line = if options.oneline { " " } else { "\n\t" };
    let tells = socket.kind == SocketKind::Tcp && options.info;
    if options.memory || tells {
        text += line;
    }
    if options.memory {
        text += &memory(socket);
    }
    if tells {
        text += &info(p, ns, socket);
    }
    text
}

/// ` users:(("nc",pid=1002,fd=3))`
fn users(p: &Proc, ns: NsId, socket: &SocketInfo) -> String {
    let owners = socket.id.map(|id| p.owners(ns, id)).unwrap_or_default();
    let each: Vec<String> =
        owners.iter().map(|owner| format!("(\"{}\",pid={},fd={})", owner.name, owner.pid, owner.fd)).collect();
    if each.is_empty() { String::new() } else { format!(" users:({})", each.join(",")) }
}

fn timer(timer: SocketTimer) -> String {
    let name = match timer.kind {
        1 => "on",
        3 => "timewait",
        _ => "persist",
    };
    format!(" timer:({name},{},{})", span(timer.left), timer.retransmits)
}

/// `print_ms_timer`
fn span(left: Duration) -> String {
    let (mut seconds, mut millis) = (left.as_secs(), left.subsec_millis());
    let minutes = seconds / 60;
    seconds %= 60;
    let mut text = String::new();
    if minutes > 0 {
        millis = 0;
        text += &format!("{minutes}min");
        if minutes > 9 {
            seconds = 0;
        }
    }
    if seconds > 0 {
        if seconds > 9 {
            millis = 0;
        }
        text += &format!("{seconds}{}", if millis > 0 { "." } else { "sec" });
    }
    if millis > 0 {
        text += &format!("{millis:03}ms");
    }
    text
}

fn extended(socket: &SocketInfo) -> String {
    let mark = if socket.mark == 0 { String::new() } else { format!(" fwmark:0x{:x}", socket.mark) };
    let cookie = socket.id.map_or(0, |id| id.0) + 1;
    let receives = if socket.shutdown & 1 == 0 { '<' } else { '-' };
    let sends = if socket.shutdown & 2 == 0 { '>' } else { '-' };
    format!(" ino:{} sk:{cookie:x}{mark} cgroup:/ {receives}-{sends}", socket.inode)
}

/// `print_skmeminfo`: what a socket may keep, and what a datagram socket does.
fn memory(socket: &SocketInfo) -> String {
    let (receive, send) = match socket.kind {
        SocketKind::Tcp => (131_072, 16_384),
        _ => (212_992, 212_992),
    };
    let listens = socket.state == SocketState::Listen;
    let (waits, leaves) = if listens { (0, 0) } else { (socket.receive_queue, socket.send_queue) };
    format!(" skmem:(r{waits},rb{receive},t0,tb{send},f0,w{leaves},o0,bl0,d0)")
}

/// `tcp_stats_print`, as far as a connection of ours knows.
fn info(p: &Proc, ns: NsId, socket: &SocketInfo) -> String {
    let control = p.world().stack(ns).sysctl("net/ipv4/tcp_congestion_control").unwrap_or_default();
    let Some(info) = &socket.info else { return format!(" {control} cwnd:10") };
    let TcpInfo { timestamps, sack, window_scale, timeout, round_trip, mss, mtu, tally } = *info;
    let mut text = String::new();
    let mut word = |word: String| text += &format!(" {word}");
    if timestamps {
        word("ts".into());
    }
    if sack {
        word("sack".into());
    }
    word(control);
    if let Some((theirs, ours)) = window_scale {
        word(format!("wscale:{theirs},{ours}"));
    }
    word(format!("rto:{}", timeout.as_millis()));
    if let Some((smoothed, deviation)) = round_trip {
        word(format!("rtt:{}/{}", millis(smoothed), millis(deviation)));
    }
    word(format!("mss:{mss}"));
    word(format!("pmtu:{mtu}"));
    word(format!("advmss:{mss}"));
    word("cwnd:10".into());
    let counters = [
        ("bytes_sent", tally.bytes_sent),
        ("bytes_acked", tally.bytes_acked),
        ("bytes_received", tally.bytes_received),
        ("segs_out", tally.segs_out),
        ("segs_in", tally.segs_in),
        ("data_segs_out", tally.data_segs_out),
        ("data_segs_in", tally.data_segs_in),
    ];
    for (name, value) in counters.into_iter().filter(|(_, value)| *value > 0) {
        word(format!("{name}:{value}"));
    }
    text
}

/// Milliseconds with their thousandths, as `%g` prints them.
fn millis(span: Duration) -> String {
    let micros = span.as_micros();
    let text = format!("{}.{:03}", micros / 1000, micros % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}
