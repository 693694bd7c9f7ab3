//! A TCP download of 100 MB through two bridges, a router that masquerades, and a cable that loses one packet of a hundred.

use criterion::{Criterion, Throughput};
use vethlab_tests::download::download;

const LENGTH: usize = 100_000_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("tcp");
    group.throughput(Throughput::Bytes(LENGTH as u64)).sample_size(10);
    group.bench_function("download", |bencher| bencher.iter(|| download(1, LENGTH)));
    group.finish();
    criterion.final_summary();
}
