//! Filter rules: tables of chains of rules, asked at the five hooks (`net/ipv4/netfilter`, `net/netfilter`).
//!
//! ```text
//!   in ──> PREROUTING ──> route ──> FORWARD ──────────> POSTROUTING ──> out
//!          raw (conntrack)  │       mangle filter   │   mangle nat
//!          mangle nat       v                       │
//!                         INPUT                   route
//!                         mangle filter nat         │
//!                           │                     OUTPUT   raw (conntrack) mangle nat (route again) filter
//!                           v                       │
//!                       a program here ─────────────┘
//! ```
//!
//! What the user said is a [`Table`]: it is read by [`Filter::table`], changed by whoever likes, and put in place as a whole
//! ([`Command::TableReplace`](crate::control::Command::TableReplace)), counters included. A namespace without tables asks
//! nothing.
//!
//! | file | holds |
//! |---|---|
//! | `rule` | [`Table`], [`Chain`], [`Rule`], [`Match`], [`Target`]: what the user said |
//! | `validate` | which tables are refused, and with which error |
//! | `install` | a table in place: where its jumps go, and what its matches remember |
//! | `sieve` | what a rule asks for at least, in a few words |
//! | `walk` | a packet goes from rule to rule |
//! | `subject` | what a rule sees of a packet |
//! | `matches` | one file for each family of matches |
//! | `targets` | one file for each family of targets |

mod install;
mod matches;
mod rule;
mod sieve;
mod subject;
mod targets;
#[cfg(test)]
mod tests;
mod validate;
mod walk;

pub use rule::*;
pub(crate) use subject::{Sender, Subject};
pub(crate) use walk::{Glance, Verdict};

use crate::control::Refusal;
use crate::observe::Observer;
use crate::rng::Rng;
use install::Installed;

/// The filter tables of a namespace.
#[derive(Debug)]
pub struct Filter {
    /// By [`TableName`].
    tables: [Option<Box<Installed>>; 4],
    /// By [`Hook`], a bit for each table that is to be asked there.
    asked: [u8; 5],
    empty: bool,
    /// The `nat` table has a chain.
    translates: bool,
    rng: Rng,
}

impl Filter {
    /// No tables. The chance of `-m statistic` is drawn from `rng`.
    pub(crate) fn new(rng: Rng) -> Filter {
        Filter { tables: [const { None }; 4], asked: [0; 5], empty: true, translates: false, rng }
    }

    /// A table as it is now, counters included; none if nobody has touched it yet.
    pub fn table(&self, name: TableName) -> Option<&Table> {
        self.tables.get(name as usize)?.as_ref().map(|installed| &installed.table)
    }

    /// True if nobody has touched any table yet.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.empty
    }

    /// Puts a table in place, or says why not. What its limits and counters of every nth packet remember stays with rules
    /// that are unchanged.
    pub(crate) fn replace(&mut self, table: Table) -> Result<(), Refusal> {
        validate::validate(&table)?;
        let Some(place) = self.tables.get_mut(table.name as usize) else { return Ok(()) };
        let installed = Installed::new(table, place.take().map(|before| *before));
        *place = Some(Box::new(installed));
        self.look_over();
        Ok(())
    }

    /// What packets ask of all tables is found out once.
    fn look_over(&mut self) {
        self.empty = self.tables.iter().all(Option::is_none);
        let made = |chain: &Chain| chain.policy.is_some() && chain.standing != Standing::Absent;
        for name in [TableName::Raw, TableName::Mangle, TableName::Nat, TableName::Filter] {
            let installed = self.tables.get(name as usize).and_then(Option::as_ref);
            for hook in name.hooks() {
                let asks = installed.is_some_and(|installed| installed.asks(*hook));
                let bits = &mut self.asked[*hook as usize];
                *bits = *bits & !(1 << name as u8) | u8::from(asks) << name as u8;
            }
        }
        self.translates = self.table(TableName::Nat).is_some_and(|table| table.chains.iter().any(made));
    }

    /// Takes a table away, as if nobody had touched it.
    pub(crate) fn delete(&mut self, name: TableName) {
        if let Some(place) = self.tables.get_mut(name as usize) {
            *place = None;
        }
        self.look_over();
    }

    /// True if a rule needs to know connections.
    pub(crate) fn needs_conntrack(&self) -> bool {
        self.tables.iter().flatten().any(|installed| install::needs_conntrack(&installed.table))
    }

    /// True if a table has anything to say at a hook.
    #[inline]
    pub(crate) fn asks(&self, name: TableName, hook: Hook) -> bool {
        self.asked[hook as usize] & 1 << name as u8 != 0
    }

    /// True if the `nat` table has a chain: packets are translated then.
    #[inline]
    pub(crate) fn translates(&self) -> bool {
        self.translates
    }

    /// What a table's chain for a hook makes of a packet, if a glance is enough to tell; or else the rule that is to be
    /// [asked](Filter::ask) first. Without a chain, everything is accepted.
    #[inline]
    pub(crate) fn sift<O: Observer>(
        &mut self,
        name: TableName,
        glance: &Glance<'_>,
        state: impl FnOnce() -> u16,
        observer: &mut O,
    ) -> Result<Verdict, usize> {
        match self.tables.get_mut(name as usize) {
            Some(Some(installed)) => walk::sift(installed, glance, state, observer),
            _ => Ok(Verdict::Accept),
        }
    }

    /// Asks a table's chain for the subject's hook, from this rule on.
    pub(crate) fn ask<O: Observer>(
        &mut self,
        name: TableName,
        from: usize,
        subject: &mut Subject<'_>,
        observer: &mut O,
    ) -> Verdict {
        match self.tables.get_mut(name as usize) {
            Some(Some(installed)) => walk::walk(installed, from, subject, &mut self.rng, observer),
            _ => Verdict::Accept,
        }
    }
}
