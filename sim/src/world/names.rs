//! Names of namespaces (`/run/netns`), the numbers by which namespaces know each other, and how long a namespace lives.

use super::event::Event;
use super::{Net, NsId, World};
use std::collections::BTreeMap;
use vethlab_engine::control::Errno;
use vethlab_engine::time::Duration;

/// How long after its last reference a namespace is taken down: the kernel does it in a work queue (`cleanup_net`), after
/// an RCU grace period.
const CLEANUP: Duration = Duration::from_millis(3);

/// Names and numbers.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Oldest first.
    list: Vec<(String, NsId)>,
    /// Per namespace, the numbers that it has given to others.
    ids: BTreeMap<NsId, BTreeMap<u32, NsId>>,
}

impl Names {
    pub(super) fn find(&self, name: &str) -> Option<NsId> {
        self.list.iter().find(|(known, _)| known == name).map(|(_, ns)| *ns)
    }

    pub(super) fn name_of(&self, ns: NsId) -> Option<&str> {
        self.list.iter().rev().find(|(_, known)| *known == ns).map(|(name, _)| name.as_str())
    }

    fn id(&self, from: NsId, of: NsId) -> Option<u32> {
        self.ids.get(&from)?.iter().find(|(_, known)| **known == of).map(|(id, _)| *id)
    }

    /// Forgets a namespace that is gone.
    fn forget(&mut self, gone: NsId) {
        self.ids.remove(&gone);
        self.ids.values_mut().for_each(|ids| ids.retain(|_, ns| *ns != gone));
    }
}

impl World {
    /// `ip netns add`: a new namespace with a name. `EEXIST`.
    pub fn netns_add(&mut self, name: &str) -> Result<NsId, Errno> {
        if self.names.find(name).is_some() {
            return Err(Errno::Exist);
        }
        let ns = self.netns_unshare();
        self.names.list.push((name.to_string(), ns));
        Ok(ns)
    }

    /// `unshare -n`: a new namespace without name. It goes when the last process leaves it.
    pub fn netns_unshare(&mut self) -> NsId {
        self.last_ns += 1;
        let ns = NsId(self.last_ns);
        let net = Net::new(self.rng.next());
        self.nets.insert(ns, net);
        ns
    }

    /// `ip netns attach`: another name for a namespace. `EEXIST`, `ENOENT`.
    pub fn netns_attach(&mut self, name: &str, ns: NsId) -> Result<(), Errno> {
        if self.names.find(name).is_some() {
            return Err(Errno::Exist);
        }
        if !self.netns_exists(ns) {
            return Err(Errno::NoEnt);
        }
        self.names.list.push((name.to_string(), ns));
        Ok(())
    }

    /// `ip netns del`: takes the name away; the namespace goes when it has no other name and no process holds it. `ENOENT`.
    pub fn netns_delete(&mut self, name: &str) -> Result<(), Errno> {
        let at = self.names.list.iter().position(|(known, _)| known == name).ok_or(Errno::NoEnt)?;
        let (_, ns) = self.names.list.remove(at);
        self.doom(ns);
        Ok(())
    }

    /// The namespace of this name.
    pub fn netns_named(&self, name: &str) -> Option<NsId> {
        self.names.find(name)
    }

    /// Names and namespaces, newest first, as `ip netns list` prints them.
    pub fn netns_list(&self) -> Vec<(String, NsId)> {
        self.names.list.iter().rev().cloned().collect()
    }

    /// True while the namespace lives.
    pub fn netns_exists(&self, ns: NsId) -> bool {
        self.nets.contains_key(&ns)
    }

    /// A name of the namespace; of several the newest.
    pub fn netns_name(&self, ns: NsId) -> Option<&str> {
        self.names.name_of(ns)
    }

    /// The number by which `from` knows `of` (`netnsid`), if it has one already.
    pub fn nsid(&self, from: NsId, of: NsId) -> Option<u32> {
        self.names.id(from, of)
    }

    /// All numbers that `from` has given, ascending: `ip netns list-id`.
    pub fn nsids(&self, from: NsId) -> Vec<(u32, NsId)> {
        self.names.ids.get(&from).into_iter().flatten().map(|(id, ns)| (*id, *ns)).collect()
    }

    /// Gives it one: `wanted` (`ip netns set NAME ID`), or the lowest that is free. `EEXIST` if it has one already,
    /// `ENOSPC` if the wanted one is another's.
    pub fn nsid_assign(&mut self, from: NsId, of: NsId, wanted: Option<u32>) -> Result<u32, Errno> {
        if !self.netns_exists(from) || !self.netns_exists(of) {
            return Err(Errno::Inval);
        }
        if self.nsid(from, of).is_some() {
            return Err(Errno::Exist);
        }
        let ids = self.names.ids.entry(from).or_default();
        let id = match wanted {
            Some(id) if ids.contains_key(&id) => return Err(Errno::NoSpc),
            Some(id) => id,
            None => (0..).find(|id| !ids.contains_key(id)).ok_or(Errno::NoSpc)?,
        };
        ids.insert(id, of);
        Ok(id)
    }

    /// Gives it one if it has none (`peernet2id_alloc`): the kernel does when it first has to speak of it.
    pub(super) fn nsid_need(&mut self, from: NsId, of: NsId) {
        if from != of {
            // It has one already: just as well.
            let _ = self.nsid_assign(from, of, None);
        }
    }

    /// Counts a process in: a namespace without name lives while processes hold it.
    pub fn netns_hold(&mut self, ns: NsId) {
        if let Some(net) = self.nets.get_mut(&ns) {
            net.holds += 1;
        }
    }

    /// Counts a process out.
    pub fn netns_release(&mut self, ns: NsId) {
        if let Some(net) = self.nets.get_mut(&ns) {
            net.holds = net.holds.saturating_sub(1);
            self.doom(ns);
        }
    }

    fn is_referred_to(&self, ns: NsId) -> bool {
        self.names.name_of(ns).is_some() || self.nets.get(&ns).is_some_and(|net| net.holds > 0)
    }

    /// Takes the namespace down in a while, if nobody refers to it.
    fn doom(&mut self, ns: NsId) {
        if !self.is_referred_to(ns) && self.netns_exists(ns) {
            self.queue.push(self.now + CLEANUP, Event::Cleanup(ns));
        }
    }

    /// `cleanup_net`: cables die with it, both ends; network cards go home to the host.
    pub(super) fn cleanup(&mut self, ns: NsId) {
        if self.is_referred_to(ns) || !self.netns_exists(ns) {
            return;
        }
        self.names.forget(ns);
        let indexes: Vec<_> = self.stack(ns).ports().iter().map(|port| port.index).collect();
        for index in indexes {
            self.evict(ns, index);
        }
        // VXLANs that were made here and live elsewhere.
        self.evict_uppers(ns, 0);
        if let Some(net) = self.nets.remove(&ns) {
            net.timer.into_iter().for_each(|key| self.queue.cancel(key));
        }
        self.touched.remove(&ns);
    }
}
