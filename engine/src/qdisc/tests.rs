//! Disciplines by themselves: statistics, order and rates.

use super::*;
use crate::time::Duration;

const PORT: IfIndex = 2;
const FACTS: PortFacts = PortFacts { txqueuelen: 1000, mtu: 1500 };
const MILLISECOND: u64 = 1_000_000;

/// A port with a discipline, and a clock.
struct Lab {
    qdiscs: Qdiscs<u32>,
    pool: FramePool,
    now: Time,
    dropped: Vec<DropReason>,
    made: u64,
}

fn ticks(milliseconds: u64) -> u32 {
    (milliseconds * MILLISECOND / TICK) as u32
}

fn percent(percent: f64) -> Chance {
    (percent / 100.0 * f64::from(u32::MAX)) as Chance
}

impl Lab {
    fn new(seed: u64, spec: QdiscSpec) -> Lab {
        let mut qdiscs = Qdiscs::new(Rng::new(seed));
        let set = QdiscRequest::Set { port: PORT, mode: QdiscMode::Add, handle: 0, spec: Some(spec) };
        qdiscs.apply(Time::ZERO, set, FACTS).expect("a discipline");
        Lab { qdiscs, pool: FramePool::new(), now: Time::ZERO, dropped: Vec::new(), made: 0 }
    }

    fn netem(seed: u64, spec: NetemSpec) -> Lab {
        Lab::new(seed, QdiscSpec::Netem(Box::new(spec)))
    }

    fn send(&mut self, number: u32, length: usize) {
        let frame = self.pool.copy(&vec![0x55; length]);
        let waiting = Waiting { frame, with: number };
        let done = self.qdiscs.enqueue(self.now, PORT, waiting, &mut self.pool).expect("it has one");
        self.made += done.made;
        for (frame, reason) in done.dropped {
            self.dropped.push(reason);
            self.pool.give(frame);
        }
    }

    /// What leaves now: its number and length.
    fn leaves(&mut self) -> Vec<(u32, usize)> {
        let mut left = Vec::new();
        while let Some(Waiting { frame, with }) = self.qdiscs.dequeue(self.now, PORT) {
            left.push((with, frame.len()));
            self.pool.give(frame);
        }
        left
    }

    /// Lets time pass until nothing waits: when each leaves.
    fn all(&mut self) -> Vec<(Time, u32)> {
        let mut left: Vec<(Time, u32)> = self.leaves().into_iter().map(|(number, _)| (self.now, number)).collect();
        while let Some(next) = self.qdiscs.next() {
            self.now = self.now.max(next);
            left.extend(self.leaves().into_iter().map(|(number, _)| (self.now, number)));
        }
        assert_eq!(self.qdiscs.held(), 0);
        left
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.qdiscs.remove(PORT).into_iter().for_each(|frame| self.pool.give(frame));
        assert_eq!(self.pool.taken(), 0, "a frame is lost");
    }
}

#[test]
fn a_delay_is_a_delay() {
    let mut lab = Lab::netem(1, NetemSpec { latency: ticks(100), ..NetemSpec::default() });
    lab.send(1, 100);
    assert_eq!(lab.leaves(), []);
    assert_eq!(lab.all(), [(Time(100 * MILLISECOND), 1)]);
}

#[test]
fn losses_are_as_many_as_said_and_the_same_for_the_same_seed() {
    let run = |seed, correlation| {
        let loss_correlation = percent(correlation);
        let mut lab = Lab::netem(seed, NetemSpec { loss: percent(10.0), loss_correlation, ..NetemSpec::default() });
        (0..10_000).for_each(|number| lab.send(number, 60));
        assert!(lab.dropped.iter().all(|reason| *reason == DropReason::QdiscFull || *reason == DropReason::NetemLoss));
        let left = lab.all();
        (lab.dropped.iter().filter(|reason| **reason == DropReason::NetemLoss).count(), left)
    };
    for seed in 0..5 {
        let (lost, left) = run(seed, 0.0);
        // Six standard deviations of 30.
        assert!((820..1180).contains(&lost), "{lost}");
        assert_eq!(run(seed, 0.0), (lost, left));
    }
    assert_ne!(run(1, 0.0), run(2, 0.0));
    // Correlation draws towards the mean, so that less is lost (a known fault of the kernel's).
    assert!(run(1, 50.0).0 < 600);
}

#[test]
fn models_of_loss_lose_as_their_chains_say() {
    let lost = |loss_model| {
        let mut lab = Lab::netem(7, NetemSpec { loss_model, limit: 100_000, ..NetemSpec::default() });
        (0..20_000).for_each(|number| lab.send(number, 60));
        lab.all();
        lab.dropped.len()
    };
    // Bad a quarter of the time, and everything is lost then.
    let gilbert = lost(LossModel::Gilbert { p: percent(10.0), r: percent(30.0), h: 0, k1: 0 });
    assert!((4500..5500).contains(&gilbert), "{gilbert}");
    let states = LossModel::States { p13: percent(10.0), p31: percent(30.0), p32: 0, p23: u32::MAX, p14: 0 };
    let states = lost(states);
    assert!((4500..5500).contains(&states), "{states}");
}

#[test]
fn jitter_stays_within_its_bounds_and_the_normal_one_mostly_does() {
    let spec = NetemSpec { latency: ticks(100), jitter: ticks(10), limit: 100_000, ..NetemSpec::default() };
    let mut lab = Lab::netem(3, spec.clone());
    (0..2000).for_each(|number| lab.send(number, 60));
    let times: Vec<u64> = lab.all().into_iter().map(|(at, _)| at.nanos()).collect();
    assert!(times.iter().all(|at| (90 * MILLISECOND..110 * MILLISECOND).contains(at)));
    let mean = times.iter().sum::<u64>() / 2000;
    assert!((99 * MILLISECOND..101 * MILLISECOND).contains(&mean), "{mean}");
    // Two samples: one jitter less, one more.
    let mut lab = Lab::netem(3, NetemSpec { distribution: vec![-8192, 8192], ..spec });
    (0..100).for_each(|number| lab.send(number, 60));
    let mut times: Vec<u64> = lab.all().into_iter().map(|(at, _)| at.nanos().div_ceil(MILLISECOND)).collect();
    times.dedup();
    assert_eq!(times, [90, 110]);
}

#[test]
fn copies_damage_and_another_order() {
    let mut lab = Lab::netem(5, NetemSpec { duplicate: u32::MAX, ..NetemSpec::default() });
    lab.send(1, 60);
    assert_eq!((lab.leaves().len(), lab.made), (2, 1));

    let mut lab = Lab::netem(5, NetemSpec { corrupt: u32::MAX, ..NetemSpec::default() });
    lab.send(1, 60);
    let waiting = lab.qdiscs.dequeue(lab.now, PORT).expect("it leaves");
    let wrong: u32 = waiting.frame.iter().map(|byte| (byte ^ 0x55).count_ones()).sum();
    assert_eq!(wrong, 1);
    lab.pool.give(waiting.frame);

    let spec = NetemSpec { latency: ticks(10), gap: 3, reorder: u32::MAX, ..NetemSpec::default() };
    let mut lab = Lab::netem(5, spec);
    (1..=6).for_each(|number| lab.send(number, 60));
    let order: Vec<u32> = lab.all().into_iter().map(|(_, number)| number).collect();
    assert_eq!(order, [6, 3, 1, 2, 4, 5]);
}

#[test]
fn a_rate_and_a_limit() {
    // 1000 bytes take 10 ms.
    let mut lab = Lab::netem(5, NetemSpec { rate: 100_000, limit: 3, ..NetemSpec::default() });
    (1..=5).for_each(|number| lab.send(number, 1000));
    assert_eq!(lab.dropped, [DropReason::QdiscFull; 2]);
    let times: Vec<u64> = lab.all().into_iter().map(|(at, _)| at.nanos() / MILLISECOND).collect();
    assert_eq!(times, [10, 20, 30]);
}

#[test]
fn tokens_let_a_burst_pass_and_then_the_rate() {
    // 8 Mbit/s; a bucket of 3000 bytes, which takes 3 ms to fill.
    let spec = TbfSpec { rate: 1_000_000, limit: 8000, buffer: ticks(3), burst: 3000, ..TbfSpec::default() };
    let mut lab = Lab::new(1, QdiscSpec::Tbf(spec));
    let mut now = Vec::new();
    for number in 1..=12 {
        lab.send(number, 1000);
        now.extend(lab.leaves());
    }
    assert_eq!(now.len(), 3, "the burst");
    let times: Vec<u64> = lab.all().into_iter().map(|(at, _)| at.nanos() / MILLISECOND).collect();
    assert_eq!(times, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(lab.dropped, [DropReason::QdiscFull]);
    lab.send(99, 3001);
    assert_eq!(lab.dropped.len(), 2, "longer than the bucket");
    let counters = lab.qdiscs.entry(PORT).expect("there").counters;
    assert_eq!((counters.packets, counters.bytes, counters.dropped, counters.waiting), (11, 11_000, 2, 0));
    // After a pause the bucket is full again, and no fuller.
    lab.now = lab.now + Duration::from_secs(10);
    (0..5).for_each(|number| lab.send(number, 1000));
    assert_eq!(lab.leaves().len(), 3);
    lab.all();
}

#[test]
fn requests_are_refused_as_the_kernel_does() {
    let mut qdiscs: Qdiscs<u32> = Qdiscs::new(Rng::new(1));
    let mut set = |mode, handle, spec: Option<QdiscSpec>| {
        let request = QdiscRequest::Set { port: PORT, mode, handle, spec };
        let done = qdiscs.apply(Time::ZERO, request, FACTS);
        done.map(|_| qdiscs.entry(PORT).map(|entry| (entry.handle, entry.spec))).map_err(|refusal| refusal.to_string())
    };
    use QdiscMode::*;
    let pfifo = |limit| Some(QdiscSpec::Pfifo(limit));
    let tbf = || Some(QdiscSpec::Tbf(TbfSpec::default()));
    let no = |text: &str| Err(text.to_string());
    assert_eq!(set(Change, 0, pfifo(None)), no("Error: Qdisc not found. To create specify NLM_F_CREATE flag."));
    assert_eq!(set(Add, 0, None), no("Error: Specified qdisc kind is unknown."));
    assert_eq!(set(Add, 1, pfifo(None)), Ok(Some((1, QdiscSpec::Pfifo(Some(1000))))));
    assert_eq!(set(Add, 1, pfifo(None)), no("Error: Exclusivity flag on, cannot modify."));
    assert_eq!(set(Add, 2, pfifo(None)), no("Error: NLM_F_REPLACE needed to override."));
    assert_eq!(set(Change, 2, pfifo(None)), no("Error: NLM_F_REPLACE needed to override."));
    assert_eq!(set(Change, 0, pfifo(Some(30))), Ok(Some((1, QdiscSpec::Pfifo(Some(30))))));
    assert_eq!(set(Change, 1, tbf()), no("Error: Invalid qdisc name: must match existing qdisc."));
    assert_eq!(set(Add, 0, tbf()), Ok(Some((0x8001, QdiscSpec::Tbf(TbfSpec::default())))));
    assert_eq!(set(Replace, 7, Some(QdiscSpec::Bfifo(None))), Ok(Some((7, QdiscSpec::Bfifo(Some(1_514_000))))));
    let delete =
        |handle, kind: Option<&str>| QdiscRequest::Delete { port: PORT, handle, kind: kind.map(str::to_string) };
    let mut drop =
        |handle, kind| qdiscs.apply(Time::ZERO, delete(handle, kind), FACTS).map(|_| ()).map_err(|r| r.to_string());
    assert_eq!(drop(8, None), Err("Error: Invalid handle.".to_string()));
    assert_eq!(drop(0, Some("tbf")), Err("Error: Invalid qdisc name: must match existing qdisc.".to_string()));
    assert_eq!(drop(0, None), Ok(()));
    assert_eq!(drop(0, None), Err("Error: Cannot delete qdisc with handle of zero.".to_string()));
}
