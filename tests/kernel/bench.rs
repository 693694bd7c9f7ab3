//! `vethlab bench veth`: fields are made, each contender carries frames, and nothing is left behind. Times are not judged.

use std::process::Command;
use vethlab_tests::binary::vethlab;
use vethlab_tests::rights::root_or_skip;

#[test]
fn each_mode_carries_frames_between_hosts_that_are_gone_afterwards() {
    if !root_or_skip("each_mode_carries_frames_between_hosts_that_are_gone_afterwards") {
        return;
    }
    let output =
        Command::new(vethlab()).args(["bench", "veth", "--quick", "--rounds", "1", "--json"]).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = report["rows"].as_array().unwrap();
    for (what, who) in [
        ("64 bytes", "plain"),
        ("64 bytes", "ring"),
        ("64 bytes", "xdp"),
        ("1500 bytes", "ring"),
        ("64 bytes, filter and MASQUERADE", "ring"),
        ("one TCP stream, offloads on", "gso"),
        ("64 bytes, one core", "ring"),
        ("CPU per packet", "plain"),
        ("CPU per packet", "ring"),
        ("CPU per packet", "xdp"),
        ("ping through the router, p50", "ring"),
    ] {
        let found = rows.iter().find(|row| row["what"] == what && row["who"] == who);
        let told = format!("SKIPPED veth: {what}: {who}: ");
        assert!(found.is_some() || errors.contains(&told), "{what}, {who}: neither a figure nor a reason\n{errors}");
        assert!(!errors.contains("not a command"), "{errors}");
    }
    let peers: Vec<&str> = rows.iter().filter_map(|row| row["peer"].as_str()).collect();
    for peer in ["kernel forwarding", "kernel with iptables", "kernel, XDP"] {
        assert!(peers.contains(&peer) || errors.contains(&format!(": {peer}: ")), "{peer}: {peers:?}\n{errors}");
    }
}

#[test]
fn an_interrupted_bench_leaves_no_namespace_and_no_router() {
    if !root_or_skip("an_interrupted_bench_leaves_no_namespace_and_no_router") {
        return;
    }
    // In a process namespace of its own, so that only its own are counted.
    let script = format!(
        "timeout -s INT 3 {} bench veth --rounds 50 >/dev/null 2>&1; sleep 1; pgrep -c vethlab",
        vethlab().display()
    );
    let output = Command::new("unshare").args(["-p", "-f", "--mount-proc", "bash", "-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "0", "{}", String::from_utf8_lossy(&output.stderr));
}
