//! A script in the simulator, by the binary a user has.

use super::{Run, frames, normalise};
use crate::binary;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::{Block, PcapNgReader};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// `vethlab run --host bare --pcap … SCRIPT`
///
/// # Panics
/// If the binary does not start.
pub fn in_simulator(script: &Path) -> Run {
    let work = tempfile::tempdir().expect("a temporary directory");
    let pcap = work.path().join("all.pcapng");
    let pcap_path = pcap.to_string_lossy().into_owned();
    let output = run_in_simulator(&["--host", "bare", "--pcap", &pcap_path], script);
    let source = fs::read_to_string(script).expect("the script is readable");
    Run {
        stdout: normalise(&String::from_utf8_lossy(&output.stdout), &source),
        stderr: normalise(&String::from_utf8_lossy(&output.stderr), &source),
        status: output.status.code(),
        frames: frames_of(&pcap),
    }
}

/// `vethlab run OPTIONS SCRIPT`, as it comes.
///
/// # Panics
/// If the binary does not start.
pub fn run_in_simulator(options: &[&str], script: &Path) -> Output {
    let folder = tempfile::tempdir().expect("a temporary directory");
    Command::new("timeout")
        .args(["-k", "5", "60"])
        .arg(binary::vethlab())
        .arg("run")
        .args(options)
        .arg(script)
        .env("LANG", "C")
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("timeout is there")
}

/// The frames of a pcapng file by the names of its interfaces.
fn frames_of(pcap: &Path) -> BTreeMap<String, Vec<String>> {
    let mut reader = PcapNgReader::new(File::open(pcap).expect("--pcap makes it")).expect("a pcapng file");
    let mut names = Vec::new();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    while let Some(block) = reader.next_block() {
        match block.expect("a whole block") {
            Block::InterfaceDescription(interface) => names.push(name(&interface.options)),
            Block::EnhancedPacket(packet) => {
                if let Some(said) = frames::describe(&packet.data) {
                    let way = if is_outbound(&packet) { "out" } else { "in" };
                    let of = names[packet.interface_id as usize].clone();
                    found.entry(of).or_default().push(format!("{way} {said}"));
                }
            }
            _ => {}
        }
    }
    found
}

/// The first two of the flags.
fn is_outbound(packet: &EnhancedPacketBlock<'_>) -> bool {
    packet.options.iter().any(|option| matches!(option, EnhancedPacketOption::Flags(flags) if flags & 3 == 2))
}

/// `namespace/interface`; those of the host stand in a capture without a namespace.
fn name(options: &[pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionOption<'_>]) -> String {
    use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionOption;
    let named = options.iter().find_map(|option| match option {
        InterfaceDescriptionOption::IfName(name) if name.contains('/') => Some(name.to_string()),
        InterfaceDescriptionOption::IfName(name) => Some(format!("host/{name}")),
        _ => None,
    });
    named.unwrap_or_default()
}
