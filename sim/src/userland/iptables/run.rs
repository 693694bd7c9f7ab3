//! Commands carried out: which chains they need, what they complain of, and what they print (`nft.c`, `nft_prepare`).

use super::batch::{Batch, Change, references};
use super::canonical::canonical;
use super::command::{Command, ask};
use super::list::{self, Format};
use super::save::{self, Counters};
use super::stop::Problem;
use crate::userland::Proc;
use vethlab_engine::filter::{Chain, Rule, RuleCounters, Standing, Table, TableName, Target};

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// A reason (`nft_strerror`), for the caller to word.
    Reason(&'static str),
    Problem(Problem),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        Failure::Problem(problem)
    }
}

const NO_CHAIN: &str = "No chain/target/match by that name";
const BAD_RULE: &str = "Bad rule (does a matching rule exist in that chain?)";
/// `EINVAL`'s; a command of its own adds where to look.
pub(super) const BAD_POLICY: &str = "Bad policy name";

/// The table of this name.
pub(super) fn table_name(name: &str) -> Result<TableName, Problem> {
    if name == "security" {
        return Err(Problem::NotSimulated("-t security".into()));
    }
    let found = TableName::ALL.iter().find(|table| table.name() == name).copied();
    found.ok_or_else(|| Problem::Version(format!("table '{name}' does not exist")))
}

/// One step of what a command line asks for, ready to be carried out (`struct nft_cmd`).
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) table: TableName,
    pub(super) line: Option<usize>,
    pub(super) verbose: bool,
    pub(super) kind: Kind,
}

/// What it asks for.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    TableFlush,
    Append(String, Rule),
    /// At this place, from 0.
    Insert(String, usize, Rule),
    Replace(String, usize, Rule),
    Check(String, Rule),
    Delete(String, Rule),
    DeleteAt(String, usize),
    Flush(Option<String>),
    Zero(Option<String>),
    ZeroAt(String, usize),
    NewChain(String),
    /// `:CHAIN -` in a file: made, or emptied.
    RestoreChain(String),
    DeleteChain(Option<String>),
    Rename(String, String),
    Policy(String, String, RuleCounters),
    List(Option<String>, usize, Format),
    /// With counters or without.
    ListRules(Option<String>, usize, bool),
}

/// What a command line asks for, in order.
pub(super) fn tasks(command: Command, line: Option<usize>) -> Result<Vec<Task>, Problem> {
    if command.ask == 0 {
        return Ok(Vec::new());
    }
    let table = table_name(&command.table)?;
    let Command { ask, chain, number, second, rules, format, .. } = command;
    let verbose = format.verbose;
    let name = chain.clone().unwrap_or_default();
    let place = number.saturating_sub(1);
    let mut kinds = Vec::new();
    for rule in rules {
        let (name, rule) = (name.clone(), canonical(rule)?);
        kinds.push(match ask {
            ask::APPEND => Kind::Append(name, rule),
            ask::INSERT => Kind::Insert(name, place, rule),
            ask::REPLACE => Kind::Replace(name, place, rule),
            ask::CHECK => Kind::Check(name, rule),
            _ => Kind::Delete(name, rule),
        });
    }
    match ask & !(ask::ZERO | ask::ZERO_NUMBER) {
        ask::DELETE_NUMBER => kinds.push(Kind::DeleteAt(name.clone(), place)),
        ask::FLUSH => kinds.push(Kind::Flush(chain.clone())),
        ask::NEW_CHAIN => kinds.push(Kind::NewChain(name.clone())),
        ask::DELETE_CHAIN => kinds.push(Kind::DeleteChain(chain.clone())),
        ask::RENAME => kinds.push(Kind::Rename(name.clone(), second)),
        ask::POLICY => kinds.push(Kind::Policy(name.clone(), second, RuleCounters::default())),
        ask::LIST => kinds.push(Kind::List(chain.clone(), number, format)),
        ask::LIST_RULES => kinds.push(Kind::ListRules(chain.clone(), number, verbose)),
        _ => {}
    }
    if ask & ask::ZERO != 0 {
        kinds.push(Kind::Zero(chain));
    } else if ask & ask::ZERO_NUMBER != 0 {
        kinds.push(Kind::ZeroAt(name, place));
    }
    Ok(kinds.into_iter().map(|kind| Task { table, line, verbose, kind }).collect())
}

/// A run over tasks: changes gather in the batch, what is printed is printed.
pub(super) struct Run<'a> {
    p: &'a Proc,
    pub(super) batch: Batch<'a>,
    table: TableName,
    line: Option<usize>,
    verbose: bool,
    /// Built-in chains that a listing has shown: they count as made, though nobody has.
    shown: Vec<String>,
}

/// True if the table has such a chain, made or not.
fn is_built_in(table: TableName, chain: &str) -> bool {
    table.hooks().iter().any(|hook| hook.name() == chain)
}

impl<'a> Run<'a> {
    pub(super) fn new(p: &'a Proc) -> Run<'a> {
        Run { p, batch: Batch::new(p), table: TableName::Filter, line: None, verbose: false, shown: Vec::new() }
    }

    fn change(&mut self, change: Change) {
        self.batch.add(self.table, change, self.line);
    }

    fn chain(&self, name: &str) -> Option<&Chain> {
        self.batch.now.chain(self.table, name)
    }

    fn rules(&self, chain: &str) -> Option<&[Rule]> {
        self.chain(chain).map(|chain| chain.rules.as_slice())
    }

    /// Makes a built-in chain, if it is one and not there; if none is named, all of them.
    fn make(&mut self, chain: Option<&str>) {
        for hook in self.table.hooks().iter().map(|hook| hook.name()) {
            if chain.is_none_or(|chain| chain == hook) && self.chain(hook).is_none() {
                self.change(Change::ChainAdd(hook.to_string()));
            }
        }
    }

    /// The chains that exist: built-in ones in order, then those of the user by name.
    fn existing(&self) -> Vec<String> {
        let Some(table) = self.batch.now.get(self.table) else { return Vec::new() };
        sorted(table).filter(|chain| chain.standing != Standing::Absent).map(|chain| chain.name.clone()).collect()
    }

    /// Carries out one task.
    pub(super) fn task(&mut self, task: Task) -> Result<(), Failure> {
        (self.table, self.line, self.verbose) = (task.table, task.line, task.verbose);
        match task.kind {
            Kind::TableFlush => {
                if self.batch.now.get(self.table).is_some() {
                    self.change(Change::TableFlush);
                }
                Ok(())
            }
            Kind::Append(chain, rule) => self.append(chain, rule),
            Kind::Insert(chain, place, rule) => self.insert(chain, place, rule),
            Kind::Replace(chain, place, rule) => self.replace(chain, place, rule),
            Kind::Check(chain, rule) => self.find(&chain, &rule).map(|_| self.tell(&rule)),
            Kind::Delete(chain, rule) => self.delete(chain, &rule),
            Kind::DeleteAt(chain, place) => self.delete_at(chain, place),
            Kind::Flush(chain) => self.flush(chain),
            Kind::Zero(chain) => self.zero(chain),
            Kind::ZeroAt(chain, place) => self.zero_at(chain, place),
            Kind::NewChain(chain) => self.new_chain(chain),
            Kind::RestoreChain(chain) => {
                let known = self.chain(&chain).is_some();
                self.change(if known { Change::RuleFlush(Some(chain)) } else { Change::ChainUserAdd(chain) });
                Ok(())
            }
            Kind::DeleteChain(chain) => self.delete_chain(chain),
            Kind::Rename(from, to) => self.rename(from, to),
            Kind::Policy(chain, policy, counters) => self.policy(chain, &policy, counters),
            Kind::List(chain, number, format) => self.list(chain.as_deref(), number, format),
            Kind::ListRules(chain, number, counters) => self.list_rules(chain.as_deref(), number, counters),
        }
    }

    /// With `-v`, the rule that a command is about.
    fn tell(&self, rule: &Rule) {
        if self.verbose {
            self.p.out(&list::changed(rule));
        }
    }

    /// `assert_chain_exists`
    fn check_jump(&self, rule: &Rule) -> Result<(), Problem> {
        match &rule.target {
            Some(Target::Jump(to) | Target::Goto(to)) if !is_built_in(self.table, to) && self.chain(to).is_none() => {
                Err(Problem::Parameter(format!("Chain '{to}' does not exist")))
            }
            _ => Ok(()),
        }
    }

    fn append(&mut self, chain: String, rule: Rule) -> Result<(), Failure> {
        self.check_jump(&rule)?;
        self.make(Some(&chain));
        self.tell(&rule);
        if self.chain(&chain).is_none() {
            return Err(Failure::Reason(NO_CHAIN));
        }
        self.change(Change::RuleAppend(chain, rule));
        Ok(())
    }

    fn insert(&mut self, chain: String, place: usize, rule: Rule) -> Result<(), Failure> {
        self.check_jump(&rule)?;
        self.make(Some(&chain));
        let count = self.rules(&chain).ok_or(Failure::Reason(NO_CHAIN))?.len();
        match place {
            _ if place > count => return Err(Failure::Reason("Index of insertion too big")),
            _ if place == count && place > 0 => {
                self.tell(&rule);
                self.change(Change::RuleAppend(chain, rule));
            }
            _ => {
                self.tell(&rule);
                self.change(Change::RuleInsert(chain, place, rule));
            }
        }
        Ok(())
    }

    fn replace(&mut self, chain: String, place: usize, rule: Rule) -> Result<(), Failure> {
        self.check_jump(&rule)?;
        let rules = self.rules(&chain).ok_or(Failure::Reason(NO_CHAIN))?;
        if place >= rules.len() {
            return Err(Failure::Reason("Index of replacement too big"));
        }
        self.tell(&rule);
        self.change(Change::RuleReplace(chain, place, rule));
        Ok(())
    }

    /// The place of a rule that says the same.
    fn find(&self, chain: &str, rule: &Rule) -> Result<usize, Failure> {
        self.check_jump(rule)?;
        let same = |known: &Rule| (&known.ip, &known.matches, &known.target) == (&rule.ip, &rule.matches, &rule.target);
        self.rules(chain).and_then(|rules| rules.iter().position(same)).ok_or(Failure::Reason(BAD_RULE))
    }

    fn delete(&mut self, chain: String, rule: &Rule) -> Result<(), Failure> {
        let place = self.find(&chain, rule)?;
        self.tell(rule);
        self.change(Change::RuleDelete(chain, place));
        Ok(())
    }

    fn delete_at(&mut self, chain: String, place: usize) -> Result<(), Failure> {
        let rules = self.rules(&chain).ok_or(Failure::Reason(NO_CHAIN))?;
        if place >= rules.len() {
            return Err(Failure::Reason("Index of deletion too big"));
        }
        self.change(Change::RuleDelete(chain, place));
        Ok(())
    }

    fn flush(&mut self, chain: Option<String>) -> Result<(), Failure> {
        if let Some(chain) = chain {
            self.make(Some(&chain));
            if self.chain(&chain).is_none() {
                return Err(Failure::Reason(NO_CHAIN));
            }
            self.say("Flushing", &chain);
            self.change(Change::RuleFlush(Some(chain)));
        } else if self.verbose {
            self.make(None);
            for chain in self.existing() {
                self.say("Flushing", &chain);
                self.change(Change::RuleFlush(Some(chain)));
            }
        } else if self.batch.now.get(self.table).is_some() {
            self.change(Change::RuleFlush(None));
        }
        Ok(())
    }

    fn say(&self, doing: &str, chain: &str) {
        if self.verbose {
            self.p.out(&format!("{doing} chain `{chain}'\n"));
        }
    }

    fn zero(&mut self, chain: Option<String>) -> Result<(), Failure> {
        let chains = match chain {
            Some(chain) if self.chain(&chain).is_none() && !self.shown.contains(&chain) => {
                return Err(Failure::Reason(NO_CHAIN));
            }
            Some(chain) => vec![chain],
            None if self.shown.is_empty() => self.existing(),
            None => std::mem::take(&mut self.shown),
        };
        for chain in chains {
            self.zero_chain(&chain);
        }
        Ok(())
    }

    fn zero_chain(&mut self, chain: &str) {
        self.say("Zeroing", chain);
        if is_built_in(self.table, chain) {
            let policy = self.chain(chain).map_or(Some(true), |chain| chain.policy);
            self.change(Change::ChainZero(chain.to_string(), policy));
        }
        let rules = self.rules(chain).unwrap_or_default().to_vec();
        for (place, rule) in rules.into_iter().enumerate().filter(|(_, rule)| rule.counters != RuleCounters::default())
        {
            let rule = Rule { counters: RuleCounters::default(), ..rule };
            self.change(Change::RuleReplace(chain.to_string(), place, rule));
        }
    }

    fn zero_at(&mut self, chain: String, place: usize) -> Result<(), Failure> {
        // The tool's error number is left from where it looked before: mostly this one.
        let rules = self.rules(&chain).ok_or(Failure::Reason(BAD_RULE))?;
        if let Some(rule) = rules.get(place).cloned() {
            let rule = Rule { counters: RuleCounters::default(), ..rule };
            self.change(Change::RuleReplace(chain, place, rule));
        }
        Ok(())
    }

    fn new_chain(&mut self, chain: String) -> Result<(), Failure> {
        if is_built_in(self.table, &chain) || self.chain(&chain).is_some() {
            return Err(Failure::Reason("Chain already exists"));
        }
        self.change(Change::ChainUserAdd(chain));
        Ok(())
    }

    fn delete_chain(&mut self, chain: Option<String>) -> Result<(), Failure> {
        let Some(name) = chain else {
            for name in self.existing() {
                let chain = self.chain(&name);
                let keeps = chain.is_some_and(|chain| match chain.policy {
                    Some(accepts) => !accepts || !chain.rules.is_empty(),
                    None => false,
                });
                if !is_built_in(self.table, &name) {
                    self.say("Deleting", &name);
                }
                self.change(if keeps { Change::ChainForget(name) } else { Change::ChainDelete(name) });
            }
            return Ok(());
        };
        let found = self.chain(&name).ok_or(Failure::Reason(NO_CHAIN))?;
        if found.policy == Some(false) {
            return Err(Failure::Reason("Directory not empty"));
        }
        if !is_built_in(self.table, &name) {
            self.say("Deleting", &name);
        }
        self.change(Change::ChainDelete(name));
        Ok(())
    }

    fn rename(&mut self, from: String, to: String) -> Result<(), Failure> {
        if is_built_in(self.table, &to) || self.chain(&to).is_some() {
            return Err(Failure::Reason("File exists"));
        }
        if self.chain(&from).is_none() {
            return Err(Failure::Reason(NO_CHAIN));
        }
        if is_built_in(self.table, &from) {
            return Err(Problem::NotSimulated("renaming a built-in chain".into()).into());
        }
        self.change(Change::ChainRename(from, to));
        Ok(())
    }

    fn policy(&mut self, chain: String, policy: &str, counters: RuleCounters) -> Result<(), Failure> {
        let policy = match policy {
            "ACCEPT" => Some(true),
            "DROP" => Some(false),
            "-" => None,
            _ => return Err(Failure::Reason(BAD_POLICY)),
        };
        if !is_built_in(self.table, &chain) {
            return Err(Failure::Reason("Bad built-in chain name"));
        }
        self.make(Some(&chain));
        self.change(Change::ChainUpdate(chain, policy, counters));
        Ok(())
    }

    /// The table to be listed: as it would be if nobody has made it.
    fn to_be_shown(&self) -> Table {
        self.batch.now.get(self.table).cloned().unwrap_or_else(|| Table::fresh(self.table))
    }

    /// The chain to be listed, or all.
    fn listed<'t>(&self, table: &'t Table, chain: Option<&str>) -> Result<Vec<&'t Chain>, Problem> {
        let Some(name) = chain else { return Ok(sorted(table).collect()) };
        table.chain(name).map(|chain| vec![chain]).ok_or_else(|| {
            let table = table.name.name();
            Problem::Other(format!("chain `{name}' in table `{table}' is incompatible, use 'nft' tool."))
        })
    }

    fn list(&mut self, chain: Option<&str>, number: usize, format: Format) -> Result<(), Failure> {
        let table = self.to_be_shown();
        let chains = self.listed(&table, chain)?;
        self.shown = chains.iter().map(|chain| chain.name.clone()).collect();
        for (at, chain) in chains.into_iter().enumerate() {
            if number > 0 {
                if let Some(rule) = chain.rules.get(number - 1) {
                    self.p.out(&list::line(rule, number, format));
                }
                continue;
            }
            let gap = if at > 0 { "\n" } else { "" };
            self.p.out(&format!("{gap}{}", list::header(chain, references(&table, &chain.name), format)));
            for (at, rule) in chain.rules.iter().enumerate() {
                self.p.out(&list::line(rule, at + 1, format));
            }
        }
        Ok(())
    }

    fn list_rules(&mut self, chain: Option<&str>, number: usize, counters: bool) -> Result<(), Failure> {
        let table = self.to_be_shown();
        let chains = self.listed(&table, chain)?;
        self.shown = chains.iter().map(|chain| chain.name.clone()).collect();
        let style = if counters { Counters::Inside } else { Counters::No };
        if number == 0 {
            for chain in &chains {
                let RuleCounters { packets, bytes } = chain.counters;
                let counted = if counters { format!(" -c {packets} {bytes}") } else { String::new() };
                self.p.out(&match chain.policy {
                    Some(accepts) => {
                        format!("-P {} {}{counted}\n", chain.name, if accepts { "ACCEPT" } else { "DROP" })
                    }
                    None => format!("-N {}\n", chain.name),
                });
            }
        }
        for chain in chains {
            let rules = chain.rules.iter().enumerate().filter(|(at, _)| number == 0 || at + 1 == number);
            rules.for_each(|(_, rule)| self.p.out(&save::rule(&chain.name, rule, style)));
        }
        Ok(())
    }
}

/// Built-in chains in order, then those of the user by name.
pub(super) fn sorted(table: &Table) -> impl Iterator<Item = &Chain> {
    let mut users: Vec<&Chain> = table.chains.iter().filter(|chain| chain.policy.is_none()).collect();
    users.sort_by(|a, b| a.name.cmp(&b.name));
    table.chains.iter().filter(|chain| chain.policy.is_some()).chain(users)
}
