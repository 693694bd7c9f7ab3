//! What the sysctls below `net/netfilter` say.

use crate::sysctl::Sysctls;
use crate::time::Duration;

/// How long what is remembered, what is checked, and how much at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `nf_conntrack_max`
    pub max: usize,
    /// `nf_conntrack_checksum`
    pub checksum: bool,
    /// `nf_conntrack_acct`
    pub acct: bool,
    /// `nf_conntrack_timestamp`
    pub timestamp: bool,
    /// `nf_conntrack_icmp_timeout`
    pub icmp: Duration,
    /// `nf_conntrack_generic_timeout`
    pub generic: Duration,
    /// `nf_conntrack_udp_timeout`
    pub udp: Duration,
    /// `nf_conntrack_udp_timeout_stream`
    pub udp_stream: Duration,
    /// `nf_conntrack_gre_timeout`
    pub gre: Duration,
    /// `nf_conntrack_gre_timeout_stream`
    pub gre_stream: Duration,
    /// `nf_conntrack_tcp_*`
    pub tcp: TcpSettings,
}

/// `nf_conntrack_tcp_*`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpSettings {
    /// `timeout_*` by state: none, syn_sent, syn_recv, established, fin_wait, close_wait, last_ack, time_wait, close, and
    /// syn_sent again for the second SYN of a simultaneous open.
    pub by_state: [Duration; 10],
    /// `timeout_max_retrans`
    pub retrans: Duration,
    /// `timeout_unacknowledged`
    pub unacknowledged: Duration,
    /// `loose`: flows are picked up in their middle.
    pub loose: bool,
    /// `be_liberal`: only a RST can be out of its window.
    pub be_liberal: bool,
    /// `ignore_invalid_rst`
    pub ignore_invalid_rst: bool,
    /// `max_retrans`
    pub max_retrans: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings::of(&Sysctls::new())
    }
}

impl Settings {
    /// As the sysctls of a namespace say. A bound of 0 is none in Linux; here it is one that nobody reaches.
    pub fn of(sysctls: &Sysctls) -> Settings {
        let number = |name: &str| sysctls.netfilter(name).max(0).unsigned_abs();
        let on = |name: &str| number(name) != 0;
        let seconds = |name: &str| Duration::from_secs(number(name));
        let tcp = |state: &str| seconds(&format!("nf_conntrack_tcp_timeout_{state}"));
        let by_state = [
            tcp("syn_sent"),
            tcp("syn_sent"),
            tcp("syn_recv"),
            tcp("established"),
            tcp("fin_wait"),
            tcp("close_wait"),
            tcp("last_ack"),
            tcp("time_wait"),
            tcp("close"),
            tcp("syn_sent"),
        ];
        Settings {
            max: match number("nf_conntrack_max") as usize {
                0 => 1 << 30,
                max => max.min(1 << 30),
            },
            checksum: on("nf_conntrack_checksum"),
            acct: on("nf_conntrack_acct"),
            timestamp: on("nf_conntrack_timestamp"),
            icmp: seconds("nf_conntrack_icmp_timeout"),
            generic: seconds("nf_conntrack_generic_timeout"),
            udp: seconds("nf_conntrack_udp_timeout"),
            udp_stream: seconds("nf_conntrack_udp_timeout_stream"),
            gre: seconds("nf_conntrack_gre_timeout"),
            gre_stream: seconds("nf_conntrack_gre_timeout_stream"),
            tcp: TcpSettings {
                by_state,
                retrans: tcp("max_retrans"),
                unacknowledged: tcp("unacknowledged"),
                loose: on("nf_conntrack_tcp_loose"),
                be_liberal: on("nf_conntrack_tcp_be_liberal"),
                ignore_invalid_rst: on("nf_conntrack_tcp_ignore_invalid_rst"),
                max_retrans: number("nf_conntrack_tcp_max_retrans") as u32,
            },
        }
    }
}
