//! The five hooks of netfilter, and what is asked at each (`net/netfilter/core.c`).

use super::packet::Packet;
use super::{Cx, Stack};
use crate::control::IfIndex;
use crate::filter::Hook;
use crate::observe::Observer;
use crate::reason::DropReason;

impl Stack {
    /// Asks all that is hooked in there about a packet that begins with its IP header: on its way from `inward` to `outward`
    /// (`NF_HOOK`). What is asked may change the packet. An error ends it: the caller discards it and tells nobody, for
    /// who is to be told has been told.
    pub(super) fn hook<O: Observer>(
        &mut self,
        _cx: &mut Cx<'_>,
        _hook: Hook,
        _packet: &mut Packet,
        _inward: Option<IfIndex>,
        _outward: Option<IfIndex>,
        _observer: &mut O,
    ) -> Result<(), DropReason> {
        Ok(())
    }
}
