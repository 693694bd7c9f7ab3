//! Random scripts: from a seed a small network, its routes and settings, and what is done with it.
//!
//! Times that the kernel draws by chance or that a busy machine stretches are kept out of what can be seen: neighbours
//! answer or fail within a tenth of a second and are not asked again later, and ICMP errors are not rationed.

mod draw;
pub mod iptables;
mod lab;
mod net;
mod routes;
mod traffic;

pub use lab::lab;

use draw::Draw;
use net::Net;
use std::fmt::Write;

/// What every script begins with: `run COMMAND …` shows the command, what it printed on which stream, and its status;
/// `send` does the same, and waits until nobody asks for a neighbour any more.
const HEAD: &str = r#"err=$(mktemp); trap 'rm -f "$err"' EXIT
run() { echo "+ $*"; "$@" 2>"$err"; rc=$?; sed 's/^/! /' "$err"; [ $rc = 0 ] || echo "rc=$rc"; }
send() { run "$@"; sleep 0.12; }
"#;

/// A script that is being written.
struct Script {
    draw: Draw,
    text: String,
}

impl Script {
    /// Adds a line.
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{line}");
    }

    /// A command in a namespace, shown with its result.
    fn run_in(&mut self, ns: usize, command: &str) {
        match command.strip_prefix("ip ") {
            Some(rest) => self.line(&format!("run ip -n n{ns} {rest}")),
            None => self.line(&format!("run ip netns exec n{ns} {command}")),
        }
    }

    /// A program in a namespace that sends something.
    fn send(&mut self, ns: usize, command: &str) {
        self.line(&format!("send ip netns exec n{ns} {command}"));
    }
}

/// The script of a seed.
pub fn script(seed: u64) -> String {
    let mut script = Script { draw: Draw::new(seed), text: format!("# Seed {seed}.\n{HEAD}") };
    let net = Net::draw(&mut script.draw);
    net.build(&mut script);
    let redirects = script.draw.chance(15);
    routes::settings(&mut script, &net, redirects);
    routes::routes(&mut script, &net);
    for ns in 0..net.namespaces {
        script.run_in(ns, "ip route");
    }
    let rounds = if redirects { 1 } else { 3 };
    for round in 0..rounds {
        traffic::round(&mut script, &net, redirects);
        if round + 1 < rounds {
            // Errors about missing routes are rationed even so: one a second.
            script.line("sleep 1");
            routes::changes(&mut script, &net);
        }
    }
    for ns in 0..net.namespaces {
        script.line(&format!("run ip -n n{ns} neigh | sort"));
        script.run_in(ns, "ip -4 addr");
        script.run_in(ns, "ip route show table local");
        script.run_in(ns, "ip route");
    }
    script.text
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_seed_is_a_script() {
        assert_eq!(super::script(7), super::script(7));
        assert_ne!(super::script(7), super::script(8));
        for seed in 0..200 {
            assert!(super::script(seed).contains("send ip netns exec"));
        }
    }
}
