//! A table in place: what is worked out once, so that a packet finds it ready.

use super::matches::Memory;
use super::rule::{Chain, Hook, Match, Rule, Standing, Table, Target};
use super::sieve::Sieves;
use std::collections::BTreeMap;

/// Where a rule leads, and what its matches remember.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The place of the chain that the target names, if it names one.
    pub(super) to: usize,
    /// One for each match.
    pub(super) memory: Vec<Memory>,
}

/// A table, and beside each of its rules a plan.
#[derive(Debug)]
pub(super) struct Installed {
    pub(super) table: Table,
    /// By the places of chain and rule.
    pub(super) plans: Vec<Vec<Plan>>,
    /// By the place of the chain: what packets are asked first.
    pub(super) sieves: Vec<Sieves>,
    /// One of them looks at the state of connections.
    pub(super) sieves_state: bool,
    /// Where the chain of each [`Hook`] is.
    bases: [Option<usize>; 5],
}

impl Installed {
    /// A table that is valid, in the place of another.
    pub(super) fn new(table: Table, before: Option<Installed>) -> Installed {
        let places: BTreeMap<&str, usize> =
            table.chains.iter().enumerate().map(|(place, chain)| (chain.name.as_str(), place)).collect();
        let mut known = before.map(Known::new).unwrap_or_default();
        let mut plans = Vec::with_capacity(table.chains.len());
        for chain in &table.chains {
            let of_rule = |rule: &Rule| Plan {
                to: rule.target.as_ref().and_then(named).and_then(|name| places.get(name).copied()).unwrap_or(0),
                memory: known.take(chain, rule).unwrap_or_else(|| rule.matches.iter().map(Memory::new).collect()),
            };
            plans.push(chain.rules.iter().map(of_rule).collect());
        }
        let sieves: Vec<Sieves> = table.chains.iter().map(|chain| Sieves::of(&chain.rules)).collect();
        let sieves_state = sieves.iter().any(Sieves::look_at_state);
        let mut bases = [None; 5];
        for (place, hook) in table.name.hooks().iter().enumerate() {
            bases[*hook as usize] = Some(place);
        }
        Installed { table, plans, sieves, sieves_state, bases }
    }

    /// The place of the chain that a hook asks: built-in chains come first.
    pub(super) fn base(&self, hook: Hook) -> Option<usize> {
        self.bases[hook as usize]
    }

    /// True if a packet at this hook may meet a rule, a counter or a policy that drops it.
    pub(super) fn asks(&self, hook: Hook) -> bool {
        let chain = self.base(hook).and_then(|base| self.table.chains.get(base));
        let idle = |chain: &Chain| {
            chain.rules.is_empty() && chain.policy != Some(false) && chain.standing != Standing::Counted
        };
        chain.is_some_and(|chain| !idle(chain))
    }
}

/// The chain that a target names.
pub(super) fn named(target: &Target) -> Option<&str> {
    match target {
        Target::Jump(name) | Target::Goto(name) => Some(name),
        _ => None,
    }
}

/// Rules of the table before, and what they remember.
#[derive(Default)]
struct Known {
    chains: BTreeMap<String, Vec<(Rule, Vec<Memory>)>>,
}

impl Known {
    fn new(before: Installed) -> Known {
        let remembers = |(_, plan): &(Rule, Plan)| plan.memory.iter().any(|memory| *memory != Memory::Nothing);
        let mut chains = BTreeMap::new();
        for (chain, plans) in before.table.chains.into_iter().zip(before.plans) {
            let rules = chain.rules.into_iter().zip(plans).filter(remembers);
            let rules: Vec<_> = rules.map(|(rule, plan)| (rule, plan.memory)).collect();
            if !rules.is_empty() {
                chains.insert(chain.name, rules);
            }
        }
        Known { chains }
    }

    /// What the first rule that is the same, but for its counters, remembers.
    fn take(&mut self, chain: &Chain, rule: &Rule) -> Option<Vec<Memory>> {
        let rules = self.chains.get_mut(&chain.name)?;
        let same = |(known, _): &(Rule, Vec<Memory>)| {
            known.ip == rule.ip && known.matches == rule.matches && known.target == rule.target
        };
        let at = rules.iter().position(same)?;
        Some(rules.remove(at).1)
    }
}

/// True if a rule of the table, be it in a chain that nobody comes to, looks at connections or changes them
/// (`nf_ct_netns_get`). A `nat` table without such rules tracks nothing, and neither does `NOTRACK`.
pub(super) fn needs_conntrack(table: &Table) -> bool {
    let looks = |of: &Match| matches!(of, Match::Conntrack(_) | Match::State(_) | Match::ConnMark(_));
    let changes = |target: &Target| {
        let nat = matches!(target, Target::Dnat(_) | Target::Snat(_) | Target::NetMap(..));
        nat || matches!(target, Target::Masquerade { .. } | Target::Redirect { .. } | Target::ConnMark(_))
    };
    let needs = |rule: &Rule| rule.matches.iter().any(looks) || rule.target.as_ref().is_some_and(changes);
    table.chains.iter().any(|chain| chain.rules.iter().any(needs))
}
