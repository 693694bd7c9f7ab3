//! Real frames on veth cables: `vethlab router` in each mode, the kernel and pnet; see `measure/veth.rs`.
//!
//! `cargo bench -p vethlab-benches --bench veth`

mod by_criterion;

fn main() {
    by_criterion::run(vethlab_benches::measure::veth::measure);
}
