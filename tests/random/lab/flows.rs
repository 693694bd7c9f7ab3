//! Servers, and those who ask them.

use super::super::Script;
use super::Lab;

/// Most hosts serve HTTP's port and DNS's, some routers too.
pub(super) fn servers(script: &mut Script, lab: &Lab) {
    for name in lab.names() {
        if script.draw.chance(if name.starts_with('h') { 80 } else { 40 }) {
            script.line(&format!("ip netns exec {name} nc -lk 80 </dev/null >/dev/null 2>&1 &"));
        }
        if script.draw.chance(40) {
            script.line(&format!("ip netns exec {name} nc -ulk 53 </dev/null >/dev/null 2>&1 &"));
        }
    }
    script.line("sleep 0.4");
}

/// A dozen of questions.
pub(super) fn traffic(script: &mut Script, lab: &Lab) {
    let (names, addresses) = (lab.names(), lab.addresses());
    for _ in 0..8 + script.draw.below(5) {
        let (Some(from), Some(to)) = (script.draw.any(&names).cloned(), script.draw.any(&addresses).cloned()) else {
            continue;
        };
        let port = script.draw.pick(&[80, 80, 80, 81, 22]);
        let words = match script.draw.below(10) {
            0..=3 => format!("ping -c {} -i 0.1 -W 0.4 {to}", 1 + script.draw.below(2)),
            4..=6 => format!("timeout 0.5 nc -zvn -w 1 {to} {port}"),
            7 => format!("bash -c 'echo hello | timeout 0.5 nc -nu -w 1 {to} 53'"),
            8 => format!("bash -c 'echo hello | timeout 0.5 nc -nN -w 1 {to} {port}'"),
            _ => format!("traceroute -n -q 1 -N 1 -w 0.4 -m 3 {to}"),
        };
        script.line(&format!("send ip netns exec {from} {words}"));
    }
}
