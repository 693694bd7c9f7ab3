//! A packet goes from rule to rule (`nft_do_chain`).

use super::install::{Installed, Plan};
use super::matches::{fits, fits_ip};
use super::rule::{Hook, RejectWith, Rule, RuleCounters, Standing, Target};
use super::sieve::Facts;
use super::subject::Subject;
use super::targets::{Next, act};
use super::validate::DEPTH;
use crate::observe::{Observer, Step};
use crate::rng::Rng;
use crate::wire::Ipv4;

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

/// A packet before anybody has looked at it closely.
pub(crate) struct Glance<'a> {
    pub(crate) hook: Hook,
    pub(crate) header: &'a Ipv4,
    pub(crate) packet: &'a [u8],
}

/// What the sieves of a hook's chain say of a packet, whose connection is in this `state`: what becomes of it, if the first rule
/// that it may fit asks for nothing else and says so; or else where that rule is.
pub(super) fn sift<O: Observer>(
    installed: &mut Installed,
    glance: &Glance<'_>,
    state: impl FnOnce() -> u16,
    observer: &mut O,
) -> Result<Verdict, usize> {
    let Some(base) = installed.base(glance.hook) else { return Ok(Verdict::Accept) };
    let facts = Facts::of(glance.header, glance.packet, || installed.sieves_state.then(state)).ok_or(0_usize)?;
    let Some(sieves) = installed.sieves.get(base) else { return Err(0) };
    let (place, bytes) = (sieves.next(0, &facts), glance.packet.len());
    let Some(chain) = installed.table.chains.get_mut(base) else { return Err(0) };
    let Some(rule) = chain.rules.get_mut(place) else {
        return Ok(policy(installed, base, glance.hook, bytes, observer));
    };
    let verdict = match &rule.target {
        Some(Target::Accept) => Verdict::Accept,
        Some(Target::Drop) => Verdict::Drop,
        _ => return Err(place),
    };
    if !sieves.is_whole(place) {
        return Err(place);
    }
    count(&mut rule.counters, bytes);
    if let Some(target) = &rule.target {
        let (hook, table, number) = (glance.hook, installed.table.name, place + 1);
        observer.step(Step::Rule { hook, table, chain: &chain.name, number, target });
    }
    Ok(verdict)
}

/// Asks the chain of the subject's hook, from this rule on, and those that it leads to.
pub(super) fn walk<O: Observer>(
    installed: &mut Installed,
    from: usize,
    subject: &mut Subject<'_>,
    rng: &mut Rng,
    observer: &mut O,
) -> Verdict {
    let Some(base) = installed.base(subject.hook) else { return Verdict::Accept };
    let mut back: [Place; DEPTH] = [(0, 0); DEPTH];
    let mut depth = 0;
    let mut place: Place = (base, from);
    let mut facts = self::facts(subject, installed);
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
                facts = self::facts(subject, installed);
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
            Next::Return => return policy(installed, base, subject.hook, subject.frame.len(), observer),
            Next::Accept => return Verdict::Accept,
            Next::Drop => return Verdict::Drop,
            Next::Reject(with) => return Verdict::Reject(with),
        }
    }
}

fn facts(subject: &Subject<'_>, installed: &Installed) -> Option<Facts> {
    let state = || installed.sieves_state.then(|| subject.conntrack.state(subject.nfct));
    Facts::of(subject.header, subject.frame, state)
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
    count(&mut of.counters, subject.frame.len());
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
fn policy<O: Observer>(installed: &mut Installed, base: usize, hook: Hook, bytes: usize, observer: &mut O) -> Verdict {
    let table = installed.table.name;
    let Some(chain) = installed.table.chains.get_mut(base) else { return Verdict::Accept };
    if chain.standing == Standing::Counted {
        count(&mut chain.counters, bytes);
    }
    let accept = chain.policy != Some(false);
    if !accept || !chain.rules.is_empty() {
        observer.step(Step::Policy { hook, table, accept });
    }
    if accept { Verdict::Accept } else { Verdict::Drop }
}

#[inline]
fn count(counters: &mut RuleCounters, bytes: usize) {
    counters.packets += 1;
    counters.bytes += bytes as u64;
}
