//! `id` and `whoami` (GNU coreutils 9.1): in a lab everybody is root.

use super::Proc;
use super::getopt::{Item, Long, Takes, getopt};
use super::quote::quoted;
use crate::lab::Exit;

const ID_LONG: &[Long] = &[
    ("context", Takes::Nothing, 'Z'),
    ("group", Takes::Nothing, 'g'),
    ("groups", Takes::Nothing, 'G'),
    ("name", Takes::Nothing, 'n'),
    ("real", Takes::Nothing, 'r'),
    ("user", Takes::Nothing, 'u'),
    ("zero", Takes::Nothing, 'z'),
    ("help", Takes::Nothing, 'h'),
    ("version", Takes::Nothing, 'v'),
];
const WHOAMI_LONG: &[Long] = &[("help", Takes::Nothing, 'h'), ("version", Takes::Nothing, 'v')];

const ID_HELP: &str = "\
Usage: id [OPTION]... [USER]...
Print user and group information for each specified USER,
or (when USER omitted) for the current process.

  -a             ignore, for compatibility with other versions
  -Z, --context  print only the security context of the process
  -g, --group    print only the effective group ID
  -G, --groups   print all group IDs
  -n, --name     print a name instead of a number, for -ugG
  -r, --real     print the real ID instead of the effective ID, with -ugG
  -u, --user     print only the effective user ID
  -z, --zero     delimit entries with NUL characters, not whitespace;
                   not permitted in default format
      --help        display this help and exit
      --version     output version information and exit

Without any OPTION, print some useful set of identified information.

GNU coreutils online help: <https://www.gnu.org/software/coreutils/>
Report any translation bugs to <https://translationproject.org/team/>
Full documentation <https://www.gnu.org/software/coreutils/id>
or available locally via: info '(coreutils) id invocation'
";

const WHOAMI_HELP: &str = "\
Usage: whoami [OPTION]...
Print the user name associated with the current effective user ID.
Same as id -un.

      --help        display this help and exit
      --version     output version information and exit

GNU coreutils online help: <https://www.gnu.org/software/coreutils/>
Report any translation bugs to <https://translationproject.org/team/>
Full documentation <https://www.gnu.org/software/coreutils/whoami>
or available locally via: info '(coreutils) whoami invocation'
";

/// `id`
pub(crate) async fn id(p: Proc) -> Exit {
    let parsed = getopt(p.argv(), "agnruzGZ", ID_LONG);
    let mut chosen = String::new();
    for item in &parsed.items {
        match item {
            Item::Option('h', _) => return said(&p, ID_HELP),
            Item::Option('v', _) => return said(&p, "id (GNU coreutils) 9.1\n"),
            Item::Option('Z', _) => return refused(&p, "id: --context (-Z) works only on an SELinux-enabled kernel\n"),
            Item::Option(letter, _) => chosen.push(*letter),
            Item::Bad(complaint) => return refused(&p, &format!("{complaint}Try 'id --help' for more information.\n")),
        }
    }
    match Format::of(&chosen) {
        Ok(format) => print_ids(&p, &format, &parsed.operands),
        Err(complaint) => refused(&p, complaint),
    }
}

/// What `id` prints of a user.
struct Format {
    /// `u`, `g`, `G`, or everything.
    only: Option<char>,
    name: bool,
    zero: bool,
}

impl Format {
    fn of(letters: &str) -> Result<Format, &'static str> {
        let mut only: Vec<char> = letters.chars().filter(|letter| "ugG".contains(*letter)).collect();
        only.dedup();
        let name = letters.contains('n');
        let zero = letters.contains('z');
        match only.as_slice() {
            [_, _, ..] => Err("id: cannot print \"only\" of more than one choice\n"),
            [] if name || letters.contains('r') => Err("id: cannot print only names or real IDs in default format\n"),
            [] if zero => Err("id: option --zero not permitted in default format\n"),
            one => Ok(Format { only: one.first().copied(), name, zero }),
        }
    }

    fn text(&self) -> String {
        let end = if self.zero { '\0' } else { '\n' };
        match self.only {
            None => format!("uid=0(root) gid=0(root) groups=0(root){end}"),
            Some(_) if self.name => format!("root{end}"),
            Some(_) => format!("0{end}"),
        }
    }
}

fn print_ids(p: &Proc, format: &Format, users: &[String]) -> Exit {
    if users.is_empty() {
        return said(p, &format.text());
    }
    let mut status = 0;
    for user in users {
        // A leading + asks for a number.
        if user == "root" || user.trim_start_matches('+') == "0" {
            p.out(&format.text());
        } else {
            p.err(&format!("id: {}: no such user\n", quoted(p, user)));
            status = 1;
        }
    }
    Exit::Status(status)
}

/// `whoami`
pub(crate) async fn whoami(p: Proc) -> Exit {
    let try_help = "Try 'whoami --help' for more information.\n";
    let parsed = getopt(p.argv(), "", WHOAMI_LONG);
    match (parsed.items.first(), parsed.operands.first()) {
        (Some(Item::Option('h', _)), _) => said(&p, WHOAMI_HELP),
        (Some(Item::Option(..)), _) => said(&p, "whoami (GNU coreutils) 9.1\n"),
        (Some(Item::Bad(complaint)), _) => refused(&p, &format!("{complaint}{try_help}")),
        (None, Some(word)) => refused(&p, &format!("whoami: extra operand {}\n{try_help}", quoted(&p, word))),
        (None, None) => said(&p, "root\n"),
    }
}

fn said(p: &Proc, text: &str) -> Exit {
    p.out(text);
    Exit::Status(0)
}

fn refused(p: &Proc, text: &str) -> Exit {
    p.err(text);
    Exit::Status(1)
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn letters_choose_what_is_printed() {
        let text = |letters| Format::of(letters).map(|format| format.text());
        assert_eq!(text(""), Ok("uid=0(root) gid=0(root) groups=0(root)\n".into()));
        assert_eq!(text("u"), Ok("0\n".into()));
        assert_eq!(text("un"), Ok("root\n".into()));
        assert_eq!(text("Gz"), Ok("0\0".into()));
        assert!(text("ug").is_err() && text("n").is_err() && text("z").is_err());
    }
}
