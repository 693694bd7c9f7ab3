//! `vethlab bench` in its quick form: all of it works and is well formed. What it measures is nobody's concern here.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Output};
use vethlab_tests::binary::vethlab;

fn bench(words: &[&str]) -> Output {
    Command::new(vethlab()).arg("bench").args(words).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_table_names_the_machine_the_versions_and_the_seed() {
    let output = bench(&["scale", "--quick", "--rounds", "2", "--seed", "7"]);
    let table = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for word in
        ["cores, kernel", "vethlab 0.", "seed 7", "QUICK", "50 namespaces: set-up", "median [least–most] of 2 rounds"]
    {
        assert!(table.contains(word), "{word} is not in\n{table}");
    }
    assert_eq!(text(&output.stderr), "", "no bars where no terminal is");
}

#[test]
fn json_has_every_round_and_the_page_needs_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("report.html");
    let output = bench(&["filter", "--quick", "--rounds", "3", "--json", "--report", page.to_str().unwrap()]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["rounds"], &report["seed"]), (&3.into(), &1.into()));
    let rows = report["rows"].as_array().unwrap();
    assert!(!rows.is_empty(), "{report}");
    for row in rows {
        assert_eq!(row["bench"], "filter");
        assert_eq!(row["ours"]["rounds"].as_array().unwrap().len(), 3, "{row}");
    }
    // Where there are no rights for namespaces, that is said.
    let peers = rows.iter().filter(|row| !row["peer"].is_null()).count();
    assert_eq!(peers == 0, text(&output.stderr).contains("SKIPPED filter: "), "{}", text(&output.stderr));
    let html = std::fs::read_to_string(page).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"));
    assert_eq!(html.matches("<svg ").count(), html.matches("</svg>").count());
    assert!(html.contains("<svg ") && html.contains("<table>"), "plots and tables");
    assert!(!html.contains("src=") && !html.contains("href=") && !html.contains("url("), "something would be fetched");
}

#[test]
fn csv_has_the_same_columns_in_each_line() {
    let output = bench(&["sim", "--quick", "--rounds", "1", "--csv"]);
    let mut reader = csv::Reader::from_reader(output.stdout.as_slice());
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert!(!rows.is_empty());
    for row in rows {
        let field = |name: &str| row.get(header.iter().position(|column| column == name).unwrap()).unwrap();
        assert_eq!((field("bench"), field("unit"), field("better"), field("rounds")), ("sim", "Mpps", "more", "1"));
        assert!(field("ours").parse::<f64>().unwrap() > 0.0);
    }
}

#[test]
fn fib_takes_a_file_of_prefixes_and_says_which_line_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prefixes");
    std::fs::write(&file, "# a table\n10.0.0.0/8 192.0.2.1\n10.1.0.0/16 192.0.2.2\n2001:db8::/32\n").unwrap();
    let words = ["fib", "--quick", "--rounds", "1", "--prefixes", file.to_str().unwrap()];
    let table = text(&bench(&words).stdout);
    assert!(table.contains("prefixes 2 IPv4, 1 IPv6, of ") && table.contains("IPv6, in-table addresses"), "{table}");
    assert!(!table.contains("gives other answers"), "{table}");
    std::fs::write(&file, "10.0.0.0/8\n10.0.0.0/33\n").unwrap();
    let output = bench(&words);
    let said = text(&output.stdout);
    assert!(said.ends_with("/prefixes: line 2: \"10.0.0.0/33\" is no prefix\n"), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn without_rights_veth_is_skipped_aloud() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    // An ordinary user may not be able to reach the checkout.
    let copy = folder.path().join("vethlab");
    std::fs::copy(vethlab(), &copy).unwrap();
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut command = Command::new(if is_root { "setpriv".as_ref() } else { copy.as_os_str() });
    if is_root {
        command.args(["--reuid=1000", "--regid=1000", "--clear-groups"]).arg(&copy);
    }
    let output = command.args(["bench", "veth", "--quick"]).output().unwrap();
    let said = text(&output.stdout);
    assert!(said.contains("SKIPPED veth: needs root, to make network namespaces"), "{said}{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "nothing was measured");
}

#[test]
fn wrong_arguments_get_one_clear_line() {
    for (words, said) in [
        (&["forward", "--namespaces", "9"][..], "vethlab: --namespaces is for scale, which is not asked for\n"),
        (&["scale", "--rfc2544"], "vethlab: --rfc2544 is for veth, which is not asked for\n"),
        (&["scale", "--report", "/nowhere/r.html"], "vethlab: --report /nowhere/r.html: No such file or directory"),
        (&["speed"], "error: invalid value 'speed' for '[WHAT]...'\n"),
        (&["scale", "--rounds", "0"], "error: invalid value '0' for '--rounds <N>'"),
        (&[], "error: the following required arguments were not provided:\n  <WHAT>...\n"),
    ] {
        let output = bench(words);
        let stderr = text(&output.stderr);
        assert!(stderr.starts_with(said), "{words:?}: {stderr}");
        assert!(!output.status.success() && output.stdout.is_empty(), "{words:?}");
    }
}
