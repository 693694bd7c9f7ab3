//! Names of namespaces (`/run/netns`), the numbers by which namespaces know each other, and how long a namespace lives.

use super::event::Chore;
use super::{Net, NsId, World};
use std::collections::BTreeMap;
use std::sync::Arc;
use vethlab_engine::control::Errno;
use vethlab_engine::time::Duration;

/// How long after its last reference a namespace is taken down: the kernel does it in a work queue (`cleanup_net`), after
/// an RCU grace period.
const CLEANUP: Duration = Duration::from_millis(3);

/// So many numbers are looked through for one that is free; how far it was beyond that is remembered.
const LOOK: u32 = 8;

/// Names and numbers.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// What each names, and when it was given, in numbers that grow.
    list: BTreeMap<Arc<str>, (u64, NsId)>,
    last: u64,
    /// The numbers that namespaces have given to others.
    ids: BTreeMap<(NsId, u32), NsId>,
    /// The same: whose number, given by whom.
    given: BTreeMap<(NsId, NsId), u32>,
    /// Namespaces that have given so many numbers that the lowest free one is not looked for from 0: all below are given.
    full: BTreeMap<NsId, u32>,
}

impl Names {
    pub(super) fn find(&self, name: &str) -> Option<NsId> {
        self.list.get(name).map(|(_, ns)| *ns)
    }

    fn add(&mut self, name: Arc<str>, ns: NsId) {
        self.last += 1;
        self.list.insert(name, (self.last, ns));
    }

    fn remove(&mut self, name: &str) -> Option<NsId> {
        self.list.remove(name).map(|(_, ns)| ns)
    }

    /// The newest name, searched for among all.
    fn newest_of(&self, ns: NsId) -> Option<Arc<str>> {
        let own = self.list.iter().filter(|(_, (_, named))| *named == ns);
        own.max_by_key(|(_, (age, _))| *age).map(|(name, _)| Arc::clone(name))
    }

    fn id(&self, from: NsId, of: NsId) -> Option<u32> {
        self.given.get(&(of, from)).copied()
    }

    fn give(&mut self, from: NsId, of: NsId, id: u32) {
        self.ids.insert((from, id), of);
        self.given.insert((of, from), id);
    }

    /// The lowest number that a namespace has not given.
    fn free(&mut self, from: NsId) -> Option<u32> {
        let first = self.full.get(&from).copied().unwrap_or(0);
        let given = self.ids.range((from, first)..=(from, u32::MAX)).map(|((_, id), _)| *id);
        let free = (first..).zip(given.map(Some).chain([None])).find(|(id, given)| Some(*id) != *given)?.0;
        if free >= first + LOOK {
            self.full.insert(from, free);
        }
        Some(free)
    }

    /// Forgets a namespace that is gone.
    fn forget(&mut self, gone: NsId) {
        let own: Vec<(u32, NsId)> = self.numbers(gone).collect();
        for (id, of) in own {
            self.ids.remove(&(gone, id));
            self.given.remove(&(of, gone));
        }
        let others: Vec<(NsId, u32)> =
            self.given.range((gone, NsId(0))..=(gone, NsId(u32::MAX))).map(|((_, from), id)| (*from, *id)).collect();
        for (from, id) in others {
            self.ids.remove(&(from, id));
            self.given.remove(&(gone, from));
            self.full.entry(from).and_modify(|full| *full = id.min(*full));
        }
        self.full.remove(&gone);
    }

    /// The numbers that a namespace has given, ascending.
    fn numbers(&self, from: NsId) -> impl Iterator<Item = (u32, NsId)> + '_ {
        self.ids.range((from, 0)..=(from, u32::MAX)).map(|((_, id), of)| (*id, *of))
    }
}

impl World {
    /// `ip netns add`: a new namespace with a name. `EEXIST`.
    pub fn netns_add(&mut self, name: &str) -> Result<NsId, Errno> {
        if self.names.find(name).is_some() {
            return Err(Errno::Exist);
        }
        let ns = self.netns_unshare();
        self.name_netns(name, ns);
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
        self.name_netns(name, ns);
        Ok(())
    }

    fn name_netns(&mut self, name: &str, ns: NsId) {
        let name: Arc<str> = name.into();
        if let Some(net) = self.nets.get_mut(ns) {
            net.names += 1;
            net.name = Some(Arc::clone(&name));
        }
        self.names.add(name, ns);
    }

    /// `ip netns del`: takes the name away; the namespace goes when it has no other name and no process holds it. `ENOENT`.
    pub fn netns_delete(&mut self, name: &str) -> Result<(), Errno> {
        let ns = self.names.remove(name).ok_or(Errno::NoEnt)?;
        if let Some(net) = self.nets.get_mut(ns) {
            net.names = net.names.saturating_sub(1);
            if net.name.as_deref() == Some(name) {
                net.name = if net.names > 0 { self.names.newest_of(ns) } else { None };
            }
        }
        self.doom(ns);
        Ok(())
    }

    /// The namespace of this name.
    pub fn netns_named(&self, name: &str) -> Option<NsId> {
        self.names.find(name)
    }

    /// Names and namespaces, newest first, as `ip netns list` prints them.
    pub fn netns_list(&self) -> Vec<(String, NsId)> {
        let mut list: Vec<_> = self.names.list.iter().map(|(name, (age, ns))| (*age, name.to_string(), *ns)).collect();
        list.sort_unstable_by(|one, other| other.cmp(one));
        list.into_iter().map(|(_, name, ns)| (name, ns)).collect()
    }

    /// True while the namespace lives.
    pub fn netns_exists(&self, ns: NsId) -> bool {
        self.nets.get(ns).is_some()
    }

    /// A name of the namespace; of several the newest.
    pub fn netns_name(&self, ns: NsId) -> Option<&str> {
        self.nets.get(ns)?.name.as_deref()
    }

    /// The number by which `from` knows `of` (`netnsid`), if it has one already.
    pub fn nsid(&self, from: NsId, of: NsId) -> Option<u32> {
        self.names.id(from, of)
    }

    /// All numbers that `from` has given, ascending: `ip netns list-id`.
    pub fn nsids(&self, from: NsId) -> Vec<(u32, NsId)> {
        self.names.numbers(from).collect()
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
        let id = match wanted {
            Some(id) if self.names.ids.contains_key(&(from, id)) => return Err(Errno::NoSpc),
            Some(id) => id,
            None => self.names.free(from).ok_or(Errno::NoSpc)?,
        };
        self.names.give(from, of, id);
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
        if let Some(net) = self.nets.get_mut(ns) {
            net.holds += 1;
        }
    }

    /// Counts a process out.
    pub fn netns_release(&mut self, ns: NsId) {
        if let Some(net) = self.nets.get_mut(ns) {
            net.holds = net.holds.saturating_sub(1);
            self.doom(ns);
        }
    }

    fn is_referred_to(&self, ns: NsId) -> bool {
        self.nets.get(ns).is_some_and(|net| net.names > 0 || net.holds > 0)
    }

    /// Takes the namespace down in a while, if nobody refers to it.
    fn doom(&mut self, ns: NsId) {
        if !self.is_referred_to(ns) && self.netns_exists(ns) {
            self.queue.push(self.now + CLEANUP, Chore::Cleanup(ns));
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
        self.nets.remove(ns);
        self.queue.set_timer(ns, None);
        self.touched.retain(|touched| *touched != ns);
    }
}
