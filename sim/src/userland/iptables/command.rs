//! A command line: `do_parse` of `xshared.c`.

mod finish;
mod load;

use self::load::{Loaded, LoadedTarget};

use super::Identity;
use super::address::{interface, protocol};
use super::getopt::{EXTENSION, Found, Getopt, LongOption};
use super::list::Format;
use super::read::whole;
use super::stop::Problem;
use super::targets;
use crate::userland::number::{strtol, strtoul};
use vethlab_engine::addr::Ipv4Addr;
use vethlab_engine::filter::{IpMatch, Not, Rule, RuleCounters};

/// What is asked for, as bits: some go together.
pub(super) mod ask {
    pub(in super::super) const INSERT: u16 = 1;
    pub(in super::super) const DELETE: u16 = 1 << 1;
    pub(in super::super) const DELETE_NUMBER: u16 = 1 << 2;
    pub(in super::super) const REPLACE: u16 = 1 << 3;
    pub(in super::super) const APPEND: u16 = 1 << 4;
    pub(in super::super) const LIST: u16 = 1 << 5;
    pub(in super::super) const FLUSH: u16 = 1 << 6;
    pub(in super::super) const ZERO: u16 = 1 << 7;
    pub(in super::super) const NEW_CHAIN: u16 = 1 << 8;
    pub(in super::super) const DELETE_CHAIN: u16 = 1 << 9;
    pub(in super::super) const POLICY: u16 = 1 << 10;
    pub(in super::super) const RENAME: u16 = 1 << 11;
    pub(in super::super) const LIST_RULES: u16 = 1 << 12;
    pub(in super::super) const ZERO_NUMBER: u16 = 1 << 13;
    pub(in super::super) const CHECK: u16 = 1 << 14;
    /// Letters by bit.
    pub(super) const LETTERS: &str = "IDDRALFZNXPESZC";
    /// All that take a rule.
    pub(super) const OF_RULES: u16 = INSERT | DELETE | REPLACE | APPEND | CHECK;
}

/// Options by bit, with the letters of complaints.
mod option {
    pub(super) const NUMERIC: u16 = 1;
    pub(super) const SOURCE: u16 = 1 << 1;
    pub(super) const DESTINATION: u16 = 1 << 2;
    pub(super) const PROTOCOL: u16 = 1 << 3;
    pub(super) const JUMP: u16 = 1 << 4;
    pub(super) const VERBOSE: u16 = 1 << 5;
    pub(super) const EXACT: u16 = 1 << 6;
    pub(super) const IN: u16 = 1 << 7;
    pub(super) const OUT: u16 = 1 << 8;
    pub(super) const LINE_NUMBERS: u16 = 1 << 9;
    pub(super) const COUNTERS: u16 = 1 << 10;
    pub(super) const FRAGMENT: u16 = 1 << 11;
    pub(super) const LETTERS: &str = "nsdpjvxio0cf";
    /// Those that may follow a `!`.
    pub(super) const INVERTIBLE: u16 = SOURCE | DESTINATION | PROTOCOL | IN | OUT | FRAGMENT;
    /// Those that are illegal with each command, by its bit.
    pub(super) const ILLEGAL: [u16; 15] = {
        const RULE: u16 = NUMERIC | EXACT | LINE_NUMBERS;
        const ALL: u16 = 0xfff & !VERBOSE;
        [
            RULE,
            RULE | COUNTERS,
            ALL,
            RULE,
            RULE,
            ALL & !(NUMERIC | EXACT | LINE_NUMBERS),
            ALL,
            ALL,
            ALL,
            ALL,
            ALL & !COUNTERS,
            ALL,
            ALL,
            ALL,
            RULE | COUNTERS,
        ]
    };
}

/// A command that was understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Command {
    /// Bits of [`ask`]; 0: a line to be passed over (`-6` in a file).
    pub(super) ask: u16,
    pub(super) table: String,
    pub(super) chain: Option<String>,
    /// From 1; 0: none.
    pub(super) number: usize,
    /// The new name, or the policy.
    pub(super) second: String,
    /// As many as there are pairs of addresses.
    pub(super) rules: Vec<Rule>,
    pub(super) format: Format,
    /// How often `-v` was said.
    pub(super) verbose: usize,
}

impl Command {
    /// With `-vv` the tool would print what it sends to the kernel, and the rules that it reads there.
    pub(super) fn prints_bytecode(&self) -> bool {
        self.verbose > 1
    }
}

const SHORT: &str = "A:C:D:E:F::I:L::M:N:P:VX::Z::c:d:i:j:o:p:s:t:R:S::W::46bfg:h::m:nvw::x";

const LONG: &[(&str, u8, char)] = &[
    ("append", 1, 'A'),
    ("delete", 1, 'D'),
    ("check", 1, 'C'),
    ("insert", 1, 'I'),
    ("replace", 1, 'R'),
    ("list", 2, 'L'),
    ("list-rules", 2, 'S'),
    ("flush", 2, 'F'),
    ("zero", 2, 'Z'),
    ("new-chain", 1, 'N'),
    ("delete-chain", 2, 'X'),
    ("rename-chain", 1, 'E'),
    ("policy", 1, 'P'),
    ("source", 1, 's'),
    ("destination", 1, 'd'),
    ("src", 1, 's'),
    ("dst", 1, 'd'),
    ("protocol", 1, 'p'),
    ("in-interface", 1, 'i'),
    ("jump", 1, 'j'),
    ("table", 1, 't'),
    ("match", 1, 'm'),
    ("numeric", 0, 'n'),
    ("out-interface", 1, 'o'),
    ("verbose", 0, 'v'),
    ("wait", 2, 'w'),
    ("wait-interval", 2, 'W'),
    ("exact", 0, 'x'),
    ("fragments", 0, 'f'),
    ("version", 0, 'V'),
    ("help", 2, 'h'),
    ("line-numbers", 0, '0'),
    ("modprobe", 1, 'M'),
    ("set-counters", 1, 'c'),
    ("goto", 1, 'g'),
    ("ipv4", 0, '4'),
    ("ipv6", 0, '6'),
];

/// Names of chains, matches and targets are shorter than this.
const NAME_ROOM: usize = 29;

/// An address and its mask.
type Network = Not<(Ipv4Addr, Ipv4Addr)>;

/// Reads one command line.
pub(super) struct Parser<'a> {
    who: &'a Identity,
    restore: bool,
    words: Getopt,
    long: Vec<LongOption>,
    next_base: u32,
    ask: u16,
    options: u16,
    inverted: u16,
    table: Option<String>,
    chain: Option<String>,
    number: usize,
    second: Option<String>,
    protocol_word: Option<String>,
    protocol_used: bool,
    ip: IpMatch,
    sources: Option<String>,
    destinations: Option<String>,
    goto: bool,
    jump: String,
    target: Option<LoadedTarget>,
    matches: Vec<Loaded>,
    counters: RuleCounters,
    verbose: usize,
    /// Some after `-w`.
    wait: Option<i64>,
    wait_interval: bool,
    /// For standard error, whatever comes of it.
    pub(super) warnings: String,
}

/// What to do after an option.
enum Step {
    Next,
    /// The same word again: a protocol's match has been loaded for it.
    Again,
    /// The line is not for us.
    Skip,
}

impl<'a> Parser<'a> {
    /// `argv` begins with the program's name; in `restore` a table is said first, and `-t` may not be said again.
    pub(super) fn new(who: &'a Identity, argv: Vec<String>, restore: bool) -> Parser<'a> {
        let long =
            LONG.iter().map(|(name, has_arg, letter)| LongOption { name, has_arg: *has_arg, val: *letter as u32 });
        Parser {
            who,
            restore,
            words: Getopt::new(argv, SHORT),
            long: long.collect(),
            next_base: EXTENSION,
            ask: 0,
            options: 0,
            inverted: 0,
            table: None,
            chain: None,
            number: 0,
            second: None,
            protocol_word: None,
            protocol_used: false,
            ip: IpMatch::default(),
            sources: None,
            destinations: None,
            goto: false,
            jump: String::new(),
            target: None,
            matches: Vec::new(),
            counters: RuleCounters::default(),
            verbose: 0,
            wait: None,
            wait_interval: false,
            warnings: String::new(),
        }
    }

    /// The whole line.
    pub(super) fn parse(&mut self) -> Result<Command, Problem> {
        let mut invert = false;
        loop {
            let step = match self.words.next(&self.long) {
                Found::End => break,
                Found::Word(word) if word == "!" => {
                    if invert {
                        return Err(Problem::parameter("multiple consecutive ! not allowed"));
                    }
                    invert = true;
                    continue;
                }
                Found::Word(word) => return Err(Problem::TryHelp(format!("Bad argument `{word}'\n"))),
                Found::Missing => self.load_protocol("requires an argument")?,
                Found::Unknown => self.load_protocol("unknown")?,
                Found::Option(val, value) if val >= EXTENSION => self.extension(val, value, invert)?,
                Found::Option(val, value) => {
                    let letter = char::from_u32(val).unwrap_or('?');
                    match letter {
                        'A' | 'C' | 'D' | 'E' | 'F' | 'I' | 'L' | 'N' | 'P' | 'R' | 'S' | 'X' | 'Z' => {
                            self.command(letter, value, invert)?;
                            Step::Next
                        }
                        'p' | 's' | 'd' | 'i' | 'o' | 'f' | 'j' | 'g' | 'm' => {
                            self.rule_option(letter, value.unwrap_or_default(), invert)?;
                            Step::Next
                        }
                        _ => self.other_option(letter, value, invert)?,
                    }
                }
            };
            match step {
                Step::Again => continue,
                Step::Skip => return Ok(Command::default()),
                Step::Next => invert = false,
            }
        }
        self.finish(invert)
    }

    fn add(&mut self, ask: u16, beside: u16, invert: bool) -> Result<(), Problem> {
        if invert {
            return Err(Problem::parameter("unexpected '!' flag"));
        }
        let others = self.ask & !beside;
        if others != 0 {
            let text = format!("Cannot use -{} with -{}", ask_letter(ask), ask_letter(others));
            return Err(Problem::Parameter(text));
        }
        self.ask |= ask;
        Ok(())
    }

    /// An option that says what is to be done.
    fn command(&mut self, letter: char, value: Option<String>, invert: bool) -> Result<(), Problem> {
        const ZEROS: u16 = ask::ZERO | ask::ZERO_NUMBER;
        let (what, beside) = match letter {
            'A' => (ask::APPEND, 0),
            'C' => (ask::CHECK, 0),
            'D' => (ask::DELETE, 0),
            'R' => (ask::REPLACE, 0),
            'I' => (ask::INSERT, 0),
            'L' => (ask::LIST, ZEROS),
            'S' => (ask::LIST_RULES, ZEROS),
            'F' => (ask::FLUSH, 0),
            'Z' => (ask::ZERO, ask::LIST | ask::LIST_RULES),
            'N' => (ask::NEW_CHAIN, 0),
            'X' => (ask::DELETE_CHAIN, 0),
            'E' => (ask::RENAME, 0),
            _ => (ask::POLICY, 0),
        };
        if letter == 'N' {
            assert_chain_name(value.as_deref().unwrap_or_default())?;
        }
        self.add(what, beside, invert)?;
        let optional = matches!(letter, 'L' | 'S' | 'F' | 'Z' | 'X');
        let chain = if optional && value.is_none() { self.words.loose() } else { value };
        // A second command that says no chain leaves that of the first.
        self.chain = chain.or(self.chain.take());
        self.behind_command(letter)
    }

    /// What follows the chain: a number, a name, a policy.
    fn behind_command(&mut self, letter: char) -> Result<(), Problem> {
        let word =
            if matches!(letter, 'D' | 'R' | 'I' | 'L' | 'S' | 'Z' | 'E' | 'P') { self.words.loose() } else { None };
        match (letter, word) {
            ('R', None) => return Err(Problem::parameter("-R requires a rule number")),
            ('E', None) => return Err(Problem::parameter("-E requires old-chain-name and new-chain-name")),
            ('P', None) => return Err(Problem::parameter("-P requires a chain and a policy")),
            ('I', None) => self.number = 1,
            (_, None) => {}
            ('E' | 'P', word) => self.second = word,
            (letter, Some(word)) => {
                let bad = || Problem::Parameter(format!("Invalid rule number `{word}'"));
                let number = whole(&word, 1, i32::MAX as u64).ok_or_else(bad)?;
                self.number = usize::try_from(number).unwrap_or(usize::MAX);
                match letter {
                    'D' => self.ask = ask::DELETE_NUMBER,
                    'Z' => self.ask = ask::ZERO_NUMBER,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, option: u16, invert: bool) -> Result<(), Problem> {
        if self.options & option != 0 {
            return Err(Problem::Parameter(format!("multiple -{} flags not allowed", option_letter(option))));
        }
        self.options |= option;
        if invert {
            if option & option::INVERTIBLE == 0 {
                return Err(Problem::Parameter(format!("cannot have ! before -{}", option_letter(option))));
            }
            self.inverted |= option;
        }
        Ok(())
    }

    /// An option that belongs to a rule. Most take the word they stand in, whatever else is in it.
    fn rule_option(&mut self, letter: char, value: String, invert: bool) -> Result<(), Problem> {
        let word = self.words.last().to_string();
        match letter {
            'p' => {
                self.set(option::PROTOCOL, invert)?;
                let word = word.to_ascii_lowercase();
                let of = protocol(&word)?;
                if of == 0 && invert {
                    return Err(Problem::parameter("rule would never match protocol"));
                }
                self.ip.protocol = (of != 0).then_some(Not { not: invert, of });
                self.protocol_word = Some(word);
            }
            's' => {
                self.set(option::SOURCE, invert)?;
                self.sources = Some(word);
            }
            'd' => {
                self.set(option::DESTINATION, invert)?;
                self.destinations = Some(word);
            }
            'i' | 'o' => {
                if value.is_empty() {
                    return Err(Problem::parameter("Empty interface is likely to be undesired"));
                }
                self.set(if letter == 'i' { option::IN } else { option::OUT }, invert)?;
                let of = Some(Not { not: invert, of: interface(&word, &mut self.warnings)? });
                *(if letter == 'i' { &mut self.ip.in_interface } else { &mut self.ip.out_interface }) = of;
            }
            'f' => {
                self.set(option::FRAGMENT, invert)?;
                self.ip.fragment = Some(Not { not: invert, of: () });
            }
            'g' => {
                self.set(option::JUMP, invert)?;
                self.goto = true;
                self.jump = target_name(&value)?;
            }
            'j' => {
                self.set(option::JUMP, invert)?;
                self.jump = target_name(&word)?;
                self.load_target()?;
            }
            _ => {
                if invert {
                    return Err(Problem::parameter("unexpected ! flag before --match"));
                }
                self.load_match(&value, true)?;
            }
        }
        Ok(())
    }

    /// Everything else.
    fn other_option(&mut self, letter: char, value: Option<String>, invert: bool) -> Result<Step, Problem> {
        match letter {
            'v' => {
                if self.verbose == 0 {
                    self.set(option::VERBOSE, invert)?;
                }
                self.verbose += 1;
            }
            'n' => self.set(option::NUMERIC, invert)?,
            'x' => self.set(option::EXACT, invert)?,
            '0' => self.set(option::LINE_NUMBERS, invert)?,
            'c' => self.set_counters(&value.unwrap_or_default(), invert)?,
            't' => {
                if invert {
                    return Err(Problem::parameter("unexpected ! flag before --table"));
                }
                if self.restore && self.table.is_some() {
                    let text = format!("The -t option cannot be used in {}.\n", self.who.name);
                    return Err(Problem::Parameter(text));
                }
                self.table = value;
            }
            'V' if invert => return Err(Problem::Exit(format!("Not {} ;-)\n", super::VERSION), 0)),
            'V' => return Err(Problem::Exit(format!("{} v{}\n", self.who.name, super::VERSION), 0)),
            'h' => return Err(Problem::Exit(self.help(), 0)),
            'w' | 'W' if self.restore => {
                return Err(Problem::Parameter(format!("You cannot use `-{letter}' from iptables-restore")));
            }
            'w' => self.wait = Some(self.wait_time(value)?),
            'W' => self.wait_interval(value)?,
            '6' if self.restore => return Ok(Step::Skip),
            '6' => return Err(Problem::TryHelp(String::new())),
            '4' | 'M' => {}
            // A letter of getopt's string without a meaning, like `-b`.
            _ => return self.load_protocol("Unknown arg"),
        }
        Ok(Step::Next)
    }

    /// `-c PACKETS BYTES`, `-c PACKETS,BYTES`
    fn set_counters(&mut self, value: &str, invert: bool) -> Result<(), Problem> {
        self.set(option::COUNTERS, invert)?;
        let (packets, bytes) = match value.char_indices().skip(1).find(|(_, letter)| *letter == ',') {
            Some((at, _)) => (&value[..at], Some(value[at + 1..].to_string())),
            None => (value, self.words.loose()),
        };
        let bytes = bytes.ok_or_else(|| Problem::parameter("-c requires packet and byte counter"))?;
        let count = |text: &str, what| {
            let number = strtoul(text, 10);
            let bad = || Problem::Parameter(format!("-c {what} counter not numeric"));
            if number.empty { Err(bad()) } else { Ok(number.value as u64) }
        };
        self.counters = RuleCounters { packets: count(packets, "packet")?, bytes: count(&bytes, "byte")? };
        Ok(())
    }

    fn wait_time(&mut self, value: Option<String>) -> Result<i64, Problem> {
        let Some(text) = value.or_else(|| self.words.loose()) else { return Ok(-1) };
        let number = strtol(&text, 0);
        if number.empty { Err(Problem::parameter("wait seconds not numeric")) } else { Ok(number.value) }
    }

    fn wait_interval(&mut self, value: Option<String>) -> Result<(), Problem> {
        let text = value.or_else(|| self.words.loose());
        let text = text.ok_or_else(|| Problem::parameter("wait interval value required"))?;
        let number = strtoul(&text, 10);
        let micros = number.value as u32;
        if number.empty {
            return Err(Problem::parameter("wait interval not numeric"));
        }
        if micros > 999_999 {
            return Err(Problem::Parameter(format!("too long usec wait {micros} > 999999 usec")));
        }
        self.warnings += "Ignoring deprecated --wait-interval option.\n";
        self.wait_interval = true;
        Ok(())
    }
}

/// The letter of the highest bit.
fn ask_letter(asked: u16) -> char {
    let bit = asked.checked_ilog2().unwrap_or(0) as usize;
    ask::LETTERS.chars().nth(bit).unwrap_or('?')
}

fn option_letter(option: u16) -> char {
    option::LETTERS.chars().nth(option.trailing_zeros() as usize).unwrap_or('?')
}

/// `xt_parse_target`
fn target_name(name: &str) -> Result<String, Problem> {
    if name.is_empty() {
        return Err(Problem::parameter("Invalid target name (too short)"));
    }
    if name.len() >= NAME_ROOM {
        return Err(Problem::Parameter(format!("Invalid target name `{name}' ({} chars max)", NAME_ROOM - 1)));
    }
    if name.contains(|letter: char| letter.is_ascii_whitespace() || letter == '\x0b') {
        return Err(Problem::Parameter(format!("Invalid target name `{name}'")));
    }
    Ok(name.to_string())
}

/// `assert_valid_chain_name`
pub(super) fn assert_chain_name(name: &str) -> Result<(), Problem> {
    if name.len() >= NAME_ROOM {
        return Err(Problem::Parameter(format!("chain name `{name}' too long (must be under {NAME_ROOM} chars)")));
    }
    if let Some(first) = name.chars().next().filter(|first| matches!(first, '-' | '!')) {
        return Err(Problem::Parameter(format!("chain name not allowed to start with `{first}'")));
    }
    if name.is_empty() || targets::is_taken(name) {
        return Err(Problem::parameter("chain name may not clash with target name"));
    }
    if name.contains(|letter: char| letter.is_ascii_whitespace() || letter == '\x0b') {
        return Err(Problem::Parameter(format!("Invalid chain name `{name}'")));
    }
    Ok(())
}
