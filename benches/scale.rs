//! A world of 100,000 namespaces in a line: how long it takes to make, to live for five seconds, and a hop in a wave through
//! all. What it weighs wants a fresh process, and is told by `vethlab bench scale`.
//!
//! `cargo bench -p vethlab-benches --bench scale`

use criterion::{Criterion, SamplingMode, Throughput};
use std::time::Duration;
use vethlab_benches::contest::Settings;
use vethlab_benches::world::{Scale, scale};

fn main() {
    let namespaces = if Settings::of_cargo().quick { 50 } else { 100_000 };
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group(format!("scale/{namespaces} namespaces"));
    group.sample_size(10).sampling_mode(SamplingMode::Flat).warm_up_time(Duration::from_millis(1));
    // What it is, how long one took of a world, and how many there are in it.
    type Part = (&'static str, fn(&Scale) -> Duration, fn(&Scale) -> u64);
    let parts: [Part; 3] = [
        ("set-up", |scale| scale.setup, |scale| scale.namespaces as u64),
        ("the first five seconds of their lives", |scale| scale.settle, |scale| scale.namespaces as u64),
        ("a wave through all", |scale| scale.wave, |scale| scale.hops),
    ];
    let mut world = scale(namespaces);
    for (name, time, count) in parts {
        group.throughput(Throughput::Elements(count(&world)));
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                world = scale(namespaces);
                time(&world).mul_f64(times as f64)
            });
        });
    }
    group.finish();
    criterion.final_summary();
}
