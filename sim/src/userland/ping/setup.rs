//! From the command line to a socket that is ready to send: names, the source address, socket options.
//!
//! As the original does, the source address and the first complaints come from a UDP socket that is connected to the
//! destination and thrown away.

use super::options::{Options, Quit, Timestamp};
use crate::userland::resolve::{Family, OTHER_FAMILY, inet_aton, resolve};
use crate::userland::{Proc, socket};
use std::net::{IpAddr, Ipv4Addr};
use vethlab_engine::control::{Errno, IfIndex};
use vethlab_engine::local::{PmtuDiscover, SocketId, SocketKind};

/// Where an echo request goes, and by what.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) socket: SocketId,
    pub(super) destination: Ipv4Addr,
    /// The destination as it was written.
    pub(super) host: String,
    /// `PING host (address) …`
    pub(super) banner: String,
    /// Addresses are printed without names.
    pub(super) numeric: bool,
    /// Several may answer.
    pub(super) multicast: bool,
}

/// Room that an IP option takes in the banner, whatever its length.
const OPTION_LENGTH: usize = 40;

pub(super) fn prepare(p: &Proc, options: &Options) -> Result<Target, Quit> {
    let fail = |text: String| Quit::error(&options.name, 2, text);
    let mut route = destinations(p, options)?;
    // There is always a last one.
    let (host, destination, written) = route.pop().unwrap_or((String::new(), Ipv4Addr::UNSPECIFIED, true));
    let route: Vec<Ipv4Addr> = route.into_iter().map(|(_, address, _)| address).collect();
    let opened = p.socket(SocketKind::Raw { protocol: 1 }).map_err(|e| fail(format!("socket: {}", e.text())))?;
    let device = bound_device(p, options, destination)?;
    socket::set(p, opened, |set| set.device = device);
    let source = match options.source {
        Some(source) if !source.is_unspecified() => source,
        _ => choose_source(p, options, device, *route.first().unwrap_or(&destination))?,
    };
    let destination = if destination.is_unspecified() { source } else { destination };
    let multicast = options.broadcast || destination.is_multicast();
    if options.strict_source {
        socket::bind(p, opened, source, 0).map_err(|e| fail(format!("bind: {}", e.text())))?;
    }
    let ip_options = ip_options(options, &route);
    let option_length = if ip_options.is_empty() { 0 } else { OPTION_LENGTH };
    set_options(p, options, opened, ip_options, multicast)?;
    let from = match (&options.device, options.strict_source) {
        (None, false) => String::new(),
        (device, _) => format!("from {source} {}: ", device.as_deref().unwrap_or("")),
    };
    let size = options.size;
    let banner = format!(
        "PING {host} ({destination}) {from}{size}({}) bytes of data.\n",
        size as u64 + 28 + option_length as u64
    );
    let numeric = options.numeric || written && route.is_empty();
    Ok(Target { socket: opened, destination, host, banner, numeric, multicast })
}

/// The destinations as they were written, their addresses, and whether they were written as addresses; the last one is
/// the goal, the others are on the way (source route, or prespecified time stamps).
fn destinations(p: &Proc, options: &Options) -> Result<Vec<(String, Ipv4Addr, bool)>, Quit> {
    let fail = |name: &str, text: &str| Quit::error(&options.name, 2, format!("{name}: {text}"));
    let goal = options.targets.last().map_or("", String::as_str);
    match resolve(goal, Family::Any).map_err(|text| fail(goal, text))? {
        IpAddr::V4(_) if options.family == Family::V6 => return Err(fail(goal, OTHER_FAMILY)),
        IpAddr::V6(_) if options.family == Family::V4 => return Err(fail(goal, OTHER_FAMILY)),
        IpAddr::V6(_) => return Err(Quit::error(&options.name, 2, "IPv6 packets are not simulated yet")),
        IpAddr::V4(_) if options.verbose => {
            p.out(&format!("ai->ai_family: AF_INET, ai->ai_canonname: '{goal}'\n"));
        }
        IpAddr::V4(_) => {}
    }
    let stamps = options.timestamp.is_some();
    let limit = if stamps { 5 } else { 10 };
    let several = options.targets.len() > 1;
    let possible = !options.record_route && (!stamps || options.timestamp == Some(Timestamp::Prespecified));
    if several && (!possible || options.targets.len() > limit) {
        return Err(Quit::usage());
    }
    let address_of = |name: &String| match (inet_aton(name), resolve(name, Family::V4)) {
        (Some(address), _) => Ok((name.clone(), address, true)),
        (None, Ok(IpAddr::V4(address))) => Ok((name.clone(), address, false)),
        (None, Ok(IpAddr::V6(_))) => Err(fail(name, OTHER_FAMILY)),
        (None, Err(text)) => Err(fail(name, text)),
    };
    options.targets.iter().map(address_of).collect()
}

/// `-I device`: its index.
fn bound_device(p: &Proc, options: &Options, destination: Ipv4Addr) -> Result<Option<IfIndex>, Quit> {
    let Some(device) = &options.device else { return Ok(None) };
    let index = socket::device(p, device);
    if index.is_some() {
        return Ok(index);
    }
    let text = if destination.is_multicast() {
        format!("unknown iface: {device}")
    } else {
        format!("SO_BINDTODEVICE {device}: {}", Errno::NoDev.text())
    };
    Err(Quit::error(&options.name, 2, text))
}

/// The source address that the kernel would choose, and its complaint if the destination cannot be reached.
fn choose_source(p: &Proc, options: &Options, device: Option<IfIndex>, first: Ipv4Addr) -> Result<Ipv4Addr, Quit> {
    const BROADCAST: &str = "Do you want to ping broadcast? Then -b. If not, check your local firewall rules";
    let fail = |text: String| Quit::error(&options.name, 2, text);
    let probe = p.socket(SocketKind::Udp).map_err(|e| fail(format!("socket: {}", e.text())))?;
    socket::set(p, probe, |set| {
        set.device = device;
        set.tos = options.tos;
        set.mark = options.mark.unwrap_or(0);
    });
    let mut connected = socket::connect(p, probe, first, 1025);
    if connected == Err(Errno::Acces) {
        if !options.broadcast {
            return Err(Quit::error(&options.name, 2, BROADCAST));
        }
        p.err("WARNING: pinging broadcast address\n");
        socket::set(p, probe, |set| set.broadcast = true);
        connected = socket::connect(p, probe, first, 1025);
    }
    let source = socket::local_name(p, probe).0;
    socket::close(p, probe);
    connected.map_err(|e| fail(format!("connect: {}", e.text())))?;
    let world = p.world();
    let labelled = |device: &String| {
        let mut addresses = world.stack(p.ns()).ports().iter().flat_map(|port| port.addresses4.iter());
        addresses.any(|address| address.label == *device && address.local == source)
    };
    let foreign = options.device.as_ref().filter(|device| !labelled(device));
    drop(world);
    if let Some(device) = foreign {
        p.err(&format!("{}: Warning: source address might be selected on device other than: {device}\n", options.name));
    }
    Ok(source)
}

fn set_options(
    p: &Proc,
    options: &Options,
    opened: SocketId,
    ip_options: Vec<u8>,
    multicast: bool,
) -> Result<(), Quit> {
    if options.ttl == Some(0) {
        let text = format!("cannot set unicast time-to-live: {}", Errno::Inval.text());
        return Err(Quit::error(&options.name, 2, text));
    }
    // A source route takes CAP_NET_RAW, and ping has dropped that as soon as it had its socket.
    if matches!(ip_options.get(1), Some(0x83 | 0x89)) {
        let text = format!("record route: {}", Errno::Perm.text());
        return Err(Quit::error(&options.name, 2, text));
    }
    socket::set(p, opened, |set| {
        set.recverr = true;
        set.ttl = options.ttl;
        set.tos = options.tos;
        set.mark = options.mark.unwrap_or(0);
        set.broadcast = options.broadcast;
        set.dont_route = options.dont_route;
        set.ip_options = ip_options;
        match options.pmtu {
            Some(pmtu) => set.pmtu = pmtu,
            None if multicast => set.pmtu = PmtuDiscover::Do,
            None => {}
        }
    });
    Ok(())
}

/// The IP options of each request: recorded route, time stamps, or source route.
fn ip_options(options: &Options, route: &[Ipv4Addr]) -> Vec<u8> {
    let hops = route.iter().map(Ipv4Addr::octets);
    let mut bytes = Vec::new();
    if options.record_route {
        bytes = vec![1, 7, 39, 4];
        bytes.resize(40, 0);
    } else if let Some(timestamp) = options.timestamp {
        let length = match timestamp {
            Timestamp::Only => 40,
            Timestamp::AndAddress => 36,
            Timestamp::Prespecified => 4 + 8 * route.len(),
        };
        bytes = vec![0x44, length as u8, 5, timestamp as u8];
        if timestamp == Timestamp::Prespecified {
            bytes.extend(hops.flat_map(|[a, b, c, d]| [a, b, c, d, 0, 0, 0, 0]));
        }
        bytes.resize(length, 0);
    } else if !route.is_empty() {
        let kind = if options.dont_route { 0x89 } else { 0x83 };
        bytes = vec![1, kind, 3 + 4 * route.len() as u8, 4];
        bytes.extend(hops.flatten());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ip_options_as_they_stand_in_the_header() {
        let mut options = Options { record_route: true, ..Options::default() };
        let bytes = ip_options(&options, &[]);
        assert_eq!((bytes.len(), &bytes[..5]), (40, &[1, 7, 39, 4, 0][..]));
        options.record_route = false;
        let hop = [Ipv4Addr::new(10, 0, 0, 1)];
        assert_eq!(ip_options(&options, &hop), [1, 0x83, 7, 4, 10, 0, 0, 1]);
        for (timestamp, length) in [(Timestamp::Only, 40), (Timestamp::AndAddress, 36), (Timestamp::Prespecified, 12)] {
            options.timestamp = Some(timestamp);
            let bytes = ip_options(&options, &hop);
            assert_eq!((bytes.len(), bytes[1], bytes[2], bytes[3]), (length, length as u8, 5, timestamp as u8));
        }
    }
}
