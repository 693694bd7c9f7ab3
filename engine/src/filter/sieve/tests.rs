//! Random rules and packets: what falls through a sieve does not fit the rule, and what a whole one holds fits.

use super::super::install::Plan;
use super::super::matches::Memory;
use super::super::rule::{Hook, PktType, TcpMatch};
use super::super::subject::{Sender, Subject};
use super::super::walk::rule_fits;
use super::*;
use crate::conntrack::{Conntrack, Nfct};
use crate::frame::FramePool;
use crate::link::Ports;
use crate::rng::Rng;
use crate::route::{Net, Rib};
use crate::sysctl::Sysctls;
use crate::time::Time;
use crate::wire::Ipv4;

/// Few values, so that rules and packets meet.
fn address(rng: &mut Rng) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, rng.below(2) as u8, rng.below(4) as u8)
}

fn perhaps<T>(rng: &mut Rng, of: impl FnOnce(&mut Rng) -> T) -> Option<Not<T>> {
    let (said, not) = (rng.below(3) != 0, rng.below(4) == 0);
    said.then(|| Not { not, of: of(rng) })
}

fn net(rng: &mut Rng) -> (Ipv4Addr, Ipv4Addr) {
    let mask = [0xffff_ff00, 0xffff_ffff, 0, 0x0000_0003][rng.below(4) as usize];
    (Ipv4Addr::from(address(rng).to_bits() & mask), Ipv4Addr::from(mask))
}

fn range(rng: &mut Rng) -> RangeInclusive<u16> {
    let first = rng.below(4) as u16;
    first..=first + rng.below(3) as u16
}

fn states(rng: &mut Rng) -> u16 {
    [1, 16, 17, 2, 10][rng.below(5) as usize]
}

fn of_kind(rng: &mut Rng) -> Match {
    match rng.below(8) {
        0 | 1 => Match::Udp { source: perhaps(rng, range), destination: perhaps(rng, range) },
        2 | 3 => {
            let [source, destination] = [perhaps(rng, range), perhaps(rng, range)];
            Match::Tcp(TcpMatch { source, destination, flags: perhaps(rng, |_| (2, 2)), option: None })
        }
        4 => Match::State(Not { not: rng.below(2) == 0, of: states(rng) }),
        5 => Match::Conntrack(Box::new(ConntrackMatch { state: perhaps(rng, states), ..ConntrackMatch::default() })),
        6 => Match::Mark(Not { not: rng.below(2) == 0, of: (0, 1) }),
        _ => Match::Comment("a word".into()),
    }
}

fn rule(rng: &mut Rng) -> Rule {
    let ip = IpMatch {
        source: perhaps(rng, net),
        destination: perhaps(rng, net),
        protocol: perhaps(rng, |rng| [6, 17][rng.below(2) as usize]),
        fragment: (rng.below(8) == 0).then_some(Not { not: false, of: () }),
        in_interface: (rng.below(8) == 0).then(|| Not { not: false, of: "eth+".into() }),
        ..IpMatch::default()
    };
    Rule { ip, matches: (0..rng.below(4)).map(|_| of_kind(rng)).collect(), ..Rule::default() }
}

#[test]
fn sieves_say_what_rules_say() {
    let (mut rng, mut pool, mut conntrack) = (Rng::new(1), FramePool::new(), Conntrack::new(Rng::new(2)));
    let (ports, sysctls, rib) = (Ports::new(), Sysctls::new(), Rib::new());
    let (mut passed_over, mut taken) = (0, 0);
    for _ in 0..20_000 {
        let rule = rule(&mut rng);
        let mut plan = Plan { to: 0, memory: rule.matches.iter().map(Memory::new).collect() };
        // Whatever stands before a rule and behind it in its block.
        let (before, behind) = (rng.below(10) as usize, rng.below(3) as usize);
        let others = |count| (0..count).map(|_| Rule::default());
        let all: Vec<Rule> = others(before).chain([rule.clone()]).chain(others(behind)).collect();
        let sieves = Sieves::of(&all);
        let payload = [0, rng.below(6) as u8, 0, rng.below(6) as u8, 0, 8, 0, 0];
        let payload = &payload[..[8, 8, 8, 3][rng.below(4) as usize]];
        let mut header = Ipv4 {
            total_length: 20 + payload.len() as u16,
            protocol: [6, 17, 1][rng.below(3) as usize],
            source: address(&mut rng),
            destination: address(&mut rng),
            flags_fragment: [0, 0, 0, 1][rng.below(4) as usize],
            ..Ipv4::UNSAID
        };
        let mut frame = pool.copy(&[&header.emit()[..], payload].concat());
        let mut nfct = Nfct::default();
        if rng.below(2) == 0 {
            nfct.untrack();
        }
        let subject = Subject {
            hook: Hook::Forward,
            frame: &mut frame,
            header: &mut header,
            mark: &mut 0,
            inward: None,
            outward: None,
            physdev: (None, None),
            to: PktType::Unicast,
            source_mac: None,
            sender: Sender::Nobody,
            next_hop: Ipv4Addr::UNSPECIFIED,
            mtu: 1500,
            net: Net::new(Time::ZERO, &ports, &sysctls),
            rib: &rib,
            conntrack: &mut conntrack,
            nfct: &mut nfct,
        };
        let state = subject.conntrack.state(subject.nfct);
        let facts = Facts::of(subject.header, subject.frame, || Some(state));
        let fits = rule_fits(&rule, &mut plan, &subject, &mut rng).expect("nothing here drops");
        if let Some(facts) = facts {
            let (next, whole) = (sieves.next(before, &facts), sieves.is_whole(before));
            let holds = next == before;
            assert!(holds || next == before + 1, "an empty rule takes all, or the chain ends: {next}, {before}");
            assert!(holds || !fits, "{rule:?} fits {facts:?}, and its sieve does not hold it");
            assert!(!holds || !whole || fits, "the sieve of {rule:?} holds {facts:?}, which does not fit");
            passed_over += usize::from(!holds);
            taken += usize::from(whole && fits);
        }
        pool.give(frame);
    }
    assert!(passed_over > 5000 && taken > 200, "{passed_over} {taken}");
}

/// Over the borders of blocks.
#[test]
fn the_next_rule_is_found_wherever_it_stands() {
    let facts = Facts { source: 1, destination: 2, ports: (3, 4), states: 8, protocol: 17 };
    let asks = |port: u16| Rule {
        matches: vec![Match::Udp { source: None, destination: Some(Not { not: false, of: port..=port }) }],
        ..Rule::default()
    };
    for count in 0..30 {
        let nothing = Sieves::of(&vec![asks(5); count]);
        assert!((0..=count).all(|from| nothing.next(from, &facts) == count));
        for place in 0..count {
            let mut rules = vec![asks(5); count];
            rules[place] = asks(4);
            let sieves = Sieves::of(&rules);
            for from in 0..=count {
                assert_eq!(sieves.next(from, &facts), if from <= place { place } else { count }, "{from} {place}");
            }
        }
    }
}
