//! Writing down commands: a directory of programs that stands first on PATH. Each runs the next program of its name, passes on
//! what that prints, and adds a line to a log: words, standard output, standard error, status.
//!
//! The same programs stand before the machine's own tools and before the simulator's, so that what is written down is of one
//! kind, and can be [compared](crate::diff).

mod relay;

use crate::kernel::ask;
use crate::signals;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::Signal;
use relay::Printed;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use vethlab_sim::userland::{PROGRAMS, REFUSED};

/// The word by which this program knows that it is to do this.
pub(crate) const WORD: &str = "vethlab-shim";

const LOG: &str = "VETHLAB_LOG";
const DEPTH: &str = "VETHLAB_LOG_DEPTH";

/// Programs that have nothing to do with the network, or only run others.
const SILENT: &[&str] =
    &["hostname", "id", "lsmod", "modprobe", "python", "python3", "sleep", "su", "sudo", "timeout", "whoami"];

/// A command, as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Logged {
    /// Its place in the order in which commands started, from 1.
    pub(crate) number: u32,
    /// 0 for commands of the script itself, 1 for those that such a command ran, and so on.
    pub(crate) depth: u32,
    /// Its words.
    pub(crate) argv: Vec<String>,
    /// What it printed on standard output; on both streams if they are one.
    pub(crate) stdout: String,
    /// What it printed on standard error.
    pub(crate) stderr: String,
    /// Its exit status; 128 and the signal's number if it ended by one.
    pub(crate) status: i32,
}

/// Makes the directory.
pub(crate) fn make(dir: &Path) -> io::Result<()> {
    std::fs::create_dir(dir)?;
    let me = std::env::current_exe()?;
    let text = format!("#!{} {WORD}\n", me.display());
    let names = PROGRAMS.iter().map(|(name, _)| *name).chain(REFUSED.iter().copied());
    names.filter(|name| !SILENT.contains(name)).try_for_each(|name| write_program(&dir.join(name), &text))
}

/// Writes an executable script.
pub(crate) fn write_program(file: &Path, text: &str) -> io::Result<()> {
    std::fs::write(file, text)?;
    std::fs::set_permissions(file, PermissionsExt::from_mode(0o755))
}

/// Begins a log, and tells the command whose children are to be written down in it.
pub(crate) fn start_log(file: &Path, command: &mut Command) -> io::Result<()> {
    File::create(file).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))?;
    command.env(LOG, std::path::absolute(file)?).env(DEPTH, "0");
    Ok(())
}

/// A command that is not to be written down.
pub(crate) fn unlogged(command: &mut Command) {
    command.env_remove(LOG);
}

/// Reads a log, in the order in which the commands started.
pub(crate) fn read_log(file: &Path) -> io::Result<Vec<Logged>> {
    let text = std::fs::read_to_string(file)?;
    let mut all: Vec<Logged> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    all.sort_by_key(|logged| logged.number);
    Ok(all)
}

/// `vethlab vethlab-shim DIR/NAME ARGS…`
pub(crate) fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(2);
    let Some(file) = words.next().map(PathBuf::from) else { return ExitCode::from(127) };
    if file.as_os_str() == relay::GO_ON {
        return relay::go_on();
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some(program) = next_on_path(&file, &name) else {
        eprintln!("bash: {name}: command not found");
        return ExitCode::from(127);
    };
    let mut command = Command::new(program);
    command.arg0(&name);
    let args: Vec<OsString> = words.collect();
    command.args(&args);
    let Some(log) = std::env::var_os(LOG) else {
        eprintln!("{name}: {}", command.exec());
        return ExitCode::from(126);
    };
    let argv: Vec<String> =
        [name.clone()].into_iter().chain(args.iter().map(|word| word.to_string_lossy().into_owned())).collect();
    run(command, argv, Path::new(&log)).unwrap_or_else(|error| {
        eprintln!("{name}: {error}");
        ExitCode::from(126)
    })
}

/// The program of this name in the directories behind ours.
fn next_on_path(file: &Path, name: &str) -> Option<PathBuf> {
    let ours = file.parent()?;
    let path = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).filter(|dir| dir != ours).map(|dir| dir.join(name));
    places.find(|file| file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0))
}

fn run(mut command: Command, argv: Vec<String>, log: &Path) -> io::Result<ExitCode> {
    let number = next_number(log)?;
    let depth: u32 = std::env::var(DEPTH).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    command.env(DEPTH, (depth + 1).to_string());
    before(&argv);
    let (status, printed) = relay::run(command)?;
    after(&argv);
    let Printed { stdout, stderr } = printed;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let status_number = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    let logged = Logged { number, depth, argv, stdout: text(stdout), stderr: text(stderr), status: status_number };
    let line = serde_json::to_string(&logged)? + "\n";
    OpenOptions::new().append(true).open(log)?.write_all(line.as_bytes())?;
    Ok(end_as(status))
}

/// Ends as the program did.
fn end_as(status: ExitStatus) -> ExitCode {
    if let Some(Ok(signal)) = status.signal().map(Signal::try_from) {
        signals::die_of(signal);
        return ExitCode::from(128 + signal as u8);
    }
    ExitCode::from(status.code().unwrap_or(1) as u8)
}

/// The next number, from a file beside the log.
fn next_number(log: &Path) -> io::Result<u32> {
    let mut name = log.as_os_str().to_os_string();
    name.push(".number");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(name)?;
    let mut file = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno)?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let number = text.parse().unwrap_or(0u32) + 1;
    file.rewind()?;
    file.write_all(number.to_string().as_bytes())?;
    Ok(number)
}

/// A namespace that goes is let go by the capture.
fn before(argv: &[String]) {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    let ["ip", words @ ..] = &words[..] else { return };
    let all =
        words.iter().take_while(|word| word.starts_with('-')).any(|word| matches!(*word, "-a" | "-all" | "--all"));
    let mut rest = words.iter().skip_while(|word| word.starts_with('-'));
    let netns = rest.next().is_some_and(|word| word.len() >= 3 && "netns".starts_with(word));
    if netns && rest.next().is_some_and(|word| "delete".starts_with(word)) {
        match rest.next() {
            Some(name) => ask(&format!("release {name}")),
            None if all => ask("release "),
            None => {}
        }
    }
}

/// Namespaces that are new are listened to by the capture.
fn after(argv: &[String]) {
    if argv.first().is_some_and(|name| name == "ip") {
        ask("scan");
    }
}
