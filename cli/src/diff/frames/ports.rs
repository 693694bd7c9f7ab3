//! Which ports mean something, and which are the kernel's chance.

use std::collections::BTreeSet;

/// Hosts draw from these (`ip_local_port_range`).
const EPHEMERAL: std::ops::RangeInclusive<u16> = 32768..=60999;
/// NAT gives no port below this one for one from this on (`nf_nat_l4proto_unique_tuple`).
const FIRST_DRAWN: u16 = 1024;

/// The numbers that a script names: from [`FIRST_DRAWN`] on, others are drawn.
pub(super) struct Ports(BTreeSet<u16>);

impl Ports {
    /// All numbers of a script.
    pub(super) fn of(source: &str) -> Ports {
        Ports(source.split(|letter: char| !letter.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect())
    }

    /// A port, in a word that two right runs share.
    pub(super) fn say(&self, port: u16) -> String {
        let drawn = EPHEMERAL.contains(&port) || port >= FIRST_DRAWN && !self.0.contains(&port);
        if drawn { "some port".to_string() } else { port.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_nobody_named_were_drawn() {
        let ports =
            Ports::of("nc -l 8080 &\niptables -A INPUT -p tcp --dport 2000:2010 -j DROP\ncurl http://10.0.0.1:40000/");
        let said = [53, 1023, 1024, 2000, 2005, 8080, 26447, 40000, 61000].map(|port| ports.say(port));
        let drawn = "some port";
        assert_eq!(said, ["53", "1023", drawn, "2000", drawn, "8080", drawn, drawn, drawn]);
    }
}
