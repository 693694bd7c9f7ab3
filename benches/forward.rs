//! One packet through a router: received, routed, rewritten and handed to the other port, counters and all.

use criterion::{Criterion, Throughput};
use std::net::Ipv4Addr;
use vethlab_tests::router::{NEIGHBOR, Router, datagram};

fn forward(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("forward");
    group.throughput(Throughput::Elements(1));
    for routes in [0_u32, 10_000] {
        let mut router = Router::new();
        for number in 0..routes {
            router.route(Ipv4Addr::from((20 << 24) + (number << 8)), 24);
        }
        let frame = datagram(if routes == 0 { NEIGHBOR } else { Ipv4Addr::new(20, 9, 9, 9) });
        assert!(router.forward(&frame), "{:?}", router.counters());
        group.bench_function(format!("{routes} routes"), |bencher| bencher.iter(|| router.forward(&frame)));
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    forward(&mut criterion);
    criterion.final_summary();
}
