//! A TCP download through two bridges, a router that masquerades, and cables on which `netem` sits.

use std::net::Ipv4Addr;
use vethlab_engine::local::{SocketId, SocketKind};
use vethlab_engine::reason::DropReason;
use vethlab_engine::time::{Duration, Time};
use vethlab_sim::{Host, Lab, NsId, Options};

/// The client behind one bridge, the server behind another; the host between them masquerades.
const SETUP: &[&str] = &[
    "ip link add br0 type bridge",
    "ip link add br1 type bridge",
    "ip addr add 10.1.0.1/24 dev br0",
    "ip addr add 10.2.0.1/24 dev br1",
    "ip link set br0 up",
    "ip link set br1 up",
    "ip netns add client",
    "ip netns add server",
    "ip link add c0 type veth peer name eth0 netns client",
    "ip link add s0 type veth peer name eth0 netns server",
    "ip link set c0 master br0 up",
    "ip link set s0 master br1 up",
    "ip -n client addr add 10.1.0.2/24 dev eth0",
    "ip -n server addr add 10.2.0.2/24 dev eth0",
    "ip -n client link set eth0 up",
    "ip -n server link set eth0 up",
    "ip -n client route add default via 10.1.0.1",
    "sysctl -q -w net.ipv4.ip_forward=1",
    "iptables -t nat -A POSTROUTING -s 10.1.0.0/24 -o br1 -j MASQUERADE",
];

/// Each way loses one packet of a hundred.
pub const LOSS: &str = "loss 1%";
/// All that `netem` does to a packet.
pub const EVERYTHING: &str = "delay 10ms 4ms 25% loss 1% duplicate 1% corrupt 1% reorder 25% 50%";

/// The host's ends of the two cables: what leaves them is on its way to the client, and to the server.
const CABLES: [&str; 2] = ["c0", "s0"];
/// Where the server listens.
const SERVER: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 2, 0, 2), 80);
/// Most bytes that are written or read at a time.
const PIECE: usize = 65_536;
/// A download that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// How a download went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Download {
    /// The world's digest at its end.
    pub digest: u64,
    /// How long it took in virtual time.
    pub took: Duration,
    /// Packets that `netem` lost.
    pub lost: u64,
    /// Frames that the host made itself: ARP, and what `netem` sent twice.
    pub made: u64,
    /// Packets that were damaged, as their checksums told the two ends.
    pub damaged: u64,
}

/// Downloads so many bytes over cables with these options of `netem`, and sees that each is the right one, and that nothing
/// follows.
///
/// # Panics
/// If anything is wrong.
pub fn download(seed: u64, length: usize, netem: &str) -> Download {
    let mut lab = Lab::new(Options { seed, host: Host::Bare });
    let cables = CABLES.map(|cable| format!("tc qdisc add dev {cable} root netem {netem}"));
    for line in SETUP.iter().copied().chain(cables.iter().map(String::as_str)) {
        let output = lab.run(line);
        assert_eq!(output.status, 0, "{line}: {}", output.stderr);
    }
    let mut transfer = Transfer::begin(lab, length);
    let began = transfer.now();
    while !transfer.done() {
        assert!(transfer.now().since(began) < PATIENCE, "{} of {length} bytes have come", transfer.received);
        transfer.step();
    }
    let world = transfer.lab.world();
    let host = world.stack(world.host()).counters();
    let ends = [transfer.client.0, transfer.listener.0].map(|ns| world.stack(ns).counters());
    let bad = [DropReason::TcpChecksum, DropReason::IpChecksum];
    Download {
        digest: world.digest(),
        took: world.now().since(began),
        lost: host.discarded(DropReason::NetemLoss),
        made: host.made,
        damaged: ends.iter().flat_map(|counters| bad.map(|reason| counters.discarded(reason))).sum(),
    }
}

/// A download that goes on.
struct Transfer {
    lab: Lab,
    client: (NsId, SocketId),
    listener: (NsId, SocketId),
    server: Option<SocketId>,
    length: usize,
    sent: usize,
    received: usize,
    ended: bool,
}

/// The byte at a place.
fn byte(at: usize) -> u8 {
    ((at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

impl Transfer {
    fn begin(lab: Lab, length: usize) -> Transfer {
        let (client, listener) = {
            let mut world = lab.world();
            let now = world.now();
            let [client, server] = ["client", "server"].map(|name| world.netns_named(name).expect("it was made"));
            let stack = world.stack_mut(server);
            let listener = stack.socket(SocketKind::Tcp).expect("a socket");
            stack.bind(listener, Ipv4Addr::UNSPECIFIED, SERVER.1).expect("a free port");
            stack.listen(listener, 1).expect("it is bound");
            let stack = world.stack_mut(client);
            let socket = stack.socket(SocketKind::Tcp).expect("a socket");
            stack.connect(now, socket, SERVER.0, SERVER.1).expect("a way");
            ((client, socket), (server, listener))
        };
        Transfer { lab, client, listener, server: None, length, sent: 0, received: 0, ended: false }
    }

    fn now(&self) -> Time {
        self.lab.now()
    }

    fn done(&self) -> bool {
        self.ended
    }

    /// The programs do what they can, and then the next thing happens.
    fn step(&mut self) {
        self.serve();
        self.fetch();
        let mut world = self.lab.world();
        if let Some(next) = world.next_event() {
            world.advance_to(next);
        }
    }

    fn serve(&mut self) {
        let (ns, listener) = self.listener;
        let mut world = self.lab.world();
        let stack = world.stack(ns);
        let Some(socket) = self.server else {
            if stack.is_readable(listener) {
                let accepted = world.stack_mut(ns).accept(listener).expect("it listens");
                self.server = accepted.map(|(socket, _)| socket);
            }
            return;
        };
        while self.sent < self.length && world.stack(ns).is_writable(socket) {
            let piece: Vec<u8> = (self.sent..self.length).take(PIECE).map(byte).collect();
            self.sent += world.stack_mut(ns).send_bytes(socket, &piece).expect("it is connected");
            if self.sent == self.length {
                world.stack_mut(ns).shutdown(socket).expect("it is connected");
            }
        }
    }

    fn fetch(&mut self) {
        let (ns, socket) = self.client;
        let mut world = self.lab.world();
        while !self.ended && world.stack(ns).is_readable(socket) {
            let bytes = world.stack_mut(ns).receive_bytes(socket, PIECE).expect("no error");
            let Some(bytes) = bytes else { return };
            self.ended = bytes.is_empty();
            let right = bytes.iter().zip(self.received..).all(|(came, at)| *came == byte(at));
            assert!(right, "wrong bytes behind the first {}", self.received);
            self.received += bytes.len();
        }
        if self.ended {
            assert_eq!(self.received, self.length, "the end comes behind the last byte");
        }
    }
}
