//! Both versions of IP, in both forms, against a list that is searched from end to end.

use super::*;
use crate::addr::{Address, Prefix};
use crate::rng::Rng;
use crate::route::reference::Linear;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn v4(text: &str) -> Prefix<Ipv4Addr> {
    let (address, length) = text.split_once('/').unwrap();
    Prefix::of(address.parse().unwrap(), length.parse().unwrap())
}

/// What the tests draw for a version of IP.
trait Drawn: Address {
    /// Addresses near one another differ in these bits.
    const NEAR: (u128, u128);
    /// Lengths as in a large table; and where its addresses are.
    const LENGTHS: [u8; 16];
    const LARGE: (u128, u128);
}

impl Drawn for Ipv4Addr {
    const NEAR: (u128, u128) = (0x0a01_0200, 0x0003_81ff);
    const LENGTHS: [u8; 16] = [8, 16, 17, 18, 19, 20, 21, 22, 23, 24, 24, 24, 24, 24, 26, 32];
    const LARGE: (u128, u128) = (0x0a00_0000, 0x00ff_ffff);
}

impl Drawn for Ipv6Addr {
    const NEAR: (u128, u128) = (0x2001_0db8_0a01_0200_0000_0000_0000_0001, 0x0000_0003_8100_8020_81c0_0001_8000_0003);
    const LENGTHS: [u8; 16] = [20, 29, 32, 32, 36, 40, 44, 44, 46, 47, 48, 48, 48, 48, 56, 128];
    // Few /32s, so that some are crowded.
    const LARGE: (u128, u128) = (0x2a00 << 112, 0x001f_ffff_ffff_0000_0000_0000_0000 << 16);
}

/// Prefixes of all lengths that share beginnings, so that they nest and crowd.
fn prefixes<A: Drawn>() -> impl Strategy<Value = Prefix<A>> {
    let lengths = prop_oneof![0..=A::BITS, A::BITS / 4..=A::BITS / 8 * 3];
    (any::<u128>(), any::<u128>(), lengths, prop::bool::weighted(0.9)).prop_map(|(x, y, length, near)| {
        let bits = if near { A::NEAR.0 ^ (x & y & A::NEAR.1) } else { x };
        Prefix::of(A::from_bits(bits), length)
    })
}

#[derive(Clone, Debug)]
enum Step<A> {
    Insert(Prefix<A>, NextHopId),
    Remove(Prefix<A>),
}

fn steps<A: Drawn>(most: usize) -> impl Strategy<Value = Vec<Step<A>>> {
    let step = prop_oneof![
        3 => (prefixes(), 0..6u16).prop_map(|(prefix, next_hop)| Step::Insert(prefix, next_hop)),
        2 => prefixes().prop_map(Step::Remove),
    ];
    prop::collection::vec(step, 0..most)
}

/// After any changes every way to look up gives what a list gives that is searched from end to end.
fn answers_as_a_list_does<A: Drawn>(mut fib: Fib<A>, steps: &[Step<A>], asked: &[u128]) {
    let mut linear = Linear::new();
    let mut reader = fib.reader();
    for step in steps {
        match *step {
            Step::Insert(prefix, next_hop) => {
                assert_eq!(fib.insert(prefix, next_hop), Ok(linear.insert(prefix, next_hop)));
            }
            Step::Remove(prefix) => assert_eq!(fib.remove(prefix), linear.remove(prefix)),
        }
    }
    let near = steps.iter().flat_map(|step| {
        let (Step::Insert(prefix, _) | Step::Remove(prefix)) = step;
        let (first, last) = (prefix.address().to_bits(), prefix.last().to_bits());
        [first, last, first.wrapping_sub(1), last.wrapping_add(1)]
    });
    let asked: Vec<A> = near.chain(asked.iter().copied()).map(A::from_bits).collect();
    let numbers: Vec<A::Number> = asked.iter().map(|address| address.number()).collect();
    let expected = |address: &A| linear.matches(*address).first().map_or(NO_ROUTE, |(_, hop)| **hop);
    let expected: Vec<NextHopId> = asked.iter().map(expected).collect();

    assert_eq!(asked.iter().map(|address| fib.lookup(*address)).collect::<Vec<_>>(), expected);
    assert_eq!(asked.iter().map(|address| reader.lookup(*address)).collect::<Vec<_>>(), expected);
    let mut batch = vec![7; asked.len()];
    fib.lookup_batch(&numbers, &mut batch);
    assert_eq!(batch, expected);
    reader.lookup_batch(&numbers, &mut batch);
    assert_eq!(batch, expected, "a reader that was there before all changes");
    if let Some(large) = fib.large() {
        let checked = numbers.iter().map(|number| large.table().lookup_checked(*number));
        assert_eq!(checked.collect::<Vec<_>>(), expected, "all places checked");
    }
    let bulk = Fib::build(fib.iter()).unwrap();
    bulk.lookup_batch(&numbers, &mut batch);
    assert_eq!(batch, expected, "built at once");
    let all: Vec<_> = linear.iter().map(|(prefix, hop)| (prefix, *hop)).collect();
    assert!(all.iter().all(|(prefix, hop)| fib.get(*prefix) == Some(*hop)));
    assert_eq!((bulk.len(), fib.len()), (all.len(), all.len()));
    let mut listed: Vec<_> = fib.iter().collect();
    listed.sort();
    assert_eq!(listed, all);
}

fn addresses() -> impl Strategy<Value = Vec<u128>> {
    prop::collection::vec(any::<u128>(), 70)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_few_ipv4_prefixes(steps in steps::<Ipv4Addr>(12), asked in addresses()) {
        answers_as_a_list_does(Fib::new(), &steps, &asked);
    }

    #[test]
    fn some_ipv4_prefixes(steps in steps::<Ipv4Addr>(150), asked in addresses()) {
        answers_as_a_list_does(Fib::new(), &steps, &asked);
    }

    #[test]
    fn the_large_form_of_ipv4(steps in steps::<Ipv4Addr>(150), asked in addresses()) {
        answers_as_a_list_does(Fib::new_large(), &steps, &asked);
    }

    #[test]
    fn a_few_ipv6_prefixes(steps in steps::<Ipv6Addr>(12), asked in addresses()) {
        answers_as_a_list_does(Fib::new(), &steps, &asked);
    }

    #[test]
    fn some_ipv6_prefixes(steps in steps::<Ipv6Addr>(150), asked in addresses()) {
        answers_as_a_list_does(Fib::new(), &steps, &asked);
    }

    #[test]
    fn the_large_form_of_ipv6(steps in steps::<Ipv6Addr>(150), asked in addresses()) {
        answers_as_a_list_does(Fib::new_large(), &steps, &asked);
    }
}

/// A table that grows out of the small form and is changed many times: each way to look up gives what is found by asking
/// for one length after the other.
fn grows_and_answers_right<A: Drawn>(begin: usize, changes: usize) -> (Fib<A>, Fib<A>) {
    let mut rng = Rng::new(5);
    let mut draw = || {
        let bits = u128::from(rng.next()) << 64 | u128::from(rng.next());
        let address = A::from_bits(A::LARGE.0 | bits & A::LARGE.1);
        (Prefix::of(address, A::LENGTHS[rng.below(16) as usize]), rng.below(300) as NextHopId)
    };
    let (mut fib, mut oracle) = (Fib::new(), BTreeMap::new());
    let mut reader = fib.reader();
    for number in 0..begin + changes {
        let (prefix, next_hop) = draw();
        if number > begin && next_hop % 2 == 0 {
            assert_eq!(fib.remove(prefix), oracle.remove(&prefix));
        } else {
            assert_eq!(fib.insert(prefix, next_hop), Ok(oracle.insert(prefix, next_hop)));
        }
    }
    let fresh = Fib::build(oracle.iter().map(|(prefix, hop)| (*prefix, *hop))).unwrap();
    assert_eq!((fresh.len(), fib.len()), (oracle.len(), oracle.len()));
    let asked: Vec<A> = (0..1 << 13).map(|_| A::from_bits(draw().0.address().to_bits() | 5)).collect();
    let numbers: Vec<A::Number> = asked.iter().map(|address| address.number()).collect();
    let longest = |address: &A| {
        let mut lengths = (0..=A::BITS).rev();
        lengths.find_map(|length| oracle.get(&Prefix::of(*address, length)).copied()).unwrap_or(NO_ROUTE)
    };
    let expected: Vec<NextHopId> = asked.iter().map(longest).collect();
    let mut answers = vec![0; asked.len()];
    fib.lookup_batch(&numbers, &mut answers);
    assert!(answers == expected, "changed");
    reader.lookup_batch(&numbers, &mut answers);
    assert!(answers == expected, "by a reader");
    fresh.lookup_batch(&numbers, &mut answers);
    assert!(answers == expected, "afresh");
    let one_by_one = |fib: &Fib<A>, (address, hop): (&A, &NextHopId)| {
        let checked = fib.large().unwrap().table().lookup_checked(address.number());
        fib.lookup(*address) == *hop && checked == *hop
    };
    assert!(asked.iter().zip(&expected).all(|asked| one_by_one(&fib, asked)), "one by one, changed");
    assert!(asked.iter().zip(&expected).all(|asked| one_by_one(&fresh, asked)), "one by one, afresh");
    (fib, fresh)
}

#[test]
fn a_large_ipv4_table_changed_many_times_answers_right() {
    let (fib, fresh) = grows_and_answers_right::<Ipv4Addr>(6_000, 24_000);
    assert_eq!(fib.large().unwrap().live_blocks(), fresh.large().unwrap().live_blocks());
}

#[test]
fn a_large_ipv6_table_changed_many_times_answers_right() {
    grows_and_answers_right::<Ipv6Addr>(3_000, 8_000);
}

/// A namespace has few routes, and there are many namespaces.
#[test]
fn eight_prefixes_take_no_more_than_256_bytes() {
    fn eight<A: Drawn>() -> Vec<usize> {
        let mut fib = Fib::<A>::new();
        let grow = |at: u8| {
            fib.insert(Prefix::of(A::from_bits(u128::MAX / 3), at * 4), at.into()).unwrap();
            fib.memory().0 + fib.memory().1
        };
        (1..=8).map(grow).collect()
    }
    assert!(eight::<Ipv4Addr>().iter().chain(&eight::<Ipv6Addr>()).all(|bytes| *bytes <= 256));
}

#[test]
fn a_number_too_high_is_refused_and_nothing_changes() {
    fn refuses<A: Drawn>(mut fib: Fib<A>) {
        let (prefix, most) = (Prefix::of(A::from_bits(A::NEAR.0), 16), MAX_NEXT_HOPS as NextHopId);
        fib.insert(prefix, 3).unwrap();
        assert_eq!(fib.insert(prefix, most), Err(Full::NextHops));
        assert_eq!((fib.get(prefix), fib.lookup(prefix.last()), fib.lookup(A::UNSPECIFIED)), (Some(3), 3, NO_ROUTE));
        assert_eq!(fib.insert(prefix, most - 1), Ok(Some(3)));
        assert_eq!(fib.lookup(prefix.last()), most - 1);
    }
    refuses::<Ipv4Addr>(Fib::new());
    refuses::<Ipv4Addr>(Fib::new_large());
    refuses::<Ipv6Addr>(Fib::new());
    refuses::<Ipv6Addr>(Fib::new_large());
}

#[test]
fn where_too_many_networks_hold_hosts_one_more_is_refused_and_the_others_stay() {
    let mut fib = Fib4::new();
    let host = |at: u32| Prefix::host(Ipv4Addr::from_bits(at << 14 | 1));
    let full = (0..40_000).find(|at| fib.insert(host(*at), 1).is_err()).unwrap();
    assert_eq!(full, (1 << 15) - 1 - 1024);
    assert_eq!(fib.insert(host(full), 1), Err(Full::Nodes));
    assert_eq!((fib.len() as u32, fib.get(host(full))), (full, None));
    assert!((0..full).all(|at| fib.lookup(host(at).address()) == 1));
    assert_eq!(fib.lookup(host(full).address()), NO_ROUTE);
    assert_eq!(fib.remove(host(7)), Some(1));
    assert_eq!(fib.insert(host(full), 1), Ok(None), "one went, one comes");
}

/// What holds all asked addresses is always there; what comes and goes is more exact.
fn readers_follow<A: Drawn>(mut fib: Fib<A>, all: Prefix<A>, longer: impl Fn(u32) -> Prefix<A>) {
    fib.insert(all, 1).unwrap();
    let mut reader = fib.reader();
    let asked: Vec<A::Number> = (0..64).map(|at| longer(at).address().number()).collect();
    let (stop, reads) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut answers = [0; 64];
            while !stop.load(Relaxed) {
                reader.lookup_batch(&asked, &mut answers);
                assert!(answers.iter().all(|hop| *hop == 1 || *hop == 2), "{answers:?}");
                reads.fetch_add(1, Relaxed);
            }
        });
        let mut round = 0;
        while (round < 4_000 || reads.load(Relaxed) < 100) && !watch.is_finished() {
            fib.insert(longer(round), 2).unwrap();
            fib.remove(longer(round));
            round += 1;
        }
        stop.store(true, Relaxed);
        watch.join().unwrap();
    });
}

#[test]
fn readers_of_ipv4_follow_while_the_table_changes() {
    let longer =
        |round: u32| Prefix::of(Ipv4Addr::from_bits(0x0a00_0000 | (round % 64) << 10), 24 + (round % 3) as u8 * 4);
    readers_follow(Fib::new(), v4("10.0.0.0/8"), longer);
    readers_follow(Fib::new_large(), v4("10.0.0.0/8"), longer);
}

#[test]
fn readers_of_ipv6_follow_while_the_table_changes() {
    let base = 0x2001_0db8u128 << 96;
    let all = Prefix::of(Ipv6Addr::from_bits(base), 32);
    let longer =
        |round: u32| Prefix::of(Ipv6Addr::from_bits(base | u128::from(round % 64) << 80), 48 + (round % 3) as u8 * 40);
    readers_follow(Fib::new(), all, longer);
    readers_follow(Fib::new_large(), all, longer);
}

/// Changes fill one table after the other, and use the memory of those that nobody reads any more again.
fn what_is_read_is_not_written_over<A: Drawn>(longer: impl Fn(u32) -> Prefix<A>) {
    let (mut fib, mut round) = (Fib::<A>::new_large(), 0);
    let table = |fib: &Fib<A>| fib.large().unwrap().table().clone();
    let answers = |table: &<A::Large as Large<A>>::Table| -> Vec<NextHopId> {
        (0..64).map(|at| table.lookup(longer(at).address().number())).collect()
    };
    let mut held = Vec::new();
    for _ in 0..6 {
        let now = table(&fib);
        while now.is(&table(&fib)) {
            fib.insert(longer(round), (round % 100) as NextHopId).unwrap();
            round += 1;
        }
        held.push((answers(&now), now));
        // So that one is free for the next, and some are not.
        held.truncate(3);
    }
    assert!(held.iter().all(|(left, table)| answers(table) == *left));
    assert!(answers(&table(&fib)).iter().all(|hop| *hop < 100));
}

#[test]
fn a_table_that_somebody_still_reads_stays_as_it_was_left() {
    what_is_read_is_not_written_over(|round| Prefix::of(Ipv4Addr::from_bits(0x0a00_0000 | (round % 64) << 10), 24));
    let base = 0x2001_0db8u128 << 96;
    let longer = |round: u32| Prefix::of(Ipv6Addr::from_bits(base | u128::from(round % 64) << 80), 48);
    what_is_read_is_not_written_over(longer);
}
