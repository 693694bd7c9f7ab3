//! `net.*` sysctls of one namespace.

/// Per-interface sysctls (`net.ipv4.conf.X`, `net.ipv6.conf.X`, `net.ipv4.neigh.X`).
#[derive(Clone, Debug)]
pub struct PortConf {}
