//! What becomes of the real interfaces: `RTM_NEWLINK` and `RTM_DELLINK` of an rtnetlink socket.

use crate::addr::Mac;
use nix::errno::Errno;
use nix::sys::socket::sockopt::ReceiveTimeout;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, sendto, setsockopt, socket,
};
use nix::sys::time::{TimeVal, TimeValLike};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// An interface, as the kernel last told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its Ethernet address; `None` if it is no Ethernet interface.
    pub mac: Option<Mac>,
    /// Its MTU.
    pub mtu: u32,
    /// Set up, and its cable works.
    pub carrier: bool,
    /// Deleted, or moved to another namespace.
    pub gone: bool,
}

/// An rtnetlink socket that listens to changes of links.
pub struct Watch {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

/// How long the kernel may take to answer a question; it answers before the question's system call returns.
const PATIENCE: i64 = 2;
/// The kernel makes no message of links longer than this for a socket that reads with such a buffer.
const LARGEST: usize = 65_536;

impl Watch {
    /// Listens from now on.
    pub fn open() -> io::Result<Watch> {
        let flags = SockFlag::SOCK_CLOEXEC;
        let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
        setsockopt(&socket, ReceiveTimeout, &TimeVal::seconds(PATIENCE))?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, libc::RTMGRP_LINK as u32))?;
        Ok(Watch { socket, buffer: vec![0; LARGEST] })
    }

    /// Asks for the interface of this name. `ENODEV`: there is none.
    pub fn ask(&mut self, name: &str) -> io::Result<Link> {
        let index = nix::net::if_::if_nametoindex(name)?;
        self.query(index)?;
        loop {
            let links = self.read(MsgFlags::empty())?;
            if let Some(link) = links.into_iter().find(|link| link.index == index) {
                return if link.gone { Err(Errno::ENODEV.into()) } else { Ok(link) };
            }
        }
    }

    /// Asks for an interface; the answer comes by [`Watch::changes`].
    pub fn query(&self, index: u32) -> io::Result<()> {
        sendto(self.socket.as_raw_fd(), &request(index), &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
        Ok(())
    }

    /// The same by name.
    pub fn query_named(&self, name: &str) -> io::Result<()> {
        self.query(nix::net::if_::if_nametoindex(name)?)
    }

    /// What was told since the last call. `ENOBUFS`: some of it was lost; [ask](Watch::query) for each interface.
    pub fn changes(&mut self) -> io::Result<Vec<Link>> {
        let mut all = Vec::new();
        loop {
            match self.read(MsgFlags::MSG_DONTWAIT) {
                Ok(links) => all.extend(links),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(all),
                Err(error) => return Err(error),
            }
        }
    }

    /// What to wait on: readable while there are changes.
    pub fn wait(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn read(&mut self, flags: MsgFlags) -> io::Result<Vec<Link>> {
        let length = recv(self.socket.as_raw_fd(), &mut self.buffer, flags)?;
        parse(self.buffer.get(..length).unwrap_or_default())
    }
}

/// `struct nlmsghdr`: length, type, flags, sequence, port.
const MESSAGE_HEAD: usize = 16;
/// `struct ifinfomsg`: family, pad, type, index, flags, change.
const LINK_HEAD: usize = 16;
/// `struct rtattr`: length, type.
const ATTRIBUTE_HEAD: usize = 4;

/// `RTM_GETLINK` for one interface.
fn request(index: u32) -> Vec<u8> {
    let length = (MESSAGE_HEAD + LINK_HEAD) as u32;
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(libc::RTM_GETLINK.to_ne_bytes());
    bytes.extend((libc::NLM_F_REQUEST as u16).to_ne_bytes());
    bytes.extend([0; 12]);
    bytes.extend(index.to_ne_bytes());
    bytes.resize(length as usize, 0);
    bytes
}

/// The link that a question was about, if the answer is that there is none.
fn refused(body: &[u8]) -> io::Result<Option<Link>> {
    /// The error number comes before the question.
    const ERRNO: usize = 4;
    match -(u32_at(body, 0) as i32) {
        0 => Ok(None),
        libc::ENODEV => {
            let index = u32_at(body, ERRNO + MESSAGE_HEAD + 4);
            Ok(Some(Link { index, name: String::new(), mac: None, mtu: 0, carrier: false, gone: true }))
        }
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// The links that a datagram of the kernel tells of; an error that it answers.
fn parse(datagram: &[u8]) -> io::Result<Vec<Link>> {
    let mut links = Vec::new();
    for (head, body) in (Pieces { rest: datagram, head: MESSAGE_HEAD, wide: true }) {
        match u16_at(head, 4) {
            kind @ (libc::RTM_NEWLINK | libc::RTM_DELLINK) => links.extend(link(body, kind == libc::RTM_DELLINK)),
            kind if kind == libc::NLMSG_ERROR as u16 => links.extend(refused(body)?),
            _ => {}
        }
    }
    Ok(links)
}

/// The body of one message. Messages of other families (a bridge that lets a port go also says `RTM_DELLINK`) tell
/// nothing of the link itself.
fn link(body: &[u8], gone: bool) -> Option<Link> {
    const WORKS: u32 = (libc::IFF_UP | libc::IFF_LOWER_UP) as u32;
    let (head, attributes) = body.split_at_checked(LINK_HEAD)?;
    if head[0] != libc::AF_UNSPEC as u8 {
        return None;
    }
    let ethernet = u16_at(head, 2) == libc::ARPHRD_ETHER;
    let carrier = u32_at(head, 8) & WORKS == WORKS;
    let mut link = Link { index: u32_at(head, 4), name: String::new(), mac: None, mtu: 0, carrier, gone };
    for (head, value) in (Pieces { rest: attributes, head: ATTRIBUTE_HEAD, wide: false }) {
        match u16_at(head, 2) {
            libc::IFLA_IFNAME => {
                let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
                link.name = String::from_utf8_lossy(&value[..end]).into_owned();
            }
            libc::IFLA_ADDRESS if ethernet => link.mac = value.try_into().ok().map(Mac),
            libc::IFLA_MTU => link.mtu = u32_at(value, 0),
            _ => {}
        }
    }
    Some(link)
}

/// Messages or attributes that follow each other: a head that begins with the whole's length (in 32 bits if `wide`, else
/// in 16), the rest of it, and padding to 4 bytes.
struct Pieces<'a> {
    rest: &'a [u8],
    head: usize,
    wide: bool,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = if self.wide { u32_at(self.rest, 0) as usize } else { u16_at(self.rest, 0).into() };
        let piece = self.rest.get(..length)?;
        let (head, body) = piece.split_at_checked(self.head)?;
        self.rest = self.rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((head, body))
    }
}

/// The number at this place; 0 if it lies past the end.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).map_or(0, u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, family: u8, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = vec![family, 0];
        body.extend(libc::ARPHRD_ETHER.to_ne_bytes());
        body.extend(7u32.to_ne_bytes());
        body.extend(((libc::IFF_UP | libc::IFF_LOWER_UP) as u32).to_ne_bytes());
        body.extend([0; 4]);
        for (kind, value) in attributes {
            body.extend((4 + value.len() as u16).to_ne_bytes());
            body.extend(kind.to_ne_bytes());
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let mut bytes = (MESSAGE_HEAD as u32 + body.len() as u32).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([0; 10]);
        bytes.extend(body);
        bytes
    }

    #[test]
    fn two_messages_in_one_datagram() {
        let attributes: [(u16, &[u8]); 3] = [
            (libc::IFLA_IFNAME, b"r0\0"),
            (libc::IFLA_ADDRESS, &[2, 0, 0, 0, 0, 9]),
            (libc::IFLA_MTU, &1400u32.to_ne_bytes()),
        ];
        let mut datagram = message(libc::RTM_NEWLINK, 0, &attributes);
        datagram.extend(message(libc::RTM_DELLINK, 0, &attributes[..1]));
        let links = parse(&datagram).unwrap();
        let mac = Some(Mac([2, 0, 0, 0, 0, 9]));
        let up = Link { index: 7, name: "r0".into(), mac, mtu: 1400, carrier: true, gone: false };
        assert_eq!(links, [up.clone(), Link { mac: None, mtu: 0, gone: true, ..up }]);
    }

    #[test]
    fn a_bridge_that_lets_a_port_go_does_not_delete_it() {
        assert!(parse(&message(libc::RTM_DELLINK, libc::AF_BRIDGE as u8, &[])).unwrap().is_empty());
    }

    #[test]
    fn an_error_is_an_error_and_an_acknowledgement_is_none() {
        let answer = |errno: i32| {
            let mut bytes = vec![0; MESSAGE_HEAD];
            bytes[4..6].copy_from_slice(&(libc::NLMSG_ERROR as u16).to_ne_bytes());
            bytes.extend((-errno).to_ne_bytes());
            bytes.extend(request(7));
            let length = bytes.len() as u32;
            bytes[..4].copy_from_slice(&length.to_ne_bytes());
            bytes
        };
        assert_eq!(parse(&answer(libc::EPERM)).unwrap_err().raw_os_error(), Some(libc::EPERM));
        assert!(parse(&answer(0)).unwrap().is_empty());
        // The answer to a question about an interface that is not there.
        let links = parse(&answer(libc::ENODEV)).unwrap();
        assert_eq!(links.iter().map(|link| (link.index, link.gone)).collect::<Vec<_>>(), [(7, true)]);
    }

    #[test]
    fn cut_messages_end_the_list() {
        let whole = message(libc::RTM_NEWLINK, 0, &[(libc::IFLA_IFNAME, b"r0\0")]);
        for length in 0..whole.len() {
            assert!(parse(&whole[..length]).unwrap().is_empty(), "{length} bytes");
        }
    }

    #[test]
    fn lo_is_there_and_is_no_ethernet() {
        let lo = Watch::open().and_then(|mut watch| watch.ask("lo")).unwrap();
        assert_eq!((lo.name.as_str(), lo.mac, lo.gone), ("lo", None, false));
        let missing = Watch::open().and_then(|mut watch| watch.ask("no-such-link")).unwrap_err();
        assert_eq!(missing.raw_os_error(), Some(libc::ENODEV));
    }
}
