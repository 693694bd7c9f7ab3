//! A world: namespaces, cables and time.
//!
//! Each namespace is a [`Stack`]; a [`World`] carries frames between them, and lets time pass. What it is made of:
//!
//! | file | job |
//! |---|---|
//! | `names.rs` | names and numbers of namespaces, and how long they live |
//! | `links.rs` | `ip link add`, `del`, `set netns`; what up and down of one end do to the other |
//! | `nets.rs` | the namespaces, by number |
//! | `cable.rs` | cables and their ends |
//! | `virt.rs` | `ip link add` of bridges, VLANs and other links that are made of others |
//! | `stand.rs` | links that stand on other links: what they follow, and frames between the two |
//! | `watch.rs` | the link watch: when a namespace notices what happened to a cable |
//! | `carry.rs` | frames from stack to stack |
//! | `event.rs` | the queue of what will happen |
//! | `furnish.rs`, `internet.rs` | what a script finds, and the outside |
//! | `device.rs` | ports with real interfaces behind them |
//! | `record.rs` | captures and traces |

mod bridge;
mod cable;
mod carry;
mod device;
mod event;
mod furnish;
mod internet;
mod links;
mod names;
mod nets;
mod record;
mod stand;
mod virt;
mod watch;

pub use bridge::{clock_ticks, promiscuity};
pub use record::Recording;

use self::cable::Cables;
use self::device::Device;
use self::event::{Chore, Event, Queue};
use self::internet::Internet;
use self::names::Names;
use self::nets::{Net, Nets};
use self::record::Recorder;
use self::stand::Stands;
use self::watch::LinkWatch;
use crate::digest::Digest;
use std::collections::VecDeque;
use vethlab_engine::Stack;
use vethlab_engine::addr::Mac;
use vethlab_engine::config::LinkNews;
use vethlab_engine::control::IfIndex;
use vethlab_engine::frame::{Crossing, FrameBuf, FramePool, Outbox};
use vethlab_engine::link::{BridgeSpec, MacvlanMode, VxlanSpec};
use vethlab_engine::rng::Rng;
use vethlab_engine::time::Time;

/// A namespace's number in its world; never given twice. The host is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NsId(pub u32);

impl NsId {
    /// The gateway in front of the simulated outside, which nobody sees.
    pub(crate) const OUTSIDE: NsId = NsId(u32::MAX);
}

/// What `ip link add` makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkAdd {
    /// The name; if `None`, the kernel's pattern is filled in (`veth0`).
    pub name: Option<String>,
    /// `index N`
    pub index: Option<IfIndex>,
    /// `address`
    pub address: Option<Mac>,
    /// `mtu`
    pub mtu: Option<u32>,
    /// `txqueuelen`
    pub txqueuelen: Option<u32>,
    /// `alias` is set afterwards by the caller, as is `up`.
    pub kind: LinkKind,
}

/// Kinds of links that can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// A cable: the peer's own settings, and the namespace it is made in.
    Veth {
        /// The peer (its `kind` is ignored).
        peer: Box<PeerAdd>,
    },
    /// `type dummy`
    Dummy,
    /// `type bridge`
    Bridge(Box<BridgeSpec>),
    /// `type vlan`
    Vlan {
        /// `link`
        link: IfIndex,
        /// The namespace of `link`; the same if `None`.
        link_netns: Option<NsId>,
        /// `id`
        id: u16,
        /// `protocol`: 0x8100 or 0x88a8
        protocol: u16,
    },
    /// `type macvlan`
    Macvlan {
        /// `link`
        link: IfIndex,
        /// The namespace of `link`; the same if `None`.
        link_netns: Option<NsId>,
        /// `mode`
        mode: MacvlanMode,
    },
    /// `type vxlan`
    Vxlan(VxlanSpec),
    /// Anything else that iproute2 may ask for: refused in the kernel's words.
    Other(String),
}

/// The other end of a new cable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerAdd {
    /// Where it is made; the same namespace if `None`.
    pub netns: Option<NsId>,
    /// Its name; filled in if `None`.
    pub name: Option<String>,
    /// `index N`
    pub index: Option<IfIndex>,
    /// `address`
    pub address: Option<Mac>,
    /// `mtu`
    pub mtu: Option<u32>,
    /// `txqueuelen`
    pub txqueuelen: Option<u32>,
}

/// What a listing says of a link beyond its [`Port`](vethlab_engine::link::Port): the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The other end's namespace.
    pub netns: NsId,
    /// The other end's index there.
    pub index: IfIndex,
}

/// What drives a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// `lo`
    Loopback,
    /// One end of a veth pair.
    Veth,
    /// The host's `eth0`, with a simulated outside behind it.
    Physical,
    /// A real device, driven by a runner.
    External,
    /// A bridge, a VLAN and the like: the port's own [`PortKind`](vethlab_engine::link::PortKind) tells which.
    Virtual,
}

/// Namespaces, cables and time.
pub struct World {
    now: Time,
    rng: Rng,
    nets: Nets,
    last_ns: u32,
    names: Names,
    cables: Cables,
    watch: LinkWatch,
    stands: Stands,
    /// What happened to links, and nobody has heeded yet.
    news: VecDeque<(NsId, LinkNews)>,
    internet: Option<Internet>,
    devices: Vec<Device>,
    queue: Queue,
    pool: FramePool,
    out: Outbox,
    /// Frames that stacks have sent and no cable has taken yet: namespace, port, frame.
    leaving: VecDeque<(NsId, IfIndex, FrameBuf)>,
    /// Frames that go on in another namespace.
    crossing: VecDeque<(Crossing, FrameBuf)>,
    /// Stacks whose timers may have changed.
    touched: Vec<NsId>,
    digest: Digest,
    recorder: Option<Recorder>,
    /// Operations since what must hold was checked, times so many namespaces as are checked each time.
    #[cfg(debug_assertions)]
    unchecked: usize,
}

impl World {
    /// A world with nothing but a host namespace, its `lo` down. All chance follows from `seed`.
    pub fn new(seed: u64) -> World {
        let mut rng = Rng::new(seed);
        let mut nets = Nets::default();
        // The host is there as long as the machine runs.
        let mut host = Net::new(rng.next());
        host.holds = 1;
        nets.insert(NsId(0), host);
        World {
            now: Time::ZERO,
            rng,
            nets,
            last_ns: 0,
            names: Names::default(),
            cables: Cables::default(),
            watch: LinkWatch::default(),
            stands: Stands::default(),
            news: VecDeque::new(),
            internet: None,
            devices: Vec::new(),
            queue: Queue::default(),
            pool: FramePool::new(),
            out: Outbox::new(),
            leaving: VecDeque::new(),
            crossing: VecDeque::new(),
            touched: Vec::new(),
            digest: Digest::new(),
            recorder: None,
            #[cfg(debug_assertions)]
            unchecked: 0,
        }
    }

    /// The namespace in which a script starts.
    pub fn host(&self) -> NsId {
        NsId(0)
    }

    /// Virtual time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The stack of a namespace.
    ///
    /// # Panics
    /// If there is no such namespace; ask [`World::netns_exists`].
    pub fn stack(&self, ns: NsId) -> &Stack {
        match self.nets.get(ns) {
            Some(net) => &net.stack,
            None => panic!("there is no namespace {ns:?}"),
        }
    }

    /// The same, to be changed. What is changed by [`World::apply`] and the like, cables hear of; what is changed here they
    /// do not.
    ///
    /// # Panics
    /// If there is no such namespace; ask [`World::netns_exists`].
    pub fn stack_mut(&mut self, ns: NsId) -> &mut Stack {
        self.touch(ns);
        match self.nets.get_mut(ns) {
            Some(net) => &mut net.stack,
            None => panic!("there is no namespace {ns:?}"),
        }
    }

    /// When something happens next: a frame arrives, a timer runs out.
    pub fn next_event(&self) -> Option<Time> {
        let touched = self.touched.iter().filter_map(|ns| self.nets.get(*ns)?.stack.next_deadline());
        let touched = touched.filter(|time| *time != Time::NEVER).map(|time| time.max(self.now));
        touched.chain(self.queue.next()).min()
    }

    /// Goes on to `time`, carrying out everything due until then, in order of (time, sequence).
    pub fn advance_to(&mut self, time: Time) {
        self.set_timers();
        while let Some((due, event)) = self.queue.pop(time) {
            self.now = self.now.max(due);
            match event {
                Event::Arrive(end, frame) => self.arrive(end, frame),
                Event::Tick(ns) => self.tick(ns),
                Event::Chore(chore) => self.run(chore),
            }
        }
        self.now = self.now.max(time);
    }

    fn run(&mut self, chore: Chore) {
        match chore {
            Chore::LinkWatch => self.watch_run(),
            Chore::Cleanup(ns) => self.cleanup(ns),
        }
        self.finish();
    }

    /// A number that stands for everything that passed every cable so far.
    pub fn digest(&self) -> u64 {
        self.digest.value()
    }

    /// Frames that are out: those between stacks. (Those that wait in stacks count there: [`Stack::parked`].)
    pub(crate) fn frames_on_the_way(&self) -> usize {
        self.queue.frames() + self.leaving.len() + self.crossing.len() + self.device_frames()
    }

    /// Frames that were taken from the pool and not given back.
    pub(crate) fn frames_taken(&self) -> usize {
        self.pool.taken()
    }

    /// The namespaces and their stacks.
    pub fn stacks(&self) -> impl Iterator<Item = (NsId, &Stack)> {
        self.nets.iter().map(|(ns, net)| (ns, &net.stack))
    }
}

/// Every frame is given back, so that none is lost unnoticed even at the end.
impl Drop for World {
    fn drop(&mut self) {
        let holding = self.stacks().filter(|(_, stack)| stack.parked() > 0);
        let ports: Vec<(NsId, IfIndex)> =
            holding.flat_map(|(ns, stack)| stack.ports().iter().map(move |port| (ns, port.index))).collect();
        for (ns, index) in ports {
            self.visit(ns, |stack, cx, _| stack.port_remove(cx, index));
        }
        while let Some(frame) = self.queue.take_frame() {
            self.pool.give(frame);
        }
        self.leaving.drain(..).for_each(|(_, _, frame)| self.pool.give(frame));
        self.crossing.drain(..).for_each(|(_, frame)| self.pool.give(frame));
        self.devices_clear();
    }
}

#[cfg(test)]
mod tests;
