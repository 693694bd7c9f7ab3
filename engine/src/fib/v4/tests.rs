use super::*;
use crate::fib::{MAX_NEXT_HOPS, NO_ROUTE};
use crate::rng::Rng;
use crate::route::reference::Linear;
use proptest::prelude::*;

fn prefix(text: &str) -> Prefix<Ipv4Addr> {
    let (address, length) = text.split_once('/').unwrap();
    Prefix::of(address.parse().unwrap(), length.parse().unwrap())
}

/// Prefixes of all lengths that share beginnings, so that they nest.
fn prefixes() -> impl Strategy<Value = Prefix<Ipv4Addr>> {
    (any::<u32>(), any::<u32>(), 0..=32u8, prop::bool::weighted(0.9)).prop_map(|(x, y, length, near)| {
        let bits = if near { 0x0a01_0200 ^ (x & y & 0x0003_81ff) } else { x };
        Prefix::of(Ipv4Addr::from_bits(bits), length)
    })
}

#[derive(Clone, Debug)]
enum Step {
    Insert(Prefix<Ipv4Addr>, NextHopId),
    Remove(Prefix<Ipv4Addr>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (prefixes(), 0..6u16).prop_map(|(prefix, next_hop)| Step::Insert(prefix, next_hop)),
        2 => prefixes().prop_map(Step::Remove),
    ];
    prop::collection::vec(step, 0..150)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// After any changes every way to look up gives what a list gives that is searched from end to end.
    #[test]
    fn it_answers_as_a_list_does(steps in steps(), asked in prop::collection::vec(any::<u32>(), 70)) {
        let (mut fib, mut linear) = (Fib4::new(), Linear::new());
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
        let asked: Vec<u32> = near.chain(asked).collect();
        let expected = |address: &u32| linear.matches(Ipv4Addr::from_bits(*address)).first().map_or(NO_ROUTE, |(_, hop)| **hop);
        let expected: Vec<NextHopId> = asked.iter().map(expected).collect();

        let single: Vec<NextHopId> = asked.iter().map(|address| fib.lookup(Ipv4Addr::from_bits(*address))).collect();
        prop_assert_eq!(&single, &expected);
        let mut batch = vec![7; asked.len()];
        fib.lookup_batch(&asked, &mut batch);
        prop_assert_eq!(&batch, &expected);
        reader.lookup_batch(&asked, &mut batch);
        prop_assert_eq!(&batch, &expected, "a reader that was there before all changes");
        fib.table.lookup_each(&asked, &mut batch);
        prop_assert_eq!(&batch, &expected, "without vectors");

        let bulk = Fib4::build(fib.iter()).unwrap();
        prop_assert_eq!(bulk.len(), linear.iter().count());
        bulk.lookup_batch(&asked, &mut batch);
        prop_assert_eq!(&batch, &expected, "built at once");
    }
}

#[test]
fn a_full_table_changed_many_times_answers_as_one_built_afresh() {
    let mut rng = Rng::new(5);
    let mut random = |below: u32| (rng.next() % u64::from(below)) as u32;
    let mut draw = || {
        let length = [8, 16, 17, 18, 19, 20, 21, 22, 23, 24, 24, 24, 24, 24, 26, 32][random(16) as usize];
        (Prefix::of(Ipv4Addr::from_bits(0x0a00_0000 | random(1 << 24)), length), random(300) as NextHopId)
    };
    let mut fib = Fib4::build((0..20_000).map(|_| draw())).unwrap();
    for _ in 0..60_000 {
        let (prefix, next_hop) = draw();
        if next_hop % 2 == 0 {
            fib.remove(prefix);
        } else {
            fib.insert(prefix, next_hop).unwrap();
        }
    }
    let fresh = Fib4::build(fib.iter()).unwrap();
    assert_eq!(fresh.len(), fib.len());
    let asked: Vec<u32> = (0..1 << 16).map(|at: u32| 0x0a00_0000 | at.wrapping_mul(0x9e37_79b9) >> 8).collect();
    let (mut one, mut other) = (vec![0; asked.len()], vec![0; asked.len()]);
    fib.lookup_batch(&asked, &mut one);
    fresh.lookup_batch(&asked, &mut other);
    assert!(one == other);
    assert_eq!(fib.live_blocks, fresh.live_blocks);
}

#[test]
fn a_number_too_high_is_refused_and_nothing_changes() {
    let mut fib = Fib4::new();
    fib.insert(prefix("10.0.0.0/8"), 3).unwrap();
    assert_eq!(fib.insert(prefix("10.0.0.0/8"), MAX_NEXT_HOPS as NextHopId), Err(Full::NextHops));
    assert_eq!(fib.lookup(Ipv4Addr::new(10, 9, 9, 9)), 3);
    assert_eq!(fib.insert(prefix("10.0.0.0/8"), MAX_NEXT_HOPS as NextHopId - 1), Ok(Some(3)));
    assert_eq!(usize::from(fib.lookup(Ipv4Addr::new(10, 9, 9, 9))), MAX_NEXT_HOPS - 1);
}

#[test]
fn where_too_many_networks_hold_hosts_one_more_is_refused_and_the_others_stay() {
    let mut fib = Fib4::new();
    let host = |at: u32| Prefix::host(Ipv4Addr::from_bits(at << 8 | 1));
    let full = (0..40_000).find(|at| fib.insert(host(*at), 1).is_err()).unwrap();
    assert_eq!(full as usize, table::MAX_BLOCKS - 64);
    assert_eq!(fib.insert(host(full), 1), Err(Full::Nodes));
    assert_eq!((fib.len() as u32, fib.get(host(full))), (full, None));
    assert!((0..full).all(|at| fib.lookup(host(at).address()) == 1));
    assert_eq!(fib.lookup(host(full).address()), NO_ROUTE);
    assert_eq!(fib.remove(host(7)), Some(1));
    assert_eq!(fib.insert(host(full), 1), Ok(None), "one went, one comes");
}

#[test]
fn readers_follow_while_the_table_changes() {
    let mut fib = Fib4::new();
    let all = prefix("10.0.0.0/8");
    fib.insert(all, 1).unwrap();
    let mut reader = fib.reader();
    let stop = core::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let asked: Vec<u32> = (0..64).map(|at| 0x0a00_0000 | at << 10).collect();
            let (mut answers, mut rounds) = ([0; 64], 0u64);
            while !stop.load(core::sync::atomic::Ordering::Relaxed) {
                reader.lookup_batch(&asked, &mut answers);
                assert!(answers.iter().all(|hop| *hop == 1 || *hop == 2), "{answers:?}");
                rounds += 1;
            }
            rounds
        });
        for round in 0..40_000u32 {
            let longer = Prefix::of(Ipv4Addr::from_bits(0x0a00_0000 | (round % 64) << 10), 24 + (round % 3) as u8 * 4);
            fib.insert(longer, 2).unwrap();
            fib.remove(longer);
        }
        stop.store(true, core::sync::atomic::Ordering::Relaxed);
        assert!(watch.join().unwrap() > 0);
    });
}
