//! The probes of a trace: what became of each, how long to wait for it, how it is printed, and where a late answer belongs.

use super::options::Options;
use crate::userland::resolve::name_of;
use std::net::Ipv4Addr;
use vethlab_engine::local::SocketId;
use vethlab_engine::time::Time;

/// Added to every time that a wait is reckoned from, in seconds.
const PRECISION: f64 = 0.001;

/// One probe.
#[derive(Clone, Debug, Default)]
pub(super) struct Probe {
    pub(super) sent: Option<Time>,
    pub(super) answered: Option<Time>,
    /// Who answered.
    pub(super) from: Option<Ipv4Addr>,
    /// TTL of the answer, 0 if unknown.
    pub(super) ttl: u8,
    /// `!H` and its like, or empty.
    pub(super) error: String,
    /// Answered, or given up.
    pub(super) done: bool,
    /// The way ends here.
    pub(super) last: bool,
    /// What an answer is recognised by: a port, or a sequence number; 0 if none is awaited.
    pub(super) key: u16,
    /// Its own socket.
    pub(super) socket: Option<SocketId>,
    /// Its answer was moved to another place: it is not sent again, and not waited for.
    pub(super) moved: bool,
}

impl Probe {
    /// Seconds to the answer, if any passed.
    fn seconds(&self) -> Option<f64> {
        let micros = self.micros()?;
        (self.done && micros > 0).then(|| micros as f64 / 1e6)
    }

    /// Clocks count whole microseconds.
    fn micros(&self) -> Option<u64> {
        let micros = |time: Time| time.nanos() / 1000;
        Some(micros(self.answered?).saturating_sub(micros(self.sent?)))
    }
}

/// All probes, hop after hop.
pub(super) struct Probes {
    all: Vec<Probe>,
    per_hop: usize,
}

impl Probes {
    pub(super) fn new(options: &Options) -> Probes {
        Probes { all: vec![Probe::default(); options.hops * options.queries], per_hop: options.queries }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn get(&self, at: usize) -> Option<&Probe> {
        self.all.get(at)
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut Probe> {
        self.all.get_mut(at)
    }

    /// Its answer stands elsewhere now.
    pub(super) fn was_moved(&self, at: usize) -> bool {
        self.get(at).is_some_and(|probe| probe.moved)
    }

    /// The first that awaits an answer with this key.
    pub(super) fn by_key(&self, key: u16) -> Option<usize> {
        self.all.iter().position(|probe| key != 0 && probe.key == key)
    }

    pub(super) fn by_socket(&self, socket: SocketId) -> Option<usize> {
        self.all.iter().position(|probe| probe.socket == Some(socket))
    }

    /// Sockets of probes that await an answer.
    pub(super) fn sockets(&self) -> Vec<SocketId> {
        self.all.iter().filter_map(|probe| probe.socket).collect()
    }

    /// Which hop a probe is for, from 1.
    pub(super) fn hop(&self, at: usize) -> usize {
        at / self.per_hop + 1
    }

    /// When a probe is given up.
    pub(super) fn expires(&self, at: usize, options: &Options) -> Time {
        match self.get(at) {
            Some(Probe { sent: Some(sent), moved: false, .. }) => after(*sent, self.patience(at, options)),
            _ => Time::ZERO,
        }
    }

    /// Seconds to wait for a probe: less if its neighbours were quick.
    fn patience(&self, at: usize, options: &Options) -> f64 {
        let limited = |seconds: f64, factor: f64| {
            let value = (seconds + PRECISION) * factor;
            if value < options.wait { value } else { options.wait }
        };
        let hop = at - at % self.per_hop;
        if options.here != 0.0 {
            let same_hop = self.all.iter().skip(hop).take(self.per_hop);
            if let Some(seconds) = same_hop.filter_map(Probe::seconds).next() {
                return limited(seconds, options.here);
            }
        }
        if options.near != 0.0
            && let Some(seconds) = self.sent_after(at).find_map(|(_, probe)| probe.seconds())
        {
            return limited(seconds, options.near);
        }
        options.wait
    }

    /// The probes behind this one, as far as they were sent.
    fn sent_after(&self, at: usize) -> impl Iterator<Item = (usize, &Probe)> {
        self.all.iter().enumerate().skip(at + 1).take_while(|(_, probe)| probe.sent.is_some() || probe.moved)
    }

    /// A probe was given up. If a later one was told that the way ends, that may belong here: hosts leave some of many
    /// simultaneous probes without an answer.
    pub(super) fn given_up(&mut self, at: usize) {
        let hop = at - at % self.per_hop;
        let Some(earlier) = self.all.get(hop..at) else { return };
        if earlier.iter().any(|probe| !probe.done || !probe.last) {
            return;
        }
        let Some((end, last)) = self.sent_after(at).find(|(_, probe)| probe.done) else { return };
        if !last.last || last.error.is_empty() {
            return;
        }
        let same_hop = at > hop || at % self.per_hop + (end - at) < self.per_hop;
        if same_hop || self.known_before(at, last.from) || self.near_enough(at, last.ttl) {
            let moved = self.all.get_mut(end).map(std::mem::take).unwrap_or_default();
            if let Some(probe) = self.all.get_mut(end) {
                probe.moved = true;
            }
            if let Some(probe) = self.all.get_mut(at) {
                *probe = moved;
            }
        }
    }

    /// The same host answered an earlier probe.
    fn known_before(&self, at: usize, host: Option<Ipv4Addr>) -> bool {
        self.all.iter().take(at).any(|probe| probe.from.is_some() && probe.from == host)
    }

    /// By the TTL of its answer, the end of the way is at this hop, or before.
    fn near_enough(&self, at: usize, ttl: u8) -> bool {
        if ttl == 0 {
            return false;
        }
        let mut back = hops_back(ttl);
        let router = self.all.iter().enumerate().take(at).rev().find_map(|(before, probe)| {
            let hops = hops_back(probe.ttl);
            (probe.done && !probe.last && probe.ttl != 0 && hops < back).then(|| (self.hop(before), hops))
        });
        if let Some((hop, hops)) = router {
            back = back - hops + hop;
        }
        back <= self.hop(at)
    }

    /// How a probe is printed, with what stands before it.
    pub(super) fn text(&self, at: usize, options: &Options) -> String {
        let Some(probe) = self.get(at) else { return String::new() };
        let (hop, place) = (self.hop(at), at % self.per_hop);
        let mut text = if place == 0 { format!("\n{hop:2} ") } else { String::new() };
        match probe.from {
            None => text += " *",
            Some(from) if self.is_news(at, options) => {
                text += &host(from, options.numeric);
                let back = hops_back(probe.ttl);
                if options.back && probe.ttl != 0 && back != hop {
                    text += &format!(" '-{back}'");
                }
            }
            Some(_) => {}
        }
        if let Some(micros) = probe.micros() {
            text += &format!("  {}.{:03} ms", micros / 1000, micros % 1000);
        }
        if !probe.error.is_empty() {
            text += &format!(" {}", probe.error);
        }
        text
    }

    /// It was answered by another than the probe before it in the same hop.
    fn is_news(&self, at: usize, options: &Options) -> bool {
        let hop = at - at % self.per_hop;
        let (Some(probe), Some(earlier)) = (self.get(at), self.all.get(hop..at)) else { return true };
        match earlier.iter().rev().find(|earlier| earlier.from.is_some()) {
            Some(before) => before.from != probe.from || (options.back && before.ttl != probe.ttl),
            None => true,
        }
    }
}

/// So many seconds after a time.
pub(super) fn after(time: Time, seconds: f64) -> Time {
    // What is later than that is never; no number, or less than nothing, is now.
    const LATEST: f64 = 1e9;
    if seconds >= LATEST {
        return Time::NEVER;
    }
    time + std::time::Duration::from_nanos((seconds.max(0.0) * 1e9).round() as u64)
}

/// ` name (number)`
fn host(address: Ipv4Addr, numeric: bool) -> String {
    if numeric {
        return format!(" {address}");
    }
    let name = name_of(address).map_or_else(|| address.to_string(), str::to_string);
    format!(" {name} ({address})")
}

/// How many hops an answer came, guessed from its TTL.
fn hops_back(ttl: u8) -> usize {
    let ttl = usize::from(ttl);
    match ttl {
        ..=64 => 65 - ttl,
        65..=128 => 129 - ttl,
        _ => 256 - ttl,
    }
}

#[cfg(test)]
mod tests {
    use super::super::options::read;
    use super::*;

    fn at(micros: u64) -> Option<Time> {
        Some(Time(micros * 1000))
    }

    fn setting(line: &str) -> (Options, Probes) {
        let argv: Vec<String> = line.split(' ').map(str::to_string).collect();
        let options = read(&argv).expect(line);
        let probes = Probes::new(&options);
        (options, probes)
    }

    fn answer(host: u8, sent: u64, answered: u64) -> Probe {
        let from = Some(Ipv4Addr::new(10, 0, 0, host));
        Probe { sent: at(sent), answered: at(answered), from, ttl: 64, done: true, ..Probe::default() }
    }

    fn lost() -> Probe {
        Probe { sent: at(1), done: true, ..Probe::default() }
    }

    /// A host is named when it first answers for a hop, and when another answered before it.
    #[test]
    fn a_hop_is_printed_as_the_original_prints_it() {
        let (options, mut probes) = setting("traceroute -q 5 -m 1 10.0.0.9");
        let last = Probe { error: "!H".into(), ..answer(2, 0, 1_234_567) };
        probes.all = vec![lost(), answer(1, 10, 52), lost(), answer(1, 0, 1000), last];
        let text: String = (0..5).map(|at| probes.text(at, &options)).collect();
        let hosts = " * 10.0.0.1 (10.0.0.1)  0.042 ms *  1.000 ms 10.0.0.2 (10.0.0.2)  1234.567 ms !H";
        assert_eq!(text, format!("\n 1 {hosts}"));
        let (numeric, _) = setting("traceroute -n --back 10.0.0.9");
        let far = Probe { ttl: 62, ..answer(1, 0, 5) };
        probes.all = vec![answer(1, 0, 5), far];
        assert_eq!(
            probes.text(0, &numeric) + &probes.text(1, &numeric),
            "\n 1  10.0.0.1  0.005 ms 10.0.0.1 '-3'  0.005 ms"
        );
    }

    #[test]
    fn quick_neighbours_shorten_the_wait() {
        let (options, mut probes) = setting("traceroute -q 2 -m 2 10.0.0.9");
        let waiting = Probe { sent: at(0), ..Probe::default() };
        probes.all = vec![waiting.clone(), waiting.clone(), waiting.clone(), answer(1, 0, 9_000)];
        assert_eq!(probes.expires(0, &options), Time(100_000_000), "ten times 9 + 1 ms, as a later hop took");
        assert_eq!(probes.expires(2, &options), Time(30_000_000), "three times as long as its own hop took");
        probes.all.truncate(3);
        assert_eq!(probes.expires(0, &options), Time(5_000_000_000));
    }

    /// A router that tells of an unreachable host only once is not printed behind stars.
    #[test]
    fn a_late_end_is_put_where_it_belongs() {
        let end = Probe { last: true, error: "!H".into(), ..answer(1, 0, 9) };
        let (_, mut probes) = setting("traceroute -q 1 -m 4 10.0.0.9");
        probes.all = vec![answer(1, 0, 5), lost(), Probe { sent: at(1), ..Probe::default() }, end.clone()];
        probes.given_up(1);
        assert_eq!(probes.all.iter().map(|p| p.error.as_str()).collect::<Vec<_>>(), ["", "!H", "", ""]);
        assert!(probes.was_moved(3));
        // A host that answers with what is expected of it keeps its place.
        probes.all = vec![answer(1, 0, 5), lost(), lost(), Probe { error: String::new(), ..end }];
        probes.given_up(1);
        assert!(!probes.was_moved(3));
    }
}
