//! Matches and targets that a command line loads, and their options.

use super::super::extension::{Call, Extension, MatchExtension, Seen, TargetExtension};
use super::super::getopt::LongOption;
use super::super::read::whole;
use super::super::stop::Problem;
use super::super::{address::protocol_name, matches, targets};
use super::{LONG, NAME_ROOM, Parser, Step, option};
use vethlab_engine::filter::Not;

/// A match that was loaded.
pub(super) struct Loaded {
    pub(super) extension: &'static MatchExtension,
    /// Where its options' numbers begin.
    pub(super) base: u32,
    /// Another of its name came later and takes the options.
    pub(super) completed: bool,
    pub(super) seen: Vec<Seen>,
}

/// A target that was loaded.
pub(super) struct LoadedTarget {
    pub(super) extension: &'static TargetExtension,
    pub(super) base: u32,
    pub(super) seen: Vec<Seen>,
}

impl Parser<'_> {
    /// `-h`: general words, and those of what was loaded.
    pub(super) fn help(&mut self) -> String {
        if let Some(word) = self.protocol_word.clone().filter(|_| self.matches.is_empty()) {
            // A protocol's match is told of; that there is none, is not.
            let _ = self.load_match(&word, false);
        }
        let name = &self.who.name;
        let general = include_str!("../help/general.txt");
        let (usage, rest) = general.split_once("Commands:").unwrap_or((general, ""));
        let target = self.target.as_ref().map_or("", |target| target.extension.help);
        let matches: String = self.matches.iter().map(|of| of.extension.help).collect();
        format!("{}Commands:{rest}{target}{matches}", usage.replace("iptables", name))
    }

    fn add_options<T>(&mut self, extension: &Extension<T>) -> u32 {
        let base = self.next_base;
        self.next_base += 256;
        let new = extension.options.iter().map(|option| LongOption {
            name: option.name,
            has_arg: option.takes_value.into(),
            val: base + u32::from(option.id),
        });
        // Behind iptables' own, before those of earlier extensions.
        self.long.splice(LONG.len()..LONG.len(), new.collect::<Vec<_>>());
        base
    }

    /// Loads a match. If it need not exist and does not, false.
    pub(super) fn load_match(&mut self, name: &str, must: bool) -> Result<bool, Problem> {
        if name.len() >= NAME_ROOM {
            return Err(Problem::Parameter(format!("Invalid match name \"{name}\" ({} chars max)", NAME_ROOM - 1)));
        }
        let Some(extension) = matches::find(name) else {
            if matches::is_not_simulated(name) {
                return Err(Problem::NotSimulated(format!("-m {name}")));
            }
            let text = format!("Couldn't load match `{name}':No such file or directory\n");
            return if must { Err(Problem::Parameter(text)) } else { Ok(false) };
        };
        let mut base = None;
        for known in self.matches.iter_mut().filter(|known| known.extension.name == name) {
            known.completed = true;
            base = Some(known.base);
        }
        let base = base.unwrap_or_else(|| self.add_options(extension));
        self.matches.push(Loaded { extension, base, completed: false, seen: Vec::new() });
        Ok(true)
    }

    /// Loads the target of `-j`, unless that is a chain.
    pub(super) fn load_target(&mut self) -> Result<(), Problem> {
        if targets::is_not_simulated(&self.jump) {
            return Err(Problem::NotSimulated(format!("-j {}", self.jump)));
        }
        if let Some(extension) = targets::find(&self.jump) {
            let base = self.add_options(extension);
            self.target = Some(LoadedTarget { extension, base, seen: Vec::new() });
        }
        Ok(())
    }

    /// Nobody knows the option, or it lacks its value: perhaps the protocol's match knows it. If not, it is complained of.
    pub(super) fn load_protocol(&mut self, complaint: &str) -> Result<Step, Problem> {
        if let Some(word) = self.protocol_word.clone().filter(|_| !self.protocol_used) {
            let number = whole(&word, 0, u8::MAX.into()).and_then(|number| u8::try_from(number).ok());
            let numeric = self.options & option::NUMERIC != 0;
            let name = match number {
                Some(number) => protocol_name(number, !numeric).map(str::to_string),
                None => Some(word),
            };
            if let Some(name) = name
                && self.load_match(&name, false)?
            {
                self.protocol_used = true;
                self.words.optind -= 1;
                return Ok(Step::Again);
            }
        }
        let word = self.words.last();
        Err(Problem::Parameter(match complaint {
            "unknown" => format!("unknown option \"{word}\""),
            "Unknown arg" => "Unknown arg \"(null)\"".to_string(),
            complaint => format!("option \"{word}\" {complaint}"),
        }))
    }

    /// An option of a target or a match.
    pub(super) fn extension(&mut self, val: u32, value: Option<String>, invert: bool) -> Result<Step, Problem> {
        let belongs = |base: u32| (base..base + 256).contains(&val);
        let arg = value.unwrap_or_default();
        let next = self.words.argv.get(self.words.optind).cloned();
        let word = Word { arg: &arg, next: next.as_deref(), invert, protocol: self.ip.protocol };
        let warnings = &mut self.warnings;
        let took_next = if let Some(target) = self.target.as_mut().filter(|target| belongs(target.base)) {
            read(target.extension, &mut target.seen, val - target.base, word, warnings)?
        } else if let Some(of) = self.matches.iter_mut().find(|of| !of.completed && belongs(of.base)) {
            read(of.extension, &mut of.seen, val - of.base, word, warnings)?
        } else {
            return self.load_protocol("unknown");
        };
        self.words.optind += usize::from(took_next);
        Ok(Step::Next)
    }
}

/// What is said with an extension's option.
#[derive(Clone, Copy)]
struct Word<'a> {
    arg: &'a str,
    next: Option<&'a str>,
    invert: bool,
    protocol: Option<Not<u8>>,
}

/// Reads an option and notes it; true if it has taken the next word too.
fn read<T>(
    extension: &'static Extension<T>,
    seen: &mut Vec<Seen>,
    id: u32,
    word: Word<'_>,
    warnings: &mut String,
) -> Result<bool, Problem> {
    let id = u8::try_from(id).unwrap_or(0);
    let Some(option) = extension.option(id) else { return Ok(false) };
    let Word { arg, next, invert, protocol } = word;
    let (extension_name, name) = (extension.name, option.name);
    let mut call =
        Call { extension: extension_name, name, arg, next, took_next: false, invert, protocol, seen, warnings };
    let value = extension.read(option, &mut call)?;
    let took_next = call.took_next;
    seen.push(Seen { id, invert, value });
    Ok(took_next)
}
