//! Matches and targets as libxtables sees them: a name, options, what they mean together, and how they are printed
//! (`libxtables/xtoptions.c`).

use super::stop::Problem;
use vethlab_engine::addr::{Ipv4Addr, Mac};
use vethlab_engine::filter::{Match, NatRange, Not, Target};

/// An option while it is read.
pub(super) struct Call<'a> {
    /// The extension's name.
    pub(super) extension: &'static str,
    /// The option's first name.
    pub(super) name: &'static str,
    /// Its value; empty if it takes none.
    pub(super) arg: &'a str,
    /// The word after it, and whether it was taken too.
    pub(super) next: Option<&'a str>,
    pub(super) took_next: bool,
    pub(super) invert: bool,
    /// `-p`, as far as it was read before.
    pub(super) protocol: Option<Not<u8>>,
    /// What was read of this extension before.
    pub(super) seen: &'a [Seen],
    /// Warnings for standard error.
    pub(super) warnings: &'a mut String,
}

/// What an option's value means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Nothing,
    Number(u64),
    /// The first and the last.
    Range(u32, u32),
    /// A value and a mask.
    Masked(u32, u32),
    Text(String),
    Network(Ipv4Addr, Ipv4Addr),
    Ports(Vec<(u16, u16)>),
    Mac(Mac),
    Nat(Box<NatRange>),
}

/// An option that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) id: u8,
    pub(super) invert: bool,
    pub(super) value: Value,
}

/// How an option's value is read.
pub(super) type Reader = fn(&mut Call<'_>) -> Result<Value, Problem>;

/// An option of an extension.
#[derive(Clone, Copy)]
pub(super) struct Opt {
    pub(super) name: &'static str,
    /// The same for the names of one option, below 32.
    pub(super) id: u8,
    /// A value follows it.
    pub(super) takes_value: bool,
    /// What is made of it.
    pub(super) read: Reader,
    pub(super) invertible: bool,
    pub(super) mandatory: bool,
    /// Bits of options that may not stand beside it.
    pub(super) excludes: u32,
    /// Bits of options that must.
    pub(super) also: u32,
}

impl Opt {
    /// One with a value.
    pub(super) const fn new(name: &'static str, id: u8, read: Reader) -> Opt {
        Opt { name, id, takes_value: true, read, invertible: false, mandatory: false, excludes: 0, also: 0 }
    }

    /// One without a value.
    pub(super) const fn bare(name: &'static str, id: u8) -> Opt {
        Opt {
            name,
            id,
            takes_value: false,
            read: |_| Ok(Value::Nothing),
            invertible: false,
            mandatory: false,
            excludes: 0,
            also: 0,
        }
    }

    /// With something to do for one without a value.
    pub(super) const fn reads(self, read: Reader) -> Opt {
        Opt { read, ..self }
    }

    pub(super) const fn invertible(self) -> Opt {
        Opt { invertible: true, ..self }
    }

    pub(super) const fn mandatory(self) -> Opt {
        Opt { mandatory: true, ..self }
    }

    pub(super) const fn excludes(self, excludes: u32) -> Opt {
        Opt { excludes, ..self }
    }

    pub(super) const fn also(self, also: u32) -> Opt {
        Opt { also, ..self }
    }
}

/// A match or a target.
pub(super) struct Extension<T: 'static> {
    pub(super) name: &'static str,
    pub(super) options: &'static [Opt],
    /// Options look after repetition and `!` themselves (the older interface, `tcp`).
    pub(super) old: bool,
    /// Its own complaint of what was read, before that of missing and colliding options.
    pub(super) check: fn(&[Seen]) -> Result<(), Problem>,
    pub(super) build: fn(&[Seen]) -> T,
    /// What `-h` adds for it.
    pub(super) help: &'static str,
}

/// A match.
pub(super) type MatchExtension = Extension<Match>;
/// A target.
pub(super) type TargetExtension = Extension<Target>;

/// How a rule is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `-L`, with `-n` or without.
    List { numeric: bool },
    /// `-S`, `iptables-save`.
    Save,
}

impl<T> Extension<T> {
    /// The option's first name: complaints use it, whichever name was said.
    pub(super) fn option(&self, id: u8) -> Option<&'static Opt> {
        self.options.iter().find(|option| option.id == id)
    }

    /// Reads an option (`xtables_option_parse`).
    pub(super) fn read(&self, option: &Opt, call: &mut Call<'_>) -> Result<Value, Problem> {
        if !self.old {
            if call.seen.iter().any(|seen| seen.id == option.id) {
                let text = format!("{}: option \"--{}\" can only be used once.\n", self.name, call.name);
                return Err(Problem::Parameter(text));
            }
            if call.invert && !option.invertible {
                let text = format!("{}: option \"--{}\" cannot be inverted.\n", self.name, call.name);
                return Err(Problem::Parameter(text));
            }
        }
        (option.read)(call)
    }

    /// All that was read, taken together (`xtables_options_fcheck`).
    pub(super) fn finish(&self, seen: &[Seen]) -> Result<T, Problem> {
        (self.check)(seen)?;
        let flags = seen.iter().fold(0u32, |flags, seen| flags | 1 << seen.id);
        for entry in self.options {
            let said = flags & 1 << entry.id != 0;
            if entry.mandatory && !said {
                let text = format!("{}: option \"--{}\" must be specified\n", self.name, entry.name);
                return Err(Problem::Parameter(text));
            }
            if !said {
                continue;
            }
            for other in (0..32).filter(|id| *id != entry.id).filter_map(|id| self.option(id)) {
                self.pair(flags, entry, other)?;
            }
        }
        Ok((self.build)(seen))
    }

    fn pair(&self, flags: u32, entry: &Opt, other: &Opt) -> Result<(), Problem> {
        let bit = 1 << other.id;
        let names =
            |middle: &str| format!("{}: option \"--{}\" {middle} \"--{}\".\n", self.name, entry.name, other.name);
        if entry.also & bit != 0 && flags & bit == 0 {
            return Err(Problem::Parameter(names("also requires")));
        }
        if entry.excludes & bit != 0 && flags & bit != 0 {
            return Err(Problem::Parameter(names("cannot be used together with")));
        }
        Ok(())
    }
}

/// Nothing to complain of.
pub(super) fn fine(_: &[Seen]) -> Result<(), Problem> {
    Ok(())
}

/// What was read of an option.
pub(super) fn of(seen: &[Seen], id: u8) -> Option<&Seen> {
    seen.iter().rev().find(|seen| seen.id == id)
}

impl Seen {
    /// The value as it is to be found in a rule, with its `!`.
    pub(super) fn not<T>(&self, of: T) -> Not<T> {
        Not { not: self.invert, of }
    }

    /// The number; 0 of other values.
    pub(super) fn number(&self) -> u64 {
        match self.value {
            Value::Number(number) => number,
            _ => 0,
        }
    }

    /// A number that its reader has found to be small.
    pub(super) fn byte(&self) -> u8 {
        u8::try_from(self.number()).unwrap_or(u8::MAX)
    }

    /// The same.
    pub(super) fn word(&self) -> u32 {
        u32::try_from(self.number()).unwrap_or(u32::MAX)
    }

    pub(super) fn text(&self) -> &str {
        match &self.value {
            Value::Text(text) => text,
            _ => "",
        }
    }

    pub(super) fn masked(&self) -> (u32, u32) {
        match self.value {
            Value::Masked(value, mask) => (value, mask),
            _ => (0, 0),
        }
    }

    pub(super) fn range(&self) -> (u32, u32) {
        match self.value {
            Value::Range(first, last) => (first, last),
            _ => (0, 0),
        }
    }

    pub(super) fn network(&self) -> (Ipv4Addr, Ipv4Addr) {
        match self.value {
            Value::Network(address, mask) => (address, mask),
            _ => (Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED),
        }
    }

    pub(super) fn ports(&self) -> &[(u16, u16)] {
        match &self.value {
            Value::Ports(ports) => ports,
            _ => &[],
        }
    }

    /// The first of its ports, as a range.
    pub(super) fn port_range(&self) -> std::ops::RangeInclusive<u16> {
        self.ports().first().map_or(0..=0, |(first, last)| *first..=*last)
    }
}
