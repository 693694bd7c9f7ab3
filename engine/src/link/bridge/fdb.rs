//! The forwarding database of a bridge: which port a MAC is behind (`br_fdb.c`).

use crate::addr::Mac;
use crate::control::IfIndex;
use crate::time::Time;

/// One entry of a bridge's database. Whether it ages depends on the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FdbRecord {
    /// Who.
    pub mac: Mac,
    /// Behind which port; `None`: it is the bridge's own.
    pub port: Option<IfIndex>,
    /// Ours: frames to it are delivered (`BR_FDB_LOCAL`).
    pub local: bool,
    /// It does not age (`BR_FDB_STATIC`).
    pub fixed: bool,
    /// It does not move (`BR_FDB_STICKY`).
    pub sticky: bool,
    /// Somebody else's control plane learned it, and it does not age.
    pub extern_learn: bool,
    /// Set by request.
    pub by_user: bool,
    /// A frame went to it last.
    pub used: Time,
    /// A frame came from it last.
    pub updated: Time,
}

/// The database.
#[derive(Debug, Default)]
pub struct Fdb {
    records: Vec<FdbRecord>,
}

impl Fdb {
    /// An empty one.
    pub fn new() -> Fdb {
        Fdb::default()
    }

    /// All, the newest first.
    pub fn iter(&self) -> impl Iterator<Item = &FdbRecord> {
        self.records.iter().rev()
    }
}
