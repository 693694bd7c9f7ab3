//! `-j CONNMARK`

use super::super::extension::{Opt, Style, TargetExtension, of};
use super::super::read;
use super::super::stop::Problem;
use super::mark::{self, AND_MARK, OR_MARK, SET_MARK, SET_XMARK, XOR_MARK};
use vethlab_engine::filter::{ConnMark, Target};

const SAVE: u8 = 5;
const RESTORE: u8 = 6;
const LEFT_SHIFT: u8 = 7;
const RIGHT_SHIFT: u8 = 8;
const CT_MASK: u8 = 9;
const NF_MASK: u8 = 10;
const MASK: u8 = 11;
/// Those of which there is one.
const OPERATIONS: u32 = 0b111_1111;

pub(super) const CONNMARK: TargetExtension = TargetExtension {
    name: "CONNMARK",
    options: &[
        Opt::new("set-xmark", SET_XMARK, read::mark).excludes(OPERATIONS),
        Opt::new("set-mark", SET_MARK, read::mark).excludes(OPERATIONS),
        Opt::new("and-mark", AND_MARK, read::uint32).excludes(OPERATIONS),
        Opt::new("or-mark", OR_MARK, read::uint32).excludes(OPERATIONS),
        Opt::new("xor-mark", XOR_MARK, read::uint32).excludes(OPERATIONS),
        Opt::bare("save-mark", SAVE).excludes(OPERATIONS),
        Opt::bare("restore-mark", RESTORE).excludes(OPERATIONS),
        Opt::new("left-shift-mark", LEFT_SHIFT, |_| Err(Problem::NotSimulated("-j CONNMARK --left-shift-mark".into()))),
        Opt::new("right-shift-mark", RIGHT_SHIFT, |_| {
            Err(Problem::NotSimulated("-j CONNMARK --right-shift-mark".into()))
        }),
        Opt::new("ctmask", CT_MASK, read::uint32).excludes(1 << MASK),
        Opt::new("nfmask", NF_MASK, read::uint32).excludes(1 << MASK),
        Opt::new("mask", MASK, read::uint32).excludes(1 << CT_MASK | 1 << NF_MASK),
    ],
    old: false,
    check: |seen| {
        if seen.iter().any(|seen| 1 << seen.id & OPERATIONS != 0) {
            Ok(())
        } else {
            Err(Problem::parameter("CONNMARK target: No operation specified"))
        }
    },
    build: |seen| {
        let mask = |id| of(seen, id).or(of(seen, MASK)).map_or(u32::MAX, |seen| seen.word());
        let (packet, connection) = (mask(NF_MASK), mask(CT_MASK));
        let operation = seen.iter().find(|seen| 1 << seen.id & OPERATIONS != 0);
        Target::ConnMark(match operation.map_or(SAVE, |seen| seen.id) {
            SAVE => ConnMark::Save { packet, connection },
            RESTORE => ConnMark::Restore { packet, connection },
            _ => {
                let (value, mask) = operation.map_or((0, 0), mark::of_option);
                ConnMark::Set { value, mask }
            }
        })
    },
    help: include_str!("../help/target_CONNMARK.txt"),
};

pub(super) fn shown(of: ConnMark, style: Style) -> String {
    let (name, packet, connection) = match of {
        ConnMark::Set { value, mask } => return mark::shown(value, mask, "CONNMARK", style),
        ConnMark::Save { packet, connection } => ("save", packet, connection),
        ConnMark::Restore { packet, connection } => ("restore", packet, connection),
    };
    if style == Style::Save {
        return format!(" --{name}-mark --nfmask 0x{packet:x} --ctmask 0x{connection:x}");
    }
    match (packet, connection) {
        (u32::MAX, u32::MAX) => format!(" CONNMARK {name}"),
        (packet, connection) if packet == connection => format!(" CONNMARK {name} mask 0x{packet:x}"),
        _ if name == "save" => format!(" CONNMARK save nfmask 0x{packet:x} ctmask ~0x{connection:x}"),
        _ => format!(" CONNMARK restore ctmask 0x{connection:x} nfmask ~0x{packet:x}"),
    }
}
