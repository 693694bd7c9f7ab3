//! `tracepath` of iputils 20221126: UDP probes with growing TTL and DF set, read back from the socket's error queue.

use super::getopt::{Item, getopt};
use super::number::bounded;
use super::resolve::{Family, name_of, resolve};
use super::{Proc, Wake, socket};
use crate::lab::Exit;
use std::net::{IpAddr, Ipv4Addr};
use vethlab_engine::control::Errno;
use vethlab_engine::local::{ErrorOrigin, PmtuDiscover, SocketError, SocketId, SocketKind};
use vethlab_engine::time::{Duration, Time};

/// IP header and UDP header.
const OVERHEAD: i64 = 28;
/// The first probe's size, unless `-l` says another: larger than any link, so that the link's own MTU is told first.
const LARGEST: i64 = 65_535;
const BASE_PORT: i64 = 44_444;
/// Probes that are remembered, by destination port.
const HISTORY: usize = 64;
const TRIES: usize = 10;
/// A send that fails is tried again with what the error queue told; more often than this it would never end.
const PATIENCE: usize = 1000;
/// Where the time stands in the line.
const HOST_COLUMN: usize = 52;
/// What a probe carries: its TTL and its time.
const PROBE_HEADER: usize = 24;
/// The machine has been up for this long when the world begins: a time stamp of zero would mean a broken router.
const UPTIME: u64 = 1000;

/// What the error queue told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Nothing.
    Silence,
    /// Something; the next hop may be tried.
    Heard,
    /// The end of the way.
    Done,
}

/// `tracepath`
pub(super) async fn main(p: Proc) -> Exit {
    match begin(&p) {
        Ok(path) => {
            path.run().await;
            Exit::Status(0)
        }
        Err(exit) => exit,
    }
}

/// `error(status, 0, …)`
fn error(p: &Proc, status: i32, text: &str) -> Exit {
    p.err(&format!("{}: {text}\n", p.argv().first().map_or("tracepath", String::as_str)));
    Exit::Status(status)
}

fn usage(p: &Proc) -> Exit {
    p.err(USAGE);
    Exit::Status(255)
}

#[derive(Clone, Debug, Default)]
struct Options {
    family: Family,
    numeric: bool,
    both: bool,
    length: i64,
    hops: i64,
    port: i64,
}

impl Options {
    fn apply(&mut self, p: &Proc, item: Item) -> Result<(), Exit> {
        let number = |value: &str, max| bounded(value, 0, max).map_err(|text| error(p, 1, &text));
        match item {
            Item::Option(letter @ ('4' | '6'), _) => {
                let family = if letter == '4' { Family::V4 } else { Family::V6 };
                if self.family != Family::Any && self.family != family {
                    return Err(error(p, 2, "Only one -4 or -6 option may be specified"));
                }
                self.family = family;
            }
            Item::Option('n', _) => self.numeric = true,
            Item::Option('b', _) => self.both = true,
            Item::Option('l', Some(value)) => self.length = number(&value, i64::from(i32::MAX))?,
            Item::Option('m', Some(value)) => self.hops = number(&value, 255)?,
            Item::Option('p', Some(value)) => self.port = number(&value, 0xffff)?,
            Item::Option('V', _) => {
                p.out("tracepath from iputils 20221126\n");
                p.out("libcap: yes, IDN: yes, NLS: no, error.h: yes, getrandom(): yes, __fpending(): yes\n");
                return Err(Exit::Status(0));
            }
            Item::Option(..) => return Err(usage(p)),
            Item::Bad(complaint) => {
                p.err(&complaint);
                return Err(usage(p));
            }
        }
        Ok(())
    }
}

fn begin(p: &Proc) -> Result<Path, Exit> {
    let family = match p.argv().first().and_then(|name| name.chars().last()) {
        Some('4') => Family::V4,
        Some('6') => Family::V6,
        _ => Family::Any,
    };
    let mut options = Options { family, hops: 30, ..Options::default() };
    let words = getopt(p.argv(), "46nbh?l:m:p:V", &[]);
    for item in words.items {
        options.apply(p, item)?;
    }
    let [target] = words.operands.as_slice() else { return Err(usage(p)) };
    let mut target = target.as_str();
    if options.port == 0 {
        options.port = BASE_PORT;
        if let Some((host, port)) = target.split_once('/') {
            target = host;
            options.port = bounded(port, 0, 0xffff).map_err(|text| error(p, 1, &text))?;
        }
    }
    let destination = match resolve(target, options.family) {
        Ok(IpAddr::V4(address)) => address,
        Ok(IpAddr::V6(_)) => return Err(error(p, 1, "IPv6 packets are not simulated yet")),
        Err(text) => return Err(error(p, 1, &format!("{target}: {text}"))),
    };
    let mtu = if options.length == 0 { LARGEST } else { options.length };
    if mtu <= OVERHEAD {
        let text = format!("pktlen must be within: {OVERHEAD} < value <= {}", i32::MAX);
        return Err(error(p, 1, &text));
    }
    let opened = p.socket(SocketKind::Udp).map_err(|e| error(p, 1, &format!("socket/connect: {}", e.text())))?;
    socket::set(p, opened, |set| (set.pmtu, set.recverr) = (PmtuDiscover::Do, true));
    Ok(Path {
        p: p.clone(),
        socket: opened,
        destination,
        options,
        mtu,
        ttl: 1,
        history: [None; HISTORY],
        slot: 0,
        hops_to: None,
        hops_from: None,
    })
}

/// The way to a destination, as far as it is known.
struct Path {
    p: Proc,
    socket: SocketId,
    destination: Ipv4Addr,
    options: Options,
    mtu: i64,
    ttl: i64,
    /// TTL and time of each probe, by its port.
    history: [Option<(i64, Time)>; HISTORY],
    slot: usize,
    hops_to: Option<i64>,
    hops_from: Option<i64>,
}

impl Path {
    async fn run(mut self) {
        let done = self.walk().await;
        if !done {
            self.p.out(&format!("     Too many hops: pmtu {}\n", self.mtu));
        }
        let part = |word, hops: Option<i64>| hops.map_or(String::new(), |hops| format!("{word} {hops} "));
        let (to, from) = (part("hops", self.hops_to), part("back", self.hops_from));
        self.p.out(&format!("     Resume: pmtu {} {to}{from}\n", self.mtu));
    }

    /// Goes hop by hop; true if it came to an end before the hops ran out.
    async fn walk(&mut self) -> bool {
        while self.ttl <= self.options.hops {
            let ttl = self.ttl as u8;
            socket::set(&self.p, self.socket, |set| set.ttl = Some(ttl));
            match self.hop().await {
                Progress::Done => return true,
                Progress::Silence => self.p.out(&format!("{:2}:  no reply\n", self.ttl)),
                Progress::Heard => {}
            }
            self.ttl += 1;
        }
        false
    }

    /// Three probes at most; a smaller MTU begins the count again.
    async fn hop(&mut self) -> Progress {
        let mut left = 3;
        while left > 0 {
            let mtu = self.mtu;
            let progress = self.probe().await;
            if mtu != self.mtu {
                left = 3;
                continue;
            }
            if progress != Progress::Silence {
                return progress;
            }
            left -= 1;
        }
        Progress::Silence
    }

    async fn probe(&mut self) -> Progress {
        let sent = self.send();
        self.slot = (self.slot + 1) % HISTORY;
        match sent {
            Err(Progress::Done) => return Progress::Done,
            Err(_) => {
                self.p.out(&format!("{:2}:  send failed\n", self.ttl));
                return Progress::Done;
            }
            Ok(()) => {}
        }
        match self.p.receive(self.socket, self.p.now() + Duration::from_secs(1)).await {
            Wake::Datagram(_) => {
                self.p.out(&format!("{:2}?: reply received 8)\n", self.ttl));
                Progress::Done
            }
            Wake::Error(first) => self.read_errors(Some(first)),
            Wake::Timer | Wake::Signal(_) => self.read_errors(None),
        }
    }

    /// Sends one probe; tries again when the error queue has told something.
    fn send(&mut self) -> Result<(), Progress> {
        let port = (self.options.port as u16).wrapping_add(self.slot as u16);
        let mut tries = TRIES;
        for _ in 0..PATIENCE {
            if tries == 0 {
                break;
            }
            self.history[self.slot] = Some((self.ttl, self.p.now()));
            if socket::send_to(&self.p, self.socket, (self.destination, port), &self.payload()).is_ok() {
                return Ok(());
            }
            let told = self.read_errors(None);
            self.history[self.slot] = None;
            match told {
                Progress::Done => return Err(Progress::Done),
                Progress::Heard => tries = TRIES,
                Progress::Silence => tries -= 1,
            }
        }
        Err(Progress::Silence)
    }

    /// TTL and time (`struct timespec`) in the byte order of the machine, then zeros.
    fn payload(&self) -> Vec<u8> {
        let nanos = self.p.now().nanos();
        let mut payload = Vec::new();
        payload.extend((self.ttl as u64).to_le_bytes());
        payload.extend((UPTIME + nanos / 1_000_000_000).to_le_bytes());
        payload.extend((nanos % 1_000_000_000).to_le_bytes());
        // A datagram that no header could count is not worth its bytes: it is refused whatever it holds.
        payload.resize((self.mtu - OVERHEAD).clamp(1, 0x1_0000) as usize, 0);
        payload
    }

    /// Reads the error queue to its end, or until an entry ends the way.
    fn read_errors(&mut self, first: Option<SocketError>) -> Progress {
        let mut progress = Progress::Silence;
        let mut next = first.or_else(|| socket::receive_error(&self.p, self.socket));
        while let Some(error) = next {
            progress = Progress::Heard;
            if self.report(&error) {
                return Progress::Done;
            }
            next = socket::receive_error(&self.p, self.socket);
        }
        progress
    }

    /// Prints the line of one error; true if it ends the way.
    fn report(&mut self, error: &SocketError) -> bool {
        let probe = self.probe_of(error);
        let sent_ttl = probe.map(|probe| probe.0);
        let (mut line, back) = match error.origin {
            ErrorOrigin::Local => (format!("{:2}?: {:<32} ", self.ttl, "[LOCALHOST]"), None),
            ErrorOrigin::Icmp { from, ttl, .. } => {
                let number = sent_ttl.map_or_else(|| format!("{:2}?: ", self.ttl), |ttl| format!("{ttl:2}:  "));
                (number + &self.host(from), Some(hops_back(ttl)))
            }
        };
        if let Some((_, sent)) = probe {
            let passed = error.at.since(sent);
            line += &format!("{:3}.{:03}ms ", passed.as_millis(), passed.as_micros() % 1000);
            if header(error).is_some_and(|header| is_corrupted(&header)) {
                line += "(This broken router returned corrupted payload) ";
            }
        }
        let (end, done) = self.outcome(error, sent_ttl, back);
        self.p.out(&format!("{line}{end}\n"));
        let unknown = !matches!(
            error.errno,
            Errno::TimedOut
                | Errno::MsgSize
                | Errno::ConnRefused
                | Errno::Proto
                | Errno::HostUnreach
                | Errno::NetUnreach
                | Errno::Acces
        );
        if unknown {
            let name = self.p.argv().first().map_or("tracepath", String::as_str);
            self.p.err(&format!("{name}: NET ERROR: {}\n", error.errno.text()));
        }
        done
    }

    /// The last words of the line, and whether the way ends here.
    fn outcome(&mut self, error: &SocketError, sent_ttl: Option<i64>, back: Option<i64>) -> (String, bool) {
        let expired = matches!(error.origin, ErrorOrigin::Icmp { kind: 11, code: 0, .. });
        match error.errno {
            Errno::TimedOut => (String::new(), false),
            Errno::MsgSize => {
                self.mtu = i64::from(error.info);
                (format!("pmtu {}", error.info), false)
            }
            Errno::ConnRefused => {
                self.hops_to = Some(sent_ttl.unwrap_or(self.ttl));
                self.hops_from = back;
                ("reached".to_string(), true)
            }
            Errno::HostUnreach if expired => {
                let expected = sent_ttl.unwrap_or(self.ttl);
                let asymmetric = back.filter(|back| *back != expected);
                (asymmetric.map_or(String::new(), |back| format!("asymm {back:2} ")), false)
            }
            Errno::Proto => ("!P".to_string(), true),
            Errno::HostUnreach => ("!H".to_string(), true),
            Errno::NetUnreach => ("!N".to_string(), true),
            Errno::Acces => ("!A".to_string(), true),
            _ => (String::new(), true),
        }
    }

    /// TTL and time of the probe that an error is about: as the probe itself tells, else as remembered for its port.
    fn probe_of(&mut self, error: &SocketError) -> Option<(i64, Time)> {
        if error.origin == ErrorOrigin::Local {
            return None;
        }
        let slot = usize::from(error.destination_port.wrapping_sub(self.options.port as u16));
        let remembered =
            self.history.get_mut(..HISTORY - 1).and_then(|slots| slots.get_mut(slot)).and_then(Option::take);
        let told = header(error).filter(|header| !is_corrupted(header));
        told.map(|(ttl, sent)| (ttl, sent - Duration::from_secs(UPTIME))).or(remembered)
    }

    fn host(&self, address: Ipv4Addr) -> String {
        let number = address.to_string();
        let name = name_of(address).map_or(number.clone(), str::to_string);
        let (first, second) = if self.options.numeric { (number, name) } else { (name, number) };
        let host = if self.options.both { format!("{first} ({second})") } else { first };
        let column = HOST_COLUMN.max(host.len() + 1);
        format!("{host:<column$}")
    }
}

/// What a probe says of itself, if the error quotes enough of it.
fn header(error: &SocketError) -> Option<(i64, Time)> {
    let quoted = error.payload.get(..PROBE_HEADER)?;
    let word = |at: usize| quoted.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes);
    let sent = word(8).saturating_mul(1_000_000_000).saturating_add(word(16));
    Some((i64::from(word(0) as u32), Time(sent)))
}

fn is_corrupted((ttl, sent): &(i64, Time)) -> bool {
    *ttl == 0 || *sent < Time(1_000_000_000)
}

/// How many hops an answer came, guessed from its TTL.
fn hops_back(ttl: u8) -> i64 {
    let ttl = i64::from(ttl);
    match ttl {
        ..=64 => 65 - ttl,
        65..=128 => 129 - ttl,
        _ => 256 - ttl,
    }
}

const USAGE: &str = "
Usage
  tracepath [options] <destination>

Options:
  -4             use IPv4
  -6             use IPv6
  -b             print both name and ip
  -l <length>    use packet <length>
  -m <hops>      use maximum <hops>
  -n             no dns name resolution
  -p <port>      use destination <port>
  -V             print version and exit
  <destination>  dns name or ip address

For more details see tracepath(8).
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_guessed_from_usual_first_ttls() {
        assert_eq!([64, 61, 128, 255, 250].map(hops_back), [1, 4, 1, 1, 6]);
    }

    #[test]
    fn a_probe_is_recognised_by_what_it_carries() {
        let mut payload = 7u64.to_le_bytes().to_vec();
        payload.extend(1001u64.to_le_bytes());
        payload.extend(5u64.to_le_bytes());
        let mut error = SocketError {
            at: Time::ZERO,
            errno: Errno::HostUnreach,
            origin: ErrorOrigin::Local,
            destination: Ipv4Addr::LOCALHOST,
            destination_port: 0,
            info: 0,
            payload,
        };
        assert_eq!(header(&error), Some((7, Time(1_001_000_000_005))));
        error.payload.truncate(23);
        assert_eq!(header(&error), None);
    }
}
