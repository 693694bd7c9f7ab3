//! The listing of sockets.

use super::Options;
use crate::userland::{Proc, netdb, resolve};
use vethlab_engine::local::{Endpoint, SocketInfo, SocketKind, SocketState};

/// Tables, as they are shown one after the other.
pub(super) fn text(p: &Proc, options: Options) -> String {
    let mut options = options;
    let inet = options.v4 || options.v6;
    let some = options.tcp || options.udp || options.raw || options.none;
    if !some && (inet || !options.unix) {
        (options.tcp, options.udp, options.raw) = (true, true, true);
    }
    let unix = options.unix || !some && !inet;
    let which = match (options.all, options.listening) {
        (true, _) => "(servers and established)",
        (_, true) => "(only servers)",
        _ => "(w/o servers)",
    };
    let mut text = String::new();
    if options.tcp || options.udp || options.raw || options.none {
        text += &internet(p, options, which);
    }
    if unix {
        let programs = if options.programs { " PID/Program name    " } else { "" };
        text += &format!("Active UNIX domain sockets {which}\n");
        text += &format!("Proto RefCnt Flags       Type       State         I-Node  {programs} Path\n");
    }
    text
}

fn internet(p: &Proc, options: Options, which: &str) -> String {
    let mut text = format!("Active Internet connections {which}\n");
    text += "Proto Recv-Q Send-Q Local Address           Foreign Address         State      ";
    text += if options.extended > 0 { " User       Inode     " } else { "" };
    text += if options.programs { " PID/Program name    " } else { "" };
    text += if options.timers { " Timer" } else { "" };
    text.push('\n');
    let now = p.now();
    let sockets = p.world().stack(p.ns()).socket_table(now);
    let order = [(options.tcp, "tcp"), (options.udp, "udp"), (options.raw, "raw")];
    for name in order.into_iter().filter(|(wanted, _)| *wanted).map(|(_, name)| name) {
        for dual in [false, true] {
            let of_family = if dual { options.v6 || !options.v4 } else { options.v4 || !options.v6 };
            let here = sockets.iter().filter(|socket| of_family && socket.dual == dual && protocol(socket) == name);
            for socket in here.filter(|socket| wanted(options, socket)) {
                text += &line(p, options, socket);
            }
        }
    }
    text
}

fn protocol(socket: &SocketInfo) -> &'static str {
    match socket.kind {
        SocketKind::Tcp => "tcp",
        SocketKind::Udp => "udp",
        SocketKind::Raw { .. } => "raw",
        SocketKind::Packet { .. } => "",
    }
}

/// Who has another end is connected; the others are servers.
fn wanted(options: Options, socket: &SocketInfo) -> bool {
    let (address, port) = socket.remote;
    let connected = if socket.kind == SocketKind::Tcp { port != 0 } else { !address.is_unspecified() };
    options.all || connected != options.listening
}

fn line(p: &Proc, options: Options, socket: &SocketInfo) -> String {
    let name = format!("{}{}", protocol(socket), if socket.dual { "6" } else { "" });
    let state = match socket.kind {
        SocketKind::Tcp => state(socket.state).to_string(),
        SocketKind::Udp if socket.state == SocketState::Close => String::new(),
        SocketKind::Udp => "ESTABLISHED".to_string(),
        _ => (socket.state as u8).to_string(),
    };
    let ends = [(socket.local, true), (socket.remote, false)].map(|(end, ours)| end_text(options, socket, end, ours));
    let [local, remote] = ends;
    let send = if socket.state == SocketState::Listen { 0 } else { socket.send_queue };
    let mut text = format!("{name:<5} {:>6} {send:>6} {local:<23} {remote:<23} {state:<11}", socket.receive_queue);
    if options.extended > 0 {
        let user = if options.numeric { "0" } else { "root" };
        text += &format!(" {user:<10} {:<10}", socket.inode);
    }
    if options.programs {
        let owners = socket.id.map(|id| p.owners(p.ns(), id)).unwrap_or_default();
        let owner = owners.first().map_or("-".to_string(), |owner| format!("{}/{}", owner.pid, owner.name));
        text += &format!(" {owner:<20}");
    }
    if options.timers {
        text += &format!(" {}", timer(socket));
    }
    text + "\n"
}

fn end_text(options: Options, socket: &SocketInfo, (address, port): Endpoint, ours: bool) -> String {
    let host = match (socket.dual, address.is_unspecified()) {
        (true, true) => "::".to_string(),
        (true, false) => format!("::ffff:{address}"),
        _ => match resolve::name_of(address).filter(|_| !options.numeric) {
            Some(name) => name.to_string(),
            None => address.to_string(),
        },
    };
    let service = match socket.kind {
        SocketKind::Tcp => netdb::port_name(port, "tcp"),
        SocketKind::Udp => netdb::port_name(port, "udp"),
        SocketKind::Raw { protocol } if ours => netdb::protocol_name(protocol),
        _ => None,
    };
    let service = match service.filter(|_| !options.numeric) {
        _ if port == 0 => "*".to_string(),
        Some(service) => service.to_string(),
        None => port.to_string(),
    };
    format!("{host}:{service}")
}

fn state(state: SocketState) -> &'static str {
    match state {
        SocketState::Established => "ESTABLISHED",
        SocketState::SynSent => "SYN_SENT",
        SocketState::SynReceived => "SYN_RECV",
        SocketState::FinWait1 => "FIN_WAIT1",
        SocketState::FinWait2 => "FIN_WAIT2",
        SocketState::TimeWait => "TIME_WAIT",
        SocketState::Close => "CLOSE",
        SocketState::CloseWait => "CLOSE_WAIT",
        SocketState::LastAck => "LAST_ACK",
        SocketState::Listen => "LISTEN",
        SocketState::Closing => "CLOSING",
    }
}

fn timer(socket: &SocketInfo) -> String {
    match socket.timer {
        None => "off (0.00/0/0)".to_string(),
        Some(timer) => {
            let name = if timer.kind == 3 { "timewait" } else { "on" };
            format!("{name} ({:.2}/{}/0)", timer.left.as_secs_f64(), timer.retransmits)
        }
    }
}
