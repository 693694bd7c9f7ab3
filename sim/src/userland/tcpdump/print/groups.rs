//! Records of groups, as IGMPv3 and MLDv2 report them: the two differ in the length of their addresses.

use super::{Printed, Printer, name, say, u8_at, u16_at};

/// What comes before the first record, and in each record before its group's address.
const HEADER: usize = 8;
const RECORD: usize = 4;
const KINDS: &[(u32, &str)] = &[(1, "is_in"), (2, "is_ex"), (3, "to_in"), (4, "to_ex"), (5, "allow"), (6, "block")];

/// A protocol that reports groups.
#[derive(Clone, Copy)]
pub(super) struct Reports {
    /// Bytes of an address, and how it is printed.
    size: usize,
    address: fn(&Printer, &[u8], usize) -> Printed<String>,
    /// The version that an unknown kind of record is said to be of.
    version: u8,
}

/// IGMPv3, over IPv4.
pub(super) const IGMP: Reports = Reports { size: 4, address: Printer::ipv4, version: 3 };
/// MLDv2, over IPv6.
pub(super) const MLD: Reports = Reports { size: 16, address: Printer::ipv6, version: 2 };

impl Printer {
    /// `print_igmpv3_report`, `mldv2_report_print`
    pub(super) fn group_records(&mut self, bytes: &[u8], length: usize, of: Reports) -> Printed {
        let groups = u16_at(bytes, 6)?;
        say!(self, ", {groups} group record(s)");
        if self.style.verbose == 0 {
            return Ok(());
        }
        let mut at = HEADER;
        for _ in 0..groups {
            let behind = at + RECORD + of.size;
            if length < behind {
                say!(self, " [invalid number of groups]");
                return Ok(());
            }
            let (group, kind) = ((of.address)(self, bytes, at + RECORD)?, u8_at(bytes, at)?);
            let unknown = || format!(" [v{}-report-#{kind}]", of.version);
            let kind = name(KINDS, kind.into()).map_or_else(unknown, str::to_string);
            let sources = usize::from(u16_at(bytes, at + 2)?);
            say!(self, " [gaddr {group} {kind}");
            if length < behind + sources * of.size {
                say!(self, " [invalid number of sources {sources}]");
                return Ok(());
            }
            self.sources(bytes, behind, sources, of)?;
            say!(self, "]");
            at = behind + sources * of.size;
        }
        Ok(())
    }

    /// How many senders, or with `-vv` which.
    pub(super) fn sources(&mut self, bytes: &[u8], at: usize, count: usize, of: Reports) -> Printed {
        if self.style.verbose <= 1 {
            say!(self, ", {count} source(s)");
            return Ok(());
        }
        say!(self, " {{");
        for source in 0..count {
            let address = (of.address)(self, bytes, at + source * of.size)?;
            say!(self, " {address}");
        }
        say!(self, " }}");
        Ok(())
    }
}
