//! Progress on standard error, where that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::cell::RefCell;
use std::io::IsTerminal;
use vethlab_benches::contest::Progress;

/// A bar for what is being measured.
pub(super) struct Bars {
    bar: RefCell<ProgressBar>,
    shown: bool,
}

impl Bars {
    pub(super) fn new() -> Bars {
        Bars { bar: RefCell::new(ProgressBar::hidden()), shown: std::io::stderr().is_terminal() }
    }
}

impl Progress for Bars {
    fn begin(&self, what: &str, steps: u64) {
        self.bar.borrow().finish_and_clear();
        if !self.shown {
            return;
        }
        let bar = ProgressBar::new(steps);
        // A template that does not parse leaves the plain bar.
        if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(what.to_string());
        self.bar.replace(bar);
    }

    fn step(&self, who: &str) {
        let bar = self.bar.borrow();
        bar.set_message(who.to_string());
        bar.inc(1);
    }

    fn say(&self, line: &str) {
        self.bar.borrow().suspend(|| {
            if self.shown {
                eprintln!("{line}");
            }
        });
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.bar.borrow().finish_and_clear();
    }
}
