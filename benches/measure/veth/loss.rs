//! After RFC 2544: the highest rate at which (nearly) nothing is lost, and how long frames are on their way at that rate.

use super::{Court, FLOWS, SHORTEST, Wait, Who, contest, frames, subject};
use crate::chain::FRAME;
use crate::contest::Session;
use crate::field::{R0, S0, SINK, SOURCE};
use crate::generator::{BURST, Blast};
use crate::report::{Samples, Unit};
use crate::traffic::datagram;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use socket2::{Domain, Protocol, SockFilter, Socket, Type};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, IoSliceMut};
use std::os::fd::AsRawFd;
use std::time::{Duration, SystemTime};

/// What may be lost: RFC 2544 says nothing, but a shared machine loses a frame now and then.
const LOSS: f64 = 0.001;
/// Halvings of the interval between a rate that is carried and one that is not.
const STEPS: u32 = 7;
/// Bytes of probes that may wait until a trial is over.
const ROOM: usize = 4 << 20;
/// Every protocol (`linux/if_ether.h`).
const ETH_P_ALL: u16 = 3;
/// Where the probes go; their number is in the first four bytes of the payload.
const PROBE: u16 = 7777;
const NUMBER: std::ops::Range<usize> = 42..46;
const NOTE: &str =
    "64 bytes, less than 0.1 % lost, bursts of 32; latency one way, by the kernel's time stamps at the sink";

pub(super) fn measure(session: &mut Session<'_>) {
    let lasting = session.settings.turn().max(SHORTEST);
    let whos = Who::all(Wait::Spins);
    let latencies: BTreeMap<&str, RefCell<Vec<[f64; 2]>>> = whos.map(|who| (who.name(&[]), RefCell::default())).into();
    let subject = subject("64 bytes, rate without loss", Unit::more("Mpps"), NOTE);
    contest(session, &subject, (&whos, &[]), Trial::open, |court, working, trial| {
        trial.blast.aim(working.mac());
        let rate = trial.search(lasting)?;
        let (_, times) = trial.run(rate, lasting)?;
        // A turn whose probes were all lost tells no time.
        let latencies = latencies.get(court.who.name(&[])).filter(|_| !times.is_empty());
        latencies.into_iter().for_each(|all| all.borrow_mut().push(percentiles(&times)));
        Ok(rate)
    });
    for who in whos {
        let name = who.name(&[]);
        let Some(found) = latencies.get(name).map(|all| all.borrow().clone()).filter(|all| !all.is_empty()) else {
            continue;
        };
        for (at, of) in ["p50", "p99"].into_iter().enumerate() {
            let what = format!("64 bytes, latency at that rate, {of}: {name}");
            // The first is of the round that warms up.
            let samples: Samples = found.iter().skip(usize::from(found.len() > 1)).map(|both| both[at]).collect();
            session.figure(&super::subject(&what, Unit::less("µs"), NOTE), samples);
        }
    }
}

/// Half of the times are no longer than the first, 99 of a hundred no longer than the second; microseconds.
fn percentiles(times: &[Duration]) -> [f64; 2] {
    let mut times = times.to_vec();
    times.sort();
    let at = |at: usize| {
        times.get(at.min(times.len().saturating_sub(1))).map_or(f64::NAN, |time| time.as_nanos() as f64 / 1e3)
    };
    [at(times.len() / 2), at(times.len() * 99 / 100)]
}

/// A generator some of whose frames are probes, and who sees these arrive.
struct Trial {
    blast: Blast,
    seen: Socket,
}

impl Trial {
    fn open(court: &Court<'_>) -> io::Result<Trial> {
        let mut all = frames(FRAME);
        // Each round of the prepared frames begins with a probe.
        if let Some(first) = all.first_mut() {
            *first = datagram([S0, R0], (SOURCE, 4000 + FLOWS), (SINK, PROBE), FRAME);
        }
        let blast = Blast::open((&court.field.source, "s0"), (&court.field.sink, "d0"), &all)?;
        Ok(Trial { blast, seen: court.field.sink.enter(watch)? })
    }

    /// One trial: what part was lost, and how long the probes took.
    fn run(&mut self, rate: f64, lasting: Duration) -> io::Result<((f64, f64), Vec<Duration>)> {
        while arrived(&self.seen)?.is_some() {}
        let mut sent = Vec::new();
        let (count, came, pace) = self.blast.paced(rate, lasting, |sender, first| {
            if first {
                let number = sent.len() as u32;
                sender.change(0, |frame| {
                    // No UDP checksum: the number changes.
                    frame.get_mut(40..42).into_iter().for_each(|sum| sum.fill(0));
                    frame.get_mut(NUMBER).into_iter().for_each(|bytes| bytes.copy_from_slice(&number.to_be_bytes()));
                });
                sent.push(SystemTime::now());
            }
            sender.send(BURST)
        })?;
        let mut times = Vec::new();
        while let Some((number, when)) = arrived(&self.seen)? {
            let time = sent.get(number as usize).and_then(|sent| when.duration_since(*sent).ok());
            times.extend(time);
        }
        let lost = 1.0 - came.min(count) as f64 / count.max(1) as f64;
        Ok(((lost, pace), times))
    }

    /// The highest rate that is carried.
    fn search(&mut self, lasting: Duration) -> io::Result<f64> {
        let most = self.blast.full_speed(lasting)?;
        let (mut good, mut bad) = (0.0, most * 1.2);
        for _ in 0..STEPS {
            let rate = (good + bad) / 2.0;
            let ((lost, pace), _) = self.run(rate, lasting)?;
            if lost < LOSS {
                good = pace;
                // The generator itself can do no more.
                if pace < rate * 0.97 {
                    break;
                }
            } else {
                bad = rate;
            }
        }
        if good > 0.0 { Ok(good) } else { Err(io::Error::other("some are lost at every rate")) }
    }
}

/// A socket that sees probes, with the time at which they came, before they are dropped.
fn watch() -> io::Result<Socket> {
    let everything = Protocol::from(i32::from(ETH_P_ALL.to_be()));
    let socket = Socket::new(Domain::PACKET, Type::RAW, Some(everything))?;
    // The UDP port of an Ethernet frame without options: load half a word, compare, take all of it or nothing.
    socket.attach_filter(&[
        SockFilter::new(0x28, 0, 0, 36),
        SockFilter::new(0x15, 0, 1, PROBE.into()),
        SockFilter::new(0x06, 0, 0, 0xffff),
        SockFilter::new(0x06, 0, 0, 0),
    ])?;
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
    socket.set_recv_buffer_size(ROOM)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The next probe that has come: its number, and when.
fn arrived(socket: &Socket) -> io::Result<Option<(u32, SystemTime)>> {
    let mut bytes = [0u8; 64];
    let mut space = nix::cmsg_space!(nix::sys::time::TimeSpec);
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let got = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::empty());
    let message = match got {
        Ok(message) => message,
        Err(nix::errno::Errno::EAGAIN) => return Ok(None),
        Err(why) => return Err(why.into()),
    };
    let stamp = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::ScmTimestampns(stamp) => Some(SystemTime::UNIX_EPOCH + Duration::from(stamp)),
        _ => None,
    });
    let when = stamp.ok_or_else(|| io::Error::other("frames come without a time"))?;
    let number = bytes.get(NUMBER).and_then(|bytes| bytes.try_into().ok()).map_or(u32::MAX, u32::from_be_bytes);
    Ok(Some((number, when)))
}
