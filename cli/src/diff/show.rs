//! A difference, for people.

use super::{CommandPair, Difference, Done};
use similar::TextDiff;

/// Lines around a difference.
const CONTEXT: usize = 2;

/// Says it: `-` is the kernel, `+` the simulator.
pub(crate) fn show(difference: &Difference) -> String {
    let mut said = String::new();
    for pair in &difference.commands {
        said += &format!("$ {}\n", quoted(&pair.argv));
        said += &show_command(pair);
    }
    // What the script makes of its commands' output says nothing new where those differ already.
    if let Some(pair) = difference.script.as_ref().filter(|_| difference.commands.is_empty()) {
        said += &texts("the script's standard output", &pair.kernel.stdout, &pair.simulator.stdout);
        said += &texts("the script's standard error", &pair.kernel.stderr, &pair.simulator.stderr);
    }
    if let Some(pair) = &difference.status {
        said += &format!("the script's status\n- {}\n+ {}\n", status(pair.kernel), status(pair.simulator));
    }
    for (interface, pair) in &difference.frames {
        said += &texts(&format!("frames at {interface}"), &pair.kernel.join("\n"), &pair.simulator.join("\n"));
    }
    said
}

fn show_command(pair: &CommandPair) -> String {
    let (kernel, simulator) = match (&pair.kernel, &pair.simulator) {
        (Some(kernel), Some(simulator)) => (kernel, simulator),
        (None, Some(_)) => return "  only the simulator came to it\n".to_string(),
        _ => return "  only the kernel came to it\n".to_string(),
    };
    let mut said = texts("  standard output", &kernel.text.stdout, &simulator.text.stdout);
    said += &texts("  standard error", &kernel.text.stderr, &simulator.text.stderr);
    let Done { status: left, .. } = kernel;
    let Done { status: right, .. } = simulator;
    if left != right {
        said += &format!("  status\n- {left}\n+ {right}\n");
    }
    said
}

fn status(status: Option<i32>) -> String {
    status.map_or_else(|| "ended by a signal, or took too long".to_string(), |status| status.to_string())
}

/// The lines in which two texts differ; nothing if they do not.
fn texts(what: &str, kernel: &str, simulator: &str) -> String {
    if kernel == simulator {
        return String::new();
    }
    let difference = TextDiff::from_lines(kernel, simulator);
    let mut said = format!("{what}\n");
    for hunk in difference.unified_diff().context_radius(CONTEXT).iter_hunks() {
        for change in hunk.iter_changes() {
            said += &format!("{} {}", change.tag(), change.as_str().unwrap_or_default());
            if !said.ends_with('\n') {
                said.push('\n');
            }
        }
    }
    said
}

/// Words as a shell takes them.
fn quoted(argv: &[String]) -> String {
    let plain =
        |word: &String| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=,@+%".contains(c));
    let quote = |word: &String| if plain(word) { word.clone() } else { format!("'{}'", word.replace('\'', r"'\''")) };
    argv.iter().map(quote).collect::<Vec<_>>().join(" ")
}
