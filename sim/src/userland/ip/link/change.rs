//! `ip link add`, `set`, `del`: what a [`Request`] asks for is carried out.

use super::super::Ip;
use super::super::args::{Args, Stop};
use super::kind::{self, Words};
use super::request::{LinkNetns, Netns, Purpose, Request, not_simulated};
use crate::world::{LinkAdd, LinkKind, NsId, PeerAdd};
use vethlab_engine::addr::Mac;
use vethlab_engine::control::{Command, Errno, IfIndex, LinkChange, Refusal};
use vethlab_engine::link::{MacvlanMode, OperState, PortKind, VxlanSpec};

/// `ip link add`
pub(super) fn add(ip: &mut Ip, args: Args<'_>) -> Result<(), Stop> {
    create(ip, args, Errno::Exist)
}

/// `ip link replace`: of an existing link nothing can be replaced.
pub(super) fn replace(ip: &mut Ip, args: Args<'_>) -> Result<(), Stop> {
    create(ip, args, Errno::OpNotSupp)
}

/// `rtnl_newlink`; `taken` is what is said of a link that is there already.
fn create(ip: &mut Ip, mut args: Args<'_>, taken: Errno) -> Result<(), Stop> {
    let request = Request::read(ip, &mut args, Purpose::Create)?;
    let words = of_type(ip, &request, &mut args, Purpose::Create)?;
    let Some(kind) = request.kind.as_deref() else {
        return Err(Stop::fail(1, "Not enough information: \"type\" argument is required\n"));
    };
    check_new(&request)?;
    validate(kind, &request, &words)?;
    // One that is to be new must be so where it is made; one that may be there is looked for here.
    let ns = if taken == Errno::Exist { ip.ns_of(request.netns)?.unwrap_or(ip.ns) } else { ip.ns };
    let exists = {
        let world = ip.world();
        let ports = world.stack(ns).ports();
        request.name.as_ref().is_some_and(|name| ports.named(name).is_some())
            || request.index.is_some_and(|index| ports.get(index).is_some())
    };
    if exists { Err(Refusal::from(taken).into()) } else { add_kind(ip, kind, &request, words) }
}

/// What a kind asks for before anything is looked at (`ops->validate`).
fn validate(kind: &str, request: &Request, words: &Words) -> Result<(), Refusal> {
    let no = |text: &str| Err(Refusal::because(Errno::Inval, text));
    let wrong_mtu = request.mtu.is_some_and(|mtu| !(68..=65_535).contains(&mtu));
    match (kind, words) {
        ("veth", _) if wrong_mtu => Err(Errno::Inval.into()),
        ("vxlan", _) if wrong_mtu => no("MTU must be between 68 and 65535"),
        ("vxlan", Words::None) => no("Required attributes not provided to perform the operation"),
        ("vlan", Words::None) => no("8021q: VLAN properties not specified"),
        _ => Ok(()),
    }
}

/// The words after `type KIND`.
fn of_type(ip: &mut Ip, request: &Request, args: &mut Args<'_>, purpose: Purpose) -> Result<Words, Stop> {
    match request.kind.as_deref() {
        Some(kind) => kind::read(ip, kind, args, purpose),
        None => Ok(Words::None),
    }
}

fn add_kind(ip: &mut Ip, kind: &str, request: &Request, words: Words) -> Result<(), Stop> {
    let kind = match (kind, words) {
        ("veth", Words::Veth(peer)) => return add_veth(ip, request, Some(*peer)),
        ("veth", _) => return add_veth(ip, request, None),
        ("dummy", _) => LinkKind::Dummy,
        ("bridge", Words::Bridge(spec)) => LinkKind::Bridge(spec),
        ("bridge", _) => LinkKind::Bridge(Box::default()),
        ("vlan" | "macvlan" | "vxlan", words) => on_another(ip, kind, request, words)?,
        (kind, _) => return Err(kind::unknown(kind)),
    };
    let ns = ip.ns_of(request.netns)?.unwrap_or(ip.ns);
    let link = LinkAdd {
        name: request.name.clone(),
        index: request.index,
        address: mac(request.address.as_deref())?,
        mtu: request.mtu.map(|mtu| mtu as u32),
        txqueuelen: request.txqueuelen.map(|length| length as u32),
        kind,
    };
    let index = ip.world().link_add(ns, link)?;
    configure(ip, ns, index, request)
}

/// A link that stands on another one, or may do so.
fn on_another(ip: &Ip, kind: &str, request: &Request, words: Words) -> Result<LinkKind, Stop> {
    let link_netns = match request.link_netns {
        None => request.netns.map(|_| ip.ns),
        some => Some(beside(ip, some)?),
    };
    let refused = |text: &str| Refusal::because(Errno::Inval, text);
    match (kind, words) {
        ("vlan", Words::Vlan(words)) => {
            let id = words.id.ok_or_else(|| refused("8021q: VLAN id not specified"))?;
            let link = request.link.ok_or_else(|| refused("8021q: link not specified"))?;
            Ok(LinkKind::Vlan { link, link_netns, id, protocol: words.protocol.unwrap_or(0x8100) })
        }
        ("macvlan", words) => {
            match request.mtu.map(|mtu| mtu as u32) {
                Some(0..68) => return Err(refused("mtu less than device minimum").into()),
                Some(65_536..) => return Err(refused("mtu greater than device maximum").into()),
                _ => {}
            }
            let link = request.link.ok_or(Refusal::from(Errno::Inval))?;
            let said = if let Words::Macvlan(words) = words { words.mode } else { None };
            Ok(LinkKind::Macvlan { link, link_netns, mode: said.unwrap_or(MacvlanMode::Vepa) })
        }
        (_, Words::Vxlan(words)) => {
            let id = words.id.unwrap_or_default();
            let unsaid = VxlanSpec::of(id);
            Ok(LinkKind::Vxlan(VxlanSpec {
                remote: words.remote,
                local: words.local,
                dev: words.dev,
                dstport: words.dstport.filter(|port| *port != 0),
                srcport: words.srcport.unwrap_or(unsaid.srcport),
                ttl: words.ttl.unwrap_or(unsaid.ttl),
                tos: words.tos.unwrap_or(unsaid.tos),
                df: words.df.unwrap_or(unsaid.df),
                learning: words.learning.unwrap_or(unsaid.learning),
                ageing: words.ageing.unwrap_or(unsaid.ageing),
                max_addresses: words.max_addresses.unwrap_or(unsaid.max_addresses),
                ..unsaid
            }))
        }
        _ => Err(Refusal::from(Errno::Inval).into()),
    }
}

fn add_veth(ip: &mut Ip, request: &Request, peer: Option<Request>) -> Result<(), Stop> {
    let peer = &peer.unwrap_or_else(|| silent_peer(request));
    for end in [request, peer] {
        check_new(end)?;
    }
    let ns = ip.ns_of(request.netns)?.unwrap_or(ip.ns);
    let peer_ns = match ip.ns_of(peer.netns)? {
        Some(ns) => ns,
        None => beside(ip, request.link_netns)?,
    };
    if peer.up == Some(true) {
        return Err(peer_alone(ip, peer, peer_ns)?.into());
    }
    let index = ip.world().link_add(ns, link_add(request, peer, peer_ns)?)?;
    let other = ip.world().peer(ns, index).map(|peer| peer.index);
    if let Some(other) = other {
        // Of the peer's master the kernel does not hear.
        switch(ip, peer_ns, other, peer)?;
    }
    configure(ip, ns, index, request)
}

/// A peer is brought up before it is told of its other end, and so is made in vain; only its number is used up.
fn peer_alone(ip: &Ip, peer: &Request, ns: NsId) -> Result<Refusal, Stop> {
    let name = peer.name.clone().unwrap_or_else(|| "veth%d".to_owned());
    let (index, address, mtu, txqueuelen) = (None, mac(peer.address.as_deref())?, None, None);
    let link = LinkAdd { name: Some(name), index, address, mtu, txqueuelen, kind: LinkKind::Dummy };
    let index = ip.world().link_add(ns, link)?;
    ip.world().link_delete(ns, index)?;
    Ok(Errno::NotConn.into())
}

/// A peer of which nothing is said: the kernel takes what was said of the first end, but for name, address and flags.
fn silent_peer(request: &Request) -> Request {
    Request {
        netns: request.netns,
        mtu: request.mtu,
        txqueuelen: request.txqueuelen,
        group: request.group,
        broadcast: request.broadcast.clone(),
        ..Request::default()
    }
}

/// Where the peer is made if nothing else is said.
fn beside(ip: &Ip, link_netns: Option<LinkNetns>) -> Result<NsId, Stop> {
    match link_netns {
        None => Ok(ip.ns),
        Some(LinkNetns::Named(ns)) => Ok(ns),
        Some(LinkNetns::Id(id)) => {
            let known = ip.world().nsids(ip.ns);
            let found = known.into_iter().find(|(known, _)| i32::try_from(*known) == Ok(id));
            let unknown = || Refusal::because(Errno::Inval, "Unknown network namespace id");
            Ok(found.ok_or_else(unknown)?.1)
        }
    }
}

/// What the kernel's attribute policy refuses.
fn check_new(end: &Request) -> Result<(), Refusal> {
    if end.name.as_ref().is_some_and(|name| name.len() > 15) {
        return Err(Refusal::because(Errno::Range, "Attribute failed policy validation"));
    }
    Ok(())
}

fn link_add(request: &Request, peer: &Request, peer_ns: NsId) -> Result<LinkAdd, Stop> {
    Ok(LinkAdd {
        name: request.name.clone(),
        index: request.index,
        address: mac(request.address.as_deref())?,
        mtu: request.mtu.map(|mtu| mtu as u32),
        txqueuelen: request.txqueuelen.map(|length| length as u32),
        kind: LinkKind::Veth {
            peer: Box::new(PeerAdd {
                netns: Some(peer_ns),
                name: peer.name.clone(),
                // The kernel heeds it only if the first end has a number, too.
                index: peer.index.filter(|_| request.index.is_some()),
                address: mac(peer.address.as_deref())?,
                mtu: peer.mtu.map(|mtu| mtu as u32),
                txqueuelen: peer.txqueuelen.map(|length| length as u32),
            }),
        },
    })
}

/// The first six bytes of what was said; fewer are `EINVAL`.
fn mac(bytes: Option<&[u8]>) -> Result<Option<Mac>, Refusal> {
    let Some(bytes) = bytes else { return Ok(None) };
    let six = bytes.first_chunk::<6>().ok_or(Refusal::from(Errno::Inval))?;
    Ok(Some(Mac(*six)))
}

/// What a new link is given besides: flags and group, and then its master, without which it is not made. An alias is
/// forgotten, as the kernel forgets it.
fn configure(ip: &Ip, ns: NsId, index: IfIndex, request: &Request) -> Result<(), Stop> {
    switch(ip, ns, index, request)?;
    let Some(master) = request.master else { return Ok(()) };
    let change = LinkChange { master: Some(master), ..LinkChange::default() };
    let enslaved = ip.world().apply(ns, Command::LinkChange(index, change));
    enslaved.or_else(|refusal| {
        ip.world().link_delete(ns, index)?;
        Err(refusal.into())
    })
}

fn switch(ip: &Ip, ns: NsId, index: IfIndex, request: &Request) -> Result<(), Stop> {
    let change = LinkChange {
        broadcast: mac(request.broadcast.as_deref())?,
        group: request.group,
        up: request.up.filter(|up| *up),
        ..switched(request)
    };
    if change != LinkChange::default() {
        ip.world().apply(ns, Command::LinkChange(index, change))?;
    }
    Ok(())
}

fn switched(request: &Request) -> LinkChange {
    let mut change = LinkChange::default();
    for (name, on) in &request.switches {
        let on = Some(*on);
        match *name {
            "arp" => change.arp = on,
            "multicast" => change.multicast = on,
            "allmulticast" => change.allmulticast = on,
            "promisc" => change.promisc = on,
            "dynamic" => change.dynamic = on,
            "trailers" => change.trailers = on,
            _ => {}
        }
    }
    change
}

/// `ip link set`
pub(super) fn set(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let request = Request::read(ip, &mut args, Purpose::Change)?;
    let said = !args.is_empty();
    let words = of_type(ip, &request, &mut args, Purpose::Change)?;
    if let Some(what) = request.not_simulated {
        return Err(not_simulated(what));
    }
    match request.target {
        Some(target) => {
            let of_kind = if said { kind_change(ip, target, &request, words)? } else { LinkChange::default() };
            set_one(ip, target, &request, of_kind)
        }
        None => {
            let members = group_members(ip, request.group);
            members.into_iter().try_for_each(|index| set_one(ip, index, &request, LinkChange::default()))
        }
    }
}

fn group_members(ip: &Ip, group: Option<u32>) -> Vec<IfIndex> {
    let world = ip.world();
    let ports = world.stack(ip.ns).ports().iter();
    ports.filter(|port| Some(port.rare.group) == group).map(|port| port.index).collect()
}

/// One line for what a kernel could change of a link of this kind.
fn unchangeable(request: &Request) -> Stop {
    let kind = request.kind.as_deref().unwrap_or_default();
    Stop::fail(1, format!("vethlab: changing a {kind} link is not simulated\n"))
}

/// What the words of a kind change. They must be those of the link's own kind, and that must be one that can be changed.
fn kind_change(ip: &Ip, index: IfIndex, request: &Request, words: Words) -> Result<LinkChange, Stop> {
    let refused = || Stop::from(Refusal::from(Errno::OpNotSupp));
    let kind = ip.world().stack(ip.ns).ports().get(index).map(|port| port.kind);
    match (words, kind) {
        (Words::Bridge(change), Some(PortKind::Bridge)) => {
            Ok(LinkChange { bridge: Some(change), ..LinkChange::default() })
        }
        (Words::BridgeSlave(mut change), Some(_)) => {
            let world = ip.world();
            let port = world.stack(ip.ns).ports().get(index).filter(|port| port.rare.bridge_port.is_some());
            let port = port.ok_or_else(refused)?;
            let runs = port.is_up() && matches!(port.operstate, OperState::Up | OperState::Unknown);
            if runs && change.state == Some(0) {
                // The change itself is an event, at which the bridge enables a port that runs.
                change.state = Some(3);
            }
            Ok(LinkChange { bridge_port: Some(change), ..LinkChange::default() })
        }
        (Words::Vlan(_), Some(PortKind::Vlan)) => Err(unchangeable(request)),
        (Words::Macvlan(words), Some(PortKind::Macvlan)) => {
            let world = ip.world();
            let now =
                world.stack(ip.ns).ports().get(index).and_then(|port| port.rare.macvlan).map(|macvlan| macvlan.mode);
            let passthru = |mode: Option<MacvlanMode>| mode == Some(MacvlanMode::Passthru);
            match words.mode {
                None => Ok(LinkChange::default()),
                mode if mode == now => Ok(LinkChange::default()),
                // A link's only macvlan stays so, and one of several does not become it.
                mode if passthru(mode) != passthru(now) => Err(Refusal::from(Errno::Inval).into()),
                _ => Err(unchangeable(request)),
            }
        }
        (Words::Vxlan(words), Some(PortKind::Vxlan)) => {
            let world = ip.world();
            let now = world
                .stack(ip.ns)
                .ports()
                .get(index)
                .and_then(|port| port.rare.vxlan.as_ref())
                .map(|vxlan| vxlan.spec.id);
            if words.id.is_some() && words.id != now {
                return Err(Refusal::because(Errno::OpNotSupp, "Cannot change VNI").into());
            }
            Err(unchangeable(request))
        }
        _ => Err(refused()),
    }
}

fn set_one(ip: &mut Ip, index: IfIndex, request: &Request, of_kind: LinkChange) -> Result<(), Stop> {
    if ip.world().stack(ip.ns).ports().get(index).is_none() {
        return Err(Refusal::from(Errno::NoDev).into());
    }
    let (ns, index, name) = match ip.ns_of(request.netns)? {
        Some(to) if to != ip.ns => (to, move_to(ip, index, to, request)?, None),
        _ => (ip.ns, index, request.name.clone()),
    };
    let change = LinkChange {
        name,
        address: mac(request.address.as_deref())?,
        broadcast: mac(request.broadcast.as_deref())?,
        mtu: request.mtu.map(|mtu| mtu as u32),
        txqueuelen: request.txqueuelen.map(|length| length as u32),
        alias: request.alias.clone(),
        group: request.group,
        carrier: request.carrier,
        addrgenmode: request.addrgenmode,
        up: request.up,
        master: request.master,
        bridge: of_kind.bridge,
        bridge_port: of_kind.bridge_port,
        ..switched(request)
    };
    if change != LinkChange::default() {
        ip.world().apply(ns, Command::LinkChange(index, change))?;
    }
    if let Some(state) = request.state {
        set_state(ip, ns, index, state);
    }
    if request.protodown {
        return Err(Refusal::because(Errno::OpNotSupp, "Protodown not supported by device").into());
    }
    Ok(())
}

/// `set_operstate()`: only some states may follow others by request.
fn set_state(ip: &Ip, ns: NsId, index: IfIndex, wanted: OperState) {
    use OperState::{Dormant, Testing, Unknown, Up};
    let mut world = ip.world();
    if let Some(port) = world.stack_mut(ns).port_mut(index) {
        let follows = match wanted {
            Up => matches!(port.operstate, Dormant | Testing | Unknown),
            Testing | Dormant => matches!(port.operstate, Up | Unknown),
            _ => false,
        };
        if follows {
            port.operstate = wanted;
        }
    }
}

/// Moves a link, under a new name if one was said, and tells under which number it is found there.
fn move_to(ip: &mut Ip, index: IfIndex, to: NsId, request: &Request) -> Result<IfIndex, Stop> {
    if request.index.is_some() {
        return Err(not_simulated("a new index with a move"));
    }
    let mut world = ip.world();
    let before: Vec<IfIndex> = world.stack(to).ports().iter().map(|port| port.index).collect();
    world.link_move(ip.ns, index, to, request.name.as_deref())?;
    let mut after = world.stack(to).ports().iter().map(|port| port.index);
    Ok(after.find(|index| !before.contains(index)).ok_or(Refusal::from(Errno::NoDev))?)
}

/// `ip link del`
pub(super) fn delete(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let request = Request::read(ip, &mut args, Purpose::Change)?;
    of_type(ip, &request, &mut args, Purpose::Change)?;
    let Some(target) = request.target else { return delete_group(ip, request.group) };
    Ok(ip.world().link_delete(ip.ns, target)?)
}

fn delete_group(ip: &mut Ip, group: Option<u32>) -> Result<(), Stop> {
    if group == Some(0) {
        return Err(Refusal::from(Errno::Perm).into());
    }
    let members = group_members(ip, group);
    if members.is_empty() {
        return Err(Refusal::from(Errno::NoDev).into());
    }
    for index in members {
        // The other end of a cable may have been of the group, too, and be gone already.
        if ip.world().stack(ip.ns).ports().get(index).is_some() {
            ip.world().link_delete(ip.ns, index)?;
        }
    }
    Ok(())
}

impl Ip {
    /// The namespace that `netns` means; a process that does not live is `ESRCH`.
    fn ns_of(&self, netns: Option<Netns>) -> Result<Option<NsId>, Stop> {
        match netns {
            None => Ok(None),
            Some(Netns::Named(ns)) => Ok(Some(ns)),
            Some(Netns::Pid(pid)) => Ok(Some(self.ns_of_pid(pid).ok_or(Refusal::from(Errno::Srch))?)),
        }
    }
}
