//! Scripts run on the kernel and in the simulator: the same text, the same status, the same frames at every interface.

use std::path::Path;
use vethlab_tests::binary::root;
use vethlab_tests::judge::differences;
use vethlab_tests::rights::root_or_skip;

/// What of the frames is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Strict,
    Loose,
}

/// Runs a script in both worlds and compares all that can be seen. With `Strict` also the order of all frames at an interface
/// and how often ARP asked; where many things happen at once, that is the kernel's chance.
fn judge(script: &Path, order: Order) {
    if !root_or_skip(&script.display().to_string()) {
        return;
    }
    let said = differences(script, order == Order::Strict);
    assert!(said.is_empty(), "{}\n{said}", script.display());
}

#[test]
fn walk() {
    judge(&root().join("cli/examples/walk.sh"), Order::Strict);
}

#[test]
fn examples() {
    for name in ["cable", "docker0", "two-bridges", "firewall", "service"] {
        judge(&root().join("cli/examples").join(name).with_extension("sh"), Order::Loose);
    }
}

macro_rules! scenarios {
    ($($name:ident: $file:literal $order:ident,)*) => {
        $(
            #[test]
            fn $name() {
                judge(&root().join("tests/scenarios").join($file), Order::$order);
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
    addresses: "addresses.sh" Strict,
    background: "background.sh" Strict,
    bridge_shown: "bridge-shown.sh" Loose,
    bridge: "bridge.sh" Loose,
    bridge_links: "bridge-links.sh" Loose,
    bridge_nf: "bridge-nf.sh" Loose,
    bridge_ports: "bridge-ports.sh" Loose,
    broadcast: "broadcast.sh" Strict,
    connections: "connections.sh" Loose,
    connections_refused: "connections-refused.sh" Loose,
    clients: "clients.sh" Loose,
    conntrack: "conntrack.sh" Loose,
    container_host: "container-host.sh" Loose,
    ethtool: "ethtool.sh" Loose,
    files: "files.sh" Strict,
    filter: "filter.sh" Loose,
    filter_chains: "filter-chains.sh" Loose,
    filter_matches: "filter-matches.sh" Loose,
    gateways: "gateways.sh" Loose,
    iptables_text: "iptables-text.sh" Loose,
    loss_probes: "loss-probes.sh" Loose,
    longest_prefix: "longest-prefix.sh" Strict,
    marks: "marks.sh" Loose,
    macvlan: "macvlan.sh" Loose,
    masks: "masks.sh" Strict,
    moved: "moved.sh" Strict,
    nat: "nat.sh" Loose,
    negated_ports: "negated-ports.sh" Loose,
    path_mtu: "path-mtu.sh" Strict,
    promoted: "promoted.sh" Strict,
    proxy_arp: "proxy-arp.sh" Strict,
    queues: "queues.sh" Loose,
    refused_fragments: "refused-fragments.sh" Loose,
    redirect: "redirect.sh" Strict,
    reverse_path: "reverse-path.sh" Strict,
    route_kinds: "route-kinds.sh" Strict,
    router: "router.sh" Strict,
    rules: "rules.sh" Loose,
    static_neighbours: "static-neighbours.sh" Strict,
    tcpdump: "tcpdump.sh" Loose,
    traceroute: "traceroute.sh" Strict,
    two_namespaces: "two-namespaces.sh" Strict,
    unanswered: "unanswered.sh" Strict,
    up_and_down: "up-and-down.sh" Strict,
    vxlan: "vxlan.sh" Loose,
    waiting: "waiting.sh" Strict,
    web_server: "web-server.sh" Loose,
}
