//! `traceroute` 2.1 (Dmitry Butskoy's, which Debian has): many probes under way at a time, printed in their order.

mod clif;
mod method;
mod options;
mod probe;
mod usage;

use self::method::{Sender, fail};
use self::options::Options;
use self::probe::{Probe, Probes, after};
use super::{Proc, Wake};
use crate::lab::Exit;
use std::net::IpAddr;
use vethlab_engine::control::Errno;
use vethlab_engine::local::{Datagram, ErrorOrigin, SocketError, SocketId};
use vethlab_engine::time::{Duration, Time};
use vethlab_engine::wire::icmpv4::{code, kind};

/// `traceroute`
pub(super) async fn main(p: Proc) -> Exit {
    let options = match options::read(p.argv()) {
        Ok(options) => options,
        Err((text, status)) => {
            p.err(&text);
            return Exit::Status(status);
        }
    };
    let sender = match Sender::new(&p, &options) {
        Ok(sender) => sender,
        Err(exit) => return exit,
    };
    let probes = Probes::new(&options);
    let (start, end) = ((options.first - 1) * options.queries, probes.len());
    let mut trace = Trace { p, options, sender, probes, start, end, last_sent: None };
    match trace.run().await {
        Ok(()) => Exit::Status(0),
        Err(exit) => exit,
    }
}

struct Trace {
    p: Proc,
    options: Options,
    sender: Sender,
    probes: Probes,
    /// The first probe that is not printed yet.
    start: usize,
    /// Where the way ends, as far as it is known.
    end: usize,
    last_sent: Option<Time>,
}

impl Trace {
    async fn run(&mut self) -> Result<(), Exit> {
        let (options, length) = (&self.options, self.sender.headers + self.sender.length);
        let Options { host, destination, hops, .. } = options;
        self.p.out(&format!("traceroute to {host} ({destination}), {hops} hops max, {length} byte packets"));
        while self.start < self.end {
            if let Some(next) = self.round()? {
                self.wait(next).await?;
            }
        }
        self.p.out("\n");
        Ok(())
    }

    /// Prints what can be printed, gives up what is overdue, sends what may be sent. Tells until when to wait, if at all.
    fn round(&mut self) -> Result<Option<Time>, Exit> {
        let now = self.p.now();
        let mut next = None;
        let mut under_way = 0;
        let mut at = self.start;
        while at < self.end {
            if at == self.start {
                next = self.overdue(at, now).or(next);
            }
            let (done, last, sent) = self.probes.get(at).map_or((true, false, None), |p| (p.done, p.last, p.sent));
            if done {
                if at == self.start {
                    self.p.out(&self.probes.text(at, &self.options));
                    self.start += 1;
                }
                if last {
                    self.end = self.probes.hop(at) * self.options.queries;
                }
                at += 1;
                continue;
            }
            if sent.is_none() && !self.probes.was_moved(at) {
                if let Some(pause) = self.pause(now) {
                    return Ok(Some(pause));
                }
                if !self.send(at)? {
                    return if next.is_some() { Ok(next) } else { Err(fail(&self.p, "send probe", Errno::NoBufs)) };
                }
            }
            next = next.or_else(|| Some(self.probes.expires(at, &self.options)));
            under_way += 1;
            if under_way >= self.options.at_once {
                break;
            }
            at += 1;
        }
        Ok(next)
    }

    /// Gives the first probe up if its time is over; tells when that will be.
    fn overdue(&mut self, at: usize, now: Time) -> Option<Time> {
        let waits = self.probes.get(at).is_some_and(|probe| !probe.done && probe.sent.is_some());
        if !waits && !self.probes.was_moved(at) {
            return None;
        }
        let expires = self.probes.expires(at, &self.options);
        if expires > now {
            return Some(expires);
        }
        if let Some(probe) = self.probes.get_mut(at) {
            self.sender.finish(probe);
        }
        self.probes.given_up(at);
        None
    }

    /// When the next probe may be sent, if not now.
    fn pause(&self, now: Time) -> Option<Time> {
        let next = after(self.last_sent?, self.options.pause);
        (self.options.pause > 0.0 && next > now).then_some(next)
    }

    fn send(&mut self, at: usize) -> Result<bool, Exit> {
        let ttl = self.probes.hop(at) as u8;
        let mut sent = self.sender.send(ttl, &self.options)?;
        if sent.sent.is_none() {
            self.sender.finish(&mut sent);
            return Ok(false);
        }
        self.last_sent = sent.sent;
        if let Some(probe) = self.probes.get_mut(at) {
            // What path MTU discovery told of this hop is printed with its answer.
            sent.error = std::mem::take(&mut probe.error);
            *probe = sent;
        }
        Ok(true)
    }

    /// Waits for answers, one from each socket, until then; `poll` counts milliseconds.
    async fn wait(&mut self, until: Time) -> Result<(), Exit> {
        let mut sockets = self.sender.sockets(&self.probes);
        if sockets.is_empty() {
            self.p.sleep_until(until).await;
            return Ok(());
        }
        let now = self.p.now();
        let mut limit = until;
        if until != Time::NEVER {
            let millis = until.since(now).as_nanos().div_ceil(1_000_000) as u64;
            limit = now + Duration::from_millis(millis);
        }
        while !sockets.is_empty() {
            let (from, wake) = self.p.receive_any(&sockets, limit).await;
            let Some(socket) = from else { break };
            match wake {
                Wake::Datagram(datagram) => self.answered(socket, &datagram),
                Wake::Error(error) => self.failed(socket, &error)?,
                Wake::Timer | Wake::Signal(_) => break,
            }
            sockets.retain(|other| *other != socket);
            limit = self.p.now();
        }
        Ok(())
    }

    fn answered(&mut self, socket: SocketId, datagram: &Datagram) {
        let at = self.sender.answered(&self.probes, socket, datagram);
        let Some(probe) = at.and_then(|at| self.probes.get_mut(at)) else { return };
        if let IpAddr::V4(source) = datagram.source {
            probe.from = Some(source);
        }
        (probe.answered, probe.ttl, probe.last) = (Some(datagram.at), datagram.ttl, true);
        self.sender.finish(probe);
    }

    fn failed(&mut self, socket: SocketId, error: &SocketError) -> Result<(), Exit> {
        let first = (self.options.first - 1) * self.options.queries;
        // A host's own complaint of a packet's length quotes nothing: it is about the first probe of all.
        let unnamed = error.payload.is_empty() && self.options.dont_fragment;
        let unnamed = unnamed && self.probes.get(first).is_some_and(|probe| !probe.done);
        let at = self.sender.failed(&self.probes, socket, error).or(unnamed.then_some(first));
        let Some(probe) = at.and_then(|at| self.probes.get_mut(at)) else { return Ok(()) };
        match error.origin {
            ErrorOrigin::Icmp { kind: kind::SOURCE_QUENCH | kind::REDIRECT, .. } => return Ok(()),
            ErrorOrigin::Icmp { from, kind, code, ttl } => {
                (probe.from, probe.ttl) = (Some(from), ttl);
                let verdict = verdict(kind, code, error.info);
                probe.last = verdict.is_some();
                if let Some(mark) = verdict.filter(|mark| !mark.is_empty()) {
                    probe.error = mark;
                }
            }
            ErrorOrigin::Local if error.errno == Errno::MsgSize && error.info != 0 => {
                (probe.error, probe.last) = (format!("!F-{}", error.info), true);
            }
            ErrorOrigin::Local => return Err(fail(&self.p, "local recverr", error.errno)),
        }
        probe.answered = Some(error.at);
        self.sender.finish(probe);
        let (headers, info) = (self.sender.headers, error.info as usize);
        if self.options.discover_mtu && (headers..headers + self.sender.length).contains(&info) {
            self.sender.length = info - headers;
            *probe = Probe { error: format!("F={info}"), ..Probe::default() };
        }
        Ok(())
    }
}

/// What an ICMP error says of the way's end: a mark, or nothing if the destination itself was reached. `None` if a router
/// on the way said it, as it should.
fn verdict(kind: u8, code: u8, info: u32) -> Option<String> {
    let mark = match (kind, code) {
        (kind::TIME_EXCEEDED, code::EXC_TTL) => return None,
        (kind::DEST_UNREACH, code) => match code {
            code::NET_UNREACH | code::NET_UNKNOWN | code::HOST_ISOLATED | code::NET_UNR_TOS => "!N",
            code::HOST_UNREACH | code::HOST_UNKNOWN | code::HOST_UNR_TOS => "!H",
            code::NET_ANO | code::HOST_ANO | code::PKT_FILTERED => "!X",
            code::PORT_UNREACH => "",
            code::PROT_UNREACH => "!P",
            code::FRAG_NEEDED => return Some(format!("!F-{info}")),
            code::SR_FAILED => "!S",
            code::PREC_VIOLATION => "!V",
            code::PREC_CUTOFF => "!C",
            other => return Some(format!("!<{other}>")),
        },
        _ => return Some(format!("!<{kind}-{code}>")),
    };
    Some(mark.to_string())
}

#[cfg(test)]
mod tests;
