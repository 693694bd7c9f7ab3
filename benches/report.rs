//! What was measured, for people and for programs: a [`Report`] of [`Row`]s, each with all its rounds.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All of one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Where it was measured.
    pub machine: Machine,
    /// The kernel's release.
    pub kernel: String,
    /// Ours and the peers' versions, by name.
    pub versions: BTreeMap<String, String>,
    /// All chance follows from it.
    pub seed: u64,
    /// How many rounds were counted; one more came before them, to warm up.
    pub rounds: u32,
    /// True if turns were short: then the figures say only that it works.
    pub quick: bool,
    /// What was measured, in the order in which it was.
    pub rows: Vec<Row>,
    /// What was not measured, and why.
    pub skipped: Vec<String>,
}

/// A computer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Its processor's model.
    pub cpu: String,
    /// How many of its cores may be used.
    pub cores: usize,
}

/// One thing, measured with us and with one peer in turns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The bench: `forward`, `scale` …
    pub bench: String,
    /// What was done.
    pub what: String,
    /// Who of us did it, where there are several: the mode.
    pub who: String,
    /// Who did it besides.
    pub peer: Option<String>,
    /// Of what the figures are.
    pub unit: Unit,
    /// Our figures.
    pub ours: Samples,
    /// The peer's.
    pub theirs: Option<Samples>,
    /// How many times better than the peer, round by round: of rates ours by theirs, of times and sizes theirs by ours.
    pub ratio: Option<Samples>,
    /// What is asked for.
    pub demand: Option<Demand>,
    /// What the figures do not say by themselves.
    pub note: Option<String>,
}

/// A unit, and which figures are good ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its name: `Mpps`.
    pub name: String,
    /// True if little is good: of times and sizes.
    pub less_is_better: bool,
}

impl Unit {
    /// A rate, of which more is better.
    pub fn more(name: &str) -> Unit {
        Unit { name: name.to_string(), less_is_better: false }
    }

    /// A time or a size, of which less is better.
    pub fn less(name: &str) -> Unit {
        Unit { name: name.to_string(), less_is_better: true }
    }

    /// How many times as good one figure is as another.
    pub fn ratio(&self, ours: f64, theirs: f64) -> f64 {
        if self.less_is_better { theirs / ours } else { ours / theirs }
    }
}

/// What is asked of a row's median: a floor that must hold, and a goal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Demand {
    /// The ratio is at least this.
    RatioAtLeast {
        /// It must be.
        floor: f64,
        /// It should be.
        goal: f64,
    },
    /// The figure is at most this.
    FigureAtMost {
        /// It must be.
        floor: f64,
        /// It should be.
        goal: f64,
    },
}

/// How a row stands to its [`Demand`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stand {
    /// Not even the floor holds.
    Below,
    /// The floor holds.
    Floor,
    /// The goal is reached.
    Goal,
}

impl Row {
    /// How it stands to what is asked for, if anything is.
    pub fn stand(&self) -> Option<Stand> {
        let judge = |floor_holds: bool, goal_holds: bool| match (floor_holds, goal_holds) {
            (_, true) => Stand::Goal,
            (true, false) => Stand::Floor,
            (false, false) => Stand::Below,
        };
        match self.demand? {
            Demand::RatioAtLeast { floor, goal } => {
                let ratio = self.ratio.as_ref()?.median();
                Some(judge(ratio >= floor, ratio >= goal))
            }
            Demand::FigureAtMost { floor, goal } => {
                let figure = self.ours.median();
                Some(judge(figure <= floor, figure <= goal))
            }
        }
    }

    /// What was done, and who of us did it.
    pub fn title(&self) -> String {
        if self.who.is_empty() { self.what.clone() } else { format!("{}: {}", self.what, self.who) }
    }
}

/// The figures of all rounds, in their order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    /// One a round.
    pub rounds: Vec<f64>,
}

impl Samples {
    /// The one in the middle, or the mean of the two there; not a number if there is none.
    pub fn median(&self) -> f64 {
        let sorted = self.sorted();
        let at = |at: usize| sorted.get(at).copied().unwrap_or(f64::NAN);
        let middle = sorted.len() / 2;
        if sorted.len().is_multiple_of(2) { (at(middle.wrapping_sub(1)) + at(middle)) / 2.0 } else { at(middle) }
    }

    /// The least.
    pub fn least(&self) -> f64 {
        self.sorted().first().copied().unwrap_or(f64::NAN)
    }

    /// The most.
    pub fn most(&self) -> f64 {
        self.sorted().last().copied().unwrap_or(f64::NAN)
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.rounds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(rounds: I) -> Samples {
        Samples { rounds: rounds.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(demand: Demand, ours: &[f64], ratio: Option<&[f64]>) -> Row {
        Row {
            bench: String::new(),
            what: String::new(),
            who: String::new(),
            peer: None,
            unit: Unit::less("s"),
            ours: ours.iter().copied().collect(),
            theirs: None,
            ratio: ratio.map(|ratio| ratio.iter().copied().collect()),
            demand: Some(demand),
            note: None,
        }
    }

    #[test]
    fn the_median_decides_not_the_best_round() {
        let ratio = Demand::RatioAtLeast { floor: 0.5, goal: 1.0 };
        for (rounds, stand) in
            [([0.1, 2.0, 1.0], Stand::Goal), ([0.6, 0.5, 3.0], Stand::Floor), ([0.4, 9.0, 0.1], Stand::Below)]
        {
            assert_eq!(row(ratio, &[1.0], Some(&rounds)).stand(), Some(stand), "{rounds:?}");
        }
        assert_eq!(row(ratio, &[1.0], None).stand(), None, "without a peer there is no ratio to judge");
        let figure = Demand::FigureAtMost { floor: 2.0, goal: 1.0 };
        for (figures, stand) in [([0.5], Stand::Goal), ([1.5], Stand::Floor), ([2.5], Stand::Below)] {
            assert_eq!(row(figure, &figures, None).stand(), Some(stand), "{figures:?}");
        }
    }

    #[test]
    fn more_is_better_of_rates_and_less_of_times() {
        assert_eq!(Unit::more("Mpps").ratio(6.0, 2.0), 3.0);
        assert_eq!(Unit::less("s").ratio(6.0, 2.0), 1.0 / 3.0);
    }
}
