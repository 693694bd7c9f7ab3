//! `arping` of iputils 20221126: ARP requests over a packet socket.

mod options;

use super::resolve::inet_aton;
use super::{Proc, Wake, socket};
use crate::lab::{Exit, Signal};
use options::Options;
use std::net::Ipv4Addr;
use vethlab_engine::addr::Mac;
use vethlab_engine::control::IfIndex;
use vethlab_engine::link::port::flag;
use vethlab_engine::local::{Datagram, SocketId, SocketKind};
use vethlab_engine::time::{Duration, Time};

const ETHERTYPE_ARP: u16 = 0x0806;
const REQUEST: u16 = 1;
const REPLY: u16 = 2;

/// `arping`
pub(super) async fn main(p: Proc) -> Exit {
    let begun = options::parse(&p).and_then(|options| Arping::begin(&p, options));
    match begun {
        Ok(arping) => Exit::Status(arping.run().await),
        Err(exit) => exit,
    }
}

/// `error(status, 0, …)`
fn error(p: &Proc, status: i32, text: &str) -> Exit {
    p.err(&format!("{}: {text}\n", p.argv().first().map_or("arping", String::as_str)));
    Exit::Status(status)
}

/// The interface that is used.
struct Device {
    index: IfIndex,
    name: String,
    mac: Mac,
    broadcast: Mac,
}

/// One run.
struct Arping {
    p: Proc,
    o: Options,
    socket: SocketId,
    device: Device,
    source: Ipv4Addr,
    /// Who is asked: everybody, then the one who answered.
    asked: Mac,
    unicasting: bool,
    last: Option<Time>,
    sent: i64,
    broadcasts_sent: i64,
    received: i64,
    broadcasts_received: i64,
    requests_received: i64,
}

impl Arping {
    fn begin(p: &Proc, o: Options) -> Result<Arping, Exit> {
        let device = find_device(p, &o)?;
        let asks = o
            .source
            .as_deref()
            .map(|text| inet_aton(text).ok_or_else(|| error(p, 2, &format!("invalid source {text}"))));
        let source = source_address(p, &o, &device, asks.transpose()?)?;
        let failed = |errno: vethlab_engine::control::Errno| error(p, 2, &format!("socket: {}", errno.text()));
        let socket = p.socket(SocketKind::Packet { ethertype: ETHERTYPE_ARP }).map_err(failed)?;
        socket::set(p, socket, |set| set.device = Some(device.index));
        if !o.quiet {
            p.out(&format!("ARPING {} from {source} {}\n", o.target, device.name));
        }
        if o.source.is_none() && source.is_unspecified() && !o.dad {
            return Err(error(p, 2, "no source address in not-DAD mode"));
        }
        let asked = device.broadcast;
        Ok(Arping {
            p: p.clone(),
            o,
            socket,
            device,
            source,
            asked,
            unicasting: false,
            last: None,
            sent: 0,
            broadcasts_sent: 0,
            received: 0,
            broadcasts_received: 0,
            requests_received: 0,
        })
    }

    async fn run(mut self) -> i32 {
        self.p.catch(&[Signal::Int, Signal::Quit, Signal::Term]);
        let after = |seconds: i64| match seconds {
            0 => Time::NEVER,
            seconds => self.p.now() + Duration::from_secs(seconds.unsigned_abs()),
        };
        let end = after(self.o.timeout);
        let mut next = after(self.o.interval);
        let mut due = 1;
        self.send();
        loop {
            match self.p.receive(self.socket, next.min(end)).await {
                Wake::Datagram(datagram) if self.on_packet(&datagram) => break,
                Wake::Datagram(_) | Wake::Error(_) => {}
                Wake::Signal(_) => break,
                Wake::Timer => {
                    let mut over = self.p.now() >= end;
                    if self.p.now() >= next {
                        next = next + Duration::from_secs(self.o.interval.unsigned_abs());
                        due += 1;
                        let enough = self.o.count > 0 && self.o.count < due;
                        over |= enough;
                        if !enough {
                            self.send();
                        }
                    }
                    if over {
                        break;
                    }
                }
            }
        }
        self.finish()
    }

    fn send(&mut self) {
        let me = self.device.mac;
        let target = if self.o.advert { me } else { self.asked };
        let operation = if self.o.advert { REPLY } else { REQUEST };
        let packet = arp(operation, (me, self.source), (target, self.o.target));
        let now = self.p.now();
        let sent = self.p.world().send_frame(self.p.ns(), self.socket, self.device.index, self.asked, &packet);
        if sent.is_ok() {
            self.last = Some(now);
            self.sent += 1;
            self.broadcasts_sent += i64::from(!self.unicasting);
        }
    }

    /// Takes a packet in; true if it is the last that was waited for.
    fn on_packet(&mut self, datagram: &Datagram) -> bool {
        if datagram.port != self.device.index {
            return false;
        }
        let Some(packet) = Arp::read(&datagram.payload).filter(|packet| self.is_answer(packet)) else { return false };
        if !self.o.quiet {
            let line = self.line(&packet, datagram);
            self.p.out(&line);
        }
        self.received += 1;
        if self.o.timeout > 0 && self.received == self.o.count {
            return true;
        }
        self.broadcasts_received += i64::from(datagram.link_broadcast);
        self.requests_received += i64::from(packet.operation == REQUEST);
        if self.o.quit_on_reply || self.o.count == 0 && self.received == self.sent {
            return true;
        }
        if !self.o.broadcast_only {
            self.asked = packet.sender.0;
            self.unicasting = true;
        }
        false
    }

    fn is_answer(&self, packet: &Arp) -> bool {
        if packet.sender.1 != self.o.target {
            return false;
        }
        let to_source = packet.target.1 == self.source;
        if self.o.dad {
            // Somebody else has the address, or asks for it.
            packet.sender.0 != self.device.mac && (self.source.is_unspecified() || to_source)
        } else {
            to_source && packet.target.0 == self.device.mac
        }
    }

    fn line(&self, packet: &Arp, datagram: &Datagram) -> String {
        let cast = if datagram.link_broadcast { "Broadcast" } else { "Unicast" };
        let kind = if packet.operation == REPLY { "reply" } else { "request" };
        let (mac, address) = packet.sender;
        let mut line = format!("{cast} {kind} from {address} [{}] ", capitals(mac));
        let (target, address) = packet.target;
        if address != self.source {
            line += &format!("for {address} ");
        }
        if target != self.device.mac {
            let word = if address == self.source { "for " } else { "" };
            line += &format!("{word}[{}]", capitals(target));
        }
        let Some(last) = self.last else { return line + " UNSOLICITED?\n" };
        line + &elapsed(datagram.at.since(last))
    }

    /// Prints the counts; the exit status.
    fn finish(&self) -> i32 {
        let &Arping { sent, broadcasts_sent, received, broadcasts_received, requests_received, .. } = self;
        if !self.o.quiet {
            let mut extra = Vec::new();
            if requests_received != 0 {
                extra.push(format!("{requests_received} request(s)"));
            }
            if broadcasts_received != 0 {
                extra.push(format!("{broadcasts_received} broadcast(s)"));
            }
            let extra = if extra.is_empty() { String::new() } else { format!(" ({})", extra.join(", ")) };
            self.p.out(&format!(
                "Sent {sent} probes ({broadcasts_sent} broadcast(s))\nReceived {received} response(s){extra}\n"
            ));
        }
        let failed = if self.o.unsolicited && !self.o.dad {
            false
        } else if self.o.dad {
            received != 0 || !self.o.unsolicited && broadcasts_sent == received
        } else if self.o.timeout > 0 && self.o.count <= 0 {
            received == 0
        } else {
            received == 0 || sent != received
        };
        i32::from(failed)
    }
}

/// The interface by `-I`, else the one the routing table names.
fn find_device(p: &Proc, o: &Options) -> Result<Device, Exit> {
    let name = match &o.device {
        Some(name) => name.clone(),
        None => route_device(p, o.target).ok_or_else(|| error(p, 1, "NETLINK_ROUTE unexpected iov element"))?,
    };
    let world = p.world();
    let Some(port) = world.stack(p.ns()).ports().named(&name) else {
        return Err(error(p, 2, &format!("Device {name} not available.")));
    };
    let refuse = |text: &str, status| {
        if !o.quiet {
            p.out(&format!("Interface \"{name}\" is {text}\n"));
        }
        Err(Exit::Status(status))
    };
    let flags = port.flags();
    if flags & flag::UP == 0 {
        return refuse("down", 2);
    }
    if flags & (flag::NOARP | flag::LOOPBACK) != 0 {
        return refuse("not ARPable", if o.dad { 0 } else { 2 });
    }
    Ok(Device { index: port.index, name: name.clone(), mac: port.mac, broadcast: port.broadcast })
}

fn route_device(p: &Proc, destination: Ipv4Addr) -> Option<String> {
    let (index, _) = socket::route(p, destination).ok()?;
    p.world().stack(p.ns()).ports().get(index).map(|port| port.name.to_string())
}

/// The address that asks: `-s`, the target itself when it is announced, else what the kernel would choose on the link.
fn source_address(p: &Proc, o: &Options, device: &Device, asks: Option<Ipv4Addr>) -> Result<Ipv4Addr, Exit> {
    let mut source = asks.unwrap_or(Ipv4Addr::UNSPECIFIED);
    if !o.dad && o.unsolicited && o.source.is_none() {
        source = o.target;
    }
    if o.dad && o.source.is_none() {
        return Ok(source);
    }
    let probe = p.socket(SocketKind::Udp).map_err(|e| error(p, 2, &format!("socket: {}", e.text())))?;
    socket::set(p, probe, |set| (set.device, set.dont_route) = (Some(device.index), true));
    if o.source.is_some() || !source.is_unspecified() {
        socket::bind(p, probe, source, 0).map_err(|e| error(p, 2, &format!("bind: {}", e.text())))?;
    } else if !o.unsolicited {
        socket::connect(p, probe, o.target, 1025).map_err(|e| error(p, 2, &format!("connect: {}", e.text())))?;
        source = socket::local_name(p, probe).0;
    }
    socket::close(p, probe);
    Ok(source)
}

/// An ARP packet for IPv4 over Ethernet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Arp {
    operation: u16,
    sender: (Mac, Ipv4Addr),
    target: (Mac, Ipv4Addr),
}

impl Arp {
    /// A request or a reply; others are not for us.
    fn read(bytes: &[u8]) -> Option<Arp> {
        let header = bytes.get(..8)?;
        let [0, 1, 8, 0, 6, 4, 0, operation @ (1 | 2)] = *header else { return None };
        let mac = |at: usize| bytes.get(at..at + 6)?.try_into().ok().map(Mac);
        let address = |at: usize| <[u8; 4]>::try_from(bytes.get(at..at + 4)?).ok().map(Ipv4Addr::from);
        let (sender, target) = ((mac(8)?, address(14)?), (mac(18)?, address(24)?));
        Some(Arp { operation: u16::from(operation), sender, target })
    }
}

fn arp(operation: u16, sender: (Mac, Ipv4Addr), target: (Mac, Ipv4Addr)) -> Vec<u8> {
    let mut packet = vec![0, 1, 8, 0, 6, 4];
    packet.extend(operation.to_be_bytes());
    for (mac, address) in [sender, target] {
        packet.extend(mac.0);
        packet.extend(address.octets());
    }
    packet
}

fn capitals(mac: Mac) -> String {
    mac.to_string().to_uppercase()
}

/// The time of a reply, with the original's odd rounding: half a millisecond is added behind the point.
fn elapsed(time: Duration) -> String {
    let micros = (time.as_nanos() + 500) / 1000;
    let millis = (micros + 500) / 1000;
    format!(" {millis}.{:03}ms\n", (micros + 500) % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read_as_they_are_written() {
        let sender = (Mac([2, 0, 0, 0, 0, 1]), Ipv4Addr::new(10, 0, 0, 1));
        let target = (Mac::BROADCAST, Ipv4Addr::new(10, 0, 0, 2));
        let mut packet = arp(REQUEST, sender, target);
        assert_eq!(packet.len(), 28);
        assert_eq!(Arp::read(&packet), Some(Arp { operation: REQUEST, sender, target }));
        assert_eq!(Arp::read(&packet[..27]), None);
        packet[7] = 3;
        assert_eq!(Arp::read(&packet), None, "neither request nor reply");
    }

    #[test]
    fn times_are_half_a_millisecond_too_long() {
        for (micros, text) in [(41, " 0.541ms\n"), (499, " 0.999ms\n"), (600, " 1.100ms\n"), (20_000, " 20.500ms\n")] {
            assert_eq!(elapsed(Duration::from_micros(micros)), text);
        }
    }
}
