//! Scripts run on the kernel and in the simulator: the same text, the same status, the same frames at every interface.

use std::path::Path;
use vethlab_tests::binary::root;
use vethlab_tests::judge::differences;
use vethlab_tests::rights::root_or_skip;

/// Runs a script in both worlds and compares all that can be seen.
fn judge(script: &Path) {
    if !root_or_skip(&script.display().to_string()) {
        return;
    }
    let said = differences(script, true);
    assert!(said.is_empty(), "{}\n{said}", script.display());
}

#[test]
fn walk() {
    judge(&root().join("cli/examples/walk.sh"));
}

macro_rules! scenarios {
    ($($name:ident: $file:literal,)*) => {
        $(
            #[test]
            fn $name() {
                judge(&root().join("tests/scenarios").join($file));
            }
        )*

        #[test]
        fn every_script_is_judged() {
            let known = [$($file),*];
            for entry in std::fs::read_dir(root().join("tests/scenarios")).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                assert!(known.contains(&name.as_str()) || !name.ends_with(".sh"), "{name} is in no test");
            }
        }
    };
}

scenarios! {
    addresses: "addresses.sh",
    background: "background.sh",
    bridge_shown: "bridge-shown.sh",
    bridge: "bridge.sh",
    bridge_links: "bridge-links.sh",
    bridge_nf: "bridge-nf.sh",
    broadcast: "broadcast.sh",
    connections: "connections.sh",
    connections_refused: "connections-refused.sh",
    clients: "clients.sh",
    conntrack: "conntrack.sh",
    files: "files.sh",
    filter: "filter.sh",
    filter_chains: "filter-chains.sh",
    filter_matches: "filter-matches.sh",
    longest_prefix: "longest-prefix.sh",
    marks: "marks.sh",
    macvlan: "macvlan.sh",
    masks: "masks.sh",
    moved: "moved.sh",
    nat: "nat.sh",
    path_mtu: "path-mtu.sh",
    promoted: "promoted.sh",
    proxy_arp: "proxy-arp.sh",
    redirect: "redirect.sh",
    reverse_path: "reverse-path.sh",
    route_kinds: "route-kinds.sh",
    router: "router.sh",
    rules: "rules.sh",
    static_neighbours: "static-neighbours.sh",
    tcpdump: "tcpdump.sh",
    traceroute: "traceroute.sh",
    translations: "translations.sh",
    two_namespaces: "two-namespaces.sh",
    unanswered: "unanswered.sh",
    up_and_down: "up-and-down.sh",
    vxlan: "vxlan.sh",
    waiting: "waiting.sh",
}
