//! `getopt_long` as glibc does it: operands are moved behind the options, long names may be cut short, and the complaints
//! are glibc's own.

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// None.
    Nothing,
    /// One, in the same word or the next.
    Value,
    /// One, in the same word only.
    MaybeValue,
}

/// A long option: its name, what it takes, and the letter it stands for.
pub(crate) type Long = (&'static str, Takes, char);

/// What was found, in the order of the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// An option by its letter, and its value.
    Option(char, Option<String>),
    /// A complaint, with its newline; a program usually prints it, then its usage, and ends.
    Bad(String),
}

/// Options and operands of a command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// Options and complaints, in order.
    pub(crate) items: Vec<Item>,
    /// What is no option.
    pub(crate) operands: Vec<String>,
}

/// Takes the words behind the program's name apart. `short` is written as for `getopt`: `ab:c::` (a leading `+` stops at
/// the first operand). Without long options it is plain `getopt`, to which `--name` is a row of letters, the first a dash.
pub(crate) fn getopt(argv: &[String], short: &str, long: &[Long]) -> Parsed {
    let program = argv.first().map_or("", String::as_str);
    let stop_at_operand = short.starts_with('+');
    let mut reader =
        Reader { program, short, long, words: argv.get(1..).unwrap_or_default().iter(), parsed: Parsed::default() };
    while let Some(word) = reader.words.next() {
        if word == "--" {
            break;
        } else if let Some(name) = word.strip_prefix("--").filter(|_| !long.is_empty()) {
            reader.long_option(name);
        } else if word.len() > 1 && word.starts_with('-') {
            reader.short_options(&word[1..]);
        } else {
            reader.parsed.operands.push(word.clone());
            if stop_at_operand {
                break;
            }
        }
    }
    reader.parsed.operands.extend(reader.words.cloned());
    reader.parsed
}

struct Reader<'a> {
    program: &'a str,
    short: &'a str,
    long: &'a [Long],
    words: std::slice::Iter<'a, String>,
    parsed: Parsed,
}

impl Reader<'_> {
    fn bad(&mut self, complaint: &str) {
        self.parsed.items.push(Item::Bad(format!("{}: {complaint}\n", self.program)));
    }

    fn found(&mut self, letter: char, value: Option<String>) {
        self.parsed.items.push(Item::Option(letter, value));
    }

    fn short_options(&mut self, letters: &str) {
        for (at, letter) in letters.char_indices() {
            let rest = &letters[at + letter.len_utf8()..];
            match takes(self.short, letter) {
                None => self.bad(&format!("invalid option -- '{letter}'")),
                Some(Takes::Nothing) => self.found(letter, None),
                Some(Takes::MaybeValue) => return self.found(letter, (!rest.is_empty()).then(|| rest.to_string())),
                Some(Takes::Value) if !rest.is_empty() => return self.found(letter, Some(rest.to_string())),
                Some(Takes::Value) => match self.words.next() {
                    Some(value) => return self.found(letter, Some(value.clone())),
                    None => return self.bad(&format!("option requires an argument -- '{letter}'")),
                },
            }
        }
    }

    fn long_option(&mut self, word: &str) {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_string())),
            None => (word, None),
        };
        let (full, takes, letter) = match self.lookup(name) {
            Ok(option) => option,
            Err(complaint) => return self.bad(&complaint),
        };
        match (takes, value) {
            (Takes::Nothing, Some(_)) => self.bad(&format!("option '--{full}' doesn't allow an argument")),
            (Takes::Value, None) => match self.words.next() {
                Some(value) => self.found(letter, Some(value.clone())),
                None => self.bad(&format!("option '--{full}' requires an argument")),
            },
            (_, value) => self.found(letter, value),
        }
    }

    /// The option of this name, or the only one that begins so.
    fn lookup(&self, name: &str) -> Result<Long, String> {
        if let Some(exact) = self.long.iter().find(|option| option.0 == name) {
            return Ok(*exact);
        }
        let like: Vec<&Long> = self.long.iter().filter(|option| option.0.starts_with(name)).collect();
        match like.as_slice() {
            [] => Err(format!("unrecognized option '--{name}'")),
            [first, others @ ..] if others.iter().all(|other| (other.1, other.2) == (first.1, first.2)) => Ok(**first),
            several => {
                let names: String = several.iter().map(|option| format!(" '--{}'", option.0)).collect();
                Err(format!("option '--{name}' is ambiguous; possibilities:{names}"))
            }
        }
    }
}

/// What the letter takes, if there is such an option.
fn takes(short: &str, letter: char) -> Option<Takes> {
    if letter == ':' || letter == '+' {
        return None;
    }
    let behind = &short[short.find(letter)? + letter.len_utf8()..];
    Some(match behind.as_bytes() {
        [b':', b':', ..] => Takes::MaybeValue,
        [b':', ..] => Takes::Value,
        _ => Takes::Nothing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &[Long] = &[
        ("net", Takes::MaybeValue, 'n'),
        ("target", Takes::Value, 't'),
        ("all", Takes::Nothing, 'a'),
        ("alias", Takes::Nothing, 'A'),
    ];

    fn parse(short: &str, line: &str) -> Parsed {
        let argv: Vec<String> = line.split(' ').map(str::to_string).collect();
        getopt(&argv, short, LONG)
    }

    fn only(line: &str) -> Item {
        parse("at:n::", line).items.first().cloned().expect("one item")
    }

    #[test]
    fn options_are_found_between_operands_but_for_plus() {
        let parsed = parse("at:n::", "p x -at5 y -n/z -- -a");
        let expected =
            [Item::Option('a', None), Item::Option('t', Some("5".into())), Item::Option('n', Some("/z".into()))];
        assert_eq!(parsed.items, expected);
        assert_eq!(parsed.operands, ["x", "y", "-a"]);
        let parsed = parse("+at:n::", "p -a ls -a");
        assert_eq!((parsed.items.len(), parsed.operands.join(" ").as_str()), (1, "ls -a"));
    }

    #[test]
    fn long_names_may_be_cut_short() {
        assert_eq!(only("p --tar=1"), Item::Option('t', Some("1".into())));
        assert_eq!(only("p --targ 1"), Item::Option('t', Some("1".into())));
        assert_eq!(only("p --net"), Item::Option('n', None));
    }

    #[test]
    fn without_long_options_a_double_dash_begins_letters() {
        let argv = ["p", "--foo"].map(str::to_string);
        assert_eq!(getopt(&argv, "f", &[]).items[0], Item::Bad("p: invalid option -- '-'\n".into()));
    }

    #[test]
    fn complaints_are_those_of_glibc() {
        let texts = [
            ("p -x", "p: invalid option -- 'x'\n"),
            ("p -t", "p: option requires an argument -- 't'\n"),
            ("p --foo", "p: unrecognized option '--foo'\n"),
            ("p --all=1", "p: option '--all' doesn't allow an argument\n"),
            ("p --target", "p: option '--target' requires an argument\n"),
            ("p --al", "p: option '--al' is ambiguous; possibilities: '--all' '--alias'\n"),
        ];
        for (line, text) in texts {
            assert_eq!(only(line), Item::Bad(text.into()), "{line}");
        }
    }
}
