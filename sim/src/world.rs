//! A world: namespaces, cables and time.

use vethlab_engine::Stack;
use vethlab_engine::addr::{Ipv4Addr, Mac};
use vethlab_engine::control::{Command, Errno, IfIndex, Refusal};
use vethlab_engine::local::SocketId;
use vethlab_engine::time::{Duration, Time};

/// A namespace's number in its world; never given twice. The host is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NsId(pub u32);

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
}

/// Namespaces, cables and time.
pub struct World {}

#[allow(unused_variables, missing_docs)]
impl World {
    /// A world with nothing but a host namespace, its `lo` down. All chance follows from `seed`.
    pub fn new(seed: u64) -> World {
        unimplemented!()
    }
    /// Sets up the host namespace as a script finds it.
    pub fn furnish(&mut self, host: crate::lab::Host) {
        unimplemented!()
    }
    pub fn host(&self) -> NsId {
        NsId(0)
    }
    pub fn now(&self) -> Time {
        unimplemented!()
    }

    // namespaces and their names
    /// `ip netns add`: a new namespace with a name. `EEXIST`.
    pub fn netns_add(&mut self, name: &str) -> Result<NsId, Errno> {
        unimplemented!()
    }
    /// `ip netns attach`: another name for a namespace.
    pub fn netns_attach(&mut self, name: &str, ns: NsId) -> Result<(), Errno> {
        unimplemented!()
    }
    /// `ip netns del`: takes the name away; the namespace goes when no process holds it. `ENOENT`.
    pub fn netns_delete(&mut self, name: &str) -> Result<(), Errno> {
        unimplemented!()
    }
    pub fn netns_named(&self, name: &str) -> Option<NsId> {
        unimplemented!()
    }
    /// Names and namespaces, newest first, as `ip netns list` prints them.
    pub fn netns_list(&self) -> Vec<(String, NsId)> {
        unimplemented!()
    }
    pub fn netns_exists(&self, ns: NsId) -> bool {
        unimplemented!()
    }
    /// A name of the namespace.
    pub fn netns_name(&self, ns: NsId) -> Option<&str> {
        unimplemented!()
    }
    /// The number by which `from` knows `of` (`netnsid`), if it has one already.
    pub fn nsid(&self, from: NsId, of: NsId) -> Option<u32> {
        unimplemented!()
    }
    /// All numbers that `from` has given, ascending: `ip netns list-id`.
    pub fn nsids(&self, from: NsId) -> Vec<(u32, NsId)> {
        unimplemented!()
    }
    /// Gives it one. `wanted`: `ip netns set NAME ID`.
    pub fn nsid_assign(&mut self, from: NsId, of: NsId, wanted: Option<u32>) -> Result<u32, Errno> {
        unimplemented!()
    }
    /// Counts a process in or out: a namespace without name lives while processes hold it.
    pub fn netns_hold(&mut self, ns: NsId) {
        unimplemented!()
    }
    pub fn netns_release(&mut self, ns: NsId) {
        unimplemented!()
    }

    // stacks
    /// The stack of a namespace.
    ///
    /// # Panics
    /// If there is no such namespace; ask [`World::netns_exists`].
    pub fn stack(&self, ns: NsId) -> &Stack {
        unimplemented!()
    }
    pub fn stack_mut(&mut self, ns: NsId) -> &mut Stack {
        unimplemented!()
    }
    /// Configures one namespace; cables see changes of up, down, MTU. Frames that follow from it (none but parked ones
    /// usually) are carried.
    pub fn apply(&mut self, ns: NsId, command: Command) -> Result<(), Refusal> {
        unimplemented!()
    }

    // links
    pub fn link_add(&mut self, ns: NsId, link: LinkAdd) -> Result<IfIndex, Refusal> {
        unimplemented!()
    }
    /// `ip link del`: both ends of a cable go.
    pub fn link_delete(&mut self, ns: NsId, index: IfIndex) -> Result<(), Refusal> {
        unimplemented!()
    }
    /// `ip link set X netns Y [name N]`
    pub fn link_move(&mut self, ns: NsId, index: IfIndex, to: NsId, name: Option<&str>) -> Result<(), Refusal> {
        unimplemented!()
    }
    pub fn driver(&self, ns: NsId, index: IfIndex) -> Option<Driver> {
        unimplemented!()
    }
    pub fn peer(&self, ns: NsId, index: IfIndex) -> Option<Peer> {
        unimplemented!()
    }
    /// Delay of a cable, both ways.
    pub fn link_delay(&mut self, ns: NsId, index: IfIndex, delay: Duration) {
        unimplemented!()
    }
    /// `IFLA_OPERSTATE` with Linux's peculiarity for cables (LOWERLAYERDOWN only if the two indexes differ).
    pub fn operstate(&self, ns: NsId, index: IfIndex) -> vethlab_engine::link::OperState {
        unimplemented!()
    }

    // sockets: as the functions of the same name on Stack, and frames that leave are carried
    pub fn send_to(&mut self, ns: NsId, socket: SocketId, to: (Ipv4Addr, u16), payload: &[u8]) -> Result<(), Errno> {
        unimplemented!()
    }
    pub fn send_frame(
        &mut self,
        ns: NsId,
        socket: SocketId,
        port: IfIndex,
        to: Mac,
        payload: &[u8],
    ) -> Result<(), Errno> {
        unimplemented!()
    }

    // time
    /// When something happens next: a frame arrives, a timer runs out.
    pub fn next_event(&self) -> Option<Time> {
        unimplemented!()
    }
    /// Goes on to `time`, carrying out everything due until then, in order of (time, sequence).
    pub fn advance_to(&mut self, time: Time) {
        unimplemented!()
    }
    /// A number that stands for everything that passed every cable so far.
    pub fn digest(&self) -> u64 {
        unimplemented!()
    }
}
