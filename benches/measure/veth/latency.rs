//! Round trips of a ping through the router, which passes it twice. The one who asks spins.

use super::{KERNEL, Wait, Who, contest};
use crate::contest::{Session, Subject};
use crate::field::SINK;
use crate::report::{Demand, Unit};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use vethlab_engine::wire::checksum;

/// A ping that is not answered by then is lost.
const PATIENCE: Duration = Duration::from_millis(500);
/// How many may be lost before it is given up: the first waits for ARP.
const LOST: u32 = 3;
const NOTE: &str = "ICMP echo, answered by the sink's kernel; the one who asks spins on core 0, our router on core 1";

pub(super) fn measure(session: &mut Session<'_>) {
    let lasting = session.settings.turn();
    // Whichever mode is best for latency is what a user would take; each is judged.
    let demands =
        |_: &str, peer: Option<&str>| (peer == Some(KERNEL)).then_some(Demand::FigureAtMost { floor: 20.0, goal: 9.0 });
    let (what, unit) = ("ping through the router, p50", Unit::less("µs"));
    let subject = Subject { bench: "veth", what, unit, demands: &demands, note: Some(NOTE) };
    // pnet's router knows one direction.
    let [whos @ .., _] = Who::all(Wait::Spins);
    contest(
        session,
        &subject,
        (&whos, &[]),
        |_| Ok(()),
        |court, _, ()| {
            let socket = court.field.source.enter(|| Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)))?;
            pings(socket, lasting)
        },
    );
}

/// One after the other, for so long: the median round trip in microseconds.
fn pings(mut socket: Socket, lasting: Duration) -> io::Result<f64> {
    socket.set_nonblocking(true)?;
    socket.connect(&SocketAddr::from((SINK, 0)).into())?;
    let (began, mut lost, mut times) = (Instant::now(), 0, Vec::new());
    let mut number = 0u16;
    while began.elapsed() < lasting {
        number = number.wrapping_add(1);
        match ping(&mut socket, number)? {
            Some(time) => times.push(time.as_nanos() as f64 / 1000.0),
            None => lost += 1,
        }
        if lost > LOST {
            return Err(io::Error::other("pings are not answered"));
        }
    }
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().ok_or_else(|| io::Error::other("no ping was answered"))
}

/// One round trip; `None` if it was lost.
fn ping(socket: &mut Socket, number: u16) -> io::Result<Option<Duration>> {
    let mut request = [0u8; 64];
    request[0] = 8;
    request[4..6].copy_from_slice(&(std::process::id() as u16).to_be_bytes());
    request[6..8].copy_from_slice(&number.to_be_bytes());
    let sum = checksum::of(&request);
    request[2..4].copy_from_slice(&sum.to_be_bytes());
    let began = Instant::now();
    socket.send(&request)?;
    let mut answer = [0u8; 256];
    while began.elapsed() < PATIENCE {
        match socket.read(&mut answer) {
            // An IPv4 header of 20 bytes stands before an echo reply, which repeats what was asked from its fifth byte on.
            Ok(count) if count >= 28 && answer[20] == 0 && answer[24..28] == request[4..8] => {
                return Ok(Some(began.elapsed()));
            }
            Ok(_) => {}
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => std::hint::spin_loop(),
            Err(why) => return Err(why),
        }
    }
    Ok(None)
}
