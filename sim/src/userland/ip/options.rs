//! The options before the object. Each may be abbreviated, and written with one or two dashes; the order of the tests
//! decides what an abbreviation means (`-b` is `-batch`, `-br` is `-brief`), and it is iproute2's, for each program its own.

use super::Suite;
use super::args::{Family, Stop, atoi, get_unsigned, invarg, matches};
use super::print::Style;

/// What the options say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// `-4`, `-6`, `-0`, `-B`, `-M`, `-f FAMILY`
    pub family: Family,
    /// `-h`: numbers with K, M, G.
    pub human: bool,
    /// `-iec`: powers of 1024.
    pub iec: bool,
    /// `-s`, and how often.
    pub stats: u8,
    /// `-d`
    pub details: bool,
    /// `-o`
    pub oneline: bool,
    /// `-t`, `-ts`: time stamps of `monitor`.
    pub timestamp: bool,
    /// `-force`: a batch goes on after an error.
    pub force: bool,
    /// `-br`
    pub brief: bool,
    /// `-j`
    pub json: bool,
    /// `-p`
    pub pretty: bool,
    /// `-N`: numbers instead of names.
    pub numeric: bool,
    /// `-a`: all namespaces.
    pub all: bool,
    /// `-l N`: how often `flush` tries.
    pub loops: i32,
    /// `-c`
    pub color: ColorOption,
    /// The commands come from a batch.
    pub batch: bool,
}

/// `-c`, `-c=auto`, `-c=never`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ColorOption {
    /// Not said, or `never`.
    #[default]
    Never,
    /// On a terminal.
    Auto,
    /// Always.
    Always,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            family: Family::Unspec,
            human: false,
            iec: false,
            stats: 0,
            details: false,
            oneline: false,
            timestamp: false,
            force: false,
            brief: false,
            json: false,
            pretty: false,
            numeric: false,
            all: false,
            loops: 10,
            color: ColorOption::Never,
            batch: false,
        }
    }
}

impl Options {
    /// How to print, on a terminal or not; `COLORFGBG` tells of a dark background by its last number.
    pub(super) fn style(&self, tty: bool, colorfgbg: Option<&str>) -> Style {
        let color = match self.color {
            ColorOption::Never => false,
            ColorOption::Auto => tty,
            ColorOption::Always => true,
        };
        let background = colorfgbg.and_then(|value| value.rsplit_once(';')).map_or("", |(_, last)| last);
        Style {
            json: self.json,
            pretty: self.pretty,
            oneline: self.oneline,
            color: color && !self.json,
            dark: matches!(background, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "8"),
            tty,
        }
    }
}

/// What the options lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start<'a> {
    /// `-V`
    Version,
    /// `-batch FILE`
    Batch(Options, String),
    /// A command: these words.
    Command(Options, &'a [String]),
}

/// Reads the options of a program. `switch` is called for each `-n NAME`, at once, so that its refusal comes in its turn.
pub(super) fn read<'a>(
    words: &'a [String],
    suite: &Suite,
    mut switch: impl FnMut(&str) -> Result<(), Stop>,
) -> Result<Start<'a>, Stop> {
    let usage = || suite.usage();
    let mut opts = Options::default();
    let mut batch = None;
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        if word == "--" {
            rest = after;
            break;
        }
        if !word.starts_with('-') {
            break;
        }
        rest = after;
        let option = if word.starts_with("--") { word.get(1..).unwrap_or_default() } else { word };
        let mut value = || {
            let (value, after) = rest.split_first()?;
            rest = after;
            Some(value.as_str())
        };
        match (suite.option)(option) {
            Some("-loops") => opts.loops = atoi(value().ok_or_else(usage)?),
            Some("-family") => opts.family = family(suite, value().ok_or_else(usage)?)?,
            Some("-rcvbuf") => rcvbuf(value().ok_or_else(usage)?)?,
            Some("-batch") => batch = Some(value().ok_or_else(usage)?.to_owned()),
            Some("-netns") => switch(value().unwrap_or("(null)"))?,
            Some("-Version") => return Ok(Start::Version),
            Some("-help") => return Err(usage()),
            Some(name) => set(&mut opts, name),
            None => opts.color = color(suite, option)?,
        }
    }
    Ok(match batch {
        Some(file) => Start::Batch(Options { batch: true, ..opts }, file),
        None => Start::Command(opts, rest),
    })
}

/// The option of `ip` that this one abbreviates. `None`: a colour, or nothing.
pub(super) fn find(option: &str) -> Option<&'static str> {
    const EXACT: &[&str] = &["-4", "-6", "-0", "-M", "-B"];
    const BEFORE_COLOR: &[&str] = &[
        "-loops",
        "-family",
        "-human-readable",
        "-iec",
        "-statistics",
        "-stats",
        "-details",
        "-resolve",
        "-oneline",
        "-timestamp",
        "-tshort",
        "-Version",
        "-force",
        "-batch",
        "-brief",
        "-json",
        "-pretty",
        "-rcvbuf",
    ];
    const AFTER_COLOR: &[&str] = &["-help", "-netns", "-Numeric", "-all"];
    let exact = || EXACT.iter().find(|name| **name == option);
    let abbreviated = |names: &'static [&'static str]| names.iter().find(|name| matches(option, name));
    let echo = || (option == "-echo").then_some(&"-echo");
    abbreviated(&BEFORE_COLOR[..2])
        .or_else(exact)
        .or_else(|| abbreviated(BEFORE_COLOR))
        .or_else(|| abbreviated(AFTER_COLOR))
        .or_else(echo)
        .copied()
}

fn set(opts: &mut Options, name: &str) {
    match name {
        "-4" => opts.family = Family::Inet,
        "-6" => opts.family = Family::Inet6,
        "-0" => opts.family = Family::Packet,
        "-M" => opts.family = Family::Mpls,
        "-B" => opts.family = Family::Bridge,
        "-human-readable" => opts.human = true,
        "-iec" => opts.iec = true,
        "-statistics" | "-stats" => opts.stats = opts.stats.saturating_add(1),
        "-details" => opts.details = true,
        "-oneline" => opts.oneline = true,
        "-timestamp" | "-tshort" => opts.timestamp = true,
        "-force" => opts.force = true,
        "-brief" => opts.brief = true,
        "-json" => opts.json = true,
        "-pretty" => opts.pretty = true,
        "-Numeric" => opts.numeric = true,
        "-all" => opts.all = true,
        // -resolve needs a resolver, of which a world has none; -echo asks for notices that nobody sends here;
        // -compressvlans is for VLANs of bridges, of which there are none.
        _ => {}
    }
}

fn family(suite: &Suite, word: &str) -> Result<Family, Stop> {
    if word == "help" {
        return Err(suite.usage());
    }
    (suite.family)(word).ok_or_else(|| invarg("invalid protocol family", word))
}

fn rcvbuf(word: &str) -> Result<(), Stop> {
    get_unsigned(word, 0).map(drop).ok_or_else(|| Stop::quit(255, format!("Invalid rcvbuf size '{word}'\n")))
}

/// `matches_color()`
pub(super) fn color_option(option: &str) -> Option<ColorOption> {
    let (name, when) = option.split_once('=').unwrap_or((option, ""));
    match when {
        "" | "always" if matches(name, "-color") => Some(ColorOption::Always),
        "auto" if matches(name, "-color") => Some(ColorOption::Auto),
        "never" if matches(name, "-color") => Some(ColorOption::Never),
        _ => None,
    }
}

fn color(suite: &Suite, option: &str) -> Result<ColorOption, Stop> {
    let unknown = || format!("Option \"{option}\" is unknown, try \"{}\".\n", suite.help);
    color_option(option).ok_or_else(|| Stop::quit(255, unknown()))
}

#[cfg(test)]
mod tests {
    use super::super::IP;
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(String::from).collect()
    }

    fn options(line: &str) -> Result<Options, Stop> {
        match read(&words(line), &IP, |_| Ok(()))? {
            Start::Command(opts, _) | Start::Batch(opts, _) => Ok(opts),
            Start::Version => Ok(Options::default()),
        }
    }

    #[test]
    fn abbreviations_mean_what_they_mean_to_iproute2() {
        assert_eq!(find("-b"), Some("-batch"));
        assert_eq!(find("-br"), Some("-brief"));
        assert_eq!(find("-s"), Some("-statistics"));
        assert_eq!(find("-stats"), Some("-stats"));
        assert_eq!(find("-h"), Some("-human-readable"));
        assert_eq!(find("-he"), Some("-help"));
        assert_eq!(find("-f"), Some("-family"));
        assert_eq!(find("-fo"), Some("-force"));
        assert_eq!(find("-r"), Some("-resolve"));
        assert_eq!(find("-rc"), Some("-rcvbuf"));
        assert_eq!(find("-t"), Some("-timestamp"));
        assert_eq!(find("-ts"), Some("-tshort"));
        assert_eq!(find("-"), Some("-loops"));
        assert_eq!(find("-c"), None);
    }

    #[test]
    fn options_one_after_another() {
        let opts = options("-4 --json -p -s -s -c=never -f inet6 link show").expect("options");
        assert_eq!((opts.family, opts.json, opts.pretty, opts.stats), (Family::Inet6, true, true, 2));
        assert_eq!(options("-c link").map(|opts| opts.color), Ok(ColorOption::Always));
        assert_eq!(options("--foo"), Err(Stop::quit(255, "Option \"-foo\" is unknown, try \"ip -help\".\n")));
        assert_eq!(options("-c=maybe"), Err(Stop::quit(255, "Option \"-c=maybe\" is unknown, try \"ip -help\".\n")));
        assert_eq!(options("-batch"), Err(IP.usage()));
        assert_eq!(
            options("-f ipx link"),
            Err(Stop::quit(255, "Error: argument \"ipx\" is wrong: invalid protocol family\n"))
        );
    }

    #[test]
    fn a_namespace_is_entered_in_its_turn() {
        let line = words("-n red -x");
        let refused = read(&line, &IP, |name| Err(Stop::quit(255, format!("no {name}"))));
        assert_eq!(refused, Err(Stop::quit(255, "no red")));
        // C's printf has a word for a name that is missing.
        let refused = read(&words("-n"), &IP, |name| Err(Stop::quit(255, name))).map(drop);
        assert_eq!(refused, Err(Stop::quit(255, "(null)")));
    }

    #[test]
    fn a_dark_background_is_told_by_its_last_number() {
        let opts = Options { color: ColorOption::Always, ..Options::default() };
        assert!(opts.style(false, Some("15;default;0")).dark);
        assert!(!opts.style(false, Some("0;15")).dark && !opts.style(false, None).dark);
        assert!(!Options { json: true, ..opts }.style(true, None).color);
    }
}
