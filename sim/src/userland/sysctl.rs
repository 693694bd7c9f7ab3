//! `sysctl` (procps-ng 4.0.2).

mod tree;

use super::Proc;
use super::getopt::{Item, Long, Takes, getopt};
use super::regex::Regex;
use crate::lab::Exit;
use tree::{Node, Tree};
use vethlab_engine::control::Errno;

const LONG: &[Long] = &[
    ("all", Takes::Nothing, 'a'),
    ("deprecated", Takes::Nothing, 'D'),
    ("dry-run", Takes::Nothing, 'R'),
    ("binary", Takes::Nothing, 'b'),
    ("ignore", Takes::Nothing, 'e'),
    ("names", Takes::Nothing, 'N'),
    ("values", Takes::Nothing, 'n'),
    ("load", Takes::MaybeValue, 'p'),
    ("quiet", Takes::Nothing, 'q'),
    ("write", Takes::Nothing, 'w'),
    ("system", Takes::Nothing, 'S'),
    ("pattern", Takes::Value, 'r'),
    ("help", Takes::Nothing, 'h'),
    ("version", Takes::Nothing, 'V'),
];

const USAGE: &str = "
Usage:
 sysctl [options] [variable[=value] ...]

Options:
  -a, --all            display all variables
  -A                   alias of -a
  -X                   alias of -a
      --deprecated     include deprecated parameters to listing
      --dry-run        Print the key and values but do not write
  -b, --binary         print value without new line
  -e, --ignore         ignore unknown variables errors
  -N, --names          print variable names without values
  -n, --values         print only values of the given variable(s)
  -p, --load[=<file>]  read values from file
  -f                   alias of -p
      --system         read values from all system directories
  -r, --pattern <expression>
                       select setting that match expression
  -q, --quiet          do not echo variable set
  -w, --write          enable writing a value to variable
  -o                   does nothing
  -x                   does nothing
  -d                   alias of -h

 -h, --help     display this help and exit
 -V, --version  output version information and exit

For more details see sysctl(8).
";

/// What the options say.
#[derive(Default)]
struct Options {
    values_only: bool,
    binary: bool,
    names_only: bool,
    ignore: bool,
    quiet: bool,
    write: bool,
    dry_run: bool,
    all: bool,
    /// `-p`, and the file said with it.
    load: Option<Option<String>>,
    pattern: Option<String>,
}

/// A running `sysctl`.
struct Sysctl {
    p: Proc,
    options: Options,
    /// `-r`; an expression that is wrong fits nothing.
    pattern: Option<Option<Regex>>,
}

/// `sysctl`
pub(crate) async fn main(p: Proc) -> Exit {
    if p.argv().len() < 2 {
        p.err(USAGE);
        return Exit::Status(1);
    }
    let parsed = getopt(p.argv(), "bneNwfp::qoxaAXr:Vdh", LONG);
    let options = match read_options(&p, &parsed.items) {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    let pattern = options.pattern.as_deref().map(Regex::new);
    let sysctl = Sysctl { p, options, pattern };
    if sysctl.options.all {
        return Exit::Status(sysctl.display(""));
    }
    if let Some(file) = sysctl.options.load.clone() {
        return Exit::Status(sysctl.load(file, &parsed.operands).await);
    }
    sysctl.variables(&parsed.operands)
}

fn read_options(p: &Proc, items: &[Item]) -> Result<Options, Exit> {
    let mut options = Options::default();
    for item in items {
        match item {
            Item::Option('b', _) => (options.binary, options.values_only) = (true, true),
            Item::Option('n', _) => options.values_only = true,
            Item::Option('e', _) => options.ignore = true,
            Item::Option('N', _) => options.names_only = true,
            Item::Option('w', _) => options.write = true,
            Item::Option('q', _) => options.quiet = true,
            Item::Option('R', _) => options.dry_run = true,
            Item::Option('a' | 'A' | 'X', _) => options.all = true,
            Item::Option('f' | 'p', file) => options.load = Some(file.clone().or(options.load.flatten())),
            Item::Option('r', pattern) => options.pattern = pattern.clone(),
            Item::Option('S', _) => {
                p.err("sysctl: --system is not simulated: no machine's own settings are read\n");
                return Err(Exit::Status(1));
            }
            Item::Option('V', _) => {
                p.out("sysctl from procps-ng 4.0.2\n");
                return Err(Exit::Status(0));
            }
            Item::Option('d' | 'h', _) => {
                p.out(USAGE);
                return Err(Exit::Status(0));
            }
            Item::Option(..) => {}
            Item::Bad(complaint) => {
                p.err(complaint);
                p.out(USAGE);
                return Err(Exit::Status(0));
            }
        }
    }
    Ok(options)
}

/// `key = value`, of a command line or a file.
struct Setting {
    /// The path below `/proc/sys`.
    path: String,
    /// None: a path that patterns shall leave alone.
    value: Option<String>,
    /// `-key = value`
    ignore_failure: bool,
}

impl Sysctl {
    fn warn(&self, text: &str) {
        self.p.err(&format!("sysctl: {text}\n"));
    }

    fn tree(&self) -> Tree<'_> {
        Tree::new(&self.p)
    }

    /// The words of the command line, one by one.
    fn variables(&self, words: &[String]) -> Exit {
        if words.is_empty() {
            self.warn("no variables specified\nTry `sysctl --help' for more information.");
            return Exit::Status(1);
        }
        if self.options.names_only && self.options.quiet {
            self.warn("options -N and -q cannot coexist\nTry `sysctl --help' for more information.");
            return Exit::Status(1);
        }
        let mut status = 0;
        for word in words {
            if self.options.write || word.contains('=') {
                let setting = self.setting("command line", 0, word);
                status |= setting.map_or(1, |setting| self.write(&setting.path, &setting));
            } else {
                status += self.read(word);
            }
        }
        Exit::Status(status & 0xff)
    }

    fn fits(&self, text: &str) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.as_ref().is_some_and(|regex| regex.is_match(text)))
    }

    /// `slashdot()`: exchanges the separators, unless the first already is the new one.
    fn slashdot(&self, name: &str, old: char, new: char) -> String {
        let separators = ['/', '.'];
        if name.chars().find(|c| separators.contains(c)).is_none_or(|first| first == new) {
            return name.to_string();
        }
        let repeated = name
            .char_indices()
            .find(|(at, c)| separators.contains(c) && name[at + c.len_utf8()..].starts_with(separators));
        if let Some((at, _)) = repeated {
            self.warn(&format!("separators should not be repeated: {}", &name[at..]));
        }
        let exchanged = |c| {
            if c == old {
                new
            } else if c == new {
                old
            } else {
                c
            }
        };
        name.chars().map(exchanged).collect()
    }

    /// `ReadSetting()`
    fn read(&self, name: &str) -> i32 {
        if name.is_empty() {
            self.warn("\"\" is an unknown key");
            return -1;
        }
        let path = self.slashdot(name, '.', '/');
        let shown = self.slashdot(name, '/', '.');
        match self.tree().node(&path) {
            Node::Missing(errno) => self.missing(&path, errno),
            Node::WriteOnly => 0,
            Node::Directory => self.display(&path),
            _ if !self.fits(&shown) => 0,
            _ if self.options.names_only => {
                self.p.out(&format!("{shown}\n"));
                0
            }
            Node::Unreadable => 1,
            Node::Value(value) | Node::ReadOnly(value) => {
                self.p.out(&self.line(&shown, &value));
                0
            }
        }
    }

    fn missing(&self, path: &str, errno: Errno) -> i32 {
        if self.options.ignore {
            return 0;
        }
        self.warn(&format!("cannot stat /proc/sys/{path}: {}", errno.text()));
        1
    }

    /// A name and its value, as the options want it.
    fn line(&self, name: &str, value: &str) -> String {
        let end = if self.options.binary { "" } else { "\n" };
        if self.options.values_only { format!("{value}{end}") } else { format!("{name} = {value}\n") }
    }

    /// `DisplayAll()`: everything below a directory. Only what is wrong right in it shows in the status.
    fn display(&self, directory: &str) -> i32 {
        let mut status = 0;
        for path in self.tree().below(directory) {
            let result = self.read(&path);
            if !path[directory.len()..].trim_start_matches('/').contains('/') {
                status |= result;
            }
        }
        status
    }

    /// `parse_setting_line()`
    fn setting(&self, file: &str, line: usize, text: &str) -> Option<Setting> {
        let text = text.trim_start();
        if text.len() < 2 || text.starts_with(['#', ';']) || !self.fits(text) {
            return None;
        }
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key.trim_end(), Some(value.trim().to_string())),
            None if text.starts_with('-') => (text.trim_end(), None),
            None => {
                self.warn(&format!("{file}({line}): invalid syntax, continuing..."));
                return None;
            }
        };
        let ignore_failure = key.starts_with('-') && value.is_some();
        let key = key.strip_prefix('-').unwrap_or(key);
        Some(Setting { path: self.slashdot(key, '.', '/'), value, ignore_failure })
    }

    /// `WriteSetting()`
    fn write(&self, path: &str, setting: &Setting) -> i32 {
        let value = setting.value.as_deref().unwrap_or("(null)");
        let shown = self.slashdot(path, '/', '.');
        let refused = |why: &str| self.warn(&format!("setting key \"{shown}\": {why}"));
        match self.tree().node(path) {
            Node::Missing(errno) => return self.missing(path, errno),
            Node::Directory if path.trim_matches('/').is_empty() => {
                self.warn("Path is not under /proc/sys/: /proc/sys/");
                return 1;
            }
            // What is said then is what the last system call before left behind, and it is no failure.
            Node::Directory | Node::ReadOnly(_) => {
                refused("Invalid argument");
                return 0;
            }
            Node::Value(_) | Node::WriteOnly | Node::Unreadable => {}
        }
        if !self.options.dry_run
            && let Err(errno) = self.tree().write(path, value)
        {
            if matches!(errno, Errno::Acces | Errno::Perm) {
                let ignoring = if setting.ignore_failure { ", ignoring" } else { "" };
                self.warn(&format!("permission denied on key \"{shown}\"{ignoring}"));
                return i32::from(!setting.ignore_failure);
            }
            refused(errno.text());
            return 1;
        }
        if !self.options.quiet || self.options.dry_run {
            let text = if self.options.names_only { format!("{value}\n") } else { self.line(&shown, value) };
            self.p.out(&text);
        }
        0
    }

    /// `-p`: the settings of files, or of `/etc/sysctl.conf`.
    async fn load(&self, file: Option<String>, others: &[String]) -> i32 {
        let standard = "/etc/sysctl.conf".to_string();
        let first = file.or_else(|| others.is_empty().then_some(standard));
        let mut settings = Vec::new();
        let mut status = 0;
        for file in first.iter().chain(others) {
            match self.p.file(file).await {
                Ok(bytes) => {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let lines = text.lines().enumerate();
                    settings.extend(lines.filter_map(|(at, line)| self.setting(file, at + 1, line)));
                }
                Err(why) => {
                    self.warn(&format!("cannot open \"{file}\": {why}"));
                    status = 1;
                }
            }
        }
        status | self.write_all(&settings)
    }

    /// `write_setting_list()`: a path with `*` stands for all that fit, but those that are named elsewhere.
    fn write_all(&self, settings: &[Setting]) -> i32 {
        let mut status = 0;
        for setting in settings.iter().filter(|setting| setting.value.is_some()) {
            if !setting.path.contains(['*', '?', '[']) {
                status |= self.write(&setting.path, setting);
                continue;
            }
            for path in self.tree().like(&setting.path) {
                if !settings.iter().any(|other| other.path == path) {
                    status |= self.write(&path, setting);
                }
            }
        }
        status
    }
}
