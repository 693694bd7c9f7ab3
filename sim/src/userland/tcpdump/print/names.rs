//! Names of addresses, ports and protocols; and addresses without names.

use super::super::super::netdb;
use super::{Printed, Printer, array_at};
use std::net::{Ipv4Addr, Ipv6Addr};
use vethlab_engine::addr::Mac;

/// `/etc/protocols`, as `tcpdump` has it built in: by number, from 0; `-` has no name.
const PROTOCOLS: &str = "\
    hopopt icmp igmp ggp ipencap st tcp cbt egp igp bbn-rcc-mon nvp-ii pup argus emcon xnet chaos udp mux dcn-meas \
    hmp prm xns-idp trunk-1 trunk-2 leaf-1 leaf-2 rdp irtp iso-tp4 netblt mfe-nsp merit-inp dccp 3pc idpr xtp ddp \
    idpr-cmtp tp++ il ipv6 sdrp ipv6-route ipv6-frag idrp rsvp gre dsr bna esp ah i-nlsp swipe narp mobile tlsp \
    skip ipv6-icmp ipv6-nonxt ipv6-opts - cftp - sat-expak kryptolan rvd ippc - sat-mon visa ipcv cpnx rspf wsn \
    pvp br-sat-mon sun-nd wb-mon wb-expak iso-ip vmtp secure-vmtp vines ttp nsfnet-igp dgp tcf eigrp ospf \
    sprite-rpc larp mtp ax.25 ipip micp scc-sp etherip encap - gmtp ifmp pnni pim aris scps qnx a/n ipcomp snp \
    compaq-peer ipx-in-ip vrrp pgm - l2tp ddx iatp stp srp uti smp sm ptp isis fire crtp crudp sscopmce iplt sps \
    pipe sctp fc rsvp-e2e-ignore mobility-header udplite mpls-in-ip manet hip shim6 wesp rohc";

impl Printer {
    pub(super) fn ipv4(&self, bytes: &[u8], at: usize) -> Printed<String> {
        let address = Ipv4Addr::from(array_at::<4>(bytes, at)?);
        let local = address == Ipv4Addr::LOCALHOST && !self.style.numeric;
        Ok(if local { "localhost".to_string() } else { address.to_string() })
    }

    pub(super) fn ipv6(&self, bytes: &[u8], at: usize) -> Printed<String> {
        let address = Ipv6Addr::from(array_at::<16>(bytes, at)?);
        let local = address == Ipv6Addr::LOCALHOST && !self.style.numeric;
        Ok(if local { "localhost".to_string() } else { address.to_string() })
    }

    pub(super) fn mac(&self, bytes: &[u8], at: usize) -> Printed<String> {
        let mac = Mac(array_at(bytes, at)?);
        if self.style.numeric {
            return Ok(mac.to_string());
        }
        // Of all vendors' numbers there is but this one in a lab.
        let vendor = if mac.0.starts_with(&[0, 0, 0]) { "Ethernet" } else { "Unknown" };
        Ok(if mac == Mac::BROADCAST { "Broadcast".to_string() } else { format!("{mac} (oui {vendor})") })
    }

    pub(super) fn tcp_port(&self, port: u16) -> String {
        self.port(port, "tcp")
    }

    pub(super) fn udp_port(&self, port: u16) -> String {
        self.port(port, "udp")
    }

    fn port(&self, port: u16, protocol: &str) -> String {
        let name = if self.style.numeric { None } else { netdb::port_name(port, protocol) };
        name.map_or_else(|| port.to_string(), str::to_string)
    }

    /// `icmp`, or with `-n` (and for what has no name) `ip-proto-1`.
    pub(super) fn protocol_name(&self, number: u8) -> String {
        let name = match number {
            253 => Some("exptest-253"),
            254 => Some("exptest-254"),
            255 => Some("reserved"),
            number => PROTOCOLS.split_whitespace().nth(usize::from(number)),
        };
        let name = name.filter(|name| !self.style.numeric && *name != "-");
        name.map_or_else(|| format!("ip-proto-{number}"), str::to_string)
    }
}
