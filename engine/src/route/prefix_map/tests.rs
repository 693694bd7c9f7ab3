use super::*;
use crate::addr::{Ipv4Addr, Ipv6Addr};
use crate::route::reference::Linear;
use proptest::prelude::*;

/// What a test does to both tables.
#[derive(Clone, Debug)]
enum Step<A> {
    Insert(Prefix<A>, u32),
    Remove(Prefix<A>),
    /// Takes every prefix out whose value has this remainder.
    Retain(u32),
}

/// Addresses that share long beginnings, so that prefixes nest and fork.
fn crowded<A: Address>() -> impl Strategy<Value = A> {
    (any::<u128>(), any::<u128>(), 0..=A::BITS, prop::bool::weighted(0.8)).prop_map(|(x, y, keep, near)| {
        let base = A::from_bits(0x0a01_02f0_0a01_02f0_0a01_02f0_0a01_02f0);
        let random = A::from_bits(x & y);
        if near { A::from_bits(base.masked(keep).to_bits() ^ (random.to_bits() & 0x11)) } else { random }
    })
}

fn prefix<A: Address>() -> impl Strategy<Value = Prefix<A>> {
    (crowded(), 0..=A::BITS).prop_map(|(address, length)| Prefix::of(address, length))
}

fn steps<A: Address>() -> impl Strategy<Value = Vec<Step<A>>> {
    let step = prop_oneof![
        6 => (prefix(), any::<u32>()).prop_map(|(prefix, value)| Step::Insert(prefix, value)),
        4 => prefix().prop_map(Step::Remove),
        1 => (0..5u32).prop_map(Step::Retain),
    ];
    prop::collection::vec(step, 0..120)
}

/// Some have none, and some share one.
fn label_of<A: Address>(prefix: Prefix<A>, value: u32) -> u8 {
    (value as u8 ^ prefix.length()) % 8
}

/// Labels those that were not, or had another value: whatever form they are in then, they keep it.
fn label_all<A: Address>(map: &mut PrefixMap<A, u32>, all: &[(Prefix<A>, &u32)]) {
    for (prefix, value) in all {
        map.set_label(*prefix, label_of(*prefix, **value));
    }
}

fn both_agree<A: Address>(steps: &[Step<A>], asked: &[A]) {
    let (mut fib, mut linear) = (PrefixMap::new(), Linear::new());
    for step in steps {
        match *step {
            Step::Insert(prefix, value) => assert_eq!(fib.insert(prefix, value), linear.insert(prefix, value)),
            Step::Remove(prefix) => {
                // What is asked for is seldom there: the nearest that is, too.
                assert_eq!(fib.remove(prefix), linear.remove(prefix));
                if let Some((found, _)) = linear.matches(prefix.address()).first().copied() {
                    assert_eq!(fib.remove(found), linear.remove(found));
                }
            }
            Step::Retain(rest) => {
                fib.retain(|_, value| *value % 5 != rest);
                let gone: Vec<_> = linear.iter().filter(|entry| entry.1 % 5 == rest).map(|entry| entry.0).collect();
                for prefix in gone {
                    linear.remove(prefix);
                }
            }
        }
        let all: Vec<_> = linear.iter().collect();
        label_all(&mut fib, &all);
        assert_eq!(fib.iter().collect::<Vec<_>>(), all);
        assert_eq!((fib.len(), fib.is_empty()), (all.len(), all.is_empty()));
    }
    let ends = linear.iter().flat_map(|(prefix, _)| [prefix.address(), prefix.last()]).collect::<Vec<_>>();
    for &address in asked.iter().chain(&ends) {
        assert_eq!(fib.matches(address).collect::<Vec<_>>(), linear.matches(address));
        let longest = linear.matches(address).first().copied();
        assert_eq!(fib.lookup(address), longest);
        assert_eq!(fib.label(address), longest.map_or(0, |(prefix, value)| label_of(prefix, *value)));
        assert_eq!(fib.clone().label(address), fib.label(address));
        let host = Prefix::host(address);
        assert_eq!(fib.get(host), linear.get(host));
        assert_eq!(fib.get_mut(host).copied(), linear.get(host).copied());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn agrees_with_the_list_for_ipv4(steps in steps::<Ipv4Addr>(), asked in prop::collection::vec(crowded(), 20)) {
        both_agree(&steps, &asked);
    }

    #[test]
    fn agrees_with_the_list_for_ipv6(steps in steps::<Ipv6Addr>(), asked in prop::collection::vec(crowded(), 20)) {
        both_agree(&steps, &asked);
    }
}

#[test]
fn the_default_route_and_a_host_route_are_prefixes_like_others() {
    let mut fib = PrefixMap::new();
    let (all, host) = (Prefix::<Ipv4Addr>::DEFAULT, Prefix::host(Ipv4Addr::BROADCAST));
    fib.insert(all, 'a');
    fib.insert(host, 'h');
    assert_eq!(fib.matches(Ipv4Addr::BROADCAST).map(|entry| *entry.1).collect::<String>(), "ha");
    assert_eq!(fib.matches(Ipv4Addr::LOCALHOST).map(|entry| *entry.1).collect::<String>(), "a");
}

/// Hosts in more /24s than a `Fib` has room for: the lengths are tried one after the other.
#[test]
fn what_is_too_much_for_a_fib_is_found_all_the_same() {
    let mut map = PrefixMap::new();
    let host = |at: u32| Prefix::host(Ipv4Addr::from_bits(at << 14 | 1));
    map.insert(Prefix::DEFAULT, u32::MAX);
    for at in 0..33_000 {
        map.insert(host(at), at);
    }
    assert!(matches!(&map.form, Form::Many(many) if many.lengths.is_none()));
    assert!((0..33_000).all(|at| map.matches(host(at).address()).map(|entry| *entry.1).eq([at, u32::MAX])));
    assert_eq!(map.lookup(Ipv4Addr::BROADCAST), Some((Prefix::DEFAULT, &u32::MAX)));
}
