//! The table of wrong commands is what the real tools of this machine say.

use vethlab_tests::binary::root;
use vethlab_tests::rights::root_or_skip;
use vethlab_tests::wrong::{on_kernel, parse, print};

/// `VETHLAB_BLESS=1` writes the table anew from what the tools say.
#[test]
fn the_table_is_linuxs() {
    if !root_or_skip("the_table_is_linuxs") {
        return;
    }
    let path = root().join("tests/wrong.txt");
    let table = std::fs::read_to_string(&path).unwrap();
    let commands: Vec<String> = parse(&table).into_iter().map(|answer| answer.command).collect();
    let said = print(&on_kernel(&commands));
    if std::env::var_os("VETHLAB_BLESS").is_some() {
        std::fs::write(path, said).unwrap();
    } else {
        assert!(table == said, "{}", similar::TextDiff::from_lines(&table, &said).unified_diff());
    }
}
