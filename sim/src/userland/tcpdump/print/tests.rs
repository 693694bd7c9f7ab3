//! Packets of every kind, printed as the real tcpdump 4.99.3 prints the same file.

use super::{Printer, Style};
use crate::lab::{Lab, Options};
use crate::userland::tcpdump::pcap::{self, LinkType, Packet};

const KINDS: &[u8] = include_bytes!("../judged/kinds.pcap");

fn printed(options: &str) -> String {
    let mut lab = Lab::new(Options::default());
    lab.provide("kinds.pcap", KINDS);
    let output = lab.run(&format!("tcpdump {options} -r kinds.pcap"));
    assert_eq!(output.status, 0, "{}", output.stderr);
    output.stdout
}

fn same(options: &str, judged: &str) {
    let printed = printed(options);
    for (ours, theirs) in printed.lines().zip(judged.lines()) {
        assert_eq!(ours, theirs, "with {options}");
    }
    assert_eq!(printed.lines().count(), judged.lines().count());
}

#[test]
fn everything_that_is_known_of_a_packet() {
    same("-n -t -vvv -e", include_str!("../judged/verbose.txt"));
}

#[test]
fn names_numbers_and_times() {
    same("-ttttt -#", include_str!("../judged/brief.txt"));
}

#[test]
fn a_packet_that_is_cut_anywhere_prints() {
    let style = Style { numeric: true, verbose: 3, link: true, ..Style::default() };
    let mut printer = Printer::new(style);
    for packet in pcap::read(KINDS).expect("a file").packets {
        for length in 1..packet.bytes.len() {
            let cut = Packet { bytes: packet.bytes[..length].to_vec(), ..packet };
            assert!(printer.packet(LinkType::Ethernet, 1, &cut).ends_with('\n'));
        }
    }
}
