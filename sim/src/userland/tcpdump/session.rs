//! One run: a device is listened to or a file is read, and packets are printed, written and counted.

use super::filter::{Filter, Subject};
use super::options::{Options, Source, Way};
use super::pcap::{self, LinkType, Packet};
use super::print::{Printer, Stamp};
use super::{MAXIMUM_SNAPLEN, expression};
use crate::lab::Signal;
use crate::userland::Proc;
use crate::userland::proc::{Heard, OutFile};
use std::collections::BTreeMap;
use vethlab_engine::control::{Errno, IfIndex};
use vethlab_engine::link::{OperState, Port};
use vethlab_engine::local::{SocketId, TapCast, TapFrame, TapSpec};
use vethlab_engine::time::{Duration, Time};

/// What the C library collects before it writes to a pipe or a file.
const BUFFER: usize = 4096;
/// Bytes in front of a packet of the `any` device, and of the Ethernet header that it has not.
const COOKED2: usize = 20;
const ETHERNET: usize = 14;
const LOOPBACK: IfIndex = 1;
/// How often `-v` tells how many packets were written.
const TELLS: Duration = Duration::from_secs(1);

/// Devices that libpcap has whether there are interfaces or not.
const OTHERS: &[(&str, &str, &str)] = &[
    ("bluetooth-monitor", "Bluetooth Linux Monitor", "Wireless"),
    ("nflog", "Linux netfilter log (NFLOG) interface", "none"),
    ("nfqueue", "Linux netfilter queue (NFQUEUE) interface", "none"),
    ("dbus-system", "D-Bus system bus", "none"),
    ("dbus-session", "D-Bus session bus", "none"),
];

/// A device as `-D` lists it: in front those that are of most use.
struct Device {
    rank: (bool, bool, bool, bool, bool),
    name: String,
    line: String,
}

fn devices(p: &Proc) -> Vec<Device> {
    let world = p.world();
    let mut devices: Vec<Device> = world.stack(p.ns()).ports().iter().map(device).collect();
    let line = "any (Pseudo-device that captures on all interfaces) [Up, Running]".to_string();
    devices.push(Device { rank: (false, false, false, false, true), name: "any".to_string(), line });
    devices.extend(OTHERS.iter().map(|(name, what, state)| Device {
        rank: (true, true, false, false, false),
        name: (*name).to_string(),
        line: format!("{name} ({what}) [{state}]"),
    }));
    devices.sort_by_key(|device| device.rank);
    devices
}

fn device(port: &Port) -> Device {
    let (up, loopback) = (port.is_up(), port.is_loopback());
    let running = up && matches!(port.operstate, OperState::Up | OperState::Unknown);
    let mut words: Vec<&str> = [(up, "Up"), (running, "Running"), (loopback, "Loopback")]
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, word)| *word)
        .collect();
    if words.is_empty() {
        words.push("none");
    }
    if !loopback {
        words.push(if running { "Connected" } else { "Disconnected" });
    }
    Device {
        rank: (!running, !up, !loopback && !running, loopback, false),
        name: port.name.to_string(),
        line: format!("{} [{}]", port.name, words.join(", ")),
    }
}

/// `-D`
pub(super) fn list_devices(p: &Proc) -> i32 {
    for (number, device) in devices(p).iter().enumerate() {
        p.out(&format!("{}.{}\n", number + 1, device.line));
    }
    0
}

/// Where packets go.
struct Session<'a> {
    p: &'a Proc,
    options: &'a Options,
    link: LinkType,
    snaplen: usize,
    filter: Filter,
    printer: Printer,
    /// What was printed and not written yet.
    buffer: String,
    file: Option<Output>,
    captured: u64,
}

/// A capture file that is written.
struct Output {
    /// None is standard output.
    file: Option<OutFile>,
    pending: Vec<u8>,
}

impl<'a> Session<'a> {
    fn new(p: &'a Proc, options: &'a Options, link: LinkType, snaplen: usize, filter: Filter) -> Session<'a> {
        let printer = Printer::new(options.style.clone());
        Session { p, options, link, snaplen, filter, printer, buffer: String::new(), file: None, captured: 0 }
    }

    /// Opens the file of `-w`.
    async fn open(&mut self) -> Result<(), String> {
        let Some(path) = &self.options.write else { return Ok(()) };
        let file = match path.as_str() {
            "-" => None,
            path => Some(self.p.create(path, false).await.map_err(|why| format!("{path}: {why}"))?),
        };
        let pending = pcap::header(self.link, self.snaplen as u32, self.options.style.nanoseconds);
        self.file = Some(Output { file, pending });
        if self.options.by_packet {
            self.flush_file(0).await?;
        }
        Ok(())
    }

    fn wants(&self, packet: &Packet, outgoing: bool) -> bool {
        let subject = Subject { link: self.link, bytes: &packet.bytes, length: packet.length, outgoing };
        self.filter.wants(&subject)
    }

    /// Takes a packet that is wanted; true if it is the last.
    async fn take(&mut self, mut packet: Packet) -> Result<bool, String> {
        self.captured += 1;
        packet.bytes.truncate(self.snaplen);
        if let Some(output) = &mut self.file {
            output.pending.extend(pcap::record(&packet, self.options.style.nanoseconds));
            self.flush_file(if self.options.by_packet { 0 } else { BUFFER }).await?;
        }
        if !self.options.count_only && (self.options.write.is_none() || self.options.print) {
            self.buffer += &self.printer.packet(self.link, self.captured, &packet);
            self.flush_lines();
        }
        Ok(self.options.count == Some(self.captured))
    }

    /// Writes what the C library would not keep back.
    fn flush_lines(&mut self) {
        let ready = match self.p.tty() || self.options.by_line {
            true => self.buffer.rfind('\n').map_or(0, |at| at + 1),
            false => self.buffer.len() / BUFFER * BUFFER,
        };
        if let Some(text) = self.buffer.get(..ready) {
            self.p.out(text);
            self.buffer.drain(..ready);
        }
    }

    fn flush_text(&mut self) {
        self.p.out(&std::mem::take(&mut self.buffer));
    }

    /// Writes to the file, if more than so many bytes wait.
    async fn flush_file(&mut self, more_than: usize) -> Result<(), String> {
        let Some(output) = self.file.as_mut().filter(|output| output.pending.len() > more_than) else { return Ok(()) };
        let bytes = std::mem::take(&mut output.pending);
        match output.file {
            Some(file) => self.p.write(file, &bytes).await,
            None => {
                self.p.out_bytes(&bytes);
                Ok(())
            }
        }
    }
}

/// Prints or copies a capture file; the exit status.
pub(super) async fn read(p: &Proc, options: &Options, path: &str) -> Result<i32, String> {
    let bytes = p.file(path).await.map_err(|why| match why.as_str() {
        "Is a directory" => format!("error reading dump file: {why}"),
        why => format!("{path}: {why}"),
    })?;
    let file = pcap::read(&bytes)?;
    let (short, long) = file.link.names();
    p.err(&format!("reading from file {path}, link-type {short} ({long}), snapshot length {}\n", file.snaplen));
    if file.link == LinkType::Cooked2 {
        p.err("Warning: interface names might be incorrect\n");
    }
    let filter = Filter::compile(&expression(p, options).await?, file.link)?;
    let mut session = Session::new(p, options, file.link, file.snaplen as usize, filter);
    session.printer.interfaces = interfaces(p);
    session.open().await?;
    let mut done = false;
    for packet in file.packets {
        // Who sent it is not written in the file.
        done = session.wants(&packet, false) && session.take(packet).await?;
        if done {
            break;
        }
    }
    session.flush_text();
    session.flush_file(0).await?;
    if options.count_only {
        p.out(&format!("{} packet{}\n", session.captured, plural(session.captured)));
    }
    match file.broken.filter(|_| !done) {
        Some(broken) => Err(format!("pcap_loop: {broken}")),
        None => Ok(0),
    }
}

fn interfaces(p: &Proc) -> BTreeMap<u32, String> {
    p.world().stack(p.ns()).ports().iter().map(|port| (port.index, port.name.to_string())).collect()
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Opens a tap at the interface of a name; none is any.
fn open_tap(p: &Proc, options: &Options, name: &str) -> Result<SocketId, String> {
    let port = match name {
        "any" => None,
        name => {
            let index = p.world().stack(p.ns()).ports().named(name).map(|port| port.index);
            Some(index.ok_or_else(|| format!("{name}: No such device exists\n(No such device exists)"))?)
        }
    };
    let promiscuous = !options.modest && port.is_some();
    p.tap(TapSpec { port, snap: MAXIMUM_SNAPLEN, promiscuous }).map_err(|errno| match errno {
        Errno::NetDown => format!("{name}: That device is not up"),
        errno => format!("{name}: {}", errno.text()),
    })
}

/// The device that is meant: by name, by its number in the list, or the first.
fn chosen(p: &Proc, name: Option<&String>) -> Result<String, String> {
    let Some(name) = name else {
        return devices(p).into_iter().next().map(|device| device.name).ok_or_else(|| "no interfaces".to_string());
    };
    let exists = name == "any" || p.world().stack(p.ns()).ports().named(name).is_some();
    match name.parse::<usize>() {
        Ok(number) if !exists => {
            let device = number.checked_sub(1).and_then(|at| devices(p).into_iter().nth(at));
            device.map(|device| device.name).ok_or_else(|| "Invalid adapter index".to_string())
        }
        _ => Ok(name.clone()),
    }
}

/// Listens to a device until it is told to stop; the exit status.
pub(super) async fn listen(p: &Proc, options: &Options) -> Result<i32, String> {
    let Source::Device(name) = &options.source else { return Ok(1) };
    let name = chosen(p, name.as_ref())?;
    let link = if name == "any" { LinkType::Cooked2 } else { LinkType::Ethernet };
    let tap = open_tap(p, options, &name)?;
    if options.list_links {
        list_links(p, &name);
        return Ok(0);
    }
    check_link(p, options, link)?;
    let filter = Filter::compile(&expression(p, options).await?, link)?;
    let snaplen = if options.snaplen == 0 { MAXIMUM_SNAPLEN } else { options.snaplen };
    p.catch(&[Signal::Int, Signal::Term, Signal::Hup]);
    let mut session = Session::new(p, options, link, snaplen, filter);
    session.open().await?;
    let verbose = options.style.verbose > 0;
    if verbose || options.write.is_some() {
        p.err(&format!("{}: ", options.program));
    } else {
        p.err(&format!("{}: verbose output suppressed, use -v[v]... for full protocol decode\n", options.program));
    }
    let (short, long) = link.names();
    p.err(&format!("listening on {name}, link-type {short} ({long}), snapshot length {snaplen} bytes\n"));
    let tells = verbose && options.write.is_some() && !options.print;
    session.live(tap, tells).await
}

fn list_links(p: &Proc, name: &str) {
    p.out(&format!("Data link types for {name} (use option -y to set):\n"));
    if name == "any" {
        p.out("  LINUX_SLL (Linux cooked v1)\n  LINUX_SLL2 (Linux cooked v2)\n");
    } else {
        p.out("  EN10MB (Ethernet)\n  DOCSIS (DOCSIS) (printing not supported)\n");
    }
}

/// `-y`, and what the `any` device is set to by itself.
fn check_link(p: &Proc, options: &Options, link: LinkType) -> Result<(), String> {
    let (short, _) = link.names();
    let wanted = options.link.as_deref().or((link == LinkType::Cooked2).then_some(short));
    match wanted {
        None => {}
        Some(name) if name.eq_ignore_ascii_case(short) => {
            p.err(&format!("{}: data link type {short}\n", options.program))
        }
        Some(name @ ("RAW" | "LINUX_SLL" | "LINUX_SLL2" | "EN10MB" | "NULL")) if link == LinkType::Ethernet => {
            return Err(format!("{name} is not one of the DLTs supported by this device"));
        }
        Some(name @ ("LINUX_SLL" | "DOCSIS")) => return Err(format!("link-type {name} is not simulated")),
        Some(name) => return Err(format!("invalid data link type {name}")),
    }
    Ok(())
}

impl Session<'_> {
    /// Until enough packets came, the interface is gone, or a signal comes.
    async fn live(&mut self, tap: SocketId, tells: bool) -> Result<i32, String> {
        let (mut passed, mut status) = (0, 0);
        let mut next = if tells { self.p.now() + TELLS } else { Time::NEVER };
        loop {
            match self.p.hear(tap, next).await {
                Heard::Frame(frame) => {
                    let (packet, outgoing) = self.packet(&frame);
                    if !self.wants(&packet, outgoing) {
                        continue;
                    }
                    passed += 1;
                    if self.hears(&frame) {
                        self.printer.interfaces = interfaces(self.p);
                        if self.take(packet).await? {
                            break;
                        }
                    }
                }
                Heard::Timer => {
                    self.p.err(&format!("Got {}\r", self.captured));
                    next = next + TELLS;
                }
                Heard::Gone => {
                    self.flush_text();
                    self.p.err(&format!("{}: pcap_loop: The interface disappeared\n", self.options.program));
                    status = 1;
                    break;
                }
                Heard::Signal(_) => {
                    // In case a line was not finished.
                    if self.options.write.is_none() {
                        self.buffer.push('\n');
                    }
                    break;
                }
            }
        }
        self.flush_text();
        self.tell_counts(tap, passed);
        self.flush_file(0).await?;
        Ok(status)
    }

    fn tell_counts(&self, tap: SocketId, mut passed: u64) {
        // What waits was received as well, though nobody looked at it.
        let waiting = || self.p.world().stack_mut(self.p.ns()).tap_frame(tap);
        while let Some(frame) = waiting() {
            let (packet, outgoing) = self.packet(&frame);
            passed += u64::from(self.wants(&packet, outgoing));
        }
        let dropped = self.p.world().stack(self.p.ns()).tap_counts(tap).dropped;
        let captured = self.captured;
        self.p.err(&format!(
            "{captured} packet{} captured\n{passed} packet{} received by filter\n{dropped} packet{} dropped by kernel\n",
            plural(captured),
            plural(passed),
            plural(dropped)
        ));
    }

    /// By `-Q`; and what leaves through `lo` comes in again, and is heard then.
    fn hears(&self, frame: &TapFrame) -> bool {
        match (frame.cast == TapCast::Outgoing, self.options.way) {
            (true, Way::In) | (false, Way::Out) => false,
            (true, _) => frame.port != LOOPBACK,
            (false, _) => true,
        }
    }

    /// A frame as the device shows it, and whether it left.
    fn packet(&self, frame: &TapFrame) -> (Packet, bool) {
        let (seconds, nanoseconds) = self.p.wall_time_of(frame.at);
        let stamp = Stamp { seconds, nanoseconds };
        let outgoing = frame.cast == TapCast::Outgoing;
        let packet = match self.link {
            LinkType::Cooked2 => cooked(frame, stamp),
            _ => Packet { stamp, length: frame.length, bytes: frame.bytes.clone() },
        };
        (packet, outgoing)
    }
}

/// A frame with the header of the `any` device instead of its own.
fn cooked(frame: &TapFrame, stamp: Stamp) -> Packet {
    let source = frame.bytes.get(6..12).unwrap_or(&[0; 6]);
    let at = |at: usize| frame.bytes.get(at..at + 2).map_or([0; 2], |bytes| [bytes[0], bytes[1]]);
    // The tag goes with the header: the kernel has taken it off.
    let (kind, header) = match at(12) {
        [0x81, 0] | [0x88, 0xa8] => (at(16), ETHERNET + 4),
        kind => (kind, ETHERNET),
    };
    let kind = if u16::from_be_bytes(kind) <= 1500 { [0, 4] } else { kind };
    let device: u16 = if frame.port == LOOPBACK { 772 } else { 1 };
    let cast = match frame.cast {
        TapCast::Host => 0,
        TapCast::Broadcast => 1,
        TapCast::Multicast => 2,
        TapCast::OtherHost => 3,
        TapCast::Outgoing => 4,
    };
    let mut bytes = Vec::with_capacity(frame.bytes.len() + COOKED2);
    bytes.extend(kind);
    bytes.extend([0, 0]);
    bytes.extend(frame.port.to_be_bytes());
    bytes.extend(device.to_be_bytes());
    bytes.extend([cast, 6]);
    bytes.extend(source);
    bytes.extend([0, 0]);
    bytes.extend(frame.bytes.get(header..).unwrap_or(&[]));
    Packet { stamp, length: (frame.length + COOKED2).saturating_sub(header), bytes }
}
