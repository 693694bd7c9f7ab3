//! `tc qdisc show`

use super::units::show_size;
use super::{Done, Options, QDISC_USAGE, Tc, Words, matches, netem, not_simulated, stop, tbf};
use crate::world::Driver;
use vethlab_engine::Stack;
use vethlab_engine::control::IfIndex;
use vethlab_engine::link::Port;
use vethlab_engine::qdisc::{QdiscCounters, QdiscEntry, QdiscSpec};

/// What is wanted of the list.
#[derive(Default)]
struct Wanted {
    port: Option<IfIndex>,
    handle: Option<String>,
    /// Only what stands below a class, or what takes in: there is none.
    nothing: bool,
}

impl Tc<'_> {
    pub(super) fn show(&self, mut words: Words<'_>) -> Done {
        let mut wanted = Wanted::default();
        while let Some(word) = words.next() {
            match word {
                "dev" => wanted.port = Some(self.port(words.value()?)?),
                "root" => {}
                "ingress" | "clsact" => wanted.nothing = true,
                "handle" => wanted.handle = Some(words.value()?.trim_end_matches(':').to_string()),
                "parent" => wanted.nothing = words.value()? != "root",
                _ if matches(word, "invisible") => return not_simulated("tc qdisc show invisible"),
                _ if matches(word, "help") => return stop(0, QDISC_USAGE),
                word => return stop(255, format!("What is \"{word}\"? Try \"tc qdisc help\".\n")),
            }
        }
        if wanted.nothing {
            return Ok(());
        }
        let ports: Vec<IfIndex> = self.p.world().stack(self.ns).ports().iter().map(|port| port.index).collect();
        for index in ports.into_iter().filter(|index| wanted.port.is_none_or(|wanted| wanted == *index)) {
            if let Some(text) = self.line(index, &wanted) {
                self.p.out(&text);
            }
        }
        Ok(())
    }

    fn line(&self, index: IfIndex, wanted: &Wanted) -> Option<String> {
        let driver = self.p.world().driver(self.ns, index);
        let world = self.p.world();
        let stack = world.stack(self.ns);
        let port = stack.ports().get(index)?;
        let entry = stack.qdisc(index);
        let kind = qdisc_kind(stack, port, driver);
        // A port that was never up has none, and none is listed.
        if kind == "noop" {
            return None;
        }
        let number = format!("{:x}", entry.as_ref().map_or(0, |entry| entry.handle));
        if wanted.handle.as_ref().is_some_and(|handle| *handle != number) {
            return None;
        }
        let device = if wanted.port.is_none() { format!("dev {} ", port.name) } else { String::new() };
        // The port itself, and each of its queues.
        let queues = if driver == Some(Driver::Veth) { 2 } else { 1 };
        let references = if entry.is_some() { 1 + queues } else { 2 };
        let options = entry.as_ref().map(|entry| options(entry, self.options)).unwrap_or_default();
        let mut text = format!("qdisc {kind} {number}: {device}root refcnt {references} {options}\n");
        if self.options.statistics {
            text += &counters(entry.map(|entry| entry.counters).unwrap_or_default());
        }
        Some(text)
    }
}

/// The kind of a port's discipline.
pub(in super::super) fn qdisc_kind(stack: &Stack, port: &Port, driver: Option<Driver>) -> &'static str {
    match (stack.qdisc(port.index), driver) {
        (Some(entry), _) => entry.spec.kind(),
        _ if !port.was_up => "noop",
        (_, Some(Driver::Physical | Driver::External)) => "fq_codel",
        _ => "noqueue",
    }
}

fn options(entry: &QdiscEntry, options: Options) -> String {
    match &entry.spec {
        QdiscSpec::Netem(spec) => netem::show(spec, options.iec),
        QdiscSpec::Tbf(spec) => tbf::show(spec, options),
        QdiscSpec::Pfifo(limit) => format!("limit {}p", limit.unwrap_or(0)),
        QdiscSpec::Bfifo(limit) => format!("limit {}", show_size(limit.unwrap_or(0))),
        QdiscSpec::PfifoFast => "bands 3 priomap 1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 1".to_string(),
    }
}

fn counters(counters: QdiscCounters) -> String {
    let QdiscCounters { bytes, packets, dropped, overlimits, requeues, backlog, waiting } = counters;
    format!(
        " Sent {bytes} bytes {packets} pkt (dropped {dropped}, overlimits {overlimits} requeues {requeues}) \n backlog {} {waiting}p requeues {requeues}\n",
        show_size(u32::try_from(backlog).unwrap_or(u32::MAX))
    )
}
