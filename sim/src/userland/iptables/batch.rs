//! Changes to tables: first on a copy, as iptables keeps one, then all at once in the kernel (`nft.c`).

use super::canonical::{compares_nothing, lacks_protocol, settled};
use super::stop::Problem;
use crate::userland::Proc;
use vethlab_engine::control::{Command, Errno};
use vethlab_engine::filter::{Chain, Rule, RuleCounters, Standing, Table, TableName, Target};

/// Tables by name; none where nobody has made it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tables(Vec<Table>);

impl Tables {
    /// As they are now in the program's namespace.
    pub(super) fn of(p: &Proc) -> Tables {
        let world = p.world();
        let filter = world.stack(p.ns()).filter();
        Tables(TableName::ALL.iter().filter_map(|name| filter.table(*name).cloned()).collect())
    }

    pub(super) fn get(&self, name: TableName) -> Option<&Table> {
        self.0.iter().find(|table| table.name == name)
    }

    /// A chain that exists.
    pub(super) fn chain(&self, table: TableName, chain: &str) -> Option<&Chain> {
        self.get(table)?.chain(chain).filter(|chain| chain.standing != Standing::Absent)
    }

    /// The table, made if nobody has.
    fn make(&mut self, name: TableName) -> Option<&mut Table> {
        if self.get(name).is_none() {
            self.0.push(Table::fresh(name));
        }
        self.get_mut(name)
    }

    fn get_mut(&mut self, name: TableName) -> Option<&mut Table> {
        self.0.iter_mut().find(|table| table.name == name)
    }

    fn existing(&mut self, table: TableName, chain: &str) -> Result<&mut Chain, Errno> {
        let found = self.get_mut(table).and_then(|table| table.chain_mut(chain));
        found.filter(|chain| chain.standing != Standing::Absent).ok_or(Errno::NoEnt)
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The table with all that is in it goes.
    TableFlush,
    /// A built-in chain (and its table) is made.
    ChainAdd(String),
    ChainUserAdd(String),
    ChainDelete(String),
    /// A built-in chain that `-X` leaves alone, but iptables' copy no longer has.
    ChainForget(String),
    /// The policy, if one is said, and counters from now on. iptables' copy keeps the old one.
    ChainUpdate(String, Option<bool>, RuleCounters),
    /// Counters of a built-in chain, from now on, with the policy that the copy has.
    ChainZero(String, Option<bool>),
    ChainRename(String, String),
    RuleAppend(String, Rule),
    /// Before the rule at this place.
    RuleInsert(String, usize, Rule),
    RuleReplace(String, usize, Rule),
    RuleDelete(String, usize),
    /// All of a chain, or of all.
    RuleFlush(Option<String>),
}

impl Change {
    /// What error messages call it, and what it is about.
    fn words(&self, table: TableName) -> (&'static str, String) {
        let rule = |chain: &str| format!("rule in chain {chain}");
        let chain = |chain: &str| format!("chain {chain}");
        match self {
            Change::TableFlush => ("TABLE_FLUSH", format!("table {}", table.name())),
            Change::ChainAdd(name) => ("CHAIN_ADD", chain(name)),
            Change::ChainUserAdd(name) => ("CHAIN_USER_ADD", chain(name)),
            Change::ChainDelete(name) | Change::ChainForget(name) => ("CHAIN_DEL", chain(name)),
            Change::ChainUpdate(name, ..) => ("CHAIN_UPDATE", chain(name)),
            Change::ChainZero(name, _) => ("CHAIN_ZERO", chain(name)),
            Change::ChainRename(_, name) => ("CHAIN_RENAME", chain(name)),
            Change::RuleAppend(name, _) => ("RULE_APPEND", rule(name)),
            Change::RuleInsert(name, ..) => ("RULE_INSERT", rule(name)),
            Change::RuleReplace(name, ..) => ("RULE_REPLACE", rule(name)),
            Change::RuleDelete(name, _) => ("RULE_DELETE", rule(name)),
            Change::RuleFlush(name) => ("RULE_FLUSH", rule(name.as_deref().unwrap_or("(null)"))),
        }
    }

    /// Makes the change. `kernel`: as the kernel does, which looks closer than iptables' copy.
    pub(super) fn apply(&self, tables: &mut Tables, table: TableName, kernel: bool) -> Result<(), Errno> {
        match self {
            Change::TableFlush => tables.0.retain(|known| known.name != table),
            Change::ChainAdd(name) => {
                let chain = tables.make(table).and_then(|table| table.chain_mut(name));
                if let Some(chain) = chain.filter(|chain| chain.standing == Standing::Absent) {
                    chain.standing = Standing::Made;
                }
            }
            Change::ChainUserAdd(name) => {
                if let Some(table) = tables.make(table) {
                    if table.chain(name).is_some() {
                        return Err(Errno::Exist);
                    }
                    table.chains.push(user_chain(name));
                }
            }
            Change::ChainDelete(name) => delete_chain(tables, table, name, kernel)?,
            Change::ChainForget(_) if kernel => {}
            Change::ChainForget(name) => delete_chain(tables, table, name, kernel)?,
            Change::ChainUpdate(..) if !kernel => {}
            Change::ChainUpdate(name, policy, counters) => {
                let chain = tables.existing(table, name)?;
                chain.policy = policy.or(chain.policy);
                (chain.standing, chain.counters) = (Standing::Counted, *counters);
            }
            Change::ChainZero(name, policy) => {
                let made = tables.get_mut(table).and_then(|table| table.chain_mut(name));
                let chain = made.ok_or(Errno::NoEnt)?;
                chain.policy = *policy;
                (chain.standing, chain.counters) = (Standing::Counted, RuleCounters::default());
            }
            Change::ChainRename(from, to) => rename(tables.get_mut(table).ok_or(Errno::NoEnt)?, from, to),
            Change::RuleFlush(Some(name)) => tables.existing(table, name)?.rules.clear(),
            Change::RuleFlush(None) => {
                let chains = tables.get_mut(table).into_iter().flat_map(|table| &mut table.chains);
                chains.for_each(|chain| chain.rules.clear());
            }
            Change::RuleAppend(name, rule) => {
                let chain = tables.existing(table, name)?;
                chain.rules.push(taken(rule, kernel)?);
            }
            Change::RuleInsert(name, place, rule) => {
                let rules = &mut tables.existing(table, name)?.rules;
                rules.insert((*place).min(rules.len()), taken(rule, kernel)?);
            }
            Change::RuleReplace(name, place, rule) => {
                let known = tables.existing(table, name)?.rules.get_mut(*place).ok_or(Errno::NoEnt)?;
                *known = taken(rule, kernel)?;
            }
            Change::RuleDelete(name, place) => {
                let rules = &mut tables.existing(table, name)?.rules;
                if *place >= rules.len() {
                    return Err(Errno::NoEnt);
                }
                rules.remove(*place);
            }
        }
        Ok(())
    }

    fn has_rule(&self) -> bool {
        matches!(self, Change::RuleAppend(..) | Change::RuleInsert(..) | Change::RuleReplace(..))
    }
}

/// A rule as it is taken.
fn taken(rule: &Rule, kernel: bool) -> Result<Rule, Errno> {
    if kernel && (compares_nothing(rule) || lacks_protocol(rule)) {
        return Err(Errno::Inval);
    }
    Ok(if kernel { settled(rule.clone()) } else { rule.clone() })
}

fn user_chain(name: &str) -> Chain {
    Chain {
        name: name.to_string(),
        policy: None,
        standing: Standing::Made,
        counters: RuleCounters::default(),
        rules: Vec::new(),
    }
}

/// How many rules jump or go to the chain.
pub(super) fn references(table: &Table, chain: &str) -> usize {
    let rules = table.chains.iter().flat_map(|chain| &chain.rules);
    rules.filter(|rule| matches!(&rule.target, Some(Target::Jump(to) | Target::Goto(to)) if to == chain)).count()
}

fn delete_chain(tables: &mut Tables, table: TableName, name: &str, kernel: bool) -> Result<(), Errno> {
    let table = tables.get_mut(table).ok_or(Errno::NoEnt)?;
    let in_use = references(table, name) > 0;
    let chain = table.chain_mut(name).ok_or(Errno::NoEnt)?;
    if kernel && (in_use || !chain.rules.is_empty()) {
        return Err(Errno::Busy);
    }
    match chain.policy {
        Some(_) => {
            (chain.standing, chain.counters, chain.policy) = (Standing::Absent, RuleCounters::default(), Some(true));
            chain.rules.clear();
        }
        None => table.chains.retain(|chain| chain.name != name),
    }
    Ok(())
}

/// The chain is called otherwise, also where rules jump to it.
fn rename(table: &mut Table, from: &str, to: &str) {
    for chain in &mut table.chains {
        if chain.name == from {
            chain.name = to.to_string();
        }
        for target in chain.rules.iter_mut().filter_map(|rule| rule.target.as_mut()) {
            if let Target::Jump(chain) | Target::Goto(chain) = target
                && chain == from
            {
                *chain = to.to_string();
            }
        }
    }
}

/// A change of a table, and the line of a file that asks for it.
#[derive(Clone, Debug)]
struct Step {
    table: TableName,
    change: Change,
    line: Option<usize>,
}

/// Changes that are made together or not at all.
pub(super) struct Batch<'a> {
    p: &'a Proc,
    before: Tables,
    /// As it will be, as far as iptables knows.
    pub(super) now: Tables,
    steps: Vec<Step>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(p: &'a Proc) -> Batch<'a> {
        let before = Tables::of(p);
        Batch { p, now: before.clone(), before, steps: Vec::new() }
    }

    /// Another change.
    pub(super) fn add(&mut self, table: TableName, change: Change, line: Option<usize>) {
        // What the copy cannot follow, the kernel will refuse.
        let _ = change.apply(&mut self.now, table, false);
        self.steps.push(Step { table, change, line });
    }

    /// Hands all to the kernel.
    pub(super) fn commit(self) -> Result<(), Problem> {
        let mut after = self.before.clone();
        let mut errors = Vec::new();
        for (at, step) in self.steps.iter().enumerate() {
            let renamed = if self.is_news(at, step) { Err(Errno::NoEnt) } else { Ok(()) };
            if let Err(errno) = renamed.and_then(|()| step.change.apply(&mut after, step.table, true)) {
                errors.push((step, errno));
            }
        }
        if errors.is_empty() {
            match self.put(&self.before, &after) {
                Ok(()) => return Ok(()),
                Err(errno) => errors = self.blame(errno),
            }
        }
        Err(Problem::Resource(said(&errors)))
    }

    /// True for a chain that is to be called otherwise though it comes with the same batch: it has no handle by which the
    /// kernel knows it.
    fn is_news(&self, at: usize, step: &Step) -> bool {
        let Change::ChainRename(from, _) = &step.change else { return false };
        let added = Change::ChainUserAdd(from.clone());
        self.steps[..at].iter().any(|other| other.table == step.table && other.change == added)
    }

    /// Puts the tables that differ in place; if one is refused, as they were.
    fn put(&self, before: &Tables, after: &Tables) -> Result<(), Errno> {
        for (at, name) in TableName::ALL.iter().enumerate() {
            if let Err(errno) = self.put_table(*name, before, after) {
                for name in &TableName::ALL[..at] {
                    let _ = self.put_table(*name, after, before);
                }
                return Err(errno);
            }
        }
        Ok(())
    }

    fn put_table(&self, name: TableName, before: &Tables, after: &Tables) -> Result<(), Errno> {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            return Ok(());
        }
        let command = match new {
            Some(table) => Command::TableReplace(Box::new(table.clone())),
            None => Command::TableDelete(name),
        };
        self.p.world().apply(self.p.ns(), command).map(|_| ()).map_err(|refusal| refusal.errno)
    }

    /// Which changes the kernel does not like: each is tried upon those that it takes.
    fn blame(&self, errno: Errno) -> Vec<(&Step, Errno)> {
        let mut errors = Vec::new();
        let mut taken = self.before.clone();
        for step in &self.steps {
            let mut next = taken.clone();
            let _ = step.change.apply(&mut next, step.table, true);
            let refused = if step.change.has_rule() { self.put(&taken, &next) } else { Ok(()) };
            match refused {
                Err(errno) => errors.push((step, errno)),
                Ok(()) if step.change.has_rule() => taken = next,
                // What has no rule is put in place with the next that has.
                Ok(()) => {
                    if self.put(&taken, &next).is_ok() {
                        taken = next;
                    }
                }
            }
        }
        let _ = self.put(&taken, &self.before);
        if errors.is_empty() {
            errors.extend(self.steps.last().map(|step| (step, errno)));
        }
        errors
    }
}

/// All errors of lines in a file; of a command's, the first.
fn said(errors: &[(&Step, Errno)]) -> String {
    let words = |(step, errno): &(&Step, Errno)| {
        let (what, of) = step.change.words(step.table);
        let text = format!("{what} failed ({}): {of}", errno.text());
        step.line.map_or(format!(" {text}"), |line| format!("\nline {line}: {text}"))
    };
    let shown = errors.iter().position(|(step, _)| step.line.is_none()).map_or(errors.len(), |at| at + 1);
    errors.iter().take(shown).map(words).collect()
}
