//! `ip rule add|del` (`fib_newrule`, `fib_delrule`).

use super::v4::refuse;
use crate::addr::{Address, IpAddr};
use crate::control::{Errno, Refusal, RuleAction, RuleSpec, table};
use crate::route::{Rib, Rule};

impl<A: Address> Rib<A> {
    /// `ip rule add`
    pub fn rule_add(&mut self, spec: &RuleSpec) -> Result<(), Refusal> {
        check(spec)?;
        let mut rule = self.rule_of(spec);
        check_goto(&rule)?;
        if rule.action == RuleAction::Table(table::UNSPEC) {
            if A::BITS == 128 {
                return refuse(Errno::Inval, "Invalid table");
            }
            // The kernel gives such a rule a table that nobody has.
            let free = (1..=table::LOCAL).find(|number| self.asked(*number).is_none()).ok_or(Errno::NoBufs)?;
            self.make(free);
            rule.action = RuleAction::Table(free);
        }
        if self.rules().iter().any(|other| is_there(&rule, other)) {
            return Err(Errno::Exist.into());
        }
        if let RuleAction::Table(number) = rule.action
            && A::BITS == 128
        {
            self.make(number);
        }
        self.unmerge();
        let at = self.rules().partition_point(|other| other.priority <= rule.priority);
        self.rules_mut().insert(at, rule);
        Ok(())
    }

    /// `ip rule del`: the first rule that agrees in all that was said.
    pub fn rule_delete(&mut self, spec: &RuleSpec) -> Result<(), Refusal> {
        check(spec)?;
        let wanted = self.rule_of(spec);
        check_goto(&wanted)?;
        let place = self.rules().iter().position(|rule| is_meant(spec, &wanted, rule)).ok_or(Errno::NoEnt)?;
        self.unmerge();
        self.rules_mut().remove(place);
        Ok(())
    }

    fn rule_of(&self, spec: &RuleSpec) -> Rule<A> {
        let said = |prefix: Option<(IpAddr, u8)>| {
            let found = prefix.and_then(|(address, length)| Some((A::from_ip(address)?, length.min(A::BITS))));
            found.unwrap_or((A::UNSPECIFIED, 0))
        };
        let (source, source_length) = said(spec.source);
        let (destination, destination_length) = said(spec.destination);
        // Said alone, all bits of a mark count.
        let mask = spec.mask.unwrap_or(if spec.mark.is_some_and(|mark| mark != 0) { u32::MAX } else { 0 });
        Rule {
            priority: spec.priority.unwrap_or_else(|| self.next_priority()),
            invert: spec.invert,
            source,
            source_length,
            destination,
            destination_length,
            iif: spec.iif.clone(),
            oif: spec.oif.clone(),
            mark: spec.mark.unwrap_or(0),
            mask,
            tos: spec.tos,
            ip_protocol: spec.ip_protocol,
            source_port: spec.source_port,
            destination_port: spec.destination_port,
            uid: spec.uid,
            suppress_prefix: spec.suppress_prefix,
            action: spec.action.unwrap_or(RuleAction::Table(table::MAIN)),
            protocol: spec.protocol,
        }
    }

    /// `fib_default_rule_pref`: one below the second rule.
    fn next_priority(&self) -> u32 {
        self.rules().get(1).map_or(0, |second| second.priority.saturating_sub(1))
    }
}

fn check(spec: &RuleSpec) -> Result<(), Refusal> {
    if spec.tos & 3 != 0 {
        return refuse(Errno::Inval, "Invalid dsfield (tos): ECN bits must be 0");
    }
    for (range, what) in [(spec.source_port, "sport"), (spec.destination_port, "dport")] {
        if range.is_some_and(|(first, last)| first == 0 || last < first || last == u16::MAX) {
            return refuse(Errno::Inval, &format!("Invalid {what} range"));
        }
    }
    if spec.uid.is_some_and(|(first, last)| last < first) {
        return refuse(Errno::Inval, "Invalid uid range");
    }
    Ok(())
}

/// A `goto` leads on, never back.
fn check_goto<A>(rule: &Rule<A>) -> Result<(), Refusal> {
    match rule.action {
        RuleAction::Goto(target) if target <= rule.priority => refuse(Errno::Inval, "Backward goto not supported"),
        _ => Ok(()),
    }
}

/// `rule_exists`: the new rule is there already. What it does not say of addresses and type of service matches all.
fn is_there<A: Address>(new: &Rule<A>, rule: &Rule<A>) -> bool {
    let same_action = match (new.action, rule.action) {
        (RuleAction::Goto(_), RuleAction::Goto(_)) => true,
        (new, action) => new == action,
    };
    same_action
        && new.priority == rule.priority
        && (&new.iif, &new.oif) == (&rule.iif, &rule.oif)
        && (new.mark, new.mask) == (rule.mark, rule.mask)
        && (new.suppress_prefix, new.protocol) == (rule.suppress_prefix, rule.protocol)
        && (new.uid, new.ip_protocol) == (rule.uid, rule.ip_protocol)
        && (new.source_port, new.destination_port) == (rule.source_port, rule.destination_port)
        && agrees(new, rule)
}

/// `fib4_rule_compare`, `fib6_rule_compare`
fn agrees<A: Address>(wanted: &Rule<A>, rule: &Rule<A>) -> bool {
    (wanted.tos == 0 || wanted.tos == rule.tos)
        && (wanted.source_length == 0 || (wanted.source, wanted.source_length) == (rule.source, rule.source_length))
        && (wanted.destination_length == 0
            || (wanted.destination, wanted.destination_length) == (rule.destination, rule.destination_length))
}

/// `rule_find`
fn is_meant<A: Address>(spec: &RuleSpec, wanted: &Rule<A>, rule: &Rule<A>) -> bool {
    spec.action.is_none_or(|action| action == rule.action)
        && spec.priority.is_none_or(|priority| priority == rule.priority)
        && (wanted.iif.is_none() || wanted.iif == rule.iif)
        && (wanted.oif.is_none() || wanted.oif == rule.oif)
        && (wanted.mark == 0 || wanted.mark == rule.mark)
        && (wanted.mask == 0 || wanted.mask == rule.mask)
        && (wanted.suppress_prefix.is_none() || wanted.suppress_prefix == rule.suppress_prefix)
        && (wanted.protocol == 0 || wanted.protocol == rule.protocol)
        && (wanted.uid.is_none() || wanted.uid == rule.uid)
        && (wanted.ip_protocol == 0 || wanted.ip_protocol == rule.ip_protocol)
        && (wanted.source_port.is_none() || wanted.source_port == rule.source_port)
        && (wanted.destination_port.is_none() || wanted.destination_port == rule.destination_port)
        && agrees(wanted, rule)
}
