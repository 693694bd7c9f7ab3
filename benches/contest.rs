//! Contests: all take their turns in each round, because a machine's speed moves from minute to minute and only what was
//! measured side by side can be compared. One round warms up; the median of the others is told.

use crate::report::{Demand, Report, Row, Samples, Unit};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Rounds that count.
    pub rounds: u32,
    /// All chance follows from it.
    pub seed: u64,
    /// Short turns and small numbers, to see that all works.
    pub quick: bool,
    /// The `vethlab` binary, for what needs a process of its own.
    pub binary: Option<PathBuf>,
    /// A file of prefixes for `fib`.
    pub prefixes: Option<PathBuf>,
    /// How many namespaces `scale` makes.
    pub namespaces: u32,
    /// `veth` looks for the rate without loss, too.
    pub rfc2544: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { rounds: 5, seed: 1, quick: false, binary: None, prefixes: None, namespaces: 100_000, rfc2544: false }
    }
}

impl Settings {
    /// Of `cargo bench`; of `cargo test --benches` and `--test`, where it is only to be seen that all works.
    pub fn of_cargo() -> Settings {
        let said = |word: &str| std::env::args().any(|arg| arg == word);
        Settings { quick: said("--test") || !said("--bench"), ..Settings::default() }
    }

    /// How long a turn lasts.
    pub fn turn(&self) -> Duration {
        Duration::from_millis(if self.quick { 10 } else { 250 })
    }
}

/// Who hears how far it is.
pub trait Progress {
    /// Something begins that has so many steps.
    fn begin(&self, what: &str, steps: u64);
    /// A step begins.
    fn step(&self, who: &str);
    /// A line for people, right now.
    fn say(&self, line: &str);
}

/// Nobody does.
pub struct Unheard;

impl Progress for Unheard {
    fn begin(&self, _: &str, _: u64) {}
    fn step(&self, _: &str) {}
    fn say(&self, _: &str) {}
}

/// One who takes turns.
pub struct Contender<'a> {
    name: String,
    ours: bool,
    turn: Box<dyn FnMut() -> Result<f64, String> + 'a>,
}

impl<'a> Contender<'a> {
    /// One of us; the name may be empty if there is only one.
    pub fn ours(name: &str, turn: impl FnMut() -> Result<f64, String> + 'a) -> Contender<'a> {
        Contender { name: name.to_string(), ours: true, turn: Box::new(turn) }
    }

    /// A peer.
    pub fn peer(name: &str, turn: impl FnMut() -> Result<f64, String> + 'a) -> Contender<'a> {
        Contender { name: name.to_string(), ours: false, turn: Box::new(turn) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        if self.name.is_empty() { "vethlab" } else { &self.name }
    }

    /// One turn: its figure. Only who fails twice in a row fails: a moment in which others took the machine is not the
    /// contender's fault.
    pub fn turn(&mut self) -> Result<f64, String> {
        (self.turn)().or_else(|_| (self.turn)())
    }
}

/// What is asked of one of us against a peer (none: by itself).
pub type Demands<'a> = &'a dyn Fn(&str, Option<&str>) -> Option<Demand>;

/// No demands.
pub fn anything(_: &str, _: Option<&str>) -> Option<Demand> {
    None
}

/// What a contest is about.
pub struct Subject<'a> {
    /// The bench.
    pub bench: &'a str,
    /// What is done.
    pub what: &'a str,
    /// Of what the figures are.
    pub unit: Unit,
    /// What is asked for.
    pub demands: Demands<'a>,
    /// What the figures do not say.
    pub note: Option<&'a str>,
}

/// Somebody else who lets contenders run.
pub type Host<'a> = &'a mut dyn FnMut(&Subject<'_>, Vec<Contender<'_>>);

/// A run of benches, and what has come of it.
pub struct Session<'a> {
    /// What is asked for.
    pub settings: &'a Settings,
    /// Who hears how far it is.
    pub progress: &'a dyn Progress,
    /// Who lets contenders run instead of the session, which knows nothing of their figures then.
    pub host: Option<Host<'a>>,
    /// What has come of it.
    pub report: Report,
}

impl Session<'_> {
    /// Says that something is not measured, why, and how to get it.
    pub fn skip(&mut self, what: &str, why: &str) {
        let line = format!("{what}: {why}");
        self.progress.say(&format!("SKIPPED {line}"));
        self.report.skipped.push(line);
    }

    /// What can be had, or a line on why it cannot.
    pub fn or_skip<T, E: std::fmt::Display>(&mut self, what: &str, had: Result<T, E>) -> Option<T> {
        had.map_err(|why| self.skip(what, &why.to_string())).ok()
    }

    /// Notes a version.
    pub fn version(&mut self, of: &str, version: impl Into<String>) {
        self.report.versions.insert(of.to_string(), version.into());
    }

    /// Lets all take turns; adds a row for each of us against each peer.
    pub fn contest(&mut self, subject: &Subject<'_>, contenders: Vec<Contender<'_>>) {
        if let Some(host) = &mut self.host {
            return host(subject, contenders);
        }
        let Subject { bench, what, .. } = subject;
        let rounds = self.settings.rounds;
        let count = contenders.len() as u64;
        self.progress.begin(&format!("{bench}: {what}"), (u64::from(rounds) + 1) * count);
        let mut lanes: Vec<Lane<'_>> = contenders
            .into_iter()
            .map(|contender| Lane { contender, samples: Samples::default(), failed: None })
            .collect();
        for round in 0..=rounds {
            for lane in &mut lanes {
                self.progress.step(&lane.contender.name);
                lane.take(round > 0);
            }
        }
        for Lane { contender, failed, .. } in &lanes {
            if let Some(why) = failed {
                self.skip(&format!("{bench}: {what}: {}", contender.name()), why);
            }
        }
        lanes.retain(|lane| lane.failed.is_none());
        let rows = rows(subject, &lanes);
        self.add(rows);
    }

    /// Adds figures of ours that no peer has.
    pub fn figure(&mut self, subject: &Subject<'_>, ours: Samples) {
        self.add([row(subject, "", ours, None)]);
    }

    /// Figures of short turns, or of a build that is not optimized, are not judged.
    fn add(&mut self, rows: impl IntoIterator<Item = Row>) {
        let judged = !self.settings.quick && !cfg!(debug_assertions);
        let demand = |row: Row| Row { demand: row.demand.filter(|_| judged), ..row };
        self.report.rows.extend(rows.into_iter().map(demand));
    }
}

/// A contender, and its figures so far.
struct Lane<'a> {
    contender: Contender<'a>,
    samples: Samples,
    failed: Option<String>,
}

impl Lane<'_> {
    /// One turn. Who fails is out.
    fn take(&mut self, counts: bool) {
        if self.failed.is_some() {
            return;
        }
        match self.contender.turn() {
            Ok(figure) if counts => self.samples.rounds.push(figure),
            Ok(_) => {}
            Err(why) => self.failed = Some(why),
        }
    }
}

fn rows(subject: &Subject<'_>, lanes: &[Lane<'_>]) -> Vec<Row> {
    let peers: Vec<&Lane<'_>> = lanes.iter().filter(|lane| !lane.contender.ours).collect();
    let mut rows = Vec::new();
    for ours in lanes.iter().filter(|lane| lane.contender.ours) {
        let who = &ours.contender.name;
        if peers.is_empty() {
            rows.push(row(subject, who, ours.samples.clone(), None));
        }
        for peer in &peers {
            rows.push(row(subject, who, ours.samples.clone(), Some((&peer.contender.name, peer.samples.clone()))));
        }
    }
    rows
}

fn row(subject: &Subject<'_>, who: &str, ours: Samples, peer: Option<(&str, Samples)>) -> Row {
    let (peer, theirs) = peer.unzip();
    let ratio = theirs.as_ref().map(|theirs| {
        let pairs = ours.rounds.iter().zip(&theirs.rounds);
        pairs.map(|(ours, theirs)| subject.unit.ratio(*ours, *theirs)).collect()
    });
    Row {
        bench: subject.bench.to_string(),
        what: subject.what.to_string(),
        who: who.to_string(),
        demand: (subject.demands)(who, peer),
        peer: peer.map(str::to_string),
        unit: subject.unit.clone(),
        ours,
        theirs,
        ratio,
        note: subject.note.map(str::to_string),
    }
}

/// Does something again and again until so much time has gone: how many millions a second came of it.
pub fn millions_a_second(lasting: Duration, mut work: impl FnMut() -> u64) -> f64 {
    let began = Instant::now();
    let mut done = 0;
    loop {
        done += work();
        let elapsed = began.elapsed();
        if elapsed >= lasting {
            return done as f64 / elapsed.as_secs_f64() / 1e6;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_pairs_us_with_each_peer_and_who_fails_is_told_of() {
        let settings = Settings { rounds: 3, ..Settings::default() };
        let mut session = Session { settings: &settings, progress: &Unheard, host: None, report: Report::default() };
        let mut figures = [9.0, 2.0, 8.0, 6.0].into_iter();
        let contenders = vec![
            Contender::ours("", move || Ok(figures.next().expect("four turns"))),
            Contender::peer("half", || Ok(2.0)),
            Contender::peer("absent", || Err("not installed".to_string())),
        ];
        let subject = Subject { bench: "b", what: "w", unit: Unit::more("M/s"), demands: &anything, note: None };
        session.contest(&subject, contenders);
        let [row] = session.report.rows.as_slice() else { panic!("{:?}", session.report.rows) };
        assert_eq!(row.ours.rounds, [2.0, 8.0, 6.0], "the first round only warms up");
        assert_eq!(row.ratio.as_ref().map(Samples::median), Some(3.0));
        assert_eq!((row.peer.as_deref(), row.ours.median()), (Some("half"), 6.0));
        assert_eq!(session.report.skipped, ["b: w: absent: not installed"]);
    }
}
