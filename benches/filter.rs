//! 20 rules, connection tracking and MASQUERADE; see `measure/filter.rs`.
//!
//! `cargo bench -p vethlab-benches --bench filter`

mod by_criterion;

fn main() {
    by_criterion::run(vethlab_benches::measure::filter::measure);
}
