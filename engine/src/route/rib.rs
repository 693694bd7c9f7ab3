//! All tables of a namespace, and the rules that choose among them.

use super::exception::Exceptions;
use super::table::{Miss, Table};
use crate::addr::{Address, Prefix};
use crate::control::{RouteKind, RouteMode, RuleAction, table};
use crate::few;
use crate::route::{Answer, Flow, Net, Route, Rule, Unroutable};
use crate::seldom::{Seldom, Usual};
use crate::time::Time;

/// The tables of one version of IP.
#[derive(Clone, Debug)]
pub struct Rib<A: Address> {
    /// `local` is in it until rules are made.
    main: Table<A>,
    local: Option<Table<A>>,
    /// The two are listed.
    has_main: bool,
    has_local: bool,
    /// The user made or removed rules: `local` is no longer in `main` (`fib_has_custom_rules`).
    pub(super) custom_rules: bool,
    /// The user made local routes (`fib_has_custom_local_routes`).
    pub(super) custom_locals: bool,
    pub(super) rare: Seldom<RareTables<A>>,
}

/// What few namespaces have.
#[derive(Clone, Debug)]
pub(super) struct RareTables<A: Address> {
    /// Besides `main` and `local`.
    tables: Vec<Table<A>>,
    /// All tables that exist, in the order of the kernel's listing; none: there are no others than those two.
    known: Vec<u32>,
    /// Where table `default` is.
    last_resort: Option<usize>,
    /// None: nobody has changed them.
    rules: Option<Vec<Rule<A>>>,
    /// What the path taught.
    pub(super) exceptions: Exceptions<A>,
    /// When the first route ends, or earlier.
    next_expiry: Option<Time>,
}

impl<A: Address> RareTables<A> {
    const fn new() -> RareTables<A> {
        RareTables {
            tables: Vec::new(),
            known: Vec::new(),
            last_resort: None,
            rules: None,
            exceptions: Exceptions::new(),
            next_expiry: None,
        }
    }
}

impl<A: Address> Default for RareTables<A> {
    fn default() -> RareTables<A> {
        RareTables::new()
    }
}

impl<A: Address> Usual for RareTables<A> {
    const USUAL: &'static RareTables<A> = &RareTables::new();
}

impl<A: Address> Default for Rib<A> {
    fn default() -> Rib<A> {
        Rib::new()
    }
}

impl<A: Address> Rib<A> {
    /// A fresh namespace's: rules for `local`, `main` and `default`, and nothing in them.
    pub fn new() -> Rib<A> {
        let mut rib = Rib {
            main: Table::new(table::MAIN),
            local: None,
            has_main: false,
            has_local: false,
            custom_rules: false,
            custom_locals: false,
            rare: Seldom::USUAL,
        };
        // IPv6 keeps its tables apart, and has both from the beginning.
        if A::BITS == 128 {
            rib.custom_rules = true;
            rib.make(table::MAIN);
            rib.make(table::LOCAL);
        }
        rib
    }

    /// The table's routes in the order of the kernel's listing; `None` if there never was such a table ("FIB table does
    /// not exist").
    pub fn table(&self, number: u32) -> Option<impl Iterator<Item = &Route<A>>> {
        self.asked(number).map(|table| table.listed(number))
    }

    /// All tables' routes in the order of `ip route show table all`.
    pub fn routes(&self) -> impl Iterator<Item = &Route<A>> {
        self.known().filter_map(|number| self.table(number)).flatten()
    }

    /// The rules, in the order they are asked.
    pub fn rules(&self) -> &[Rule<A>] {
        self.rare.rules.as_deref().unwrap_or(A::INITIAL)
    }

    pub(super) fn rules_mut(&mut self) -> &mut Vec<Rule<A>> {
        self.rare.rules.get_or_insert_with(|| A::INITIAL.to_vec())
    }

    /// True if a rule looks at protocol or ports (`fib_rules_require_fldissect`).
    #[inline]
    pub fn looks_at_transport(&self) -> bool {
        self.custom_rules && self.rules().iter().any(Rule::looks_at_transport)
    }

    /// Which way (`fib_lookup`): rules in order, the longest prefix, then the order of the table.
    #[inline]
    pub fn lookup(&self, net: Net<'_>, flow: &Flow<A>) -> Result<Answer<'_, A>, Unroutable> {
        if self.custom_rules {
            return self.lookup_by_rules(net, flow);
        }
        let answer = match self.main.lookup(net, flow) {
            Err(Miss::GoOn) => match self.rare.last_resort.and_then(|at| self.rare.tables.get(at)) {
                Some(table) => table.lookup(net, flow),
                None => Err(Miss::GoOn),
            },
            answer => answer,
        };
        answer.map_err(|miss| match miss {
            Miss::GoOn => Unroutable::NoRoute,
            Miss::Stop(why) => why,
        })
    }

    /// What [`Table::hop_towards`] says of the tree that is asked first while there are no rules.
    #[inline(always)]
    pub(super) fn hop_in_main(&self, destination: A) -> u8 {
        self.main.hop_towards(destination)
    }

    /// `fib_rules_lookup`
    #[cold]
    fn lookup_by_rules(&self, net: Net<'_>, flow: &Flow<A>) -> Result<Answer<'_, A>, Unroutable> {
        let mut next = 0;
        while let Some(rule) = self.rules().get(next) {
            next += 1;
            if !rule.matches(net, flow) {
                continue;
            }
            let answer = match rule.action {
                RuleAction::Nop => continue,
                RuleAction::Goto(priority) => {
                    // Always forward, so that it ends; a target that is not there is passed over.
                    let target = self.rules().iter().position(|rule| rule.priority == priority);
                    next = target.unwrap_or(next).max(next);
                    continue;
                }
                RuleAction::Table(number) => self.lookup_in(number, net, flow),
                RuleAction::Blackhole => Err(Miss::Stop(Unroutable::Blackhole)),
                RuleAction::Unreachable => Err(Miss::Stop(Unroutable::NoRoute)),
                RuleAction::Prohibit => Err(Miss::Stop(Unroutable::Prohibit)),
            };
            match answer {
                Ok(answer) if rule.suppresses(answer.route.destination.length()) => {}
                Ok(answer) => return Ok(answer),
                Err(Miss::Stop(why)) => return Err(why),
                Err(Miss::GoOn) => {}
            }
        }
        Err(Unroutable::NoRoute)
    }

    /// Asks one table, past the rules.
    pub(super) fn lookup_in(&self, number: u32, net: Net<'_>, flow: &Flow<A>) -> Result<Answer<'_, A>, Miss> {
        self.asked(number).map_or(Err(Miss::GoOn), |table| table.lookup(net, flow))
    }

    /// True if this very address has a local route: nearly always, that it is one of the host's.
    #[inline]
    pub(super) fn is_own(&self, address: A) -> bool {
        let local = |route: &Route<A>| route.table == table::LOCAL && route.kind == RouteKind::Local;
        // Until there are rules it is the tree that is asked first.
        let tree = if self.custom_rules { self.asked(table::LOCAL) } else { Some(&self.main) };
        tree.is_some_and(|table| table.routes(Prefix::host(address)).iter().any(local))
    }

    /// Adds a route as the kernel adds its own (`NLM_F_CREATE | NLM_F_APPEND`), unchecked; one that is there already stays.
    pub fn insert_kernel(&mut self, route: Route<A>) {
        if A::BITS == 32 {
            // The only refusal is that it exists.
            let _ = self.make(route.table).insert(route, RouteMode::Append);
        } else {
            self.insert_kernel6(route);
        }
    }

    /// As `fib6_add_rt2node` does it for routes without a gateway: behind those of the same metric, once a device.
    fn insert_kernel6(&mut self, route: Route<A>) {
        let table = self.make(route.table);
        let routes = table.routes(route.destination);
        let at = routes.partition_point(|other| other.metric <= route.metric);
        let same = |other: &Route<A>| {
            let (new, old) = (route.nexthops.first(), other.nexthops.first());
            other.metric == route.metric && (new.oif, new.gateway) == (old.oif, old.gateway)
        };
        if !routes.iter().any(same) {
            table.insert_at(at, route);
        }
    }

    /// Removes the first route that agrees in table, prefix, kind, scope, protocol, `prefsrc`, metric (0: any) and device.
    pub fn remove_kernel(&mut self, route: &Route<A>) -> bool {
        let is_meant = |other: &Route<A>| {
            (other.table, other.tos, other.kind) == (route.table, 0, route.kind)
                && (other.scope, other.protocol) == (route.scope, route.protocol)
                && (route.prefsrc.is_none() || route.prefsrc == other.prefsrc)
                && (route.metric == 0 || route.metric == other.metric)
                && route.nexthops.first().oif == other.nexthops.first().oif
                && other.nexthops.first().gateway.is_none()
        };
        let gone = self.asked_mut(route.table).and_then(|table| table.remove(route.destination, is_meant));
        if let Some(gone) = &gone {
            self.forget(gone);
        }
        gone.is_some()
    }

    /// The route is gone, and what was learned on its way with it.
    pub(super) fn forget(&mut self, gone: &Route<A>) {
        if let Some(rare) = self.rare.own_mut() {
            rare.exceptions.forget(gone);
        }
    }

    /// `ip route flush cache`: forgets what the path taught.
    pub fn flush_cache(&mut self) {
        if let Some(rare) = self.rare.own_mut() {
            rare.exceptions.clear();
        }
    }

    /// When a route must go because its time is over.
    pub(crate) fn next_expiry(&self) -> Option<Time> {
        self.rare.next_expiry
    }

    pub(super) fn set_expiry(&mut self, next: Option<Time>) {
        if self.rare.next_expiry != next {
            self.rare.next_expiry = next;
        }
    }

    /// A route came that ends then.
    pub(super) fn note_expiry(&mut self, expires: Option<Time>) {
        self.set_expiry([self.next_expiry(), expires].into_iter().flatten().min());
    }

    /// Gives each route of each table to `change`; those it answers `false` for go.
    pub(super) fn retain(&mut self, mut change: impl FnMut(&mut Route<A>) -> bool) {
        let usual = core::iter::once(&mut self.main).chain(&mut self.local);
        match self.rare.own_mut() {
            Some(RareTables { tables, exceptions, .. }) => {
                usual.chain(tables).for_each(|table| table.retain(&mut change, |gone| exceptions.forget(gone)));
            }
            None => usual.for_each(|table| table.retain(&mut change, |_| {})),
        }
    }

    fn exists(&self, number: u32) -> bool {
        match number {
            table::MAIN => self.has_main,
            table::LOCAL => self.has_local,
            _ => self.rare.known.contains(&number),
        }
    }

    /// The table in whose tree a table is, if there ever was such a one.
    fn tree(&self, number: u32) -> Option<u32> {
        let number = if number == table::UNSPEC { table::MAIN } else { number };
        self.exists(number).then_some(if number == table::LOCAL && !self.custom_rules { table::MAIN } else { number })
    }

    /// The table, with what else is in its tree.
    pub(super) fn asked(&self, number: u32) -> Option<&Table<A>> {
        match self.tree(number)? {
            table::MAIN => Some(&self.main),
            table::LOCAL => self.local.as_ref(),
            number => self.rare.tables.iter().find(|table| table.number == number),
        }
    }

    /// The table, if it exists.
    pub(super) fn asked_mut(&mut self, number: u32) -> Option<&mut Table<A>> {
        match self.tree(number)? {
            table::MAIN => Some(&mut self.main),
            table::LOCAL => self.local.as_mut(),
            number => self.rare.tables.iter_mut().find(|table| table.number == number),
        }
    }

    /// The table; it is made if there is none (`fib_new_table`).
    pub(super) fn make(&mut self, number: u32) -> &mut Table<A> {
        let number = if number == table::UNSPEC { table::MAIN } else { number };
        if number == table::LOCAL && !self.custom_rules {
            self.note(table::MAIN);
        }
        self.note(number);
        match number {
            table::MAIN => &mut self.main,
            table::LOCAL if !self.custom_rules => &mut self.main,
            table::LOCAL => self.local.get_or_insert_with(|| Table::new(number)),
            _ => {
                let RareTables { tables, last_resort, .. } = &mut *self.rare;
                let at = tables.iter().position(|table| table.number == number).unwrap_or_else(|| {
                    few::push(tables, Table::new(number));
                    tables.len() - 1
                });
                if number == table::DEFAULT {
                    *last_resort = Some(at);
                }
                &mut tables[at]
            }
        }
    }

    /// The tables that exist, in the order of the kernel's listing.
    fn known(&self) -> impl Iterator<Item = u32> {
        let alone = self.rare.known.is_empty();
        let usual = [(table::MAIN, self.has_main), (table::LOCAL, self.has_local)];
        let usual = usual.into_iter().filter(move |(_, exists)| alone && *exists).map(|(number, _)| number);
        usual.chain(self.rare.known.iter().copied())
    }

    /// Tables are listed by the last byte of their number, and the newest first (`FIB_TABLE_HASHSZ`).
    fn note(&mut self, number: u32) {
        if self.exists(number) {
            return;
        }
        if self.rare.known.is_empty() && matches!(number, table::MAIN | table::LOCAL) {
            return self.mark(number);
        }
        let mut known: Vec<u32> = self.known().collect();
        let at = known.partition_point(|other| other & 255 < number & 255);
        known.insert(at, number);
        self.rare.known = known;
        self.mark(number);
    }

    fn mark(&mut self, number: u32) {
        self.has_main |= number == table::MAIN;
        self.has_local |= number == table::LOCAL;
    }

    /// Rules were changed: `local` gets a tree of its own (`fib_unmerge`).
    pub(super) fn unmerge(&mut self) {
        if self.custom_rules {
            return;
        }
        self.custom_rules = true;
        if self.has_local {
            self.local = Some(self.main.split(table::LOCAL));
        }
    }
}
