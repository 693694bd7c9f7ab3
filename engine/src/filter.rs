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

mod rule;

pub use rule::*;

use crate::control::Refusal;

/// The filter tables of a namespace.
#[derive(Debug, Default)]
pub struct Filter {
    tables: Vec<Table>,
}

impl Filter {
    /// A table as it is now, counters included; none if nobody has touched it yet.
    pub fn table(&self, name: TableName) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// Puts a table in place.
    pub(crate) fn replace(&mut self, table: Table) -> Result<(), Refusal> {
        self.tables.retain(|known| known.name != table.name);
        self.tables.push(table);
        self.tables.sort_by_key(|table| table.name);
        Ok(())
    }

    /// Takes a table away.
    pub(crate) fn delete(&mut self, name: TableName) -> Result<(), Refusal> {
        self.tables.retain(|table| table.name != name);
        Ok(())
    }
}
