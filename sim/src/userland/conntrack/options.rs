//! The command line of `conntrack`: which words there are, and which of them go together.

mod check;
mod table;
mod value;

use self::table::{LONG, Long};
use self::value::{address, each, family, mark, mask, named, nat, number, protocol, table};
use super::select::{Id, Select};
use crate::userland::getopt::Takes;
use std::net::Ipv4Addr;

/// Why it ends, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The command line is wrong: status 2, and where to read how it should be.
    Usage(String),
    /// It cannot be done: status 1.
    Failed(String),
    /// What is not simulated: status 1.
    Refused(String),
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    List,
    Get,
    Delete,
    Flush,
    Count,
    Statistics,
    Help,
    Version,
}

/// Which table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Table {
    #[default]
    Conntrack,
    Expect,
    Dying,
    Unconfirmed,
}

/// `-o`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) xml: bool,
    pub(super) extended: bool,
    pub(super) id: bool,
    pub(super) ktimestamp: bool,
    pub(super) save: bool,
}

/// A command line that was understood.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    pub(super) command: Option<Command>,
    pub(super) table: Table,
    pub(super) output: Output,
    pub(super) select: Select,
    /// `-z`
    pub(super) zero: bool,
    /// `-f ipv6`
    pub(super) ipv6: bool,
    /// Lines on standard error before anything else.
    pub(super) warnings: String,
    given: Vec<char>,
    mask_source: Option<Ipv4Addr>,
    mask_destination: Option<Ipv4Addr>,
}

/// `exit_error`
pub(super) const NAME: &str = "conntrack v1.4.7 (conntrack-tools)";

fn usage(text: impl Into<String>) -> Stop {
    Stop::Usage(text.into())
}

/// Takes the words apart.
pub(super) fn read(argv: &[String]) -> Result<Words, Stop> {
    let mut reader = Reader { argv, at: 1, words: Words::default(), long: LONG.to_vec() };
    while let Some(word) = argv.get(reader.at) {
        reader.at += 1;
        if word == "--" {
            break;
        } else if let Some(name) = word.strip_prefix("--") {
            reader.long_option(word, name)?;
        } else if word.len() > 1 && word.starts_with('-') {
            reader.letters(word)?;
        }
    }
    reader.words.check()?;
    Ok(reader.words)
}

struct Reader<'a> {
    argv: &'a [String],
    at: usize,
    words: Words,
    long: Vec<Long>,
}

impl Reader<'_> {
    fn letters(&mut self, word: &str) -> Result<(), Stop> {
        let letters = word.get(1..).unwrap_or_default();
        for (place, letter) in letters.char_indices() {
            let rest = letters.get(place + letter.len_utf8()..).unwrap_or_default();
            // The letters that stand for long options only are accepted as well, as getopt has no other way to name them.
            let known = LONG.iter().find(|option| option.2 == letter);
            match known.map(|option| option.1) {
                None if rest.is_empty() => return Err(usage(format!("unknown option `{word}'"))),
                None => {
                    let before = self.at.checked_sub(2).and_then(|at| self.argv.get(at));
                    return Err(usage(format!("unknown option `{}'", before.map_or("conntrack", String::as_str))));
                }
                Some(Takes::Nothing) => self.option(letter, None)?,
                Some(Takes::MaybeValue) if rest.is_empty() => self.option(letter, None)?,
                // What stands in the same word is not looked at.
                Some(Takes::MaybeValue) => return self.found(letter, None),
                Some(Takes::Value) if !rest.is_empty() => return self.option(letter, Some(rest)),
                Some(Takes::Value) => return self.with_next(letter, word),
            }
        }
        Ok(())
    }

    fn long_option(&mut self, word: &str, written: &str) -> Result<(), Stop> {
        let (name, value) = written.split_once('=').map_or((written, None), |(name, value)| (name, Some(value)));
        let unknown = || usage(format!("unknown option `{word}'"));
        let exact = self.long.iter().find(|option| option.0 == name).copied();
        let like: Vec<Long> = self.long.iter().filter(|option| option.0.starts_with(name)).copied().collect();
        let same = |first: &Long| like.iter().all(|other| (other.1, other.2) == (first.1, first.2));
        let only = like.first().copied().filter(same);
        let (_, takes, letter) = exact.or(only).ok_or_else(unknown)?;
        match (takes, value) {
            (Takes::Nothing, Some(_)) => Err(unknown()),
            (Takes::Value, None) => self.with_next(letter, word),
            (Takes::MaybeValue, Some(_)) => self.found(letter, None),
            (_, value) => self.option(letter, value),
        }
    }

    fn with_next(&mut self, letter: char, word: &str) -> Result<(), Stop> {
        let value = self.argv.get(self.at).cloned();
        let value = value.ok_or_else(|| usage(format!("option `{word}' requires an argument")))?;
        self.at += 1;
        self.option(letter, Some(&value))
    }

    /// An option; those whose value may stand in the next word look there.
    fn option(&mut self, letter: char, value: Option<&str>) -> Result<(), Stop> {
        let maybe = LONG.iter().any(|option| option.2 == letter && option.1 == Takes::MaybeValue);
        let next = self.argv.get(self.at).filter(|next| maybe && !next.starts_with(['-', '!'])).cloned();
        self.at += usize::from(next.is_some());
        self.found(letter, value.or(next.as_deref()))
    }

    fn found(&mut self, letter: char, value: Option<&str>) -> Result<(), Stop> {
        let command = match letter {
            'L' => Command::List,
            'G' => Command::Get,
            'D' => Command::Delete,
            'F' => Command::Flush,
            'C' => Command::Count,
            'S' => Command::Statistics,
            'h' => Command::Help,
            'V' => Command::Version,
            'I' | 'A' | 'U' | 'E' | 'R' => {
                let text = format!("vethlab: conntrack -{letter} is not simulated\n");
                return Err(Stop::Refused(text));
            }
            letter => return self.value(letter, value.unwrap_or_default()),
        };
        if self.words.command.is_some() {
            return Err(usage("Invalid commands combination"));
        }
        self.words.command = Some(command);
        self.words.table = table(value)?;
        Ok(())
    }

    fn value(&mut self, letter: char, value: &str) -> Result<(), Stop> {
        let words = &mut self.words;
        let select = &mut words.select;
        match letter {
            's' => (select.source, words.ipv6) = address(value, words.ipv6, Some("src"))?,
            'd' => (select.destination, words.ipv6) = address(value, words.ipv6, Some("dst"))?,
            'r' => (select.reply_source, words.ipv6) = address(value, words.ipv6, None).map_err(named("reply-src"))?,
            'q' => {
                (select.reply_destination, words.ipv6) = address(value, words.ipv6, None).map_err(named("reply-dst"))?
            }
            'n' => select.source_nat = Some(nat(value, "src-nat")?),
            'g' => select.destination_nat = Some(nat(value, "dst-nat")?),
            'j' => {
                select.any_nat = true;
                let nat = nat(value, "any-nat")?;
                (select.source_nat, select.destination_nat) = (Some(nat), Some(nat));
            }
            'p' => {
                let (number, adds) = protocol(value)?;
                select.protocol = Some(number);
                adds.iter().for_each(|added| self.long.extend_from_slice(added));
            }
            'f' => words.ipv6 = family(value, words.ipv6, select)?,
            'u' => self.words.status(value)?,
            'o' => self.words.output(value)?,
            'e' => each(value, &["ALL", "NEW", "UPDATES", "DESTROY"]).map(drop)?,
            'm' => select.mark = Some(mark(value)),
            'i' => select.id = Some(Id(number(value) as u32)),
            'w' | '(' | ')' => select.other_zone |= number(value) as u16 != 0,
            '{' => words.mask_source = Some(mask(value)?),
            '}' => words.mask_destination = Some(mask(value)?),
            'z' => words.zero = true,
            'a' => {
                words.warnings.push_str("WARNING: ignoring -a, deprecated option.\n");
                return Ok(());
            }
            'l' | '<' | '>' => return Err(no_labels(value)),
            '1'..='9' | 'X'..='Z' => select.ports(letter, value)?,
            _ => {}
        }
        self.words.given.push(letter);
        Ok(())
    }
}

impl Words {
    fn status(&mut self, value: &str) -> Result<(), Stop> {
        let mut status = 0;
        for word in value.split(',') {
            let nat = [("SRC_NAT", "src-nat"), ("DST_NAT", "dst-nat")];
            if let Some((name, option)) = nat.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) {
                self.warnings.push_str(&format!("WARNING: ignoring {name}, use --{option} instead\n"));
                continue;
            }
            let names = ["ASSURED", "SEEN_REPLY", "UNSET", "FIXED_TIMEOUT", "EXPECTED", "OFFLOAD", "HW_OFFLOAD"];
            let bits = [4, 2, 0, 1 << 10, 1, 1 << 14, 1 << 15];
            let [which] = each(word, &names)?[..] else { continue };
            status |= bits.get(which).copied().unwrap_or(0);
        }
        self.select.status = Some(status);
        Ok(())
    }

    fn output(&mut self, value: &str) -> Result<(), Stop> {
        let names = ["xml", "extended", "timestamp", "id", "ktimestamp", "labels", "userspace", "save"];
        let chosen = each(value, &names).map_err(|_| usage(format!("Bad parameter `{value}'")))?;
        for which in &chosen {
            match which {
                0 => self.output.xml = true,
                1 => self.output.extended = true,
                3 => self.output.id = true,
                4 => self.output.ktimestamp = true,
                5 => self.warnings.push_str(LABELS),
                7 => self.output.save = true,
                _ => {}
            }
        }
        let text = "cannot combine save output with any other output type, use -o save only";
        if self.output.save && chosen.len() > 1 { Err(Stop::Failed(text.into())) } else { Ok(()) }
    }
}

const LABELS: &str = "nfct_labelmap_new: No such file or directory\n";

/// The machine has no file of labels.
fn no_labels(value: &str) -> Stop {
    let name = value.split(',').next().unwrap_or_default();
    Stop::Refused(format!(
        "{LABELS}{NAME}: unknown label '{name}'\nTry `conntrack -h' or 'conntrack --help' for more information.\n"
    ))
}
