//! A packet goes from rule to rule (`nft_do_chain`).

use super::install::{Installed, Plan};
use super::matches::{fits, fits_ip};
use super::rule::{RejectWith, Rule, RuleCounters, Standing};
use super::sieve::Facts;
use super::subject::Subject;
use super::targets::{Next, act};
use super::validate::DEPTH;
use crate::observe::{Observer, Step};
use crate::rng::Rng;

/// What a table makes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes on.
    Accept,
    /// It ends.
    Drop,
    /// It ends, and its sender is told so.
    Reject(RejectWith),
    /// It ends, for a match found a header cut short (`hotdrop`).
    Broken,
}

/// Where the way through the rules is: the places of a chain and of its next rule.
type Place = (usize, usize);

/// Asks the chain of the subject's hook, and those that it leads to.
pub(super) fn walk<O: Observer>(
    installed: &mut Installed,
    subject: &mut Subject<'_>,
    rng: &mut Rng,
    observer: &mut O,
) -> Verdict {
    let Some(base) = installed.base(subject.hook) else { return Verdict::Accept };
    let mut back: [Place; DEPTH] = [(0, 0); DEPTH];
    let mut depth = 0;
    let mut place: Place = (base, 0);
    let mut facts = Facts::of(subject, installed.sieves_state);
    loop {
        if let Some(facts) = &facts {
            place.1 = skip(installed, place, facts);
        }
        let next = match step(installed, place, facts.is_some(), subject, rng, observer) {
            Some(Ok(next)) => next,
            Some(Err(verdict)) => return verdict,
            // The chain ends here.
            None => Next::Return,
        };
        let (chain, rule) = place;
        match next {
            Next::Continue => {
                place = (chain, rule + 1);
                // What a target did may show.
                facts = Facts::of(subject, installed.sieves_state);
            }
            Next::Jump | Next::Goto => {
                let to = installed.plans.get(chain).and_then(|plans| plans.get(rule)).map_or(base, |plan| plan.to);
                if next == Next::Jump {
                    // A valid table is not deeper.
                    let Some(free) = back.get_mut(depth) else { return Verdict::Drop };
                    *free = (chain, rule + 1);
                    depth += 1;
                }
                place = (to, 0);
            }
            Next::Return if depth > 0 => {
                depth -= 1;
                place = back.get(depth).copied().unwrap_or((base, 0));
            }
            Next::Return => return policy(installed, base, subject, observer),
            Next::Accept => return Verdict::Accept,
            Next::Drop => return Verdict::Drop,
            Next::Reject(with) => return Verdict::Reject(with),
        }
    }
}

/// The next rule that a packet may fit, or the end of the chain.
#[inline]
fn skip(installed: &Installed, (chain, rule): Place, facts: &Facts) -> usize {
    installed.sieves.get(chain).map_or(rule, |sieves| sieves.next(rule, facts))
}

/// Asks one rule, unless its sieve has said all; none: there is none.
#[inline]
fn step<O: Observer>(
    installed: &mut Installed,
    (chain, rule): Place,
    sieved: bool,
    subject: &mut Subject<'_>,
    rng: &mut Rng,
    observer: &mut O,
) -> Option<Result<Next, Verdict>> {
    let table = installed.table.name;
    let chain_name = &mut installed.table.chains.get_mut(chain)?;
    let of = chain_name.rules.get_mut(rule)?;
    let plan = installed.plans.get_mut(chain)?.get_mut(rule)?;
    let fits = sieved && installed.sieves.get(chain).is_some_and(|sieves| sieves.is_whole(rule));
    match if fits { Ok(true) } else { rule_fits(of, plan, subject, rng) } {
        Ok(true) => {}
        Ok(false) => return Some(Ok(Next::Continue)),
        Err(_) => return Some(Err(Verdict::Broken)),
    }
    count(&mut of.counters, subject);
    let Some(target) = &of.target else { return Some(Ok(Next::Continue)) };
    observer.step(Step::Rule { hook: subject.hook, table, chain: &chain_name.name, number: rule + 1, target });
    Some(Ok(act(target, subject)))
}

pub(super) fn rule_fits(
    rule: &Rule,
    plan: &mut Plan,
    subject: &Subject<'_>,
    rng: &mut Rng,
) -> Result<bool, super::matches::Broken> {
    if !fits_ip(&rule.ip, subject) {
        return Ok(false);
    }
    for (of, memory) in rule.matches.iter().zip(&mut plan.memory) {
        if !fits(of, memory, subject, rng)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What becomes of a packet that no rule decided about.
fn policy<O: Observer>(installed: &mut Installed, base: usize, subject: &Subject<'_>, observer: &mut O) -> Verdict {
    let table = installed.table.name;
    let Some(chain) = installed.table.chains.get_mut(base) else { return Verdict::Accept };
    if chain.standing == Standing::Counted {
        count(&mut chain.counters, subject);
    }
    let accept = chain.policy != Some(false);
    if !accept || !chain.rules.is_empty() {
        observer.step(Step::Policy { hook: subject.hook, table, accept });
    }
    if accept { Verdict::Accept } else { Verdict::Drop }
}

#[inline]
fn count(counters: &mut RuleCounters, subject: &Subject<'_>) {
    counters.packets += 1;
    counters.bytes += subject.frame.len() as u64;
}
