//! Rounds in which all take turns. The machine's speed moves from minute to minute: only what was measured in one round is
//! compared, and of the rounds the median is told.

use std::time::Duration;

/// Somebody who runs.
pub struct Runner<'a> {
    /// Its name.
    pub name: String,
    /// Runs once: how long that took, and a number that must be the same for all.
    pub run: Box<dyn FnMut() -> (Duration, u64) + 'a>,
}

/// What came of it, for one of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// Items a second: median, least, most.
    pub rate: [f64; 3],
    /// How many times as fast as the peer, round by round: median, least, most.
    pub ratio: [f64; 3],
}

/// Lets all run in turns, once to warm up and then `rounds` times; `items` are done in each. The ratios are to the first.
///
/// # Panics
///
/// If two of them come to different sums: then one is wrong.
pub fn race(rounds: usize, items: usize, runners: &mut [Runner<'_>]) -> Vec<Outcome> {
    let mut times = vec![Vec::new(); runners.len()];
    let mut sum = None;
    for round in 0..=rounds {
        for (runner, times) in runners.iter_mut().zip(&mut times) {
            let (time, its) = (runner.run)();
            assert_eq!(*sum.get_or_insert(its), its, "{} comes to another sum", runner.name);
            if round > 0 {
                times.push(time.as_secs_f64());
            }
        }
    }
    let first = times.first().cloned().unwrap_or_default();
    let result = |(runner, times): (&Runner<'_>, &Vec<f64>)| Outcome {
        name: runner.name.clone(),
        rate: spread(times.iter().map(|time| items as f64 / time)),
        ratio: spread(times.iter().zip(&first).map(|(time, first)| first / time)),
    };
    runners.iter().zip(&times).map(result).collect()
}

/// Median, least, most.
fn spread(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = |at: usize| values.get(at).copied().unwrap_or(f64::NAN);
    [at(values.len() / 2), at(0), at(values.len().saturating_sub(1))]
}

/// A table for people; rates in millions a second.
pub fn print(title: &str, results: &[Outcome]) {
    println!("\n{title}\n  {:<24} {:>9} {:>17} {:>7} {:>13}", "", "M/s", "[least–most]", "ratio", "[least–most]");
    for Outcome { name, rate, ratio } in results {
        let [rate, least, most] = rate.map(|rate| rate / 1e6);
        let span = format!("[{least:.1}–{most:.1}]");
        let [ratio, lowest, highest] = ratio;
        println!("  {name:<24} {rate:>9.2} {span:>17} {ratio:>7.2} {:>13}", format!("[{lowest:.2}–{highest:.2}]"));
    }
}
