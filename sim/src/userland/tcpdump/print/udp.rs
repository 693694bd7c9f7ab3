//! UDP, and VXLAN in it.

use super::ip::Outer;
use super::{Cut, Printed, Printer, array_at, cut, from, say, should_be, u8_at, u16_at};

const HEADER: usize = 8;
const UDP: u8 = 17;
const VXLAN_PORT: u16 = 4789;
const VXLAN_HEADER: usize = 8;

impl Printer {
    pub(super) fn udp(&mut self, bytes: &[u8], length: usize, outer: Outer<'_>) -> Printed {
        self.protocol = "udp";
        if bytes.len() < 4 {
            if outer.protocol()? == UDP {
                let (source, destination) = outer.ends(self)?;
                say!(self, "{source} > {destination}: ");
            }
            self.truncated();
            return Ok(());
        }
        let (from_port, to_port) = (u16_at(bytes, 0)?, u16_at(bytes, 2)?);
        self.udp_ends(from_port, to_port, outer)?;
        if length < HEADER {
            say!(self, "truncated-udp {length}");
            return Ok(());
        }
        if bytes.len() < 6 {
            self.truncated();
            return Ok(());
        }
        let said = match usize::from(u16_at(bytes, 4)?) {
            // A jumbogram says 0.
            0 if length > 65_535 => length,
            said if said < HEADER => {
                say!(self, "truncated-udplength {said}");
                return Ok(());
            }
            said => said,
        };
        let left = said.min(length) - HEADER;
        if bytes.len() < HEADER {
            self.truncated();
            return Ok(());
        }
        self.udp_checksum(bytes, left, outer)?;
        let payload = cut(from(bytes, HEADER), left);
        if self.style.quiet == 0 && [from_port, to_port].contains(&VXLAN_PORT) {
            return self.vxlan(payload, left);
        }
        if said - HEADER > left && !outer.fragmented {
            say!(self, "UDP, bad length {} > {left}", said - HEADER);
        } else {
            say!(self, "UDP, length {}", said - HEADER);
        }
        Ok(())
    }

    fn udp_ends(&mut self, from_port: u16, to_port: u16, outer: Outer<'_>) -> Printed {
        let (from_port, to_port) = (self.udp_port(from_port), self.udp_port(to_port));
        if outer.protocol()? == UDP {
            let (source, destination) = outer.ends(self)?;
            say!(self, "{source}.{from_port} > {destination}.{to_port}: ");
        } else {
            say!(self, "{from_port} > {to_port}: ");
        }
        Ok(())
    }

    fn udp_checksum(&mut self, bytes: &[u8], left: usize, outer: Outer<'_>) -> Printed {
        let wanted = if outer.version == 4 { 1 } else { 0 };
        if self.style.verbose <= wanted || self.style.trusting || outer.fragmented {
            return Ok(());
        }
        let said = u16_at(bytes, 6)?;
        if said == 0 && outer.version == 4 {
            say!(self, "[no cksum] ");
        } else if bytes.len() >= HEADER + left {
            match outer.checksum(bytes, HEADER + left, UDP)? {
                0 => say!(self, "[udp sum ok] "),
                sum => say!(self, "[bad udp cksum 0x{said:04x} -> 0x{:04x}!] ", should_be(said, sum)),
            }
        }
        Ok(())
    }

    fn vxlan(&mut self, bytes: &[u8], length: usize) -> Printed {
        self.protocol = "vxlan";
        say!(self, "VXLAN");
        if length < VXLAN_HEADER {
            self.invalid();
            return Ok(());
        }
        let flags = u8_at(bytes, 0)?;
        let known = if flags & 8 != 0 { "I" } else { "invalid" };
        say!(self, ", flags [{known}] (0x{flags:02x}), ");
        let [a, b, c]: [u8; 3] = array_at(bytes, 4)?;
        say!(self, "vni {}\n", u32::from_be_bytes([0, a, b, c]));
        if bytes.len() < VXLAN_HEADER {
            return Err(Cut);
        }
        self.protocol = "ether";
        self.ethernet(from(bytes, VXLAN_HEADER), length - VXLAN_HEADER)?;
        Ok(())
    }
}
