//! `sudo` (1.9.13p3) and `su`: in a lab everybody is root already, so `sudo` drops away and its command stays.

use super::Proc;
use super::becoming::{exec, fail, shell};
use super::getopt::{Item, Long, Parsed, Takes, getopt};
use crate::lab::Exit;

const SHORT: &str = "+Aa:BbC:c:D:EeF:g:Hh::iKklNnPp:R:r:SsT:t:U:u:Vv";

const LONG: &[Long] = &[
    ("askpass", Takes::Nothing, 'A'),
    ("background", Takes::Nothing, 'b'),
    ("bell", Takes::Nothing, 'B'),
    ("chdir", Takes::Value, 'D'),
    ("chroot", Takes::Value, 'R'),
    ("close-from", Takes::Value, 'C'),
    ("command-timeout", Takes::Value, 'T'),
    ("edit", Takes::Nothing, 'e'),
    ("group", Takes::Value, 'g'),
    ("help", Takes::Nothing, 'h'),
    ("host", Takes::Value, 'h'),
    ("list", Takes::Nothing, 'l'),
    ("login", Takes::Nothing, 'i'),
    ("no-update", Takes::Nothing, 'N'),
    ("non-interactive", Takes::Nothing, 'n'),
    ("other-user", Takes::Value, 'U'),
    ("preserve-env", Takes::MaybeValue, 'E'),
    ("preserve-groups", Takes::Nothing, 'P'),
    ("prompt", Takes::Value, 'p'),
    ("remove-timestamp", Takes::Nothing, 'K'),
    ("reset-timestamp", Takes::Nothing, 'k'),
    ("role", Takes::Value, 'r'),
    ("set-home", Takes::Nothing, 'H'),
    ("shell", Takes::Nothing, 's'),
    ("stdin", Takes::Nothing, 'S'),
    ("type", Takes::Value, 't'),
    ("user", Takes::Value, 'u'),
    ("validate", Takes::Nothing, 'v'),
    ("version", Takes::Nothing, 'V'),
];

const USAGE: &str = "\
usage: sudo -h | -K | -k | -V
usage: sudo -v [-ABkNnS] [-g group] [-h host] [-p prompt] [-u user]
usage: sudo -l [-ABkNnS] [-g group] [-h host] [-p prompt] [-U user] [-u user]
            [command [arg ...]]
usage: sudo [-ABbEHkNnPS] [-r role] [-t type] [-C num] [-D directory] [-g
            group] [-h host] [-p prompt] [-R directory] [-T timeout] [-u user]
            [VAR=value] [-i | -s] [command [arg ...]]
usage: sudo -e [-ABkNnS] [-r role] [-t type] [-C num] [-D directory] [-g group]
            [-h host] [-p prompt] [-R directory] [-T timeout] [-u user] file ...
";

/// What is asked of `sudo` beyond a command.
#[derive(Default)]
struct Asked {
    /// `-i`, `-s`: through a shell.
    shell: bool,
    background: bool,
    /// `-k`, `-K`, `-v`: no command needed.
    may_be_idle: bool,
    list: bool,
}

/// `sudo`
pub(crate) async fn sudo(p: Proc) -> Exit {
    let parsed = getopt(p.argv(), SHORT, LONG);
    let mut asked = Asked::default();
    for item in &parsed.items {
        match item {
            Item::Option('h', None) => {
                return said(&p, &format!("sudo - execute a command as another user\n\n{USAGE}"));
            }
            Item::Option('V', _) => return said(&p, "Sudo version 1.9.13p3\n"),
            Item::Option('e', _) => return fail(&p, 1, "sudo: editing files (-e) is not simulated\n"),
            Item::Option('D' | 'R', _) => {
                return fail(&p, 1, "sudo: changing directory or root (-D, -R) is not simulated\n");
            }
            Item::Option('i' | 's', _) => asked.shell = true,
            Item::Option('b', _) => asked.background = true,
            Item::Option('k' | 'K' | 'v', _) => asked.may_be_idle = true,
            Item::Option('l', _) => asked.list = true,
            // Whoever the command is run as: in a lab that is root. Passwords, environment, limits: nothing to do.
            Item::Option(..) => {}
            Item::Bad(complaint) => return fail(&p, 1, &format!("{complaint}{USAGE}")),
        }
    }
    if asked.list {
        return list(&p);
    }
    run(&p, &asked, &parsed)
}

fn said(p: &Proc, text: &str) -> Exit {
    p.out(text);
    Exit::Status(0)
}

fn list(p: &Proc) -> Exit {
    said(p, "User root may run the following commands on vethlab:\n    (ALL : ALL) ALL\n")
}

fn run(p: &Proc, asked: &Asked, parsed: &Parsed) -> Exit {
    let is_setting = |word: &String| word.find('=').is_some_and(|at| at > 0 && !word[..at].contains('/'));
    let settings = parsed.operands.iter().take_while(|word| is_setting(word)).count();
    let (settings, command) = parsed.operands.split_at(settings);
    if command.is_empty() && !asked.shell {
        return if asked.may_be_idle { Exit::Status(0) } else { fail(p, 1, USAGE) };
    }
    let mut argv = Vec::new();
    if !settings.is_empty() {
        // The program that sets variables for another one.
        argv.push("env".to_string());
        argv.extend_from_slice(settings);
    }
    if asked.background {
        argv.extend(["/bin/bash", "-c", "\"$@\" &", "sudo"].map(str::to_string));
    }
    if asked.shell {
        argv.push(p.env("SHELL").unwrap_or("/bin/bash").to_string());
        if !command.is_empty() {
            argv.extend(["-c".to_string(), for_shell(command)]);
        }
    } else {
        argv.extend_from_slice(command);
    }
    exec(p.ns(), argv)
}

/// The words as `sudo -s` and `-i` hand them to a shell: everything but letters, digits, `_`, `-` and `$` is escaped.
fn for_shell(words: &[String]) -> String {
    let escaped = |word: &String| {
        let mut text = String::new();
        for letter in word.chars() {
            if letter.is_ascii() && !letter.is_ascii_alphanumeric() && !"_-$".contains(letter) {
                text.push('\\');
            }
            text.push(letter);
        }
        text
    };
    words.iter().map(escaped).collect::<Vec<_>>().join(" ")
}

const SU_SHORT: &str = "c:fg:G:lmpPs:u:w:hV";

const SU_LONG: &[Long] = &[
    ("command", Takes::Value, 'c'),
    ("session-command", Takes::Value, 'c'),
    ("fast", Takes::Nothing, 'f'),
    ("group", Takes::Value, 'g'),
    ("supp-group", Takes::Value, 'G'),
    ("login", Takes::Nothing, 'l'),
    ("preserve-environment", Takes::Nothing, 'p'),
    ("pty", Takes::Nothing, 'P'),
    ("shell", Takes::Value, 's'),
    ("whitelist-environment", Takes::Value, 'w'),
    ("help", Takes::Nothing, 'h'),
    ("version", Takes::Nothing, 'V'),
];

/// `su`: the only user there is, is root.
pub(crate) async fn su(p: Proc) -> Exit {
    let parsed = getopt(p.argv(), SU_SHORT, SU_LONG);
    let (mut command, mut own_shell) = (None, None);
    for item in &parsed.items {
        match item {
            Item::Option('c', value) => command = value.clone(),
            Item::Option('s', value) => own_shell = value.clone(),
            Item::Option('h', _) => return said(&p, "\nUsage:\n su [options] [-] [<user> [<argument>...]]\n"),
            Item::Option('V', _) => return said(&p, "su from util-linux 2.38.1\n"),
            Item::Option(..) => {}
            Item::Bad(complaint) => return fail(&p, 1, &format!("{complaint}Try 'su --help' for more information.\n")),
        }
    }
    let mut words = parsed.operands.iter().skip_while(|word| *word == "-");
    if let Some(user) = words.next().filter(|user| *user != "root") {
        let reason = "does not exist or the user entry does not contain all the required fields";
        return fail(&p, 1, &format!("su: user {user} {reason}\n"));
    }
    let Exit::Exec { places, mut argv, by_ip } = shell(&p, p.ns(), command) else { return Exit::Status(1) };
    if let (Some(own), Some(first)) = (own_shell, argv.first_mut()) {
        *first = own;
    }
    argv.extend(words.cloned());
    Exit::Exec { places, argv, by_ip }
}

#[cfg(test)]
mod tests {
    use super::for_shell;

    #[test]
    fn a_shell_is_given_the_words_escaped() {
        let words = ["echo".to_string(), "$HOME a;b".to_string(), "grün".to_string()];
        assert_eq!(for_shell(&words), "echo $HOME\\ a\\;b grün");
    }
}
