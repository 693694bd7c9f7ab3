//! `-j MARK`

use super::super::extension::{Opt, Seen, Style, TargetExtension};
use super::super::read;
use super::super::stop::Problem;
use vethlab_engine::filter::Target;

pub(super) const SET_MARK: u8 = 0;
pub(super) const AND_MARK: u8 = 1;
pub(super) const OR_MARK: u8 = 2;
pub(super) const XOR_MARK: u8 = 3;
pub(super) const SET_XMARK: u8 = 4;
const ANY: u32 = 0b11111;

pub(super) const MARK: TargetExtension = TargetExtension {
    name: "MARK",
    options: &[
        Opt::new("set-xmark", SET_XMARK, read::mark).excludes(ANY),
        Opt::new("set-mark", SET_MARK, read::mark).excludes(ANY),
        Opt::new("and-mark", AND_MARK, read::uint32).excludes(ANY),
        Opt::new("or-mark", OR_MARK, read::uint32).excludes(ANY),
        Opt::new("xor-mark", XOR_MARK, read::uint32).excludes(ANY),
    ],
    old: false,
    check: |seen| {
        if seen.is_empty() {
            let text = "MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required";
            Err(Problem::parameter(text))
        } else {
            Ok(())
        }
    },
    build: |seen| {
        let (value, mask) = seen.last().map_or((0, 0), of_option);
        Target::Mark { value, mask }
    },
    help: include_str!("../help/target_MARK.txt"),
};

/// Which bits an option clears, and which it flips then: value and mask.
pub(super) fn of_option(seen: &Seen) -> (u32, u32) {
    let (value, mask) = seen.masked();
    let number = seen.word();
    match seen.id {
        SET_XMARK => (value, mask),
        SET_MARK => (value, value | mask),
        AND_MARK => (0, !number),
        OR_MARK => (number, number),
        _ => (number, 0),
    }
}

pub(super) fn shown(value: u32, mask: u32, name: &str, style: Style) -> String {
    match (value, mask) {
        _ if style == Style::Save => format!(" --set-xmark 0x{value:x}/0x{mask:x}"),
        (0, mask) => format!(" {name} and 0x{:x}", !mask),
        (value, mask) if value == mask => format!(" {name} or 0x{value:x}"),
        (value, 0) => format!(" {name} xor 0x{value:x}"),
        (value, u32::MAX) => format!(" {name} set 0x{value:x}"),
        (value, mask) => format!(" {name} xset 0x{value:x}/0x{mask:x}"),
    }
}
