//! The kinds of devices, and which to open.

use super::Device;
use super::links::Link;
use super::packet::{PacketSocket, RingSocket};
use super::xdp::{Memory, XdpSocket};
use crate::addr::Mac;
use std::io;
use std::rc::Rc;

/// How frames are carried between an interface and us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A packet socket, `recvmmsg` and `sendmmsg`: carries everything.
    Plain,
    /// A ring that the kernel fills, and `sendmmsg`: carries everything.
    Ring,
    /// A ring whose slots hold super-frames: carries everything.
    Gso,
    /// AF_XDP in generic copy mode: carries what is no super-frame.
    Xdp,
}

impl Mode {
    /// As it is called on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Plain => "plain",
            Mode::Ring => "ring",
            Mode::Gso => "gso",
            Mode::Xdp => "xdp",
        }
    }

    /// What it cannot carry and what to do about it, or nothing.
    pub fn limits(self) -> Option<&'static str> {
        match self {
            Mode::Plain | Mode::Ring | Mode::Gso => None,
            Mode::Xdp => Some(
                "super-frames of TCP are not carried, nor VLAN tags that a far end's interface leaves out of the frame: \
                 there, ethtool -K IFNAME tso off gso off txvlan off",
            ),
        }
    }
}

/// Why a device could not be opened.
#[derive(Debug)]
pub struct Failure {
    /// What was being done: "opening a packet socket".
    pub doing: &'static str,
    /// What the kernel said.
    pub why: io::Error,
    /// What to do about it, if that is known.
    pub fix: Option<&'static str>,
}

impl Failure {
    /// One that lacks rights says so.
    pub(super) fn new(doing: &'static str, why: io::Error, rights: &'static str) -> Failure {
        let lacks = matches!(why.raw_os_error(), Some(libc::EPERM | libc::EACCES));
        Failure { doing, why, fix: lacks.then_some(rights) }
    }

    fn of_packets(why: io::Error) -> Failure {
        Failure::new("opening a packet socket", why, "run as root, or inside a user namespace: unshare -Urn …")
    }
}

/// Opens the devices of one runner: all of one kind, with the memory that they share.
pub struct Opener {
    mode: Mode,
    /// Why this one was picked, until somebody has been told; `None` if it was asked for.
    picked: Option<String>,
    memory: Option<Rc<Memory>>,
    ports: usize,
}

impl Opener {
    /// Devices of this kind, or if `None` of the fastest one that carries everything, for so many interfaces.
    pub fn new(wish: Option<Mode>, ports: usize) -> Opener {
        let picked = wish.is_none().then(|| "it carries every offload of the far ends".to_owned());
        Opener { mode: wish.unwrap_or(Mode::Ring), picked, memory: None, ports }
    }

    /// The kind, and if nobody asked for it, why it was picked.
    pub fn mode(&self) -> (Mode, Option<&str>) {
        (self.mode, self.picked.as_deref())
    }

    /// Opens the device of an interface; `mac`: the address that frames for us bear.
    pub fn open(&mut self, link: &Link, mac: Mac) -> Result<Box<dyn Device>, Failure> {
        let ring = || RingSocket::open(link.index, link.mtu, mac).map_err(Failure::of_packets);
        match self.mode {
            Mode::Gso => Ok(Box::new(RingSocket::open_whole(link.index, mac).map_err(Failure::of_packets)?)),
            Mode::Plain => Ok(Box::new(PacketSocket::open(link.index, mac).map_err(Failure::of_packets)?)),
            Mode::Ring => match ring() {
                Ok(device) => Ok(Box::new(device)),
                // Whoever may open no packet socket may open none without a ring either.
                Err(failure) if self.picked.is_none() || failure.fix.is_some() => Err(failure),
                Err(failure) => {
                    self.mode = Mode::Plain;
                    self.picked = Some(format!("there is no memory for rings here ({})", words(&failure.why)));
                    self.open(link, mac)
                }
            },
            Mode::Xdp => {
                let memory = match &self.memory {
                    Some(memory) => Rc::clone(memory),
                    None => Rc::clone(self.memory.insert(Memory::for_ports(self.ports)?)),
                };
                Ok(Box::new(XdpSocket::open(link.index, &memory)?))
            }
        }
    }
}

/// An error of the system in the C library's words, without Rust's number behind.
pub(crate) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map(|(words, _)| words.to_owned()).unwrap_or(text)
}
