//! Which tables are taken, as the kernel (6.18) took or refused them from iptables.

use super::*;
use crate::addr::{Ipv4Addr, Mac};
use crate::control::Errno;

const NAT_TO: NatRange = NatRange {
    addresses: Some((Ipv4Addr::new(1, 2, 3, 4), Ipv4Addr::new(1, 2, 3, 4))),
    ports: None,
    base_port: None,
    random: false,
    random_fully: false,
    persistent: false,
};

fn to(target: Target) -> Rule {
    Rule { target: Some(target), ..Rule::default() }
}

fn jump(chain: &str) -> Rule {
    to(Target::Jump(chain.to_string()))
}

fn goto(chain: &str) -> Rule {
    to(Target::Goto(chain.to_string()))
}

fn asks(of: Match) -> Rule {
    Rule { matches: vec![of], ..Rule::default() }
}

/// Rules in their chains, in this order; chains that are not built in are made.
fn judge(name: TableName, rules: &[(&str, Rule)]) -> Result<(), Errno> {
    let mut table = Table::fresh(name);
    for (chain, rule) in rules {
        if table.chain(chain).is_none() {
            let (standing, counters) = (Standing::Made, RuleCounters::default());
            table.chains.push(Chain {
                name: (*chain).to_string(),
                policy: None,
                standing,
                counters,
                rules: Vec::new(),
            });
        }
        let chain = table.chain_mut(chain).expect("a chain");
        chain.standing = Standing::Made;
        chain.rules.push(rule.clone());
    }
    validate::validate(&table).map_err(|refusal| refusal.errno)
}

#[test]
fn chains_that_lead_too_far() {
    let filter = TableName::Filter;
    assert_eq!(judge(filter, &[("INPUT", jump("X"))]), Err(Errno::NoEnt));
    assert_eq!(judge(filter, &[("INPUT", jump("X")), ("X", jump("X"))]), Err(Errno::MLink));
    assert_eq!(judge(filter, &[("X", jump("Y")), ("Y", jump("X"))]), Ok(()), "nobody comes there");
    let ladder = |steps: usize| {
        let names: Vec<String> =
            (0..=steps).map(|at| if at == 0 { "INPUT".into() } else { format!("D{at}") }).collect();
        let mut rules: Vec<(&str, Rule)> = names.windows(2).map(|pair| (&*pair[0], jump(&pair[1]))).collect();
        rules.push((&names[steps], to(Target::Accept)));
        judge(filter, &rules)
    };
    assert_eq!(ladder(15), Ok(()));
    assert_eq!(ladder(16), Err(Errno::MLink));
}

#[test]
fn no_rule_leads_to_a_chain_of_a_hook() {
    for way in [jump, goto] {
        let judge = |rules: &[(&str, Rule)]| judge(TableName::Filter, rules);
        assert_eq!(judge(&[("X", way("INPUT"))]), Err(Errno::NoEnt), "nobody has made it");
        assert_eq!(judge(&[("INPUT", to(Target::Accept)), ("X", way("INPUT"))]), Err(Errno::OpNotSupp));
        assert_eq!(judge(&[("INPUT", way("INPUT"))]), Err(Errno::OpNotSupp));
        assert_eq!(judge(&[("INPUT", way("FORWARD"))]), Err(Errno::NoEnt));
    }
    let raw = [("INPUT", to(Target::Accept)), ("OUTPUT", jump("INPUT"))];
    assert_eq!(judge(TableName::Raw, &raw), Ok(()), "of that name, but the user's");
}

#[test]
fn targets_have_their_tables_and_hooks() {
    let nat = TableName::Nat;
    let refused = Err(Errno::Inval);
    assert_eq!(judge(TableName::Filter, &[("X", to(Target::Dnat(NAT_TO)))]), refused);
    assert_eq!(judge(nat, &[("POSTROUTING", to(Target::Dnat(NAT_TO)))]), refused);
    assert_eq!(judge(nat, &[("INPUT", to(Target::Snat(NAT_TO)))]), Ok(()));
    assert_eq!(judge(nat, &[("U", to(Target::Dnat(NAT_TO)))]), Ok(()));
    assert_eq!(judge(nat, &[("U", to(Target::Dnat(NAT_TO))), ("POSTROUTING", jump("U"))]), refused);
    let masquerade = Target::Masquerade { ports: None, random: false, random_fully: false };
    assert_eq!(judge(nat, &[("OUTPUT", to(masquerade))]), refused);
    let reject = Target::Reject(RejectWith::PortUnreachable);
    assert_eq!(judge(TableName::Mangle, &[("FORWARD", to(reject))]), refused);
    assert_eq!(judge(TableName::Filter, &[("FORWARD", to(Target::Ttl(TtlChange::Set(1))))]), refused);
    assert_eq!(judge(TableName::Filter, &[("FORWARD", to(Target::Mark { value: 1, mask: 1 }))]), Ok(()));
    assert_eq!(judge(TableName::Mangle, &[("PREROUTING", to(Target::NoTrack))]), refused);
}

#[test]
fn targets_want_their_protocol() {
    let of = |protocol, target| {
        let ip = IpMatch { protocol: Some(Not { not: false, of: protocol }), ..IpMatch::default() };
        Rule { ip, ..to(target) }
    };
    let reset = Target::Reject(RejectWith::TcpReset);
    assert_eq!(judge(TableName::Filter, &[("INPUT", of(17, reset.clone()))]), Err(Errno::Inval));
    assert_eq!(judge(TableName::Filter, &[("INPUT", of(6, reset))]), Ok(()));
    assert_eq!(judge(TableName::Mangle, &[("FORWARD", to(Target::TcpMss(Some(1000))))]), Err(Errno::Inval));
    assert_eq!(judge(TableName::Mangle, &[("FORWARD", of(6, Target::TcpMss(None)))]), Ok(()));
    assert_eq!(judge(TableName::Mangle, &[("INPUT", of(6, Target::TcpMss(None)))]), Err(Errno::Inval));
    assert_eq!(judge(TableName::Filter, &[("INPUT", of(6, Target::TcpMss(Some(1000))))]), Ok(()));
}

#[test]
fn matches_have_their_hooks() {
    let filter = TableName::Filter;
    let root = Some(Not { not: false, of: 0..=0 });
    let owner = Match::Owner { uid: root, gid: None, socket_exists: None };
    assert_eq!(judge(filter, &[("INPUT", asks(owner.clone()))]), Err(Errno::Inval));
    assert_eq!(judge(filter, &[("W", asks(owner.clone()))]), Ok(()));
    assert_eq!(judge(filter, &[("W", asks(owner)), ("INPUT", jump("W"))]), Err(Errno::Inval));
    let mac = Match::Mac(Not { not: false, of: Mac([2; 6]) });
    assert_eq!(judge(filter, &[("OUTPUT", asks(mac.clone()))]), Err(Errno::Inval));
    assert_eq!(judge(filter, &[("INPUT", asks(mac))]), Ok(()));
    let out = PhysDevMatch { physdev_out: Some(Not { not: false, of: "eth0".into() }), ..PhysDevMatch::default() };
    assert_eq!(judge(filter, &[("OUTPUT", asks(Match::PhysDev(out.clone())))]), Err(Errno::Inval));
    assert_eq!(judge(filter, &[("FORWARD", asks(Match::PhysDev(out)))]), Ok(()));
    let limit_out = Match::AddrType(AddrTypeMatch { limit_out: true, ..AddrTypeMatch::default() });
    assert_eq!(judge(filter, &[("INPUT", asks(limit_out.clone()))]), Err(Errno::Inval));
    assert_eq!(judge(filter, &[("OUTPUT", asks(limit_out))]), Ok(()));
}

/// Whoever replaces a table by one that differs elsewhere keeps what a limit has used up.
#[test]
fn memory_outlives_a_replacement() {
    let limit = asks(Match::Limit { rate: 1, per: 60, burst: 2 });
    let mut table = Table::fresh(TableName::Filter);
    table.chain_mut("INPUT").expect("a chain").rules.push(limit.clone());
    let mut installed = Installed::new(table.clone(), None);
    installed.plans[0][0].memory[0] = matches::Memory::Nth(7);
    table.chain_mut("INPUT").expect("a chain").rules.insert(0, to(Target::Accept));
    table.chain_mut("INPUT").expect("a chain").rules.push(limit);
    let installed = Installed::new(table, Some(installed));
    assert_eq!(installed.plans[0][1].memory[0], matches::Memory::Nth(7));
    assert_ne!(installed.plans[0][2].memory[0], matches::Memory::Nth(7), "a second one of its kind is new");
}
