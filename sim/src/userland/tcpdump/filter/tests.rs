//! How many packets of a file an expression wants, or what is wrong with it, as the real tcpdump 4.99.3 says.

use crate::lab::{Lab, Options};

#[test]
fn expressions_want_the_same_packets() {
    let mut lab = Lab::new(Options::default());
    lab.provide("kinds.pcap", include_bytes!("../judged/kinds.pcap").as_slice());
    let mut judged = include_str!("../judged/filters.txt").lines();
    let mut asked = 0;
    while let (Some(expression), Some(answer)) = (judged.next(), judged.next()) {
        let expression = expression.strip_prefix("$ ").expect("an expression");
        let output = lab.run(&format!("tcpdump -r kinds.pcap --count \"{expression}\""));
        let complaint = output.stderr.lines().find_map(|line| line.strip_prefix("tcpdump: "));
        assert_eq!(complaint.unwrap_or(output.stdout.trim()), answer, "{expression}");
        asked += 1;
    }
    assert!(asked > 150);
}
