//! The real processes of a script: its descendants, whether all of them sleep, and in which namespace each lives.
//!
//! Virtual time may only pass while nothing real is going on. [`Tree::look`] visits every descendant once; when two looks in
//! a row find the same processes asleep, none of which has run in between, there was an instant between the two at which
//! all of them slept: whatever they wait for must come from the lab.
//!
//! A process that is about to sleep says so before it does, and then looks once more whether it need: on a crowded machine
//! that can take long, and what it finds may let it go on. So each is asked between the two looks if it is off the processor.

mod calls;
mod status;

use self::status::Status;
use std::collections::BTreeMap;
use std::path::PathBuf;
use vethlab_sim::NsId;

/// The host's namespace.
const HOST: NsId = NsId(0);

/// The descendants of this process.
pub(crate) struct Tree {
    proc: PathBuf,
    me: u32,
    /// What the last look found.
    seen: Vec<(u32, Status)>,
    /// One that was not asleep then.
    busy: Option<u32>,
    homes: BTreeMap<u32, NsId>,
}

/// What has become of the namespaces of processes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Moves {
    /// New processes live there.
    pub(crate) came: Vec<NsId>,
    /// Processes that lived there ended.
    pub(crate) went: Vec<NsId>,
}

impl Tree {
    /// The descendants of the calling process.
    pub(crate) fn new() -> Tree {
        Tree::of(PathBuf::from("/proc"), std::process::id())
    }

    fn of(proc: PathBuf, me: u32) -> Tree {
        Tree { proc, me, seen: Vec::new(), busy: None, homes: BTreeMap::new() }
    }

    /// Visits all; true if they sleep, and slept ever since the last look.
    pub(crate) fn look(&mut self, moves: &mut Moves) -> bool {
        let rested = self.busy.is_none() && self.seen.iter().all(|(pid, status)| self.is_off(*pid, status));
        let seen = self.visit();
        self.settle(&seen, moves);
        let calm = rested && seen == self.seen && !self.is_waited_for(&seen);
        self.busy = seen.iter().find(|(_, status)| !status.asleep).map(|(pid, _)| *pid);
        self.seen = seen;
        calm
    }

    /// True if one that was busy at the last look still is: nobody else need be looked at.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.is_some_and(|pid| status::read(&self.proc, pid).is_some_and(|status| !status.asleep))
    }

    /// True if none of its threads is on a processor, or waits for one.
    fn is_off(&self, pid: u32, status: &Status) -> bool {
        !calls::is_running(&self.proc, pid, &status.threads)
    }

    /// True if a process has ended whose parent will notice when it looks up next: by the clock, but at once as it were.
    fn is_waited_for(&self, seen: &[(u32, Status)]) -> bool {
        let mut ended = seen.iter().filter(|(_, status)| status.zombie);
        ended.any(|(_, ended)| {
            let parent = seen.iter().find(|(pid, _)| *pid == ended.parent);
            parent.is_some_and(|(pid, status)| calls::looks_up(&self.proc, *pid, &status.threads))
        })
    }

    /// All descendants, parents before children.
    fn visit(&self) -> Vec<(u32, Status)> {
        let census = self.census();
        let mut seen: Vec<(u32, Status)> = Vec::new();
        let mut parents = vec![(self.me, vec![self.me])];
        while let Some((parent, threads)) = parents.pop() {
            let children = match &census {
                Some(census) => census.get(&parent).cloned().unwrap_or_default(),
                None => self.children(parent, &threads),
            };
            for pid in children {
                // It may have gone, or be nobody's child any more.
                if let Some(status) = status::read(&self.proc, pid).filter(|status| status.parent == parent) {
                    parents.push((pid, status.threads.clone()));
                    seen.push((pid, status));
                }
            }
        }
        seen
    }

    /// The children of a process, as the kernel lists them for each of its threads.
    fn children(&self, pid: u32, threads: &[u32]) -> Vec<u32> {
        let list = |thread: &u32| std::fs::read_to_string(self.proc.join(format!("{pid}/task/{thread}/children"))).ok();
        let lists: Vec<String> = threads.iter().filter_map(list).collect();
        lists.iter().flat_map(|list| list.split_ascii_whitespace()).filter_map(|word| word.parse().ok()).collect()
    }

    /// The children of every process on the machine, where the kernel keeps no lists (no `CONFIG_PROC_CHILDREN`).
    fn census(&self) -> Option<BTreeMap<u32, Vec<u32>>> {
        if self.proc.join(format!("{0}/task/{0}/children", self.me)).exists() {
            return None;
        }
        let mut census: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for pid in status::numbers_in(&self.proc) {
            if let Some(parent) = status::parent(&self.proc, pid) {
                census.entry(parent).or_default().push(pid);
            }
        }
        Some(census)
    }

    /// New processes live where their parents do. One whose parent ended unseen has brought its environment.
    fn settle(&mut self, seen: &[(u32, Status)], moves: &mut Moves) {
        let mut homes = BTreeMap::new();
        for (pid, status) in seen {
            let home = self.homes.get(pid).copied().unwrap_or_else(|| {
                let inherited = homes.get(&status.parent).copied();
                let home = inherited.or_else(|| status::namespace(&self.proc, *pid).map(NsId)).unwrap_or(HOST);
                moves.came.push(home);
                home
            });
            homes.insert(*pid, home);
        }
        let gone = self.homes.iter().filter(|(pid, _)| !homes.contains_key(pid));
        moves.went.extend(gone.map(|(_, home)| *home));
        self.homes = homes;
    }

    /// Where a process lives, as of the last look.
    pub(crate) fn home(&self, pid: u32) -> Option<NsId> {
        self.homes.get(&pid).copied()
    }

    /// The same of a process that may be newer than the last look: it lives where the nearest ancestor lives that was
    /// seen.
    pub(crate) fn home_of(&self, mut pid: u32) -> NsId {
        loop {
            match self.home(pid) {
                Some(home) => return home,
                None if pid <= 1 || pid == self.me => return HOST,
                None => pid = status::parent(&self.proc, pid).unwrap_or(0),
            }
        }
    }

    /// A process moves.
    pub(crate) fn settle_in(&mut self, pid: u32, to: NsId, moves: &mut Moves) {
        moves.came.push(to);
        moves.went.extend(self.homes.insert(pid, to));
    }

    /// All processes and where they live, as of the last look.
    pub(crate) fn homes(&self) -> Vec<(u32, NsId)> {
        self.homes.iter().map(|(pid, home)| (*pid, *home)).collect()
    }

    /// How much processor time all of them and their dead children have used, in hundredths of a second.
    pub(crate) fn processor_time(&self) -> u64 {
        self.seen.iter().map(|(pid, _)| status::processor_time(&self.proc, *pid)).sum()
    }

    /// True if a process sleeps by the wall clock, as a real `sleep` does, or waits for whoever sits at the terminal.
    pub(crate) fn minds_the_clock(&self) -> bool {
        self.seen.iter().any(|(pid, status)| calls::is_set(&self.proc, *pid, &status.threads))
    }
}

#[cfg(test)]
mod tests;
