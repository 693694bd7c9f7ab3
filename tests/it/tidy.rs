//! The house's style, kept by a program: a file is at most 700 lines long, a function at most 70.

use std::path::PathBuf;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use vethlab_tests::binary::root;

const FILE_LINES: usize = 700;
const FUNCTION_LINES: usize = 70;

#[test]
fn files_and_functions_are_short() {
    let mut complaints = Vec::new();
    let sources = sources();
    assert!(sources.len() > 100, "only {} sources found: is this the right folder?", sources.len());
    for path in sources {
        let text = std::fs::read_to_string(&path).unwrap();
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        let lines = text.lines().count();
        if lines > FILE_LINES {
            complaints.push(format!("{shown}: {lines} lines, at most {FILE_LINES} are readable"));
        }
        let mut functions = Functions { path: &shown, complaints: &mut complaints };
        functions.visit_file(&syn::parse_file(&text).unwrap());
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn nothing_is_left_to_be_done() {
    let words = ["TODO", "FIXME", "XXX", "todo!", "unimplemented!"];
    for path in sources().iter().filter(|path| !path.ends_with("tests/it/tidy.rs")) {
        let text = std::fs::read_to_string(path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let found = words.iter().find(|word| line.contains(**word));
            assert!(found.is_none(), "{}:{}: {line}", path.display(), number + 1);
        }
    }
}

#[test]
fn unsafe_stays_in_the_device_room_and_in_one_file_of_vectors() {
    let rooms = ["engine/src/device", "engine/src/fib/simd.rs", "tests"];
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        let opens = text.contains("allow(unsafe_code");
        let may = rooms.iter().any(|room| path.starts_with(root().join(room)));
        assert!(may || !opens, "{}: unsafe code lives in {}", path.display(), rooms.join(", "));
    }
}

#[test]
fn the_engine_knows_neither_the_simulator_nor_the_cli() {
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        let uses = |name: &str| text.contains(&format!("{name}::"));
        let inside = |room: &str| path.starts_with(root().join(room));
        assert!(!(inside("engine") && uses("vethlab_sim")), "{}: engine uses sim", path.display());
    }
}

/// Complains of each long function.
struct Functions<'a> {
    path: &'a str,
    complaints: &'a mut Vec<String>,
}

impl Functions<'_> {
    fn check(&mut self, name: &syn::Ident, body: &syn::Block) {
        let span = body.span();
        let lines = span.end().line - span.start().line + 1;
        if lines > FUNCTION_LINES {
            let line = span.start().line;
            self.complaints.push(format!("{}:{line}: `{name}` has {lines} lines, at most {FUNCTION_LINES}", self.path));
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.check(&item.sig.ident, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.check(&item.sig.ident, &item.block);
        visit::visit_impl_item_fn(self, item);
    }
}

/// All Rust sources of the project.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["engine", "sim", "cli", "benches", "tests"].iter().map(|room| root().join(room)).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
