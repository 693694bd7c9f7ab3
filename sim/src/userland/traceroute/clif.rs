//! The command line as `traceroute` reads it: options anywhere, values joined or behind, long names with `=`, and its own
//! complaints, which count the words.

/// An option. What it has not is empty.
pub(super) struct Opt {
    pub(super) short: &'static str,
    pub(super) long: &'static str,
    /// The name of its value.
    pub(super) value: &'static str,
    /// How it may be written.
    pub(super) form: Form,
}

/// How a long name may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `--name`
    Plain,
    /// Cut short, to two letters at least.
    Short,
    /// `-NAME`
    OneDash,
}

/// What became of an option or an operand.
pub(super) enum Taken {
    /// Well.
    Fine,
    /// It cannot be handled; a line that is said before.
    Bad(Option<String>),
    /// The program ends well, having said this.
    Exit(String),
}

/// Why a command line was not read to its end.
pub(super) enum Stopped {
    /// It is wrong, for this reason (lines without the last newline).
    Wrong(String),
    /// It asked for a text.
    Told(String),
}

/// A word that is no option, and its place.
pub(super) type Operand = (usize, String);

impl Opt {
    /// `-f first_ttl`
    fn short_form(&self, with_value: bool) -> String {
        let value = if with_value && !self.value.is_empty() { format!(" {}", self.value) } else { String::new() };
        format!("-{}{value}", self.short)
    }

    /// `--first=first_ttl`
    fn long_form(&self, with_value: bool) -> String {
        let dashes = if self.form == Form::OneDash { "-" } else { "--" };
        let value = if with_value && !self.value.is_empty() { format!("={}", self.value) } else { String::new() };
        format!("{dashes}{}{value}", self.long)
    }
}

/// Reads the words; `take` is called for each option, in order, and the operands are returned.
pub(super) fn parse(
    argv: &[String],
    options: &'static [Opt],
    take: &mut impl FnMut(&'static Opt, Option<&str>) -> Taken,
) -> Result<Vec<Operand>, Stopped> {
    let mut reader = Reader { argv, options, at: 0, take };
    let mut operands = Vec::new();
    let mut only_operands = false;
    while let Some(word) = reader.next() {
        if only_operands || !word.starts_with('-') || word == "-" || word.starts_with("---") {
            operands.push((reader.at, word.to_string()));
        } else if let Some(name) = word.strip_prefix("--") {
            match reader.find_long(name, false) {
                Some((option, value)) => reader.long_option(option, value)?,
                None if name.is_empty() => only_operands = true,
                None => return Err(reader.unknown(word)),
            }
        } else if let Some((option, value)) = reader.find_long(&word[1..], true) {
            reader.long_option(option, value)?;
        } else {
            reader.letters(&word[1..])?;
        }
    }
    Ok(operands)
}

struct Reader<'a, F> {
    argv: &'a [String],
    options: &'static [Opt],
    /// The place of the word that is read.
    at: usize,
    take: &'a mut F,
}

impl<'a, F: FnMut(&'static Opt, Option<&str>) -> Taken> Reader<'a, F> {
    fn next(&mut self) -> Option<&'a str> {
        let word = self.argv.get(self.at + 1)?;
        self.at += 1;
        Some(word)
    }

    fn unknown(&self, word: &str) -> Stopped {
        let value = word.split_once('=').map_or(String::new(), |(_, value)| format!(" (with arg `{value}')"));
        Stopped::Wrong(format!("Bad option `{word}'{value} (argc {})", self.at))
    }

    /// The option of this long name, and the value behind `=`.
    fn find_long<'w>(&self, word: &'w str, one_dash: bool) -> Option<(&'static Opt, Option<&'w str>)> {
        let mut like = Vec::new();
        for option in self.options.iter().filter(|o| !o.long.is_empty() && (o.form == Form::OneDash) == one_dash) {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) if !option.value.is_empty() => (name, Some(value)),
                _ => (word, None),
            };
            if option.long == name {
                return Some((option, value));
            }
            if option.form == Form::Short && name.len() >= 2 && option.long.starts_with(name) {
                like.push((option, value));
            }
        }
        if let [only] = like.as_slice() { Some(*only) } else { None }
    }

    fn long_option(&mut self, option: &'static Opt, value: Option<&str>) -> Result<(), Stopped> {
        if !option.value.is_empty() && value.is_none() {
            return Err(self.wants_value(&option.long_form(false), &option.long_form(true)));
        }
        self.call(option, &option.long_form(false), value)
    }

    fn letters(&mut self, letters: &str) -> Result<(), Stopped> {
        for (place, letter) in letters.char_indices() {
            let option = self.options.iter().find(|option| option.short.starts_with(letter));
            let Some(option) = option else {
                return Err(Stopped::Wrong(format!("Bad option `-{letter}' (argc {})", self.at)));
            };
            let shown = option.short_form(false);
            if option.value.is_empty() {
                self.call(option, &shown, None)?;
                continue;
            }
            let rest = &letters[place + letter.len_utf8()..];
            let value = match rest {
                "" => self.next(),
                // A value may be joined to a letter that stands first only.
                joined => (place == 0).then_some(joined),
            };
            let Some(value) = value else {
                return Err(self.wants_value(&shown, &option.short_form(true)));
            };
            return self.call(option, &shown, Some(value));
        }
        Ok(())
    }

    fn wants_value(&self, shown: &str, full: &str) -> Stopped {
        Stopped::Wrong(format!("Option `{shown}' (argc {}) requires an argument: `{full}'", self.at))
    }

    fn call(&mut self, option: &'static Opt, shown: &str, value: Option<&str>) -> Result<(), Stopped> {
        match (self.take)(option, value) {
            Taken::Fine => Ok(()),
            Taken::Exit(text) => Err(Stopped::Told(text)),
            Taken::Bad(said) => {
                let said = said.map_or(String::new(), |said| said + "\n");
                let value = value.map_or(String::new(), |value| format!(" with arg `{value}'"));
                Err(Stopped::Wrong(format!("{said}Cannot handle `{shown}' option{value} (argc {})", self.at)))
            }
        }
    }
}
