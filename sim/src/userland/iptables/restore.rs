//! `iptables-restore`

use super::command::{Parser, assert_chain_name};
use super::run::{self, Failure, Kind, Run, Task, table_name};
use super::stop::Problem;
use super::{Identity, VERSION, end, note_bytecode};
use crate::lab::Exit;
use crate::userland::Proc;
use crate::userland::getopt::{Item, Long, Takes, getopt};
use crate::userland::number::strtoul;
use vethlab_engine::filter::{RuleCounters, TableName};

const LONG: &[Long] = &[
    ("counters", Takes::Nothing, 'c'),
    ("verbose", Takes::Nothing, 'v'),
    ("version", Takes::Nothing, 'V'),
    ("test", Takes::Nothing, 't'),
    ("help", Takes::Nothing, 'h'),
    ("noflush", Takes::Nothing, 'n'),
    ("modprobe", Takes::Value, 'M'),
    ("table", Takes::Value, 'T'),
    ("ipv4", Takes::Nothing, '4'),
    ("ipv6", Takes::Nothing, '6'),
    ("wait", Takes::MaybeValue, 'w'),
    ("wait-interval", Takes::MaybeValue, 'W'),
];

/// What was said on the command line.
#[derive(Clone, Debug, Default)]
struct Options {
    counters: bool,
    verbose: usize,
    test: bool,
    noflush: bool,
    table: Option<String>,
    file: Option<String>,
}

/// `iptables-restore`
pub(in super::super) async fn main(p: Proc) -> Exit {
    let who = Identity::called(&p);
    let options = match options(&p, &who) {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    let name = options.file.as_deref().unwrap_or("-");
    let text = match p.file(name).await {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(why) => {
            p.err(&format!("Can't open {name}: {why}\n"));
            return Exit::Status(1);
        }
    };
    let mut restore = Restore { p: &p, who: &who, options: &options, table: None, in_table: false, tasks: Vec::new() };
    restore.all(&text).err().unwrap_or(Exit::Status(0))
}

fn options(p: &Proc, who: &Identity) -> Result<Options, Exit> {
    let parsed = getopt(p.argv(), "bcvVthnM:T:wW", LONG);
    let mut options = Options::default();
    let mut operands = parsed.operands;
    for item in parsed.items {
        match item {
            Item::Option('b', _) => p.err("-b/--binary option is not implemented\n"),
            Item::Option('c', _) => options.counters = true,
            Item::Option('v', _) => options.verbose += 1,
            Item::Option('t', _) => options.test = true,
            Item::Option('n', _) => options.noflush = true,
            Item::Option('T', value) => options.table = value,
            Item::Option('V', _) => {
                p.out(&format!("{} v{VERSION}\n", who.name));
                return Err(Exit::Status(0));
            }
            Item::Option('h', _) => {
                p.err(&include_str!("help/restore.txt").replace("iptables-restore", &who.name));
                return Err(Exit::Status(0));
            }
            // They may be followed by a number, which the tool passes over.
            Item::Option('w' | 'W', None) if operands.first().is_some_and(|word| !word.starts_with('!')) => {
                operands.remove(0);
            }
            Item::Option('M' | 'w' | 'W', _) => {}
            Item::Option(..) => return Err(try_help(p, who)),
            Item::Bad(complaint) => {
                p.err(&complaint);
                return Err(try_help(p, who));
            }
        }
    }
    if operands.len() > 1 {
        p.err("Unknown arguments found on commandline\n");
        return Err(Exit::Status(1));
    }
    options.file = operands.pop();
    Ok(options)
}

fn try_help(p: &Proc, who: &Identity) -> Exit {
    p.err(&format!("Try `{} -h' for more information.\n", who.name));
    Exit::Status(1)
}

/// The longest line that is read at once.
const LINE_ROOM: usize = 10239;

/// A file being read.
struct Restore<'a> {
    p: &'a Proc,
    who: &'a Identity,
    options: &'a Options,
    /// Of the last `*TABLE` line.
    table: Option<TableName>,
    in_table: bool,
    /// What `COMMIT` will do.
    tasks: Vec<Task>,
}

impl Restore<'_> {
    fn all(&mut self, text: &str) -> Result<(), Exit> {
        let mut number = 0;
        for line in text.split_inclusive('\n') {
            let mut line = line;
            while !line.is_empty() {
                let (piece, rest) = line.split_at(line.floor_char_boundary(LINE_ROOM));
                (number, line) = (number + 1, rest);
                self.line(piece, number)?;
            }
        }
        if self.in_table {
            self.p.err(&format!("{}: COMMIT expected at line {}\n", self.who.name, number + 1));
            return Err(Exit::Status(1));
        }
        Ok(())
    }

    fn stop(&self, problem: &Problem, line: usize) -> Exit {
        end(self.p, self.who, problem, Some(line))
    }

    fn failed(&self, line: usize, reason: Option<&str>) -> Exit {
        let reason = reason.map_or(String::new(), |reason| format!(": {reason}."));
        self.p.err(&format!("{}: line {line} failed{reason}\n", self.who.name));
        Exit::Status(1)
    }

    /// The table is one of those that `-T` leaves out.
    fn is_left_out(&self, table: TableName) -> bool {
        self.options.table.as_deref().is_some_and(|wanted| wanted != table.name())
    }

    fn line(&mut self, line: &str, number: usize) -> Result<(), Exit> {
        let plain = line.strip_suffix('\n').unwrap_or(line);
        if line == "\n" {
            return Ok(());
        }
        if line.starts_with('#') {
            if self.options.verbose > 0 {
                self.p.out(line);
            }
            return Ok(());
        }
        if !self.in_table && plain.starts_with('*') {
            return self.new_table(&plain[1..], number).map_err(|problem| self.stop(&problem, number));
        }
        let Some(table) = self.table.filter(|_| self.in_table) else {
            let left_out = self.table.is_some_and(|table| self.is_left_out(table));
            return if left_out { Ok(()) } else { Err(self.failed(number, None)) };
        };
        if plain == "COMMIT" {
            self.in_table = false;
            return self.commit(number);
        }
        let read = match plain.strip_prefix(':') {
            Some(chain) => self.chain(table, chain, number),
            None => self.rule(table, line, number),
        };
        read.map_err(|problem| self.stop(&problem, number))
    }

    /// `*TABLE`
    fn new_table(&mut self, text: &str, number: usize) -> Result<(), Problem> {
        let said = |what: &str| Problem::Parameter(format!("{}: line {number} table name {what}", self.who.name));
        let name = text.split([' ', '\t']).find(|word| !word.is_empty()).ok_or_else(|| said("invalid"))?;
        let table = match table_name(name) {
            Err(Problem::NotSimulated(what)) => return Err(Problem::NotSimulated(what)),
            found => found.map_err(|_| said(&format!("'{name}' invalid")))?,
        };
        self.table = Some(table);
        if self.is_left_out(table) {
            return Ok(());
        }
        self.in_table = true;
        let verbose = self.options.verbose > 0;
        if !self.options.noflush {
            let kinds = if verbose { vec![Kind::Flush(None), Kind::DeleteChain(None)] } else { vec![Kind::TableFlush] };
            self.tasks.extend(kinds.into_iter().map(|kind| Task { table, line: Some(number), verbose, kind }));
        }
        Ok(())
    }

    /// `:CHAIN POLICY [PACKETS:BYTES]`
    fn chain(&mut self, table: TableName, text: &str, number: usize) -> Result<(), Problem> {
        let mut words = text.split([' ', '\t']).filter(|word| !word.is_empty());
        let said = |what: &str| Problem::Parameter(format!("{}: line {number} {what} invalid", self.who.name));
        let chain = words.next().ok_or_else(|| said("chain name"))?.to_string();
        assert_chain_name(&chain)?;
        let policy = words.next().ok_or_else(|| said("policy"))?.to_string();
        let is_built_in = table.hooks().iter().any(|hook| hook.name() == chain);
        let kind = if is_built_in {
            let counters = match (self.options.counters, words.next().and_then(counters)) {
                (false, _) => RuleCounters::default(),
                (true, Some(counters)) => counters,
                (true, None) => {
                    return Err(Problem::Parameter(format!("invalid policy counters for chain '{chain}'")));
                }
            };
            Kind::Policy(chain, policy, counters)
        } else {
            Kind::RestoreChain(chain)
        };
        self.tasks.push(Task { table, line: Some(number), verbose: false, kind });
        Ok(())
    }

    /// A command line, perhaps with counters before it.
    fn rule(&mut self, table: TableName, line: &str, number: usize) -> Result<(), Problem> {
        let mut argv = vec![self.who.name.clone(), "-t".to_string(), table.name().to_string()];
        if !self.options.noflush {
            argv.extend(std::iter::repeat_n("-v".to_string(), self.options.verbose));
        }
        let (counted, rest) = rule_counters(line, number)?;
        if let Some((packets, bytes)) = counted.filter(|_| self.options.counters) {
            argv.extend(["--set-counters".to_string(), packets.to_string(), bytes.to_string()]);
        }
        argv.extend(words(rest)?);
        if argv.len() >= MOST_WORDS {
            return Err(Problem::parameter("Parser cannot handle more arguments"));
        }
        let mut parser = Parser::new(self.who, argv, true);
        let command = parser.parse();
        self.p.err(&parser.warnings);
        let command = command?;
        note_bytecode(self.p, self.who, &command);
        self.tasks.extend(run::tasks(command, Some(number))?);
        Ok(())
    }

    /// `COMMIT`: all of a table, or nothing.
    fn commit(&mut self, number: usize) -> Result<(), Exit> {
        let tasks = std::mem::take(&mut self.tasks);
        if self.options.test {
            return Ok(());
        }
        let mut run = Run::new(self.p);
        for task in tasks {
            let line = task.line.unwrap_or(number);
            run.task(task).map_err(|failure| match failure {
                Failure::Reason(reason) => self.failed(line, Some(reason)),
                Failure::Problem(problem) => self.stop(&problem, number),
            })?;
        }
        run.batch.commit().map_err(|problem| self.stop(&problem, number))
    }
}

/// Words of a line, as many as there is room for.
const MOST_WORDS: usize = 255;

/// `[PACKETS:BYTES]`
fn counters(text: &str) -> Option<RuleCounters> {
    let packets = strtoul(text.strip_prefix('[')?, 10);
    let bytes = strtoul(packets.rest.strip_prefix(':')?, 10);
    let both = !packets.empty && !bytes.empty;
    both.then_some(RuleCounters { packets: packets.value as u64, bytes: bytes.value as u64 })
}

/// Packets and bytes, as they are written.
type Counted<'a> = (&'a str, &'a str);

/// `tokenize_rule_counters`: what stands in brackets at the beginning, and the rest.
fn rule_counters(line: &str, number: usize) -> Result<(Option<Counted<'_>>, &str), Problem> {
    let Some(inside) = line.strip_prefix('[') else { return Ok((None, line)) };
    let need = |what: &str| Problem::Parameter(format!("Bad line {number}: need {what}"));
    let (_, rest) = inside.split_once(']').ok_or_else(|| need("]"))?;
    let packets = inside.trim_start_matches(':');
    let (packets, bytes) = packets.split_once(':').unwrap_or((packets, ""));
    if packets.is_empty() {
        return Err(need(":"));
    }
    let bytes = bytes.trim_start_matches(']').split(']').next().filter(|bytes| !bytes.is_empty());
    Ok((Some((packets, bytes.ok_or_else(|| need("]"))?)), rest))
}

/// `add_param_to_argv`: words between blanks, in double quotes where they hold some, with backslashes within quotes.
fn words(line: &str) -> Result<Vec<String>, Problem> {
    let mut found = Vec::new();
    let mut word = String::new();
    let (mut open, mut escaped) = (false, false);
    for letter in line.chars() {
        match letter {
            letter if open && escaped => {
                word.push(letter);
                escaped = false;
            }
            '\\' if open => escaped = true,
            // The end of a quote ends the word too; without a letter in it there is none.
            '"' if open => {
                open = false;
                if !word.is_empty() {
                    found.push(std::mem::take(&mut word));
                }
            }
            letter if open => word.push(letter),
            '"' => open = true,
            ' ' | '\t' | '\n' => {
                if !word.is_empty() {
                    found.push(std::mem::take(&mut word));
                }
            }
            letter => word.push(letter),
        }
        if word.len() >= 1024 {
            return Err(Problem::parameter("Parameter too long!"));
        }
    }
    if !word.is_empty() {
        found.push(word);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_quotes() {
        assert_eq!(
            words("-A INPUT  -m comment --comment \"a \\\"b\\\\ c\" -j x\n"),
            Ok(vec![
                "-A".into(),
                "INPUT".into(),
                "-m".into(),
                "comment".into(),
                "--comment".into(),
                "a \"b\\ c".into(),
                "-j".into(),
                "x".into()
            ])
        );
    }

    #[test]
    fn counters_before_a_rule() {
        assert_eq!(rule_counters("[1:2] -A x", 1), Ok((Some(("1", "2")), " -A x")));
        assert_eq!(rule_counters("-A x", 1), Ok((None, "-A x")));
        assert_eq!(rule_counters("[1:2 -A x", 7), Err(Problem::parameter("Bad line 7: need ]")));
        assert_eq!(counters("[3:4]"), Some(RuleCounters { packets: 3, bytes: 4 }));
    }
}
