//! What passed, in lines: by port, by reason, and the sum in which every frame is found again.

use std::fmt::Write;
use vethlab_engine::device::{DeviceCounters, refusal};
use vethlab_engine::reason::DropReason;
use vethlab_engine::runner::Runner;
use vethlab_sim::World;

/// The report.
pub(super) fn report(world: &World, runner: &mut Runner) -> String {
    let mut text = String::new();
    for port in runner.ports() {
        let counters = port.counters();
        let carrier = if port.has_carrier() { "" } else { ", no carrier" };
        write_port(&mut text, &format!("{}{carrier}", port.name()), &counters);
    }
    let sum = Sum::of(world);
    for (reason, count) in &sum.reasons {
        let _ = writeln!(text, "discarded {count} {}: {}", reason.name(), reason.sentence());
    }
    let _ = writeln!(text, "{}", sum.line());
    text
}

fn write_port(text: &mut String, name: &str, counters: &DeviceCounters) {
    let DeviceCounters { received, received_bytes, kernel_drops, unreadable, waiting, sent, sent_bytes, refused } =
        counters;
    let _ = write!(text, "{name}: received {received} frames, {received_bytes} bytes");
    for (count, what) in [(kernel_drops, "dropped by the kernel"), (unreadable, "unreadable"), (waiting, "waiting")] {
        if *count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    }
    let _ = write!(text, "; sent {sent} frames, {sent_bytes} bytes");
    for (errno, count) in refused {
        let _ = write!(text, ", {count} refused: {}", refusal(*errno));
    }
    text.push('\n');
}

/// The conservation law, over all namespaces.
#[derive(Default)]
struct Sum {
    received: u64,
    originated: u64,
    made: u64,
    sent: u64,
    consumed: u64,
    discarded: u64,
    held: u64,
    reasons: Vec<(DropReason, u64)>,
}

impl Sum {
    fn of(world: &World) -> Sum {
        let mut sum = Sum::default();
        let mut reasons = vec![0; DropReason::ALL.len()];
        for (_, stack) in world.stacks() {
            let counters = stack.counters();
            sum.received += counters.received;
            sum.originated += counters.originated;
            sum.made += counters.made;
            sum.sent += counters.sent;
            sum.consumed += counters.consumed;
            sum.discarded += counters.discarded_total();
            sum.held += stack.parked() as u64;
            for (place, reason) in reasons.iter_mut().zip(DropReason::ALL) {
                *place += counters.discarded(*reason);
            }
        }
        let counted = DropReason::ALL.iter().copied().zip(reasons);
        sum.reasons = counted.filter(|(_, count)| *count > 0).collect();
        sum
    }

    /// `frames: … = …`; if the two sides differ, by how much.
    fn line(&self) -> String {
        let Sum { received, originated, made, sent, consumed, discarded, held, .. } = self;
        let left = received + originated + made;
        let right = sent + consumed + discarded + held;
        let mut line = format!(
            "frames: received {received} + originated {originated} + made {made} = sent {sent} + consumed {consumed} + \
             discarded {discarded} + held {held}"
        );
        if left != right {
            let _ = write!(line, "; unaccounted for: {}", i128::from(left) - i128::from(right));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_is_missing_shows() {
        let whole = Sum { received: 5, made: 1, sent: 3, consumed: 1, discarded: 1, held: 1, ..Sum::default() };
        let line = "frames: received 5 + originated 0 + made 1 = sent 3 + consumed 1 + discarded 1 + held 1";
        assert_eq!(whole.line(), line);
        assert_eq!(Sum { held: 0, ..whole }.line(), line.replace("held 1", "held 0; unaccounted for: 1"));
    }

    #[test]
    fn a_port_says_what_went_wrong_only_where_something_did() {
        let mut text = String::new();
        let counters =
            DeviceCounters { received: 2, received_bytes: 84, sent: 1, sent_bytes: 42, ..Default::default() };
        write_port(&mut text, "r0", &counters);
        assert_eq!(text, "r0: received 2 frames, 84 bytes; sent 1 frames, 42 bytes\n");
        text.clear();
        let down = nix::errno::Errno::ENETDOWN as i32;
        write_port(&mut text, "r0", &DeviceCounters { kernel_drops: 7, refused: [(down, 3)].into(), ..counters });
        let more = "r0: received 2 frames, 84 bytes, 7 dropped by the kernel; sent 1 frames, 42 bytes, 3 refused: the \
                    interface is down, or has no cable\n";
        assert_eq!(text, more);
    }
}
