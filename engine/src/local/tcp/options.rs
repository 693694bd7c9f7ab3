//! TCP options as Linux writes them: which, in what order, and how padded (`tcp_options_write`).

/// Option numbers.
const END: u8 = 0;
const NOP: u8 = 1;
const MSS: u8 = 2;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
const TIMESTAMP: u8 = 8;

/// Most blocks that a SACK option tells of.
const BLOCKS: usize = 4;

/// The options of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// The largest segment that the sender takes.
    pub(crate) mss: Option<u16>,
    /// By how many bits its windows are to be shifted.
    pub(crate) window_scale: Option<u8>,
    /// It understands selective acknowledgements.
    pub(crate) sack_permitted: bool,
    /// Its clock, and what it last heard of the other's.
    pub(crate) timestamp: Option<(u32, u32)>,
    /// What it has beyond the acknowledgement number.
    pub(crate) sack: [Option<(u32, u32)>; BLOCKS],
}

impl Options {
    /// Reads them; what is malformed ends them.
    pub(crate) fn parse(mut bytes: &[u8]) -> Options {
        let mut options = Options::default();
        while let Some((&kind, rest)) = bytes.split_first() {
            if kind == NOP {
                bytes = rest;
                continue;
            }
            let Some(&length) = rest.first().filter(|_| kind != END) else { break };
            let Some(option) = bytes.get(2..usize::from(length)) else { break };
            options.take(kind, option);
            bytes = bytes.get(usize::from(length)..).unwrap_or(&[]);
        }
        options
    }

    fn take(&mut self, kind: u8, option: &[u8]) {
        match (kind, option) {
            (MSS, &[a, b]) => self.mss = Some(u16::from_be_bytes([a, b])),
            (WINDOW_SCALE, &[shift]) => self.window_scale = Some(shift.min(14)),
            (SACK_PERMITTED, []) => self.sack_permitted = true,
            (TIMESTAMP, &[a, b, c, d, e, f, g, h]) => {
                self.timestamp = Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])));
            }
            (SACK, blocks) => {
                for (place, block) in self.sack.iter_mut().zip(blocks.chunks_exact(8)) {
                    if let &[a, b, c, d, e, f, g, h] = block {
                        *place = Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])));
                    }
                }
            }
            _ => {}
        }
    }

    /// Their bytes, a multiple of four.
    pub(crate) fn emit(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(40);
        if let Some(mss) = self.mss {
            bytes.extend([MSS, 4]);
            bytes.extend(mss.to_be_bytes());
        }
        if let Some((value, echo)) = self.timestamp {
            bytes.extend(if self.sack_permitted { [SACK_PERMITTED, 2] } else { [NOP, NOP] });
            bytes.extend([TIMESTAMP, 10]);
            bytes.extend(value.to_be_bytes());
            bytes.extend(echo.to_be_bytes());
        } else if self.sack_permitted {
            bytes.extend([NOP, NOP, SACK_PERMITTED, 2]);
        }
        if let Some(shift) = self.window_scale {
            bytes.extend([NOP, WINDOW_SCALE, 3, shift]);
        }
        let room = (40 - bytes.len()).saturating_sub(4) / 8;
        let blocks = self.sack.iter().flatten().take(room);
        let count = blocks.clone().count();
        if count > 0 {
            bytes.extend([NOP, NOP, SACK, 2 + 8 * count as u8]);
            for (start, end) in blocks {
                bytes.extend(start.to_be_bytes());
                bytes.extend(end.to_be_bytes());
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As seen on the wire: `mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 10`, `nop,nop,TS val 1 ecr 2`, and so on.
    #[test]
    fn options_stand_as_linux_writes_them() {
        let syn = Options {
            mss: Some(1460),
            window_scale: Some(10),
            sack_permitted: true,
            timestamp: Some((1, 0)),
            ..Options::default()
        };
        let bytes = syn.emit();
        assert_eq!(bytes, [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 10]);
        assert_eq!(Options::parse(&bytes), syn);
        let mut ack = Options { timestamp: Some((1, 2)), ..Options::default() };
        assert_eq!(ack.emit(), [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]);
        ack.sack[0] = Some((5, 9));
        assert_eq!(ack.emit()[12..], [1, 1, 5, 10, 0, 0, 0, 5, 0, 0, 0, 9]);
        assert_eq!(Options::parse(&ack.emit()), ack);
        let plain = Options { mss: Some(536), sack_permitted: true, ..Options::default() };
        assert_eq!(plain.emit(), [2, 4, 2, 24, 1, 1, 4, 2]);
    }

    #[test]
    fn what_is_malformed_ends_them() {
        assert_eq!(Options::parse(&[2, 4, 5]), Options::default());
        assert_eq!(Options::parse(&[2, 0, 5, 180]), Options::default());
        assert_eq!(Options::parse(&[8, 10, 0, 0]), Options::default());
        assert_eq!(Options::parse(&[0, 2, 4, 5, 180]), Options::default());
        assert_eq!(Options::parse(&[99, 3, 1, 4, 2]), Options { sack_permitted: true, ..Options::default() });
    }
}
