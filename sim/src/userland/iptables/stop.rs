//! What ends the program before its time, and what it says then.

use super::Identity;

/// Something is wrong; said by [`Problem::told`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// `xtables_error(PARAMETER_PROBLEM)`: the words are wrong.
    Parameter(String),
    /// `xtables_error(OTHER_PROBLEM)`
    Other(String),
    /// `xtables_error(VERSION_PROBLEM)`
    Version(String),
    /// `xtables_error(RESOURCE_PROBLEM)`: the kernel's no.
    Resource(String),
    /// A text as it is, and a hint at `-h` below it.
    TryHelp(String),
    /// The real tool knows it, the lab does not.
    NotSimulated(String),
    /// The program's own end, said already (`-h`, `-V`), or a text as it is.
    Exit(String, i32),
}

impl Problem {
    /// The words are wrong.
    pub(super) fn parameter(text: impl Into<String>) -> Problem {
        Problem::Parameter(text.into())
    }

    /// The text for standard error and the status. `line` is that of `iptables-restore`'s input.
    pub(super) fn told(&self, who: &Identity, line: Option<usize>) -> (String, i32) {
        let named = |text: &str| format!("{} v{}: {text}\n", who.name, super::VERSION);
        let at = line.map_or(String::new(), |line| format!("Error occurred at line: {line}\n"));
        let help = || format!("{at}Try `{0} -h' or '{0} --help' for more information.\n", who.name);
        match self {
            Problem::Parameter(text) => (named(text) + &help(), 2),
            Problem::Other(text) => (named(text), 1),
            Problem::Version(text) => {
                (named(text) + &format!("Perhaps {} or your kernel needs to be upgraded.\n", who.name), 3)
            }
            Problem::Resource(text) => (named(text), 4),
            Problem::TryHelp(text) => (format!("{text}{}", help()), 2),
            Problem::NotSimulated(what) => {
                let line = line.map_or(String::new(), |line| format!(" (line {line})"));
                let name = &who.name;
                (
                    format!(
                        "vethlab: {name}: {what} is not simulated{line}\n{name}: No chain/target/match by that name.\n"
                    ),
                    1,
                )
            }
            Problem::Exit(text, status) => (text.clone(), *status),
        }
    }
}
