//! The frames of a run, in lines that two right runs share.
//!
//! Dissected by etherparse, which shares no code with the engine. Left out: MACs but for whether the frame goes to
//! everybody, IP ids, ICMP idents and checksums, ports drawn by chance ([`ports`]), what programs write into their payload, and how TCP cuts
//! and acknowledges it ([`tcp`]).

mod dissect;
mod ports;
mod tcp;

use dissect::{Dissected, dissect};
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionOption;
use pcap_file::pcapng::{Block, PcapNgReader};
use ports::Ports;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use tcp::Flows;

/// What the order of lines is to mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// That of each direction apart; ARP frames to everybody once each, before all others.
    Directions,
    /// That in which frames passed the interface, each as often as it came.
    Strict,
}

/// What passed one interface.
#[derive(Default)]
struct Interface {
    lines: Vec<String>,
    flows: Flows,
}

/// The lines of a capture by interface (`namespace/interface`), those of the host under `host`;
/// `source`: the script, which says what ports have a meaning.
pub(crate) fn read(pcap: &Path, order: Order, source: &str) -> io::Result<BTreeMap<String, Vec<String>>> {
    let broken = |error| io::Error::other(format!("{}: {error}", pcap.display()));
    let mut reader = PcapNgReader::new(File::open(pcap)?).map_err(broken)?;
    let (ports, mut names) = (Ports::of(source), Vec::new());
    let mut found: BTreeMap<String, Interface> = BTreeMap::new();
    while let Some(block) = reader.next_block() {
        match block.map_err(broken)? {
            Block::InterfaceDescription(interface) => names.push(name(&interface.options)),
            Block::EnhancedPacket(packet) => {
                let name = names.get(packet.interface_id as usize).cloned().unwrap_or_default();
                found.entry(name).or_default().see(is_outbound(&packet), &packet.data, &ports);
            }
            _ => {}
        }
    }
    let lines = found.into_iter().map(|(name, interface)| (name, interface.finish(order)));
    Ok(lines.filter(|(_, lines)| !lines.is_empty()).collect())
}

/// The first two of the flags.
fn is_outbound(packet: &EnhancedPacketBlock<'_>) -> bool {
    packet.options.iter().any(|option| matches!(option, EnhancedPacketOption::Flags(flags) if flags & 3 == 2))
}

fn name(options: &[InterfaceDescriptionOption<'_>]) -> String {
    let named = options.iter().find_map(|option| match option {
        InterfaceDescriptionOption::IfName(name) if name.contains('/') => Some(name.to_string()),
        InterfaceDescriptionOption::IfName(name) => Some(format!("host/{name}")),
        _ => None,
    });
    named.unwrap_or_default()
}

impl Interface {
    fn see(&mut self, outbound: bool, frame: &[u8], ports: &Ports) {
        let way = if outbound { "out" } else { "in" };
        match dissect(frame, ports) {
            Some(Dissected::Line(line)) => self.lines.push(format!("{way} {line}")),
            Some(Dissected::Segment(segment)) => {
                let begun = self.flows.see(outbound, segment, self.lines.len());
                if begun {
                    // The flow's line stands where it began; what it says is known at the end.
                    self.lines.push(String::new());
                }
            }
            None => {}
        }
    }

    fn finish(mut self, order: Order) -> Vec<String> {
        self.flows.leave_out_late_answers();
        for (place, outbound, said) in self.flows.said() {
            if let Some(line) = self.lines.get_mut(place) {
                *line = format!("{} {said}", if outbound { "out" } else { "in" });
            }
        }
        let mut lines = self.lines;
        lines.retain(|line| !line.is_empty());
        if order == Order::Directions {
            let mut arp: Vec<String> = lines.extract_if(.., |line| line.contains(": ARP ")).collect();
            // Who is known is asked again after a while, if time is left.
            arp.retain(|line| line.contains("to all"));
            arp.sort();
            arp.dedup();
            lines.sort_by_key(|line| line.starts_with("in"));
            lines.splice(0..0, arp);
        }
        lines
    }
}
