//! ARP.

use super::link::type_name;
use super::{Cut, Printed, Printer, array_at, name, say, u8_at};
use std::net::Ipv4Addr;

const HARDWARE: &[(u32, &str)] = &[
    (1, "Ethernet"),
    (6, "TokenRing"),
    (7, "ArcNet"),
    (15, "FrameRelay"),
    (23, "Strip"),
    (24, "IEEE 1394"),
    (19, "ATM"),
    (32, "InfiniBand"),
];
const OPERATIONS: &[(u32, &str)] = &[
    (1, "Request"),
    (2, "Reply"),
    (3, "Reverse Request"),
    (4, "Reverse Reply"),
    (8, "Inverse Request"),
    (9, "Inverse Reply"),
    (10, "NACK Reply"),
];
const HEADER: usize = 8;
const IPV4: u16 = 0x0800;
const TRAIL: u16 = 0x1000;

/// Where the four addresses lie.
struct Fields<'a> {
    bytes: &'a [u8],
    hardware: usize,
    protocol: usize,
    is_ip: bool,
}

impl Fields<'_> {
    fn link(&self, printer: &Printer, at: usize) -> Printed<String> {
        match self.hardware {
            6 => printer.mac(self.bytes, at),
            length => {
                let bytes = self.bytes.get(at..at + length).ok_or(Cut)?;
                let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                Ok(if digits.is_empty() { "<empty>".to_string() } else { digits.join(":") })
            }
        }
    }

    fn address(&self, printer: &Printer, at: usize) -> Printed<String> {
        if !self.is_ip {
            return Ok("<wrong proto type>".to_string());
        }
        if self.protocol != 4 {
            return Ok("<wrong len>".to_string());
        }
        let address = Ipv4Addr::from(array_at::<4>(self.bytes, at)?);
        if address.is_unspecified() { Ok(address.to_string()) } else { printer.ipv4(self.bytes, at) }
    }

    fn sender(&self) -> (usize, usize) {
        (HEADER, HEADER + self.hardware)
    }

    fn target(&self) -> (usize, usize) {
        let at = HEADER + self.hardware + self.protocol;
        (at, at + self.hardware)
    }
}

impl Printer {
    pub(super) fn arp(&mut self, bytes: &[u8], length: usize) -> Printed {
        self.protocol = "arp";
        let [h0, h1, p0, p1, hardware, protocol, o0, o1] = array_at::<HEADER>(bytes, 0)?;
        let (kind, spoken) = (u16::from_be_bytes([h0, h1]), u16::from_be_bytes([p0, p1]));
        let operation = u16::from_be_bytes([o0, o1]);
        let is_ip = spoken == IPV4 || spoken == TRAIL;
        let fields = Fields { bytes, hardware: hardware.into(), protocol: protocol.into(), is_ip };
        let end = fields.target().1 + fields.protocol;
        if end > bytes.len() {
            return Err(Cut);
        }
        if !self.style.link {
            say!(self, "ARP, ");
        }
        let verbose = self.style.verbose > 0;
        if !is_ip || protocol != 4 || hardware == 0 || verbose {
            let device =
                name(HARDWARE, kind.into()).map_or_else(|| format!("Unknown Hardware ({kind})"), str::to_string);
            let network =
                type_name(spoken).map_or_else(|| format!("Unknown Protocol (0x{spoken:04x})"), str::to_string);
            say!(self, "{device} (len {hardware}), {network} (len {protocol})");
            if !verbose {
                say!(self, ", length {length}");
                return Ok(());
            }
            say!(self, ", ");
        }
        match name(OPERATIONS, operation.into()) {
            Some(name) => say!(self, "{name} "),
            None => say!(self, "Unknown ({operation}) "),
        }
        let said = self.arp_operation(operation, &fields)?;
        if said {
            say!(self, ", length {length}");
        } else {
            self.hex_and_ascii("\n\t", bytes);
        }
        Ok(())
    }

    fn arp_operation(&mut self, operation: u16, fields: &Fields<'_>) -> Printed<bool> {
        let ((sender, sender_ip), (target, target_ip)) = (fields.sender(), fields.target());
        match operation {
            1 => {
                let (who, tell) = (fields.address(self, target_ip)?, fields.address(self, sender_ip)?);
                say!(self, "who-has {who}");
                if (0..fields.hardware).any(|at| u8_at(fields.bytes, target + at).is_ok_and(|byte| byte != 0)) {
                    let mac = fields.link(self, target)?;
                    say!(self, " ({mac})");
                }
                say!(self, " tell {tell}");
            }
            2 => {
                let (who, mac) = (fields.address(self, sender_ip)?, fields.link(self, sender)?);
                say!(self, "{who} is-at {mac}");
            }
            3 | 8 => {
                let (who, tell) = (fields.link(self, target)?, fields.link(self, sender)?);
                say!(self, "who-is {who} tell {tell}");
            }
            4 => {
                let (who, at) = (fields.link(self, target)?, fields.address(self, target_ip)?);
                say!(self, "{who} at {at}");
            }
            9 => {
                let (who, at) = (fields.link(self, sender)?, fields.address(self, sender_ip)?);
                say!(self, "{who} at {at}");
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}
