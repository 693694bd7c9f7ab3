//! What `vethlab bench` measures, by criterion: one contender after the other, ten turns each. Ratios want turns side by
//! side, and are told there.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput};
use std::time::Duration;
use vethlab_benches::contest::{Contender, Progress, Session, Settings, Subject};
use vethlab_benches::measure::Measure;
use vethlab_benches::report::{Report, Unit};

/// Turns of each contender: the fewest that criterion takes.
const TURNS: usize = 10;

/// Lets all contenders of a bench run, with the `vethlab` binary of this profile where they want a process of it.
pub(crate) fn run(measure: Measure) {
    let settings = Settings { binary: Some(vethlab_tests::binary::vethlab().into()), ..Settings::of_cargo() };
    let mut criterion = Criterion::default().configure_from_args();
    let mut host = |subject: &Subject<'_>, contenders: Vec<Contender<'_>>| {
        let Some((_, throughput)) = each(&subject.unit, 1.0) else { return };
        let mut group = criterion.benchmark_group(format!("{}/{}", subject.bench, subject.what));
        group.sample_size(TURNS).sampling_mode(SamplingMode::Flat).throughput(throughput);
        group.warm_up_time(settings.turn()).measurement_time(settings.turn() * TURNS as u32);
        contenders.into_iter().for_each(|contender| turns(&mut group, &subject.unit, contender));
        group.finish();
    };
    let report = Report::default();
    measure(&mut Session { settings: &settings, progress: &Aloud, host: Some(&mut host), report });
    criterion.final_summary();
}

fn turns(group: &mut BenchmarkGroup<'_, WallTime>, unit: &Unit, mut contender: Contender<'_>) {
    let name = contender.name().to_string();
    let mut failed = None;
    group.bench_function(&name, |bencher| {
        bencher.iter_custom(|times| match contender.turn() {
            // A turn is as long as it is, however many times criterion would have it.
            Ok(figure) => Duration::from_secs_f64(each(unit, figure).map_or(0.0, |(time, _)| time * times as f64)),
            Err(why) => {
                failed = Some(why);
                Duration::from_nanos(times)
            }
        });
    });
    if let Some(why) = failed {
        println!("FAILED {name}, its figures are void: {why}");
    }
}

/// How many seconds one takes, and one what, if the figure is so much; sizes take no time.
fn each(unit: &Unit, figure: f64) -> Option<(f64, Throughput)> {
    const GIGABYTE: u64 = 1_000_000_000;
    match unit.name.as_str() {
        "Mpps" | "M/s" => Some((1.0 / (figure * 1e6), Throughput::Elements(1))),
        "Gbit/s" => Some((8.0 / figure, Throughput::Bytes(GIGABYTE))),
        "µs" => Some((figure / 1e6, Throughput::Elements(1))),
        "ns" => Some((figure / 1e9, Throughput::Elements(1))),
        _ => None,
    }
}

/// Says what is skipped.
struct Aloud;

impl Progress for Aloud {
    fn begin(&self, _: &str, _: u64) {}
    fn step(&self, _: &str) {}
    fn say(&self, line: &str) {
        println!("{line}");
    }
}
