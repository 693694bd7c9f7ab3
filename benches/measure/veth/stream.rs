//! One TCP stream between kernel sockets, offloads on: frames of up to 64 KiB.

use super::{Court, KERNEL, Wait, Who, contest};
use crate::contest::{Session, Subject};
use crate::field::SINK;
use crate::machine::unpin;
use crate::report::{Demand, Unit};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const PORT: u16 = 5001;
/// Bytes that are written at a time.
const PIECE: usize = 256 << 10;
/// A peer that says nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(5);
const NOTE: &str = "kernel sockets at both ends, tso and gso on; three threads share the machine's cores";

pub(super) fn measure(session: &mut Session<'_>) {
    let lasting = session.settings.turn() * 2;
    let demands = |who: &str, peer: Option<&str>| {
        (who == "gso" && peer == Some(KERNEL)).then_some(Demand::RatioAtLeast { floor: 0.5, goal: 0.8 })
    };
    let (what, unit) = ("one TCP stream, offloads on", Unit::more("Gbit/s"));
    let subject = Subject { bench: "veth", what, unit, demands: &demands, note: Some(NOTE) };
    let [gso, ring, plain] = ["gso", "ring", "plain"].map(|mode| Who::Ours(mode, Wait::Sleeps));
    contest(
        session,
        &subject,
        (&[gso, ring, plain, Who::Kernel], &[]),
        |_| Ok(()),
        |court, _, ()| {
            unpin();
            stream(court, lasting)
        },
    );
}

/// Writes for so long: how many gigabits a second were read at the other end.
fn stream(court: &Court<'_>, lasting: Duration) -> io::Result<f64> {
    let to = SocketAddr::from((SINK, PORT));
    let listener = court.field.sink.enter(|| TcpListener::bind(to))?;
    let mut writer = court.field.source.enter(|| TcpStream::connect_timeout(&to, PATIENCE))?;
    let (mut reader, _) = listener.accept()?;
    writer.set_write_timeout(Some(PATIENCE))?;
    reader.set_read_timeout(Some(PATIENCE))?;
    let arrived = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut piece = vec![0; PIECE];
            while let Ok(count @ 1..) = reader.read(&mut piece) {
                arrived.fetch_add(count as u64, Ordering::Relaxed);
            }
        });
        let piece = vec![0x5a; PIECE];
        let mut write_for = |lasting: Duration| {
            let (began, before) = (Instant::now(), arrived.load(Ordering::Relaxed));
            while began.elapsed() < lasting {
                writer.write_all(&piece)?;
            }
            let bits = (arrived.load(Ordering::Relaxed) - before) * 8;
            io::Result::Ok(bits as f64 / began.elapsed().as_secs_f64() / 1e9)
        };
        // Windows open first.
        let rate = write_for(lasting / 4).and_then(|_| write_for(lasting));
        drop(writer);
        rate
    })
}
