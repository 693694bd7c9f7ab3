//! What a packet costs: CPU time of all that carry it, at a rate that each of them carries.
//!
//! The generator sends at a pace, and its thread's time within the sending is counted: the kernel forwards there, and the
//! next one's receive queue is filled there. Added are all of the router's time and the kernel's own threads; taken off is what
//! the same generator needs, in the same turn, for frames that are dropped at the end of the first cable.

use super::{Court, SHORTEST, Wait, Who, blast, contest, frames, subject};
use crate::chain::FRAME;
use crate::contest::Session;
use crate::cpu::{Others, of_thread};
use crate::field::Field;
use crate::generator::{BURST, Blast};
use crate::report::Unit;
use std::io;
use std::time::Duration;

/// Millions a second.
const PACE: f64 = 0.15;
const NOTE: &str = "64 bytes, 150,000 a second in bursts of 32; CPU time of the sending, of the router, which sleeps in between, \
                    and of ksoftirqd, less what the generator needs alone: forwarding and the second cable";

pub(super) fn measure(session: &mut Session<'_>) {
    let lasting = session.settings.turn().max(SHORTEST);
    let subject = subject("CPU per packet", Unit::less("ns"), NOTE);
    let ready = |court: &Court<'_>| Ok((Alone::new()?, blast(&court.field, FRAME)?));
    contest(session, &subject, (&Who::all(Wait::Sleeps), &[]), ready, |_, working, (alone, way)| {
        way.aim(working.mac());
        // Neighbours are found, whoever slept is awake.
        spent(way, lasting / 10)?;
        let others = Others::new(working.process())?;
        let before = others.time()?;
        let (sending, arrived) = spent(way, lasting)?;
        // Where nobody else works, two looks differ by what a look takes.
        let all = sending + others.time()?.saturating_sub(before);
        let (without, reached) = spent(&mut alone.blast, lasting)?;
        Ok(each(all, arrived) - each(without, reached))
    });
}

fn each(time: Duration, count: u64) -> f64 {
    time.as_nanos() as f64 / count as f64
}

/// A cable with nobody behind it.
struct Alone {
    blast: Blast,
    _field: Field,
}

impl Alone {
    fn new() -> io::Result<Alone> {
        let field = Field::new()?;
        let blast = Blast::open((&field.source, "s0"), (&field.middle, "r0"), &frames(FRAME))?;
        Ok(Alone { blast, _field: field })
    }
}

/// Sends for so long: what this thread worked for it, and how many arrived.
fn spent(blast: &mut Blast, lasting: Duration) -> io::Result<(Duration, u64)> {
    let mut time = Duration::ZERO;
    let (_, arrived, _) = blast.paced(PACE, lasting, |sender, _| {
        let before = of_thread()?;
        let sent = sender.send(BURST)?;
        time += of_thread()? - before;
        Ok(sent)
    })?;
    if arrived == 0 { Err(io::Error::other("no frame came through")) } else { Ok((time, arrived)) }
}
