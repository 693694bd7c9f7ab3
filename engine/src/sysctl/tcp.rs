//! The sysctls that TCP reads.

use super::Sysctls;
use super::table::at;
use crate::time::Duration;

/// What TCP goes by: a copy, so that a connection can be changed meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct TcpConf {
    /// `net.ipv4.tcp_syn_retries`
    pub syn_retries: u32,
    /// `net.ipv4.tcp_syn_linear_timeouts`
    pub syn_linear_timeouts: u32,
    /// `net.ipv4.tcp_synack_retries`
    pub synack_retries: u32,
    /// `net.ipv4.tcp_retries2`
    pub retries2: u32,
    /// `net.ipv4.tcp_rto_min_us`
    pub rto_min: Duration,
    /// `net.ipv4.tcp_fin_timeout`
    pub fin_timeout: Duration,
    /// `net.ipv4.tcp_abort_on_overflow`
    pub abort_on_overflow: bool,
    /// `net.ipv4.tcp_timestamps`
    pub timestamps: bool,
    /// `net.ipv4.tcp_sack`
    pub sack: bool,
    /// `net.ipv4.tcp_early_retrans`: there are tail loss probes.
    pub loss_probes: bool,
    /// `net.ipv4.tcp_window_scaling`
    pub window_scaling: bool,
    /// `net.core.somaxconn`
    pub somaxconn: usize,
}

impl Sysctls {
    /// What TCP goes by.
    pub fn tcp(&self) -> TcpConf {
        let number = |index: usize| u32::try_from(self.number(index)).unwrap_or(0);
        let seconds = |index: usize| Duration::from_secs(u64::from(number(index)));
        TcpConf {
            syn_retries: number(const { at("ipv4/tcp_syn_retries") }),
            syn_linear_timeouts: number(const { at("ipv4/tcp_syn_linear_timeouts") }),
            synack_retries: number(const { at("ipv4/tcp_synack_retries") }),
            retries2: number(const { at("ipv4/tcp_retries2") }),
            rto_min: Duration::from_micros(u64::from(number(const { at("ipv4/tcp_rto_min_us") }))),
            fin_timeout: seconds(const { at("ipv4/tcp_fin_timeout") }),
            abort_on_overflow: self.on(const { at("ipv4/tcp_abort_on_overflow") }),
            timestamps: self.on(const { at("ipv4/tcp_timestamps") }),
            sack: self.on(const { at("ipv4/tcp_sack") }),
            loss_probes: number(const { at("ipv4/tcp_early_retrans") }) >= 3,
            window_scaling: self.on(const { at("ipv4/tcp_window_scaling") }),
            somaxconn: number(const { at("core/somaxconn") }) as usize,
        }
    }
}
