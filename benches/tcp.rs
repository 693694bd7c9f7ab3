//! A TCP download of 100 MB through two bridges, a router that masquerades, and cables that lose one packet of a hundred.
//! What it took in virtual time is told first; what is measured is how long it takes to simulate.

use criterion::{Criterion, Throughput};
use vethlab_tests::download::{LOSS, download};

const LENGTH: usize = 100_000_000;
const SEED: u64 = 1;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("tcp");
    group.throughput(Throughput::Bytes(LENGTH as u64)).sample_size(10);
    println!("{LENGTH} bytes, netem {LOSS}, seed {SEED}: {:?}", download(SEED, LENGTH, LOSS));
    group.bench_function("download", |bencher| bencher.iter(|| download(SEED, LENGTH, LOSS)));
    group.finish();
    criterion.final_summary();
}
