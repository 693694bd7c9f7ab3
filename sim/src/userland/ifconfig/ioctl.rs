//! What the kernel does on `SIOCSIFADDR` and its like (`devinet_ioctl`, `dev_ifsioc`), said as commands.

use crate::userland::Proc;
use crate::userland::nettools::apply;
use std::net::Ipv4Addr;
use vethlab_engine::addr::{IpAddr, Ipv6Addr, Mac};
use vethlab_engine::address::Address4;
use vethlab_engine::control::{AddressMode, AddressSpec, Command, Errno, IfIndex, LinkChange, scope};
use vethlab_engine::link::port::flag as iff;

/// An interface as an `ioctl` names it: by its name, or by the label of one of its addresses.
pub(super) struct Interface {
    p: Proc,
    pub(super) name: String,
}

impl Interface {
    pub(super) fn new(p: &Proc, name: &str) -> Interface {
        Interface { p: p.clone(), name: name.to_string() }
    }

    fn is_alias(&self) -> bool {
        self.name.contains(':')
    }

    pub(super) fn index(&self) -> Result<IfIndex, Errno> {
        let base = self.name.split(':').next().unwrap_or_default();
        crate::userland::socket::device(&self.p, base).ok_or(Errno::NoDev)
    }

    /// `SIOCGIFFLAGS`
    pub(super) fn flags(&self) -> Result<u32, Errno> {
        let index = self.index()?;
        let world = self.p.world();
        world.stack(self.p.ns()).ports().get(index).map(|port| port.flags()).ok_or(Errno::NoDev)
    }

    /// The first address that bears the name.
    pub(super) fn address(&self) -> Result<Address4, Errno> {
        let index = self.index()?;
        let world = self.p.world();
        let port = world.stack(self.p.ns()).ports().get(index).ok_or(Errno::NoDev)?;
        let found = port.addresses4.iter().find(|address| address.label == self.name);
        found.cloned().ok_or(Errno::AddrNotAvail)
    }

    pub(super) fn link(&self, change: LinkChange) -> Result<(), Errno> {
        apply(&self.p, Command::LinkChange(self.index()?, change))
    }

    /// `SIOCSIFFLAGS`: an alias can only be set down, which deletes it.
    pub(super) fn set_flags(&self, flags: u32, change: LinkChange) -> Result<(), Errno> {
        if !self.is_alias() {
            return self.link(change);
        }
        let address = self.address()?;
        if flags & iff::UP == 0 { self.delete(&address) } else { Ok(()) }
    }

    /// `SIOCSIFADDR`
    pub(super) fn set_address(&self, local: Ipv4Addr) -> Result<(), Errno> {
        let flags = self.flags()?;
        let length = class_length(local)?;
        let mut new = match self.address() {
            Ok(old) if old.local == local => return Ok(()),
            Ok(old) => {
                self.delete(&old)?;
                old
            }
            Err(_) => self.blank(),
        };
        (new.local, new.peer) = (local, local);
        let pointed = flags & iff::POINTOPOINT != 0;
        new.length = if pointed { 32 } else { length };
        new.scope = if local.is_loopback() { scope::HOST } else { scope::UNIVERSE };
        let broadcast = Ipv4Addr::from_bits(local.to_bits() | !mask(new.length));
        new.broadcast = (!pointed && flags & iff::BROADCAST != 0 && length < 31).then_some(broadcast);
        self.insert(&new)
    }

    /// `SIOCSIFBRDADDR`
    pub(super) fn set_broadcast(&self, broadcast: Ipv4Addr) -> Result<(), Errno> {
        let mut address = self.address()?;
        let broadcast = Some(broadcast).filter(|broadcast| !broadcast.is_unspecified());
        if address.broadcast == broadcast {
            return Ok(());
        }
        self.delete(&address)?;
        address.broadcast = broadcast;
        self.insert(&address)
    }

    /// `SIOCSIFDSTADDR`
    pub(super) fn set_peer(&self, peer: Ipv4Addr) -> Result<(), Errno> {
        let mut address = self.address()?;
        if address.peer == peer {
            return Ok(());
        }
        class_length(peer)?;
        self.delete(&address)?;
        address.peer = peer;
        self.insert(&address)
    }

    /// `SIOCSIFNETMASK`; a broadcast address that followed from the old mask follows from the new one.
    pub(super) fn set_netmask(&self, netmask: Ipv4Addr) -> Result<(), Errno> {
        let mut address = self.address()?;
        let hosts = !netmask.to_bits();
        if hosts & hosts.wrapping_add(1) != 0 {
            return Err(Errno::Inval);
        }
        let length = netmask.to_bits().count_ones() as u8;
        if length == address.length {
            return Ok(());
        }
        self.delete(&address)?;
        let all = |length| Ipv4Addr::from_bits(address.local.to_bits() | !mask(length));
        // It is the new length that is looked at.
        let followed = length < 31 && address.broadcast == Some(all(address.length));
        if self.flags()? & iff::BROADCAST != 0 && followed {
            address.broadcast = Some(all(length));
        }
        address.length = length;
        self.insert(&address)
    }

    /// `SIOCSIFADDR` and `SIOCDIFADDR` of IPv6.
    pub(super) fn change_ipv6(&self, local: Ipv6Addr, length: u8, add: bool) -> Result<(), Errno> {
        let spec = AddressSpec::of(self.index()?, local.into(), length);
        apply(&self.p, if add { Command::AddressAdd(AddressMode::Add, spec) } else { Command::AddressDelete(spec) })
    }

    pub(super) fn set_mac(&self, mac: Mac, ether: bool) -> Result<(), Errno> {
        let index = self.index()?;
        let loopback = self.p.world().stack(self.p.ns()).ports().get(index).is_none_or(|port| port.is_loopback());
        if loopback || !ether {
            return Err(Errno::Inval);
        }
        self.link(LinkChange { address: Some(mac), ..LinkChange::default() })
    }

    fn blank(&self) -> Address4 {
        use vethlab_engine::control::Lifetime;
        let (local, label) = (Ipv4Addr::UNSPECIFIED, self.name.clone());
        Address4 {
            local,
            peer: local,
            length: 0,
            broadcast: None,
            scope: scope::UNIVERSE,
            flags: 0,
            label: label.into(),
            metric: 0,
            protocol: 0,
            valid: Lifetime::FOREVER,
            preferred: Lifetime::FOREVER,
        }
    }

    fn delete(&self, address: &Address4) -> Result<(), Errno> {
        apply(&self.p, Command::AddressDelete(self.spec(address)?))
    }

    fn insert(&self, address: &Address4) -> Result<(), Errno> {
        apply(&self.p, Command::AddressAdd(AddressMode::Add, self.spec(address)?))
    }

    fn spec(&self, address: &Address4) -> Result<AddressSpec, Errno> {
        let peer = (address.peer != address.local).then(|| IpAddr::from(address.peer));
        Ok(AddressSpec {
            peer,
            broadcast: address.broadcast,
            scope: Some(address.scope),
            label: Some(address.label.to_string()),
            metric: Some(address.metric).filter(|metric| *metric != 0),
            ..AddressSpec::of(self.index()?, address.local.into(), address.length)
        })
    }
}

fn mask(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
}

/// `inet_abc_len()`: the prefix length of the class that an address is of.
fn class_length(address: Ipv4Addr) -> Result<u8, Errno> {
    Ok(match address.octets() {
        [0, ..] | [255, 255, 255, 255] => 0,
        [1..=127, ..] => 8,
        [128..=191, ..] => 16,
        [192..=223, ..] => 24,
        [224..=239, ..] => return Err(Errno::Inval),
        [240..=255, ..] => 32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_as_of_old() {
        let length = |first| class_length(Ipv4Addr::new(first, 1, 1, 1));
        assert_eq!([0, 10, 127, 172, 192, 223, 240].map(length).map(Result::ok), [0, 8, 8, 16, 24, 24, 32].map(Some));
        assert_eq!(length(224), Err(Errno::Inval));
        assert_eq!(class_length(Ipv4Addr::BROADCAST), Ok(0));
    }
}
