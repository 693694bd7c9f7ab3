//! What `brctl` shows: bridges and their ports, what they have learned, and the state of their spanning tree.

use super::Brctl;
use vethlab_engine::addr::Mac;
use vethlab_engine::control::{Errno, IfIndex, Nud};

/// `BR_STATE_*`
const STATES: [&str; 5] = ["disabled", "listening", "learning", "forwarding", "blocking"];

/// `brctl show [BRIDGE …]`
pub(super) fn show(brctl: &Brctl, words: &[String]) -> Result<(), String> {
    let mut wrong = false;
    let mut text = String::new();
    let bridges = if words.is_empty() {
        brctl.list("").into_iter().filter(|name| brctl.is_bridge(name)).collect()
    } else {
        words.to_vec()
    };
    for name in &bridges {
        match missing(brctl, name) {
            Some(complaint) => {
                brctl.p.err(&complaint);
                wrong = true;
            }
            None => {
                if text.is_empty() {
                    text += HEAD;
                }
                text += &one(brctl, name);
            }
        }
    }
    brctl.p.out(&text);
    if wrong { Err(String::new()) } else { Ok(()) }
}

const HEAD: &str = "bridge name\tbridge id\t\tSTP enabled\tinterfaces\n";

/// Why a name is none of a bridge.
fn missing(brctl: &Brctl, name: &str) -> Option<String> {
    if brctl.is_bridge(name) {
        None
    } else if brctl.link(name).is_some() {
        Some(format!("device {name} is not a bridge!\n"))
    } else {
        Some(format!("bridge {name} does not exist!\n"))
    }
}

fn one(brctl: &Brctl, name: &str) -> String {
    let id = brctl.read(&format!("{name}/bridge/bridge_id")).unwrap_or_default();
    let stp = if brctl.number(&format!("{name}/bridge/stp_state")) == 0 { "no" } else { "yes" };
    let mut text = format!("{name}\t\t{id}\t{stp}\t\t");
    let ports = brctl.list(&format!("{name}/brif"));
    for (at, port) in ports.iter().enumerate() {
        let before = if at == 0 { "" } else { "\t\t\t\t\t\t\t" };
        text += &format!("{before}{port}\n");
    }
    if ports.is_empty() {
        text.push('\n');
    }
    text
}

/// Seconds and hundredths of what `/sys` counts in hundredths.
fn timer(hundredths: u64) -> String {
    format!("{:4}.{:02}", hundredths / 100, hundredths % 100)
}

/// `brctl showmacs BRIDGE`: sorted by address.
pub(super) fn showmacs(brctl: &Brctl, words: &[String]) -> Result<(), String> {
    let Some(name) = words.first() else { return Ok(()) };
    let failed = |errno: Errno| format!("read of forward table failed: {}\n", errno.text());
    let index = brctl.link(name).ok_or_else(|| failed(Errno::NoDev))?;
    if !brctl.is_bridge(name) {
        return Err(failed(Errno::OpNotSupp));
    }
    brctl.p.out("port no\tmac addr\t\tis local?\tageing timer\n");
    for (mac, number, local, age) in entries(brctl, index) {
        let local = if local { "yes" } else { "no" };
        brctl.p.out(&format!("{number:3}\t{mac}\t{local}\t\t{}\n", timer(age)));
    }
    Ok(())
}

/// `brforward`: each entry with the number of its port, whether it is a port's own, and since when it is known.
fn entries(brctl: &Brctl, bridge: IfIndex) -> Vec<(Mac, u16, bool, u64)> {
    let world = brctl.p.world();
    let stack = world.stack(brctl.p.ns());
    let known = stack.fdb(world.now()).into_iter().filter(|entry| entry.master == Some(bridge));
    let mut entries: Vec<_> = known
        .filter_map(|entry| {
            let number = stack.ports().get(entry.port)?.rare.bridge_port.as_ref()?.number;
            let ages = !matches!(entry.state, Nud::Permanent | Nud::Noarp);
            let age = entry.used.filter(|_| ages).map_or(0, |(_, updated)| updated.as_millis() as u64 / 10);
            Some((entry.mac, number, entry.state == Nud::Permanent, age))
        })
        .collect();
    entries.sort_by_key(|(mac, ..)| *mac);
    entries
}

/// `brctl showstp BRIDGE`
pub(super) fn showstp(brctl: &Brctl, words: &[String]) -> Result<(), String> {
    let Some(name) = words.first() else { return Ok(()) };
    if let Some(complaint) = missing(brctl, name) {
        return Err(complaint);
    }
    brctl.p.out(&bridge(brctl, name));
    for port in brctl.list(&format!("{name}/brif")) {
        brctl.p.out(&port_text(brctl, &port));
    }
    Ok(())
}

fn bridge(brctl: &Brctl, name: &str) -> String {
    let path = |file: &str| format!("{name}/bridge/{file}");
    let text = |file: &str| brctl.read(&path(file)).unwrap_or_default();
    let time = |file: &str| timer(brctl.number(&path(file)));
    let number = |file: &str| brctl.number(&path(file));
    let mut out = format!("{name}\n bridge id\t\t{}\n designated root\t{}\n", text("bridge_id"), text("root_id"));
    out += &format!(" root port\t\t{:4}\t\t\tpath cost\t\t{:4}\n", number("root_port"), number("root_path_cost"));
    // What the root says, and what would be said here, are one until a tree is spanned.
    for (title, tabs, file) in [
        ("max age\t\t", "\t\t", "max_age"),
        ("hello time\t\t", "\t", "hello_time"),
        ("forward delay\t\t", "\t", "forward_delay"),
    ] {
        let own = title.trim_end_matches('\t');
        out += &format!(" {title}{}\t\t\tbridge {own}{tabs}{}\n", time(file), time(file));
    }
    out += &format!(" ageing time\t\t{}\n", time("ageing_time"));
    out += &format!(" hello timer\t\t{}\t\t\ttcn timer\t\t{}\n", time("hello_timer"), time("tcn_timer"));
    out +=
        &format!(" topology change timer\t{}\t\t\tgc timer\t\t{}\n", time("topology_change_timer"), time("gc_timer"));
    out += " flags\t\t\t";
    for (file, flag) in
        [("topology_change", "TOPOLOGY_CHANGE "), ("topology_change_detected", "TOPOLOGY_CHANGE_DETECTED ")]
    {
        out += if number(file) != 0 { flag } else { "" };
    }
    out + "\n\n\n"
}

fn port_text(brctl: &Brctl, name: &str) -> String {
    let path = |file: &str| format!("{name}/brport/{file}");
    let text = |file: &str| brctl.read(&path(file)).unwrap_or_default();
    let time = |file: &str| timer(brctl.number(&path(file)));
    let number = |file: &str| brctl.number(&path(file));
    let state = STATES.get(number("state") as usize).unwrap_or(&"<INVALID STATE>");
    let mut out =
        format!("{name} ({})\n port id\t\t{:04x}\t\t\tstate\t\t{state:>15}\n", number("port_no"), number("port_id"));
    out += &format!(" designated root\t{}\tpath cost\t\t{:4}\n", text("designated_root"), number("path_cost"));
    out += &format!(
        " designated bridge\t{}\tmessage age timer\t{}\n",
        text("designated_bridge"),
        time("message_age_timer")
    );
    out += &format!(
        " designated port\t{:04x}\t\t\tforward delay timer\t{}\n",
        number("designated_port"),
        time("forward_delay_timer")
    );
    out += &format!(
        " designated cost\t{:4}\t\t\thold timer\t\t{}\n flags\t\t\t",
        number("designated_cost"),
        time("hold_timer")
    );
    for (file, flag) in [("config_pending", "CONFIG_PENDING "), ("change_ack", "TOPOLOGY_CHANGE_ACK ")] {
        out += if number(file) != 0 { flag } else { "" };
    }
    if number("hairpin_mode") != 0 {
        out += &format!("\n hairpin mode\t\t{:4}", number("hairpin_mode"));
    }
    out + "\n\n"
}
