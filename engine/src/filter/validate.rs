//! Which tables the kernel refuses (`nft_chain_validate`, `xt_check_match`, `xt_check_target`), as iptables over nftables
//! meets it: a chain that no hook comes to may hold nearly anything.

use super::install::named;
use super::rule::{Chain, Hook, Match, Not, RejectWith, Rule, Standing, Table, TableName, Target};
use crate::control::{Errno, Refusal};
use crate::wire::protocol;
use std::collections::BTreeMap;

/// So many chains may lie one in another (`NFT_JUMP_STACK_SIZE`).
pub(super) const DEPTH: usize = 16;
/// Chains of a table, and rules of a chain: more than anybody needs.
const MOST_CHAINS: usize = 65_536;
const MOST_RULES: usize = 1_048_576;
/// Ports that `-m multiport` may name.
const MOST_PORTS: usize = 15;
const SCTP: u8 = 132;
const DCCP: u8 = 33;
const UDP_LITE: u8 = 136;

type Hooks = u8;

const fn bit(hook: Hook) -> Hooks {
    1 << hook as u8
}

const ALL: Hooks = 0x1f;
const PRE: Hooks = bit(Hook::PreRouting);
const IN: Hooks = bit(Hook::Input);
const FORWARD: Hooks = bit(Hook::Forward);
const OUT: Hooks = bit(Hook::Output);
const POST: Hooks = bit(Hook::PostRouting);

/// Refuses a table that the kernel would not take.
pub(super) fn validate(table: &Table) -> Result<(), Refusal> {
    let places = places(table)?;
    let mut jumps = Vec::with_capacity(table.chains.len());
    for chain in &table.chains {
        jumps.push(jumps_of(chain, table, &places)?);
    }
    let mut reached = vec![0; table.chains.len()];
    for (base, hook) in table.name.hooks().iter().enumerate() {
        mark_reached(&jumps, base, bit(*hook), &mut reached);
    }
    depths(&jumps, table.name.hooks().len())?;
    for (place, chain) in table.chains.iter().enumerate() {
        let own = table.name.hooks().get(place).map_or(0, |hook| bit(*hook));
        let hooks = reached.get(place).copied().unwrap_or(0);
        for rule in &chain.rules {
            check(table.name, rule, own, hooks)?;
        }
    }
    Ok(())
}

/// The chains by name: the built-in ones first and with a policy, the others without, and each name once.
fn places(table: &Table) -> Result<BTreeMap<&str, usize>, Errno> {
    let built_in = table.name.hooks();
    let mut places = BTreeMap::new();
    if table.chains.len() < built_in.len() || table.chains.len() > MOST_CHAINS {
        return Err(Errno::Inval);
    }
    for (place, chain) in table.chains.iter().enumerate() {
        let right = match built_in.get(place) {
            Some(hook) => chain.name == hook.name() && chain.policy.is_some(),
            None => !chain.name.is_empty() && chain.policy.is_none(),
        };
        if !right || chain.rules.len() > MOST_RULES {
            return Err(Errno::Inval);
        }
        if places.insert(chain.name.as_str(), place).is_some() {
            return Err(Errno::Exist);
        }
    }
    Ok(places)
}

/// Where a chain leads; to one of the user's only (`nft_verdict_init`).
fn jumps_of(chain: &Chain, table: &Table, places: &BTreeMap<&str, usize>) -> Result<Vec<usize>, Errno> {
    let names = chain.rules.iter().filter_map(|rule| rule.target.as_ref().and_then(named));
    let mut jumps = Vec::new();
    for name in names {
        let place = places.get(name).copied().ok_or(Errno::NoEnt)?;
        let there = table.chains.get(place).filter(|chain| chain.standing != Standing::Absent).ok_or(Errno::NoEnt)?;
        if there.policy.is_some() {
            return Err(Errno::OpNotSupp);
        }
        if !jumps.contains(&place) {
            jumps.push(place);
        }
    }
    Ok(jumps)
}

/// Notes at each chain that a built-in one leads to by which hook.
fn mark_reached(jumps: &[Vec<usize>], base: usize, hook: Hooks, reached: &mut [Hooks]) {
    let mut left = vec![base];
    while let Some(place) = left.pop() {
        let Some(hooks) = reached.get_mut(place).filter(|hooks| **hooks & hook == 0) else { continue };
        *hooks |= hook;
        left.extend(jumps.get(place).into_iter().flatten());
    }
}

/// Refuses what lies too deep below a built-in chain, as loops do.
fn depths(jumps: &[Vec<usize>], bases: usize) -> Result<(), Errno> {
    // The chains at each depth; a chain may be at several.
    let mut level: Vec<usize> = (0..bases).collect();
    for _ in 0..DEPTH {
        let mut next: Vec<usize> = level.iter().filter_map(|place| jumps.get(*place)).flatten().copied().collect();
        next.sort_unstable();
        next.dedup();
        level = next;
    }
    if level.is_empty() { Ok(()) } else { Err(Errno::MLink) }
}

/// A rule in a chain of the hook `own` (none: a chain of the user's), which the hooks `reached` come to.
fn check(table: TableName, rule: &Rule, own: Hooks, reached: Hooks) -> Result<(), Errno> {
    for of in &rule.matches {
        let (hooks, right) = match_rules(of, rule, own);
        if !right || reached & !hooks != 0 {
            return Err(Errno::Inval);
        }
    }
    let Some(target) = &rule.target else { return Ok(()) };
    let (tables, hooks, right) = target_rules(target, rule, own);
    let in_table = tables.is_empty() || tables.contains(&table);
    if in_table && right && reached & !hooks == 0 { Ok(()) } else { Err(Errno::Inval) }
}

/// The hooks that a match may be asked at, and whether it is right else.
fn match_rules(of: &Match, rule: &Rule, own: Hooks) -> (Hooks, bool) {
    match of {
        Match::Owner { .. } => (OUT | POST, true),
        Match::Mac(_) => (PRE | IN | FORWARD, true),
        Match::PhysDev(physdev) => {
            let outward = physdev.physdev_out.is_some() || physdev.is_out.is_some();
            let bridged = physdev.is_bridged.is_some_and(|is| !is.not);
            (ALL, !(outward && !bridged && own & OUT != 0))
        }
        Match::AddrType(of) => {
            let late = of.limit_in && own & (POST | OUT) != 0;
            let early = of.limit_out && own & (PRE | IN) != 0;
            (ALL, !(late || early || of.limit_in && of.limit_out))
        }
        Match::Multiport { ports, .. } => {
            let with_ports = [protocol::TCP, protocol::UDP, UDP_LITE, SCTP, DCCP];
            let fits = plain_protocol(rule).is_some_and(|number| with_ports.contains(&number));
            (ALL, fits && !ports.of.is_empty() && ports.of.len() <= MOST_PORTS)
        }
        Match::Limit { rate, per, .. } => (ALL, *rate > 0 && *per > 0),
        Match::Statistic(Not { of: super::rule::Statistic::Nth { every, packet }, .. }) => (ALL, packet < every),
        _ => (ALL, true),
    }
}

/// The tables (none: any) and hooks that a target may be in, and whether it is right else.
fn target_rules(target: &Target, rule: &Rule, own: Hooks) -> (&'static [TableName], Hooks, bool) {
    const NAT: &[TableName] = &[TableName::Nat];
    const MANGLE: &[TableName] = &[TableName::Mangle];
    match target {
        Target::Dnat(_) | Target::Redirect { .. } => (NAT, PRE | OUT, true),
        Target::Snat(_) => (NAT, POST | IN, true),
        Target::Masquerade { .. } => (NAT, POST, true),
        Target::NetMap(..) => (NAT, PRE | POST | OUT | IN, true),
        Target::Ttl(_) | Target::Dscp(_) | Target::Tos { .. } => (MANGLE, ALL, true),
        Target::NoTrack | Target::CtNoTrack => (&[TableName::Raw], ALL, true),
        Target::Reject(with) => {
            let tcp = plain_protocol(rule) == Some(protocol::TCP);
            (&[TableName::Filter], IN | FORWARD | OUT, *with != RejectWith::TcpReset || tcp)
        }
        Target::TcpMss(size) => {
            let late = size.is_some() || own & !(FORWARD | OUT | POST) == 0;
            (&[], ALL, late && plain_protocol(rule) == Some(protocol::TCP))
        }
        _ => (&[], ALL, true),
    }
}

/// `-p`, without `!`.
fn plain_protocol(rule: &Rule) -> Option<u8> {
    rule.ip.protocol.filter(|protocol| !protocol.not).map(|protocol| protocol.of)
}
