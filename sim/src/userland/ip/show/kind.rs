//! What `-d` tells of a link by its kind, and of a bridge's port: `linkinfo`.

use super::super::print::Print;
use crate::world::{NsId, World};
use vethlab_engine::addr::{IpAddr, Mac};
use vethlab_engine::link::bridge::{BridgeConf, BridgePort};
use vethlab_engine::link::{MacvlanMode, Port, PortKind, VxlanSpec};

/// A link's kind, and what is to be told of it.
#[derive(Clone, Debug)]
pub(in super::super) enum Kind {
    /// `veth`, `dummy`: nothing.
    Plain(&'static str),
    Bridge(Box<BridgeInfo>),
    Vlan {
        protocol: u16,
        id: u16,
    },
    Macvlan(MacvlanMode),
    Vxlan(Box<VxlanSpec>, Option<String>),
}

/// A bridge.
#[derive(Clone, Debug)]
pub(in super::super) struct BridgeInfo {
    conf: BridgeConf,
    id: (u16, Mac),
}

/// A port of a bridge.
#[derive(Clone, Debug)]
pub(in super::super) struct Slave {
    port: BridgePort,
    /// The bridge's own priority and MAC: no tree is spanned, so that each bridge is its root.
    bridge: (u16, Mac),
}

impl Kind {
    /// The kind of a virtual link; `None` for `lo` and network cards.
    pub(super) fn of(world: &World, ns: NsId, port: &Port, veth: bool) -> Option<Kind> {
        let name_of = |index| world.stack(ns).ports().get(index).map(|port| port.name.to_string());
        match port.kind {
            _ if veth => Some(Kind::Plain("veth")),
            PortKind::Loopback | PortKind::Ethernet => None,
            PortKind::Dummy => Some(Kind::Plain("dummy")),
            PortKind::Bridge => {
                let bridge = port.rare.bridge.as_ref()?;
                let id = world.bridge_id(ns, port.index)?;
                Some(Kind::Bridge(Box::new(BridgeInfo { conf: bridge.conf.clone(), id })))
            }
            PortKind::Vlan => port.rare.vlan.map(|vlan| Kind::Vlan { protocol: vlan.protocol, id: vlan.id }),
            PortKind::Macvlan => port.rare.macvlan.map(|macvlan| Kind::Macvlan(macvlan.mode)),
            PortKind::Vxlan => {
                let spec = port.rare.vxlan.as_ref()?.spec;
                Some(Kind::Vxlan(Box::new(spec), spec.dev.and_then(name_of)))
            }
        }
    }

    /// Its word.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Kind::Plain(name) => name,
            Kind::Bridge(_) => "bridge",
            Kind::Vlan { .. } => "vlan",
            Kind::Macvlan(_) => "macvlan",
            Kind::Vxlan(..) => "vxlan",
        }
    }

    /// The line of the kind.
    pub(super) fn print(&self, print: &mut Print) {
        print.nl();
        print.string("info_kind", "    {} ", self.name());
        if matches!(self, Kind::Plain(_)) {
            return;
        }
        print.open_object_named("info_data");
        match self {
            Kind::Plain(_) => {}
            Kind::Bridge(bridge) => bridge.print(print),
            Kind::Vlan { protocol, id } => vlan(print, *protocol, *id),
            Kind::Macvlan(mode) => macvlan(print, *mode),
            Kind::Vxlan(spec, device) => vxlan(print, spec, device.as_deref()),
        }
        print.close_object();
    }
}

/// `br_dump_bridge_id()`: with `ether_ntoa`'s short bytes.
fn bridge_id((priority, Mac(mac)): (u16, Mac)) -> String {
    let bytes: Vec<String> = mac.iter().map(|byte| format!("{byte:x}")).collect();
    format!("{priority:04x}.{}", bytes.join(":"))
}

/// A timer that does not run, or has so many hundredths left.
fn timer(print: &mut Print, name: &str, hundredths: u64) {
    let (seconds, rest) = (hundredths / 100, hundredths % 100);
    print.json_number(name, format!("{seconds}.{rest:02}"));
    print.text(&format!("{name} {seconds:4}.{rest:02} "));
}

impl BridgeInfo {
    fn print(&self, print: &mut Print) {
        self.print_tree(print);
        print.hex("group_fwd_mask", "group_fwd_mask {} ", self.conf.group_fwd_mask.into());
        print.string("group_addr", "group_address {} ", &self.conf.group_address.to_string());
        self.print_multicast(print);
        for (name, on) in [
            ("nf_call_iptables", self.conf.nf_call_iptables),
            ("nf_call_ip6tables", self.conf.nf_call_ip6tables),
            ("nf_call_arptables", self.conf.nf_call_arptables),
        ] {
            numbered(print, name, name, u64::from(on));
        }
    }

    /// From `forward_delay` to `gc_timer`.
    fn print_tree(&self, print: &mut Print) {
        let conf = &self.conf;
        for (name, value) in [
            ("forward_delay", conf.forward_delay),
            ("hello_time", conf.hello_time),
            ("max_age", conf.max_age),
            ("ageing_time", conf.ageing_time),
            ("stp_state", conf.stp_state),
            ("priority", conf.priority.into()),
            ("vlan_filtering", 0),
        ] {
            numbered(print, name, name, value.into());
        }
        let id = bridge_id(self.id);
        print.string("bridge_id", "bridge_id {} ", &id);
        print.string("root_id", "designated_root {} ", &id);
        for name in ["root_port", "root_path_cost", "topology_change", "topology_change_detected"] {
            numbered(print, name, name, 0);
        }
        for name in ["hello_timer", "tcn_timer", "topology_change_timer", "gc_timer"] {
            timer(print, name, 0);
        }
    }

    /// From `mcast_snooping` to `mcast_mld_version`.
    fn print_multicast(&self, print: &mut Print) {
        let conf = &self.conf;
        for (key, text, value) in [
            ("mcast_snooping", "mcast_snooping", conf.mcast_snooping.into()),
            ("no_linklocal_learn", "no_linklocal_learn", conf.no_linklocal_learn.into()),
            ("mcast_vlan_snooping", "mcast_vlan_snooping", 0),
            ("mcast_router", "mcast_router", conf.mcast_router.into()),
            ("mcast_query_use_ifaddr", "mcast_query_use_ifaddr", conf.mcast_query_use_ifaddr.into()),
            ("mcast_querier", "mcast_querier", conf.mcast_querier.into()),
            ("mcast_hash_elasticity", "mcast_hash_elasticity", 16),
            ("mcast_hash_max", "mcast_hash_max", conf.mcast_hash_max.into()),
            ("mcast_last_member_cnt", "mcast_last_member_count", conf.mcast_last_member_count.into()),
            ("mcast_startup_query_cnt", "mcast_startup_query_count", conf.mcast_startup_query_count.into()),
            ("mcast_last_member_intvl", "mcast_last_member_interval", conf.mcast_last_member_interval),
            ("mcast_membership_intvl", "mcast_membership_interval", conf.mcast_membership_interval),
            ("mcast_querier_intvl", "mcast_querier_interval", conf.mcast_querier_interval),
            ("mcast_query_intvl", "mcast_query_interval", conf.mcast_query_interval),
            ("mcast_query_response_intvl", "mcast_query_response_interval", conf.mcast_query_response_interval),
            ("mcast_startup_query_intvl", "mcast_startup_query_interval", conf.mcast_startup_query_interval),
            ("mcast_stats_enabled", "mcast_stats_enabled", conf.mcast_stats_enabled.into()),
            ("mcast_igmp_version", "mcast_igmp_version", conf.mcast_igmp_version.into()),
            ("mcast_mld_version", "mcast_mld_version", conf.mcast_mld_version.into()),
        ] {
            numbered(print, key, text, value);
        }
    }
}

fn numbered(print: &mut Print, key: &str, text: &str, value: u64) {
    print.number(key, &format!("{text} {{}} "), value);
}

/// `BR_STATE_*`
pub(in super::super) const STATES: [&str; 5] = ["disabled", "listening", "learning", "forwarding", "blocking"];

/// `print_on_off()`: a truth in JSON, a word for people.
pub(in super::super) fn on_off(print: &mut Print, name: &str, on: bool) {
    print.json_bool(name, on);
    print.text(&format!("{name} {} ", if on { "on" } else { "off" }));
}

impl Slave {
    /// What a bridge knows of this port; `None` if it is none of a bridge.
    pub(super) fn of(world: &World, ns: NsId, port: &Port) -> Option<Slave> {
        let known = port.rare.bridge_port.as_ref()?;
        Some(Slave { port: (**known).clone(), bridge: world.bridge_id(ns, port.master?)? })
    }

    /// The line `bridge_slave`.
    pub(super) fn print(&self, print: &mut Print) {
        let port = &self.port;
        print.nl();
        print.json_string("info_slave_kind", "bridge");
        print.text("    bridge_slave ");
        print.open_object_named("info_slave_data");
        print.string("state", "state {} ", STATES[port.state as usize]);
        numbered(print, "priority", "priority", port.priority.into());
        numbered(print, "cost", "cost", port.cost.into());
        for (name, on) in [
            ("hairpin", port.hairpin),
            ("guard", port.guard),
            ("root_block", port.root_block),
            ("fastleave", port.fastleave),
            ("learning", port.learning),
            ("flood", port.flood),
        ] {
            on_off(print, name, on);
        }
        self.print_tree(print);
        self.print_rest(print);
        print.close_object();
    }

    fn print_tree(&self, print: &mut Print) {
        let port = &self.port;
        print.hex("id", "port_id {} ", port.id().into());
        print.hex("no", "port_no {} ", port.number.into());
        numbered(print, "designated_port", "designated_port", port.id().into());
        numbered(print, "designated_cost", "designated_cost", 0);
        let root = bridge_id(self.bridge);
        print.string("bridge_id", "designated_bridge {} ", &root);
        print.string("root_id", "designated_root {} ", &root);
        for name in ["hold_timer", "message_age_timer", "forward_delay_timer"] {
            timer(print, name, 0);
        }
        numbered(print, "topology_change_ack", "topology_change_ack", 0);
        numbered(print, "config_pending", "config_pending", 0);
    }

    fn print_rest(&self, print: &mut Print) {
        let port = &self.port;
        on_off(print, "proxy_arp", false);
        on_off(print, "proxy_arp_wifi", false);
        numbered(print, "multicast_router", "mcast_router", port.mcast_router.into());
        print.text(if port.fastleave { "mcast_fast_leave on " } else { "mcast_fast_leave off " });
        on_off(print, "mcast_flood", port.mcast_flood);
        on_off(print, "bcast_flood", port.bcast_flood);
        on_off(print, "mcast_to_unicast", false);
        on_off(print, "neigh_suppress", false);
        print.hex("group_fwd_mask", "group_fwd_mask {} ", port.group_fwd_mask.into());
        print.string("group_fwd_mask_str", "group_fwd_mask_str {} ", &mask(port.group_fwd_mask));
        on_off(print, "vlan_tunnel", false);
        on_off(print, "isolated", port.isolated);
        on_off(print, "locked", false);
    }
}

/// `_bitmask2str()`: names of the groups that people know by name.
fn mask(mask: u16) -> String {
    let name = |bit: u32| match bit {
        0 => "stp".to_owned(),
        2 => "lacp".to_owned(),
        14 => "lldp".to_owned(),
        bit => format!("{:#x}", 1u32 << bit),
    };
    let names: Vec<String> = (0..16).filter(|bit| mask >> bit & 1 != 0).map(name).collect();
    if names.is_empty() { "0x0".to_owned() } else { names.join(",") }
}

fn vlan(print: &mut Print, protocol: u16, id: u16) {
    let protocol = match protocol {
        0x8100 => "802.1Q".to_owned(),
        0x88a8 => "802.1ad".to_owned(),
        other => format!("[{other:x}]"),
    };
    print.string("protocol", "protocol {} ", &protocol);
    print.number("id", "id {} ", id);
    print.open_array("flags", "<");
    print.element("{}", "REORDER_HDR");
    print.close_array("> ");
}

fn macvlan(print: &mut Print, mode: MacvlanMode) {
    let word = match mode {
        MacvlanMode::Private => "private",
        MacvlanMode::Vepa => "vepa",
        MacvlanMode::Bridge => "bridge",
        MacvlanMode::Passthru => "passthru",
        MacvlanMode::Source => "source",
    };
    print.string("mode", "mode {} ", word);
    numbered(print, "bcqueuelen", "bcqueuelen", 1000);
    numbered(print, "usedbcqueuelen", "usedbcqueuelen", 1000);
    if mode == MacvlanMode::Source {
        print.number("macaddr_count", "remotes ({}) ", 0);
    }
}

fn vxlan(print: &mut Print, spec: &VxlanSpec, device: Option<&str>) {
    print.number("id", "id {} ", spec.id);
    let six = |address: IpAddr| if address.is_ipv6() { "6" } else { "" };
    if let Some(remote) = spec.remote {
        let name = if remote.is_multicast() { "group" } else { "remote" };
        print.string(&format!("{name}{}", six(remote)), &format!("{name} {{}} "), &remote.to_string());
    }
    if let Some(local) = spec.local {
        print.string(&format!("local{}", six(local)), "local {} ", &local.to_string());
    }
    if let Some(device) = device {
        print.string("link", "dev {} ", device);
    }
    let (low, high) = spec.srcport;
    print.open_object_named("port_range");
    print.json_number("low", low);
    print.json_number("high", high);
    print.close_object();
    print.text(&format!("srcport {low} {high} "));
    print.number("port", "dstport {} ", spec.port());
    print.json_bool("learning", spec.learning);
    print.text(if spec.learning { "" } else { "nolearning " });
    vxlan_header(print, spec);
    if spec.ageing == 0 {
        print.number("ageing", "ageing none ", 0);
    } else {
        print.number("ageing", "ageing {} ", spec.ageing);
    }
    if spec.max_addresses != 0 {
        print.number("limit", "maxaddr {} ", spec.max_addresses);
    }
    for (key, text, on) in [
        ("udp_csum", "udpcsum ", true),
        ("udp_zero_csum6_tx", "noudp6zerocsumtx ", false),
        ("udp_zero_csum6_rx", "noudp6zerocsumrx ", false),
    ] {
        print.json_bool(key, on);
        print.text(text);
    }
}

/// What goes into the outer header.
fn vxlan_header(print: &mut Print, spec: &VxlanSpec) {
    match spec.tos {
        0 => {}
        1 if !print.is_json() => print.text("tos inherit "),
        tos => print.hex("tos", "tos {} ", tos.into()),
    }
    if print.is_json() || spec.ttl != 0 {
        print.number("ttl", "ttl {} ", spec.ttl);
    } else {
        print.text("ttl auto ");
    }
    match spec.df {
        0 => print.json_string("df", "unset"),
        1 => print.string("df", "df {} ", "set"),
        _ => print.string("df", "df {} ", "inherit"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::print::Style;
    use super::*;

    fn printed(style: Style, show: impl Fn(&mut Print)) -> String {
        let mut print = Print::new(style);
        print.begin();
        print.open_object();
        show(&mut print);
        print.close_object();
        print.end();
        print.take().into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ids_have_short_bytes_and_masks_have_names() {
        assert_eq!(bridge_id((0x8000, Mac([2, 0, 0, 0x10, 0, 0xa]))), "8000.2:0:0:10:0:a");
        assert_eq!((mask(0), mask(0x4005), mask(8)), ("0x0".into(), "stp,lacp,lldp".into(), "0x8".into()));
    }

    #[test]
    fn a_vxlan_in_words_and_in_json() {
        let spec = VxlanSpec {
            local: Some(IpAddr::from([10, 0, 0, 1])),
            remote: Some(IpAddr::from([239, 1, 1, 1])),
            learning: false,
            tos: 1,
            df: 1,
            ..VxlanSpec::of(42)
        };
        let kind = Kind::Vxlan(Box::new(spec), Some("eth0".into()));
        let text = "\n    vxlan id 42 group 239.1.1.1 local 10.0.0.1 dev eth0 srcport 0 0 dstport 8472 nolearning tos inherit \
                    ttl auto df set ageing 300 udpcsum noudp6zerocsumtx noudp6zerocsumrx ";
        assert_eq!(printed(Style::default(), |print| kind.print(print)), text);
        let json = printed(Style { json: true, ..Style::default() }, |print| kind.print(print));
        assert!(json.contains(r#""learning":false,"tos":"0x1","ttl":0,"df":"set","ageing":300"#), "{json}");
    }

    #[test]
    fn a_vlan_and_a_macvlan() {
        let vlan = Kind::Vlan { protocol: 0x8100, id: 10 };
        let text = "\n    vlan protocol 802.1Q id 10 <REORDER_HDR> ";
        assert_eq!(printed(Style::default(), |print| vlan.print(print)), text);
        let json = printed(Style { json: true, ..Style::default() }, |print| vlan.print(print));
        let expected = r#"[{"info_kind":"vlan","info_data":{"protocol":"802.1Q","id":10,"flags":["REORDER_HDR"]}}]"#;
        assert_eq!(json.trim_end(), expected);
        let macvlan = Kind::Macvlan(MacvlanMode::Bridge);
        let text = "\n    macvlan mode bridge bcqueuelen 1000 usedbcqueuelen 1000 ";
        assert_eq!(printed(Style::default(), |print| macvlan.print(print)), text);
    }
}
