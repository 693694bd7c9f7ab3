//! Recording: who watches the stacks, and writes down what passed each interface and each step of each packet's way.

use super::{NsId, World};
use crate::capture::{Capture, Direction};
use crate::trace::Trace;
use std::collections::BTreeMap;
use vethlab_engine::control::IfIndex;
use vethlab_engine::link::Ports;
use vethlab_engine::observe::{Observer, Step};
use vethlab_engine::time::Time;

/// What to record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// Frames, as pcapng: [`World::take_pcap`].
    pub pcap: bool,
    /// Steps, as text: [`World::take_trace`].
    pub trace: bool,
}

/// What the recorder knows of an interface while its stack is at work.
#[derive(Debug)]
struct Label {
    name: String,
    loopback: bool,
}

/// Writes down what is asked for.
#[derive(Debug)]
pub(super) struct Recorder {
    capture: Option<Capture>,
    trace: Option<Trace>,
    /// The namespace at work: its name (none for the host), and its interfaces.
    ns: Option<String>,
    ports: BTreeMap<IfIndex, Label>,
    /// Namespaces that nobody is to see: the simulated outside.
    hidden: bool,
}

impl Recorder {
    fn new(what: Recording) -> Recorder {
        Recorder {
            capture: what.pcap.then(Capture::new),
            trace: what.trace.then(Trace::new),
            ns: None,
            ports: BTreeMap::new(),
            hidden: false,
        }
    }

    /// Looks at a namespace before its stack works. An unnamed one is called by its number.
    pub(super) fn look(&mut self, ns: NsId, name: Option<&str>, ports: &Ports) {
        self.hidden = ns == NsId::OUTSIDE;
        self.ns = match name {
            _ if ns == NsId(0) => None,
            Some(name) => Some(name.to_string()),
            None => Some(format!("ns{}", ns.0)),
        };
        let labels = ports.iter().map(|port| {
            let label = Label { name: port.name.to_string(), loopback: port.is_loopback() };
            (port.index, label)
        });
        self.ports = labels.collect();
    }

    /// The interface's name in a capture: `red/veth-red`, and without a slash the host's own.
    fn interface(&self, index: IfIndex) -> String {
        let name = self.ports.get(&index).map_or_else(|| format!("if{index}"), |label| label.name.clone());
        match &self.ns {
            Some(ns) => format!("{ns}/{name}"),
            None => name,
        }
    }

    fn step(&mut self, now: Time, step: Step<'_>) {
        if self.hidden {
            return;
        }
        if let Some(trace) = &mut self.trace {
            let names = |index| self.ports.get(&index).map(|label| label.name.as_str());
            trace.step(now, self.ns.as_deref().unwrap_or("host"), names, step);
        }
        let (port, direction, frame) = match step {
            Step::Received { port, frame } => (port, Direction::In, frame),
            Step::Transmitted { port, frame } => (port, Direction::Out, frame),
            _ => return,
        };
        // On `lo`, where each frame is sent and received, a tcpdump sees it once.
        let twice = direction == Direction::Out && self.ports.get(&port).is_some_and(|label| label.loopback);
        let name = self.interface(port);
        if let Some(capture) = self.capture.as_mut().filter(|_| !twice) {
            capture.frame(now, &name, direction, frame);
        }
    }
}

/// The observer of one visit to a stack.
pub(super) struct Watcher<'a> {
    now: Time,
    recorder: Option<&'a mut Recorder>,
}

impl<'a> Watcher<'a> {
    pub(super) fn new(now: Time, recorder: Option<&'a mut Recorder>) -> Watcher<'a> {
        Watcher { now, recorder }
    }
}

impl Observer for Watcher<'_> {
    fn step(&mut self, step: Step<'_>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.step(self.now, step);
        }
    }
}

impl World {
    /// Begins to record, or ends it; what was recorded and not taken yet is gone. Take it often: nothing but that bounds it.
    pub fn record(&mut self, what: Recording) {
        self.recorder = (what != Recording::default()).then(|| Recorder::new(what));
    }

    /// What was captured since the last call: pcapng, to be written one piece behind the other.
    pub fn take_pcap(&mut self) -> Vec<u8> {
        let World { recorder, nets, .. } = self;
        let Some(recorder) = recorder else { return Vec::new() };
        for (ns, net) in nets.iter().filter(|(ns, _)| *ns != NsId::OUTSIDE) {
            recorder.look(ns, net.name.as_deref(), net.stack.ports());
            let interfaces: Vec<String> = recorder.ports.keys().map(|index| recorder.interface(*index)).collect();
            if let Some(capture) = &mut recorder.capture {
                interfaces.iter().for_each(|name| capture.interface(name));
            }
        }
        recorder.capture.as_mut().map(Capture::take).unwrap_or_default()
    }

    /// What was traced since the last call: text, a line a step.
    pub fn take_trace(&mut self) -> String {
        let trace = self.recorder.as_mut().and_then(|recorder| recorder.trace.as_mut());
        trace.map(Trace::take).unwrap_or_default()
    }
}
