//! What the sysctls below `net/netfilter` say.

use crate::sysctl::{Sysctls, at, default_number};
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

/// All settings, of numbers that `$number` tells by their places.
macro_rules! settings {
    ($number:expr) => {{
        macro_rules! number {
            ($name:literal) => {
                positive($number(const { at(concat!("netfilter/nf_conntrack_", $name)) }))
            };
        }
        macro_rules! seconds {
            ($name:literal) => {
                Duration::from_secs(number!($name))
            };
        }
        let syn_sent = seconds!("tcp_timeout_syn_sent");
        Settings {
            // A bound of 0 is none in Linux; here it is one that nobody reaches.
            max: match number!("max") {
                0 | MOST.. => MOST as usize,
                max => max as usize,
            },
            checksum: number!("checksum") != 0,
            acct: number!("acct") != 0,
            timestamp: number!("timestamp") != 0,
            icmp: seconds!("icmp_timeout"),
            generic: seconds!("generic_timeout"),
            udp: seconds!("udp_timeout"),
            udp_stream: seconds!("udp_timeout_stream"),
            gre: seconds!("gre_timeout"),
            gre_stream: seconds!("gre_timeout_stream"),
            tcp: TcpSettings {
                by_state: [
                    syn_sent,
                    syn_sent,
                    seconds!("tcp_timeout_syn_recv"),
                    seconds!("tcp_timeout_established"),
                    seconds!("tcp_timeout_fin_wait"),
                    seconds!("tcp_timeout_close_wait"),
                    seconds!("tcp_timeout_last_ack"),
                    seconds!("tcp_timeout_time_wait"),
                    seconds!("tcp_timeout_close"),
                    syn_sent,
                ],
                retrans: seconds!("tcp_timeout_max_retrans"),
                unacknowledged: seconds!("tcp_timeout_unacknowledged"),
                loose: number!("tcp_loose") != 0,
                be_liberal: number!("tcp_be_liberal") != 0,
                ignore_invalid_rst: number!("tcp_ignore_invalid_rst") != 0,
                max_retrans: number!("tcp_max_retrans") as u32,
            },
        }
    }};
}

/// Flows that there are at most.
const MOST: u64 = 1 << 30;

const fn positive(number: i64) -> u64 {
    if number < 0 { 0 } else { number as u64 }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings::USUAL
    }
}

impl Settings {
    /// As a new namespace's sysctls say.
    pub const USUAL: Settings = settings!(default_number);

    /// The same, for all who have no own.
    pub(super) fn usual() -> &'static Settings {
        const USUAL: &Settings = &Settings::USUAL;
        USUAL
    }

    /// As the sysctls of a namespace say.
    pub fn of(sysctls: &Sysctls) -> Settings {
        if sysctls.has_usual_numbers() { Settings::USUAL } else { settings!(|at| sysctls.number(at)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Ports;

    #[test]
    fn what_is_written_is_heeded() {
        let mut sysctls = Sysctls::new();
        assert_eq!(Settings::of(&sysctls), Settings::USUAL);
        for (name, value) in [("udp_timeout", "7"), ("tcp_timeout_syn_sent", "8"), ("tcp_loose", "0")] {
            let path = format!("net/netfilter/nf_conntrack_{name}");
            assert!(sysctls.write(&path, value, &mut Ports::new()).is_ok(), "{path}");
        }
        let mut expected = Settings { udp: Duration::from_secs(7), ..Settings::USUAL };
        for state in [0, 1, 9] {
            expected.tcp.by_state[state] = Duration::from_secs(8);
        }
        expected.tcp.loose = false;
        assert_eq!(Settings::of(&sysctls), expected);
    }
}
