//! `ip link add`, `set`, `del`: what a [`Request`] asks for is carried out.

use super::super::Ip;
use super::super::args::{Args, Stop, duparg, matches};
use super::request::{LinkNetns, Netns, Purpose, Request, garbage, not_simulated};
use super::{NOT_SIMULATED, usage};
use crate::world::{LinkAdd, LinkKind, NsId, PeerAdd};
use vethlab_engine::addr::Mac;
use vethlab_engine::control::{Command, Errno, IfIndex, LinkChange, Refusal};
use vethlab_engine::link::OperState;

/// `ip link add`
pub(super) fn add(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let request = Request::read(ip, &mut args, Purpose::Create)?;
    let peer = of_type(ip, &request, &mut args)?;
    match request.kind.as_deref() {
        None => Err(Stop::fail(1, "Not enough information: \"type\" argument is required\n")),
        Some("veth") => add_veth(ip, &request, peer),
        Some(kind) => Err(unknown_kind(kind)),
    }
}

/// `ip link replace`: of an existing cable nothing can be replaced.
pub(super) fn replace(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let request = Request::read(ip, &mut args, Purpose::Create)?;
    let peer = of_type(ip, &request, &mut args)?;
    let exists = request.name.as_ref().is_some_and(|name| ip.world().stack(ip.ns).ports().named(name).is_some());
    match request.kind.as_deref() {
        None => Err(Stop::fail(1, "Not enough information: \"type\" argument is required\n")),
        Some(_) if exists => Err(Refusal::from(Errno::OpNotSupp).into()),
        Some("veth") => add_veth(ip, &request, peer),
        Some(kind) => Err(unknown_kind(kind)),
    }
}

/// The words after `type KIND`: of a cable, its other end.
fn of_type(ip: &mut Ip, request: &Request, args: &mut Args<'_>) -> Result<Option<Request>, Stop> {
    let (Some(kind), Some(word)) = (request.kind.as_deref(), args.peek()) else { return Ok(None) };
    if kind == "veth" {
        return veth_peer(ip, args).map(Some);
    }
    if NOT_SIMULATED.contains(&kind) {
        return Err(unknown_kind(kind));
    }
    Err(if matches(word, "help") { usage() } else { Stop::fail(1, garbage(word)) })
}

/// `veth_parse_opt()`
fn veth_peer(ip: &mut Ip, args: &mut Args<'_>) -> Result<Request, Stop> {
    if args.next() != Some("peer") {
        ip.print.raw(include_str!("../usage/veth.txt"));
        return Err(Stop::fail(1, ""));
    }
    let peer = Request::read(ip, args, Purpose::Create)?;
    match &peer.kind {
        Some(kind) => Err(duparg("type", kind)),
        None => Ok(peer),
    }
}

/// The kernel's words for a kind that it does not know, and for those that others know one line more.
fn unknown_kind(kind: &str) -> Stop {
    let mut text = format!("{}\n", Refusal::because(Errno::OpNotSupp, "Unknown device type"));
    if NOT_SIMULATED.contains(&kind) {
        text += &format!("vethlab: links of type {kind} are not simulated yet\n");
    }
    Stop::fail(2, text)
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
        // The peer is brought up before it is told of its other end.
        return Err(Refusal::from(Errno::NotConn).into());
    }
    let index = ip.world().link_add(ns, link_add(request, peer, peer_ns)?)?;
    let other = ip.world().peer(ns, index).map(|peer| peer.index);
    if let Some(other) = other {
        configure(ip, peer_ns, other, peer)?;
    }
    configure(ip, ns, index, request)
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

/// What a new end is given besides: flags and group. An alias is forgotten, as the kernel forgets it.
fn configure(ip: &Ip, ns: NsId, index: IfIndex, request: &Request) -> Result<(), Stop> {
    let change = LinkChange {
        broadcast: mac(request.broadcast.as_deref())?,
        group: request.group,
        up: request.up.filter(|up| *up),
        ..switched(request)
    };
    if change == LinkChange::default() {
        return Ok(());
    }
    Ok(ip.world().apply(ns, Command::LinkChange(index, change))?)
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
    match request.kind.as_deref() {
        Some("veth") if !args.is_empty() => drop(veth_peer(ip, &mut args)?),
        Some(kind) if NOT_SIMULATED.contains(&kind) && !args.is_empty() => {
            return Err(Stop::fail(1, format!("vethlab: links of type {kind} are not simulated yet\n")));
        }
        Some(_) => {
            if let Some(word) = args.peek() {
                return Err(if matches(word, "help") { usage() } else { Stop::fail(1, garbage(word)) });
            }
        }
        None => {}
    }
    if let Some(what) = request.not_simulated {
        return Err(not_simulated(what));
    }
    match request.target {
        Some(target) => set_one(ip, target, &request),
        None => {
            let members = group_members(ip, request.group);
            members.into_iter().try_for_each(|index| set_one(ip, index, &request))
        }
    }
}

fn group_members(ip: &Ip, group: Option<u32>) -> Vec<IfIndex> {
    let world = ip.world();
    let ports = world.stack(ip.ns).ports().iter();
    ports.filter(|port| Some(port.group) == group).map(|port| port.index).collect()
}

fn set_one(ip: &mut Ip, index: IfIndex, request: &Request) -> Result<(), Stop> {
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
        ..switched(request)
    };
    if change != LinkChange::default() {
        ip.world().apply(ns, Command::LinkChange(index, change))?;
    }
    if let Some(state) = request.state {
        set_state(ip, ns, index, state);
    }
    if request.master.is_some() {
        // No link of a world takes others in.
        return Err(Refusal::from(Errno::OpNotSupp).into());
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
