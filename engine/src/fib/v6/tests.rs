use super::*;
use crate::fib::{MAX_NEXT_HOPS, NO_ROUTE};
use crate::rng::Rng;
use crate::route::reference::Linear;
use proptest::prelude::*;

/// Prefixes of all lengths that share beginnings, so that they nest and crowd.
fn prefixes() -> impl Strategy<Value = Prefix<Ipv6Addr>> {
    let lengths = prop_oneof![0..=128u8, 30..=52u8];
    (any::<u128>(), any::<u128>(), lengths, prop::bool::weighted(0.9)).prop_map(|(x, y, length, near)| {
        let few = 0x0000_0003_8100_8020_81c0_0001_8000_0003;
        let bits = if near { 0x2001_0db8_0a01_0200_0000_0000_0000_0001 ^ (x & y & few) } else { x };
        Prefix::of(Ipv6Addr::from_bits(bits), length)
    })
}

#[derive(Clone, Debug)]
enum Step {
    Insert(Prefix<Ipv6Addr>, NextHopId),
    Remove(Prefix<Ipv6Addr>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (prefixes(), 0..6u16).prop_map(|(prefix, next_hop)| Step::Insert(prefix, next_hop)),
        2 => prefixes().prop_map(Step::Remove),
    ];
    prop::collection::vec(step, 0..150)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// After any changes every way to look up gives what a list gives that is searched from end to end.
    #[test]
    fn it_answers_as_a_list_does(steps in steps(), asked in prop::collection::vec(any::<u128>(), 70)) {
        let (mut fib, mut linear) = (Fib6::new(), Linear::new());
        let mut reader = fib.reader();
        for step in &steps {
            match *step {
                Step::Insert(prefix, next_hop) => {
                    prop_assert_eq!(fib.insert(prefix, next_hop), Ok(linear.insert(prefix, next_hop)));
                }
                Step::Remove(prefix) => prop_assert_eq!(fib.remove(prefix), linear.remove(prefix)),
            }
        }
        let near = steps.iter().flat_map(|step| {
            let (Step::Insert(prefix, _) | Step::Remove(prefix)) = step;
            let (first, last) = (prefix.address().to_bits(), prefix.last().to_bits());
            [first, last, first.wrapping_sub(1), last.wrapping_add(1)]
        });
        let asked: Vec<u128> = near.chain(asked).collect();
        let expected =
            |address: &u128| linear.matches(Ipv6Addr::from_bits(*address)).first().map_or(NO_ROUTE, |(_, hop)| **hop);
        let expected: Vec<NextHopId> = asked.iter().map(expected).collect();

        let mut batch = vec![7; asked.len()];
        fib.table.lookup_each(&asked, &mut batch);
        prop_assert_eq!(&batch, &expected, "one after the other");
        fib.lookup_batch(&asked, &mut batch);
        prop_assert_eq!(&batch, &expected, "all at once");
        reader.lookup_batch(&asked, &mut batch);
        prop_assert_eq!(&batch, &expected, "a reader that was there before all changes");

        let bulk = Fib6::build(fib.iter()).unwrap();
        prop_assert_eq!(bulk.len(), linear.iter().count());
        bulk.lookup_batch(&asked, &mut batch);
        prop_assert_eq!(&batch, &expected, "built at once");
    }
}

#[test]
fn a_large_table_changed_many_times_answers_as_one_built_afresh() {
    let mut rng = Rng::new(6);
    let mut draw = || {
        let (x, y) = (rng.next(), rng.next());
        let length = [20, 29, 32, 32, 36, 40, 44, 44, 46, 47, 48, 48, 48, 48, 56, 128][(y % 16) as usize];
        // Few /32s, so that some are crowded.
        let bits = 0x2a00u128 << 112 | u128::from(x & 0x001f_ffff_0000_0000) << 64 | u128::from(x as u32) << 48;
        (Prefix::of(Ipv6Addr::from_bits(bits), length), (y >> 8 & 255) as NextHopId)
    };
    let mut fib = Fib6::build((0..6_000).map(|_| draw())).unwrap();
    for _ in 0..12_000 {
        let (prefix, next_hop) = draw();
        if next_hop % 2 == 0 {
            fib.remove(prefix);
        } else {
            fib.insert(prefix, next_hop).unwrap();
        }
    }
    let fresh = Fib6::build(fib.iter()).unwrap();
    assert_eq!(fresh.len(), fib.len());
    let asked: Vec<u128> = (0..1 << 15).map(|_| draw().0.address().to_bits() | 5).collect();
    let (mut one, mut other) = (vec![0; asked.len()], vec![0; asked.len()]);
    fib.lookup_batch(&asked, &mut one);
    fresh.lookup_batch(&asked, &mut other);
    assert!(one == other);
}

#[test]
fn a_number_too_high_is_refused_and_nothing_changes() {
    let mut fib = Fib6::new();
    let all = Prefix::of(Ipv6Addr::from_bits(0x2001 << 112), 16);
    fib.insert(all, 3).unwrap();
    assert_eq!(fib.insert(all, MAX_NEXT_HOPS as NextHopId), Err(Full::NextHops));
    assert_eq!((fib.get(all), fib.lookup(all.last()), fib.lookup(Ipv6Addr::LOCALHOST)), (Some(3), 3, NO_ROUTE));
}

#[test]
fn readers_follow_while_the_table_changes() {
    let mut fib = Fib6::new();
    let base = 0x2001_0db8u128 << 96;
    fib.insert(Prefix::of(Ipv6Addr::from_bits(base), 32), 1).unwrap();
    let mut reader = fib.reader();
    let stop = core::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let asked: Vec<u128> = (0..64).map(|at| base | at << 80).collect();
            let (mut answers, mut rounds) = ([0; 64], 0u64);
            while !stop.load(core::sync::atomic::Ordering::Relaxed) {
                reader.lookup_batch(&asked, &mut answers);
                assert!(answers.iter().all(|hop| *hop == 1 || *hop == 2), "{answers:?}");
                rounds += 1;
            }
            rounds
        });
        for round in 0..3_000u128 {
            let longer = Prefix::of(Ipv6Addr::from_bits(base | (round % 64) << 80), 48 + (round % 3) as u8 * 40);
            fib.insert(longer, 2).unwrap();
            fib.remove(longer);
        }
        stop.store(true, core::sync::atomic::Ordering::Relaxed);
        assert!(watch.join().unwrap() > 0);
    });
}
