//! VXLANs: Ethernet in UDP (`drivers/net/vxlan`).

use super::Stack;
use crate::control::{Errno, FdbEntry, FdbSpec, Refusal};
use crate::link::Port;
use crate::time::Time;

impl Stack {
    pub(super) fn vxlan_fdb_add(&mut self, _now: Time, _spec: &FdbSpec) -> Result<(), Refusal> {
        Err(Errno::OpNotSupp.into())
    }

    pub(super) fn vxlan_fdb_delete(&mut self, _spec: &FdbSpec) -> Result<(), Refusal> {
        Err(Errno::OpNotSupp.into())
    }

    pub(super) fn vxlan_fdb(&self, _now: Time, _port: &Port, _entries: &mut Vec<FdbEntry>) {}
}
