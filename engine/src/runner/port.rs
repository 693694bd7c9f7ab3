//! One real interface of a runner: its device, which may come and go.

use crate::addr::Mac;
use crate::device::links::{Link, Watch};
use crate::device::mode::words;
use crate::device::{Device, DeviceCounters, Failure, Opener};
use crate::frame::{FrameBuf, FramePool};
use std::fmt;
use std::io;

/// Why a runner cannot start.
#[derive(Debug)]
#[allow(missing_docs, reason = "each is explained by its text")]
pub enum OpenError {
    Watch { why: io::Error },
    Unknown { name: String, why: io::Error },
    NotEthernet { name: String },
    Device { name: String, failure: Failure },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Watch { why } => write!(f, "watching the interfaces: {}", words(why)),
            OpenError::Unknown { name, why } if why.raw_os_error() == Some(libc::ENODEV) => {
                write!(f, "there is no interface {name} in this network namespace")
            }
            OpenError::Unknown { name, why } => write!(f, "looking up {name}: {}", words(why)),
            OpenError::NotEthernet { name } => write!(f, "{name} is not an Ethernet interface"),
            OpenError::Device { name, failure: Failure { doing, why, fix } } => {
                write!(f, "{doing} on {name}: {}", words(why))?;
                fix.map_or(Ok(()), |fix| write!(f, ": {fix}"))
            }
        }
    }
}

impl std::error::Error for OpenError {}

/// A real interface, as the device of one port.
pub struct RealPort {
    mac: Mac,
    link: Link,
    device: Option<Box<dyn Device>>,
    /// What earlier devices of the port counted.
    before: DeviceCounters,
}

impl RealPort {
    /// Opens the device of the interface of this name.
    pub fn open(watch: &mut Watch, name: &str, opener: &mut Opener) -> Result<RealPort, OpenError> {
        let link = watch.ask(name).map_err(|why| OpenError::Unknown { name: name.to_owned(), why })?;
        let own = link.mac.ok_or_else(|| OpenError::NotEthernet { name: name.to_owned() })?;
        let mac = engine_mac(own);
        let device = opener.open(&link, mac).map_err(|failure| OpenError::Device { name: name.to_owned(), failure })?;
        // The name that was asked for: it may be an alternative name of the interface.
        let link = Link { name: name.to_owned(), ..link };
        Ok(RealPort { mac, link, device: Some(device), before: DeviceCounters::default() })
    }

    /// The interface's name, by which it was opened.
    pub fn name(&self) -> &str {
        &self.link.name
    }

    /// The MAC that the port answers with: not the interface's own, so that the kernel does not answer too.
    pub fn mac(&self) -> Mac {
        self.mac
    }

    /// The interface, as the kernel last told of it.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// True if frames can pass now.
    pub fn has_carrier(&self) -> bool {
        self.device.is_some() && self.link.carrier
    }

    /// What passed since it was opened.
    pub fn counters(&mut self) -> DeviceCounters {
        let mut sum = self.before.clone();
        if let Some(device) = &mut self.device {
            sum.add(device.counters());
        }
        sum
    }

    pub(super) fn device(&self) -> Option<&dyn Device> {
        self.device.as_deref()
    }

    /// Takes what waits, up to a batch; false if nothing did.
    pub(super) fn receive(&mut self, pool: &mut FramePool, frames: &mut Vec<FrameBuf>) -> bool {
        if let Some(device) = &mut self.device {
            device.receive(pool, frames);
        }
        !frames.is_empty()
    }

    /// Takes note of an error that the device waits with.
    pub(super) fn recover(&mut self) {
        if let Some(device) = &mut self.device {
            device.recover();
        }
    }

    /// What people should know of its device and were not told yet.
    pub(super) fn complaint(&mut self) -> Option<String> {
        let complaint = self.device.as_mut()?.complaint()?;
        Some(format!("{}: {complaint}", self.name()))
    }

    /// Sends frames; to an interface that is gone or has no cable, nothing goes.
    pub(super) fn transmit(&mut self, pool: &mut FramePool, frames: &mut Vec<FrameBuf>) {
        match &mut self.device {
            Some(device) if self.link.carrier => device.transmit(pool, frames),
            // Without a cable the kernel would drop them and say that they were sent.
            Some(_) => self.refuse(pool, frames, libc::ENETDOWN),
            None => self.refuse(pool, frames, libc::ENXIO),
        }
    }

    fn refuse(&mut self, pool: &mut FramePool, frames: &mut Vec<FrameBuf>, errno: i32) {
        *self.before.refused.entry(errno).or_default() += frames.len() as u64;
        frames.drain(..).for_each(|frame| pool.give(frame));
    }

    /// True if the kernel tells that our interface is gone. What it had received before waits in the socket still.
    pub(super) fn loses(&self, link: &Link) -> bool {
        link.gone && self.device.is_some() && link.index == self.link.index
    }

    /// Asks for the interface, or for one of its name.
    pub(super) fn query(&self, watch: &Watch) -> io::Result<()> {
        match self.device {
            Some(_) => watch.query(self.link.index),
            None => watch.query_named(self.name()),
        }
    }

    /// Takes in what the kernel tells of a link. `None`: it is another's. Else a line for people, empty if there is
    /// nothing to say.
    pub(super) fn follow(&mut self, link: &Link, opener: &mut Opener) -> Option<String> {
        match &self.device {
            Some(_) if link.index != self.link.index => None,
            Some(_) if link.gone => {
                self.before = self.counters();
                self.device = None;
                Some(format!("{} is gone; its port waits for an interface of this name", self.name()))
            }
            Some(_) => {
                self.link = Link { name: std::mem::take(&mut self.link.name), ..link.clone() };
                Some(String::new())
            }
            None if link.gone || link.name != self.link.name || link.mac.is_none() => None,
            None => Some(self.reopen(link, opener)),
        }
    }

    /// An interface of our name is there again.
    fn reopen(&mut self, link: &Link, opener: &mut Opener) -> String {
        match opener.open(link, self.mac) {
            Ok(device) => {
                self.device = Some(device);
                self.link = link.clone();
                format!("{} is there again", self.name())
            }
            Err(failure) => OpenError::Device { name: link.name.clone(), failure }.to_string(),
        }
    }
}

/// The MAC of a port whose interface has this one. It differs from the interface's, so that the kernel takes frames for
/// us as another host's: it drops them early and answers none. It follows from it, so that neighbours that know us still
/// do after a restart.
fn engine_mac(interface: Mac) -> Mac {
    const LOCAL: u8 = 2;
    const GROUP: u8 = 1;
    let Mac([first, second, third, rest @ ..]) = interface;
    let [fourth, fifth, sixth] = rest;
    // "vl" beside the local bit: the other end of a veth pair has a MAC by chance, so nothing rarer is needed.
    Mac([(first | LOCAL) & !GROUP, second ^ b'v', third ^ b'l', fourth, fifth, sixth])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mac_is_local_unicast_and_another() {
        for own in [[0x52, 0x54, 0, 1, 2, 3], [0; 6], [0xff; 6], [0x02, b'v', b'l', 0, 0, 0]] {
            let Mac(mac) = engine_mac(Mac(own));
            assert_ne!(mac, own);
            assert_eq!(mac[0] & 3, 2, "local, and no group");
        }
    }

    #[test]
    fn errors_say_what_to_do() {
        let error = |errno| io::Error::from_raw_os_error(errno);
        let fix = Some("run as root");
        let failure = |errno, fix| Failure { doing: "opening a packet socket", why: error(errno), fix };
        let device = |errno, fix| OpenError::Device { name: "r0".into(), failure: failure(errno, fix) }.to_string();
        let text = "opening a packet socket on r0: Operation not permitted: run as root";
        assert_eq!(device(libc::EPERM, fix), text);
        assert_eq!(device(libc::ENOMEM, None), "opening a packet socket on r0: Cannot allocate memory");
        let unknown = OpenError::Unknown { name: "r9".into(), why: error(libc::ENODEV) };
        assert_eq!(unknown.to_string(), "there is no interface r9 in this network namespace");
    }
}
