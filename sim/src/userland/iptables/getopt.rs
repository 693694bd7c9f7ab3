//! `getopt_long` as iptables uses it: words that are no options come in their order, what is missing is told as `:`, and the
//! table of long options grows while it reads.

/// A long option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LongOption {
    pub(super) name: &'static str,
    /// 0: none, 1: a value, 2: perhaps one, after `=`.
    pub(super) has_arg: u8,
    /// A letter, or an extension's number ([`EXTENSION`] and up).
    pub(super) val: u32,
}

/// From here on, [`LongOption::val`] is an extension's: each has this many numbers.
pub(super) const EXTENSION: u32 = 0x1_0000;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// An option and its value.
    Option(u32, Option<String>),
    /// A word that is no option.
    Word(String),
    /// An option without the value it needs.
    Missing,
    /// No such option.
    Unknown,
    /// No more options; words may follow at `optind`.
    End,
}

/// Where reading stands in the words.
#[derive(Clone, Debug)]
pub(super) struct Getopt {
    pub(super) argv: Vec<String>,
    /// The next word.
    pub(super) optind: usize,
    /// What is left of a row of letters.
    row: String,
    short: &'static str,
}

impl Getopt {
    /// `short` as for getopt, without marks at its head.
    pub(super) fn new(argv: Vec<String>, short: &'static str) -> Getopt {
        Getopt { argv, optind: 1, row: String::new(), short }
    }

    /// The word before the next one: in complaints, the option itself.
    pub(super) fn last(&self) -> &str {
        self.argv.get(self.optind.wrapping_sub(1)).map_or("", String::as_str)
    }

    /// The next word, if it is neither an option nor a `!`: values that follow loosely.
    pub(super) fn loose(&mut self) -> Option<String> {
        let word = self.argv.get(self.optind).filter(|word| !word.starts_with(['-', '!']))?;
        self.optind += 1;
        Some(word.clone())
    }

    pub(super) fn next(&mut self, long: &[LongOption]) -> Found {
        if self.row.is_empty() {
            let Some(word) = self.argv.get(self.optind) else { return Found::End };
            if word == "--" {
                self.optind += 1;
                return Found::End;
            }
            if !word.starts_with('-') || word == "-" {
                self.optind += 1;
                return Found::Word(word.clone());
            }
            if let Some(name) = word.strip_prefix("--") {
                let name = name.to_string();
                return self.long_option(&name, long);
            }
            self.row = word[1..].to_string();
        }
        self.short_option()
    }

    fn short_option(&mut self) -> Found {
        let Some(letter) = self.row.chars().next() else { return Found::End };
        let rest = self.row[letter.len_utf8()..].to_string();
        if rest.is_empty() {
            self.optind += 1;
        }
        let at = self.short.find(letter).filter(|_| letter != ':' && letter != ';');
        let Some(at) = at else {
            self.row = rest;
            return Found::Unknown;
        };
        let colons = self.short[at + 1..].bytes().take_while(|byte| *byte == b':').count();
        if colons == 0 {
            self.row = rest;
            return Found::Option(letter.into(), None);
        }
        self.row.clear();
        if !rest.is_empty() {
            self.optind += 1;
            return Found::Option(letter.into(), Some(rest));
        }
        if colons == 2 {
            return Found::Option(letter.into(), None);
        }
        self.value(letter.into())
    }

    /// The next word is the value, whatever it looks like.
    fn value(&mut self, val: u32) -> Found {
        let Some(word) = self.argv.get(self.optind).cloned() else { return Found::Missing };
        self.optind += 1;
        Found::Option(val, Some(word))
    }

    fn long_option(&mut self, word: &str, long: &[LongOption]) -> Found {
        self.optind += 1;
        let (name, given) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_string())),
            None => (word, None),
        };
        let Some(option) = lookup(name, long) else { return Found::Unknown };
        match (option.has_arg, given) {
            (0, Some(_)) => Found::Unknown,
            (1, None) => self.value(option.val),
            (_, given) => Found::Option(option.val, given),
        }
    }
}

/// The option of this name, or the only one that begins so.
fn lookup(name: &str, long: &[LongOption]) -> Option<LongOption> {
    if let Some(exact) = long.iter().find(|option| option.name == name) {
        return Some(*exact);
    }
    let mut like = long.iter().filter(|option| option.name.starts_with(name));
    let first = like.next()?;
    like.all(|other| (other.has_arg, other.val) == (first.has_arg, first.val)).then_some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &[LongOption] = &[
        LongOption { name: "source", has_arg: 1, val: 's' as u32 },
        LongOption { name: "src", has_arg: 1, val: 's' as u32 },
        LongOption { name: "set", has_arg: 0, val: 'x' as u32 },
        LongOption { name: "list", has_arg: 2, val: 'L' as u32 },
    ];

    fn all(line: &str) -> Vec<Found> {
        let argv = std::iter::once("p").chain(line.split(' ')).map(String::from).collect();
        let mut getopt = Getopt::new(argv, "s:L::xn");
        let mut found = Vec::new();
        loop {
            found.push(getopt.next(LONG));
            if found.last() == Some(&Found::End) {
                return found;
            }
        }
    }

    fn option(letter: char, value: Option<&str>) -> Found {
        Found::Option(letter.into(), value.map(String::from))
    }

    #[test]
    fn rows_values_and_words_in_their_order() {
        assert_eq!(all("-nxsv"), [option('n', None), option('x', None), option('s', Some("v")), Found::End]);
        assert_eq!(
            all("a -s -n ! -L"),
            [Found::Word("a".into()), option('s', Some("-n")), Found::Word("!".into()), option('L', None), Found::End]
        );
    }

    #[test]
    fn long_names_may_be_cut_short_while_they_mean_one_thing() {
        assert_eq!(all("--s=1")[0], Found::Unknown, "source or set");
        assert_eq!(all("--sr=1")[0], option('s', Some("1")));
        assert_eq!(all("--lis")[0], option('L', None));
        assert_eq!(all("--set=1")[0], Found::Unknown);
    }

    #[test]
    fn what_is_missing_and_what_is_unknown() {
        assert_eq!(all("-s")[0], Found::Missing);
        assert_eq!(all("--src")[0], Found::Missing);
        assert_eq!(all("-q")[0], Found::Unknown);
        assert_eq!(all("-- x"), [Found::End]);
    }
}
