//! Fragments in every order and every kind of disorder.

use super::*;
use crate::ip::Fragments;
use crate::wire::ipv4;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

const PORT: IfIndex = 2;

fn header(total: usize, flags_fragment: u16) -> Ipv4 {
    Ipv4 {
        tos: 0,
        total_length: total as u16,
        id: 77,
        flags_fragment,
        ttl: 64,
        protocol: 17,
        source: Ipv4Addr::new(10, 0, 0, 1),
        destination: Ipv4Addr::new(10, 0, 0, 2),
        header_length: ipv4::HEADER,
    }
}

/// A table, a pool, and what happened.
#[derive(Default)]
struct Bench {
    table: Reassembly,
    pool: FramePool,
}

impl Bench {
    /// A fragment of the bytes `begin..end` of a datagram whose bytes tell their own place.
    fn add(&mut self, begin: usize, end: usize, more: bool) -> Result<Vec<u8>, Vec<DropReason>> {
        self.add_with(begin, end, if more { ipv4::MF } else { 0 }, 0)
    }

    fn add_with(&mut self, begin: usize, end: usize, flags: u16, tos: u8) -> Result<Vec<u8>, Vec<DropReason>> {
        let header = header(ipv4::HEADER + end - begin, flags | (begin / 8) as u16);
        let mut frame = self.pool.copy(&Ipv4 { tos, ..header }.emit());
        frame.extend(&(begin..end).map(|place| place as u8).collect::<Vec<u8>>());
        self.take(Time::ZERO, frame)
    }

    fn take(&mut self, now: Time, frame: FrameBuf) -> Result<Vec<u8>, Vec<DropReason>> {
        let header = Ipv4::checked(&frame).expect("a right header");
        match self.table.add(now, PORT, &header, &Options::default(), frame, &mut self.pool) {
            Some(whole) => {
                let bytes = whole.frame.to_vec();
                self.pool.give(whole.frame);
                assert!(self.discarded().is_empty());
                Ok(bytes)
            }
            None => Err(self.discarded()),
        }
    }

    fn discarded(&mut self) -> Vec<DropReason> {
        let mut reasons = Vec::new();
        while let Some(discarded) = self.table.pop() {
            assert!(!discarded.tell);
            reasons.push(discarded.reason);
            self.pool.give(discarded.frame);
        }
        assert_eq!(self.table.held(), self.pool.taken());
        reasons
    }
}

/// The kernel (6.18) as judge: fragments of echo requests, a datagram a line, as `begin-end`, `+` for MF and TOS; behind
/// the colon length and TOS of the reply that came then, if one came.
#[test]
fn datagrams_are_put_together_as_the_kernel_does_it() {
    for line in include_str!("kernel.txt").lines() {
        let mut bench = Bench::default();
        for word in line.split(' ') {
            let (fragment, reply) = word.split_once(':').expect("a colon");
            let (range, tos) = fragment.split_once('/').expect("a slash");
            let flags = if range.ends_with('+') { ipv4::MF } else { 0 };
            let (begin, end) = range.trim_end_matches('+').split_once('-').expect("a range");
            let [begin, end] = [begin, end].map(|number| number.parse().expect("a number"));
            let tos = tos.parse().expect("a number");
            let ours = match (begin, flags) {
                // No fragment at all, and too short for ICMP or not.
                (0, 0) if end < 8 => ".".to_owned(),
                (0, 0) => format!("{}/{tos}", ipv4::HEADER + end),
                _ => match bench.add_with(begin, end, flags, tos) {
                    Ok(whole) => format!("{}/{}", whole.len(), whole[1]),
                    Err(_) => ".".to_owned(),
                },
            };
            assert_eq!(ours, reply, "{word} of {line}");
        }
        bench.table.port_removed(PORT);
        bench.discarded();
    }
}

#[test]
fn the_last_one_missing_completes_it() {
    let mut bench = Bench::default();
    assert_eq!(bench.add(16, 20, false), Err(vec![]));
    assert_eq!(bench.add(0, 8, true), Err(vec![]));
    let whole = bench.add(8, 16, true).expect("complete");
    assert_eq!(whole[20..], (0..20).collect::<Vec<u8>>());
    let header = Ipv4::checked(&whole).expect("a right header");
    assert_eq!((header.flags_fragment, header.total_length, header.id), (0, 40, 77));
    assert_eq!((bench.table.next_deadline(), bench.pool.taken()), (None, 0));
}

/// What lies wholly within a run is a duplicate, what overlaps spoils all: `inet_frag_queue_insert`.
#[test]
fn duplicates_and_overlaps() {
    use DropReason::{ReassemblyDuplicate, ReassemblyOverlap};
    let mut bench = Bench::default();
    for (begin, end) in [(0, 16), (16, 32)] {
        assert_eq!(bench.add(begin, end, true), Err(vec![]));
    }
    for (begin, end) in [(0, 16), (8, 24), (16, 32), (0, 32)] {
        assert_eq!(bench.add(begin, end, true), Err(vec![ReassemblyDuplicate]));
    }
    assert_eq!(bench.add(24, 40, true), Err(vec![ReassemblyOverlap; 3]));
    assert_eq!(bench.table.next_deadline(), None);
    for (begin, end) in [(16, 32), (0, 16)] {
        assert_eq!(bench.add(begin, end, true), Err(vec![]));
    }
    assert_eq!(bench.add(8, 24, true), Err(vec![ReassemblyOverlap; 3]), "it lies in two runs, as it does for Linux");
}

#[test]
fn fragments_that_cannot_be_true() {
    use DropReason::FragmentMalformed;
    let mut bench = Bench::default();
    assert_eq!(bench.add(8, 15, true), Err(vec![FragmentMalformed]), "nothing is left of it");
    assert_eq!(bench.add(8, 23, true), Err(vec![]), "it counts as eight bytes");
    assert_eq!(bench.add(24, 40, false), Err(vec![]));
    assert_eq!(bench.add(40, 48, true), Err(vec![FragmentMalformed; 3]), "past the end");
    assert_eq!(bench.add(16, 24, true), Err(vec![]));
    assert_eq!(bench.add(0, 8, false), Err(vec![FragmentMalformed; 2]), "the end before the end");
    assert_eq!(bench.add(16, 24, false), Err(vec![]));
    assert_eq!(bench.add(24, 32, false), Err(vec![FragmentMalformed; 2]), "another end");
}

/// The "ping of death": offsets that add up to more than 65535 bytes.
#[test]
fn a_packet_that_is_too_long() {
    let mut bench = Bench::default();
    assert_eq!(bench.add(0, 65_512, true), Err(vec![]));
    assert_eq!(bench.add(65_512, 65_520, false), Err(vec![DropReason::ReassemblyTooBig; 2]));
    assert_eq!(bench.add(0, 65_512, true), Err(vec![]));
    assert_eq!(bench.add(65_512, 65_515, false).map(|whole| whole.len()), Ok(65_535));
}

/// RFC 3168: CE on one fragment is CE on the packet; ECN and not-ECN do not go together.
#[test]
fn ecn_marks() {
    let mut bench = Bench::default();
    assert_eq!(bench.add_with(0, 8, ipv4::MF, 2), Err(vec![]));
    assert_eq!(bench.add_with(8, 16, 0, 3).map(|whole| whole[1]), Ok(3));
    assert_eq!(bench.add_with(0, 8, ipv4::MF, 0), Err(vec![]));
    assert_eq!(bench.add_with(8, 16, 0, 2), Err(vec![DropReason::ReassemblyEcn; 2]));
}

/// DF on the largest fragment is DF on the packet.
#[test]
fn df_of_fragments() {
    let mut bench = Bench::default();
    assert_eq!(bench.add_with(0, 16, ipv4::MF | ipv4::DF, 0), Err(vec![]));
    assert_eq!(bench.add_with(16, 24, 0, 0).map(|whole| whole[6]), Ok(0x40));
    assert_eq!(bench.add_with(0, 16, ipv4::MF, 0), Err(vec![]));
    assert_eq!(bench.add_with(16, 24, ipv4::DF, 0).map(|whole| whole[6]), Ok(0));
}

/// After 30 s all is given up, and the sender is told if the first fragment is there to be quoted.
#[test]
fn its_time_is_over() {
    let mut bench = Bench::default();
    for (id, begin) in [(1, 0), (2, 8)] {
        let header = Ipv4 { id, ..header(28, ipv4::MF | begin) };
        let mut frame = bench.pool.copy(&header.emit());
        frame.extend(&[0; 8]);
        assert_eq!(bench.take(Time(id.into()), frame), Err(vec![]));
    }
    let first = Time(1) + Duration::from_secs(30);
    assert_eq!(bench.table.next_deadline(), Some(first));
    for (at, tell) in [(first, true), (first + Duration::from_nanos(1), false)] {
        bench.table.tick(at);
        let gone = bench.table.pop().expect("a fragment");
        assert_eq!((gone.reason, gone.tell, gone.port), (DropReason::ReassemblyTimeout, tell, PORT));
        bench.pool.give(gone.frame);
    }
    assert_eq!((bench.table.next_deadline(), bench.table.held()), (None, 0));
}

#[test]
fn memory_is_bounded() {
    let mut bench = Bench::default();
    bench.table.configure(Limits { high_thresh: 2000, ..Limits::default() });
    for (begin, end) in [(0, 8), (16, 24), (32, 40)] {
        assert_eq!(bench.add(begin, end, true), Err(vec![]));
    }
    assert_eq!(bench.add(48, 56, true), Err(vec![DropReason::ReassemblyFull]));
    bench.table.port_removed(PORT);
    assert_eq!(bench.discarded(), [DropReason::HostTargetGone; 3]);
    assert_eq!(bench.add(0, 8, true), Err(vec![]));
    bench.table.port_removed(PORT);
    bench.discarded();
}

proptest! {
    /// Cut, shuffled, some of it twice, cut again: what is put together is what was cut.
    #[test]
    fn fragment_and_reassemble_is_identity(
        size in 1..9000usize, mtus in (28..1500usize, 28..1500usize), options in 0..11usize, seed: u64, df: bool
    ) {
        let mut rng = crate::rng::Rng::new(seed);
        let mut bench = Bench::default();
        let options = vec![1; options * 4];
        let length = ipv4::HEADER + options.len();
        let flags = if df { ipv4::DF } else { 0 };
        let mut packet = vec![0; length + size];
        header(length + size, flags).write(&options, &mut packet).expect("room");
        packet[length..].fill_with(|| rng.next() as u8);

        let mut frames = Vec::new();
        let mut cut = Fragments::new(&packet, mtus.0 + options.len(), true).expect("fragments");
        let count = cut.left();
        while let Some(frame) = cut.next(&mut bench.pool) {
            let mut again = Fragments::new(&frame, mtus.1 + options.len(), true).expect("fragments");
            while let Some(frame) = again.next(&mut bench.pool) {
                if rng.below(8) == 0 {
                    frames.push(bench.pool.copy(&frame));
                }
                frames.push(frame);
            }
            bench.pool.give(frame);
        }
        prop_assert!(frames.len() >= count);
        for last in (1..frames.len()).rev() {
            frames.swap(last, rng.below(last as u64 + 1) as usize);
        }
        let mut whole = Vec::new();
        for frame in frames {
            let fragment = Ipv4::checked(&frame).expect("a right header");
            prop_assert!(fragment.is_fragment() || count == 1);
            if let Some(done) = bench.table.add(Time::ZERO, PORT, &fragment, &Options::default(), frame, &mut bench.pool) {
                prop_assert!(done.largest <= mtus.0.min(mtus.1) + options.len());
                whole.push(done.frame.to_vec());
                bench.pool.give(done.frame);
            }
            while let Some(gone) = bench.table.pop() {
                prop_assert_eq!(gone.reason, DropReason::ReassemblyDuplicate);
                bench.pool.give(gone.frame);
            }
        }
        // A duplicate that comes behind the last fragment begins a new datagram; that may even be completed.
        prop_assert!(whole.iter().all(|whole| *whole == packet) && !whole.is_empty());
        bench.table.tick(Time::NEVER);
        while let Some(gone) = bench.table.pop() {
            bench.pool.give(gone.frame);
        }
        prop_assert_eq!((bench.table.held(), bench.pool.taken(), bench.table.memory), (0, 0, 0));
    }

    /// Whatever comes, every frame comes back.
    #[test]
    fn noise_loses_no_frame(fragments in proptest::collection::vec(any::<(u8, u8, u8, bool)>(), 0..200)) {
        let mut bench = Bench::default();
        for (step, (id, begin, length, more)) in fragments.into_iter().enumerate() {
            let flags = if more { ipv4::MF } else { 0 };
            let length = usize::from(length % 40);
            let header = header(ipv4::HEADER + length, flags | u16::from(begin % 8));
            let mut frame = bench.pool.copy(&Ipv4 { id: u16::from(id % 4), ..header }.emit());
            frame.extend(&vec![0; length]);
            let _ = bench.take(Time(step as u64), frame);
            prop_assert_eq!(bench.table.held(), bench.pool.taken());
        }
        bench.table.port_removed(PORT);
        bench.discarded();
        prop_assert_eq!((bench.table.held(), bench.table.memory, bench.table.next_deadline()), (0, 0, None));
    }
}
