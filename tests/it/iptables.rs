//! What iptables prints, it reads back: the same tables, counters and all.

use proptest::prelude::*;
use std::cell::Cell;
use vethlab_engine::filter::{Table, TableName};
use vethlab_sim::{Host, Lab, Options};
use vethlab_tests::random::iptables::file;

fn lab() -> Lab {
    Lab::new(Options { seed: 1, host: Host::Bare })
}

fn load(lab: &mut Lab, text: &str) -> bool {
    lab.provide("-", text.as_bytes().to_vec());
    lab.run("iptables-restore -c").status == 0
}

fn tables(lab: &Lab) -> Vec<Table> {
    let world = lab.world();
    let filter = world.stack(world.host()).filter();
    TableName::ALL.iter().filter_map(|name| filter.table(*name).cloned()).collect()
}

/// What `-S` tells: no counters.
fn rules(tables: &[Table]) -> Vec<(TableName, String, String)> {
    let chains = tables.iter().flat_map(|table| table.chains.iter().map(|chain| (table.name, chain)));
    let rules = chains.flat_map(|(table, chain)| {
        chain.rules.iter().map(move |rule| {
            let said = (&rule.ip, &rule.matches, &rule.target);
            (table, chain.name.clone(), format!("{said:?}"))
        })
    });
    rules.collect()
}

/// By `iptables-save` and `iptables-restore`.
fn through_a_file(first: &mut Lab) {
    let saved = first.run("iptables-save -c").stdout;
    let mut second = lab();
    assert!(load(&mut second, &saved), "{saved}");
    assert_eq!(tables(first), tables(&second), "{saved}");
    assert_eq!(second.run("iptables-save -c").stdout, saved);
}

/// By `-S`: a file takes its lines as commands.
fn through_listings(first: &mut Lab) {
    let mut text = String::new();
    for name in TableName::ALL {
        let listing = first.run(&format!("iptables -t {} -S", name.name())).stdout;
        text += &format!("*{}\n{listing}COMMIT\n", name.name());
    }
    let mut second = lab();
    assert!(load(&mut second, &text), "{text}");
    assert_eq!(rules(&tables(first)), rules(&tables(&second)), "{text}");
}

#[test]
fn rules_read_back_as_they_were() {
    let (taken, all) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(seed in any::<u64>())| {
        let mut first = lab();
        all.set(all.get() + 1);
        if load(&mut first, &file(seed, 4)) {
            taken.set(taken.get() + 1);
            through_a_file(&mut first);
            through_listings(&mut first);
        }
    });
    assert!(taken.get() * 3 > all.get(), "only {} of {} files were taken", taken.get(), all.get());
}
