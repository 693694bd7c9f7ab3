//! TCP connections at one interface, one line for each direction: how it began, how many bytes it carried, how it ended.

use std::collections::BTreeMap;

/// A segment, as far as it matters.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// Addresses and ports, as they are.
    pub(super) flow: String,
    /// Those of the other direction.
    pub(super) back: String,
    /// The same, as it is printed, with what the first packet's IP header says.
    pub(super) said: String,
    pub(super) sequence: u32,
    /// Payload bytes.
    pub(super) length: u32,
    pub(super) syn: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
}

/// One direction of a connection.
#[derive(Debug)]
struct Flow {
    /// Where its line stands.
    place: usize,
    back: String,
    said: String,
    /// The number of the first byte.
    first: u32,
    bytes: u32,
    syn: bool,
    fin: bool,
    rst: bool,
}

/// All of them, by direction and flow.
#[derive(Debug, Default)]
pub(super) struct Flows {
    open: BTreeMap<(bool, String), Flow>,
    /// Those whose ports another one has taken over.
    over: Vec<(bool, Flow)>,
}

impl Flows {
    /// Takes a segment in; true if it is the first of its flow, whose line is to stand at `place`. What neither begins, nor
    /// carries, nor ends anything only acknowledges, and is not seen.
    pub(super) fn see(&mut self, outbound: bool, segment: Segment, place: usize) -> bool {
        let Segment { flow, back, said, sequence, length, syn, fin, rst } = segment;
        if !(syn || fin || rst || length > 0) {
            return false;
        }
        let first = sequence.wrapping_add(u32::from(syn));
        let fresh = Flow { place, back, said, first, bytes: 0, syn: false, fin: false, rst: false };
        let key = (outbound, flow);
        let again = |old: &Flow| syn && (old.fin || old.rst) && old.first != first;
        if self.open.get(&key).is_some_and(again) {
            self.over.extend(self.open.remove(&key).map(|flow| (outbound, flow)));
        }
        let mut begun = false;
        let flow = self.open.entry(key).or_insert_with(|| {
            begun = true;
            fresh
        });
        if syn {
            flow.first = first;
        }
        let end = sequence.wrapping_add(u32::from(syn)).wrapping_add(length).wrapping_sub(flow.first);
        // A reset's number may be anything.
        if !rst && end < u32::MAX / 2 {
            flow.bytes = flow.bytes.max(end);
        }
        flow.syn |= syn;
        flow.fin |= fin;
        flow.rst |= rst;
        begun
    }

    /// Leaves out the answer to a SYN, repeated when its sender had gone, and the reset that it got: whether the answer came
    /// so late is a matter of milliseconds.
    pub(super) fn leave_out_late_answers(&mut self) {
        let late = |flow: &Flow, rst: bool| flow.syn && flow.bytes == 0 && !flow.fin && flow.rst == rst;
        let mut answers = Vec::new();
        for (key, flow) in self.open.iter().filter(|(_, flow)| late(flow, true)) {
            let back = [false, true].map(|outbound| (outbound, flow.back.clone()));
            let answer = back.into_iter().find(|back| self.open.get(back).is_some_and(|answer| late(answer, false)));
            answers.extend(answer.map(|answer| (key.clone(), answer)));
        }
        for (key, answer) in answers {
            self.open.remove(&answer);
            if let Some(flow) = self.open.get_mut(&key) {
                flow.rst = false;
            }
        }
    }

    /// The lines, with their places and directions.
    pub(super) fn said(&self) -> impl Iterator<Item = (usize, bool, String)> + '_ {
        let open = self.open.iter().map(|((outbound, _), flow)| (outbound, flow));
        open.chain(self.over.iter().map(|(outbound, flow)| (outbound, flow))).map(|(outbound, flow)| {
            let mut said = flow.said.clone();
            for (on, word) in [(flow.syn, " SYN".to_string()), (flow.bytes > 0, format!(" {} bytes", flow.bytes))] {
                if on {
                    said += &word;
                }
            }
            let end = match (flow.fin, flow.rst) {
                (_, true) => " RST",
                (true, false) => " FIN",
                (false, false) => "",
            };
            (flow.place, *outbound, said + end)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(sequence: u32, length: u32, flags: &str) -> Segment {
        let has = |flag| flags.contains(flag);
        let (flow, back, said) = ("a > b".to_string(), "b > a".to_string(), "TCP a > b".to_string());
        Segment { flow, back, said, sequence, length, syn: has('S'), fin: has('F'), rst: has('R') }
    }

    #[test]
    fn a_connection_is_one_line_however_it_is_cut() {
        let mut whole = Flows::default();
        let mut cut = Flows::default();
        for segment in [segment(u32::MAX, 0, "S"), segment(0, 300, "F")] {
            whole.see(true, segment, 0);
        }
        for segment in [
            segment(u32::MAX, 0, "S"),
            segment(0, 0, ""),
            segment(100, 200, ""),
            segment(0, 100, ""),
            segment(0, 100, ""),
            segment(300, 0, "F"),
        ] {
            cut.see(true, segment, 0);
        }
        let lines = |flows: &Flows| flows.said().map(|(_, _, said)| said).collect::<Vec<_>>();
        assert_eq!(lines(&whole), ["TCP a > b SYN 300 bytes FIN"]);
        assert_eq!(lines(&whole), lines(&cut));
    }

    #[test]
    fn an_answer_that_came_too_late_is_no_line() {
        let lines = |client: &[Segment], server: &[Segment]| {
            let mut flows = Flows::default();
            for segment in client {
                flows.see(true, segment.clone(), 0);
            }
            for segment in server {
                let (flow, back, said) = ("b > a".to_string(), "a > b".to_string(), "TCP b > a".to_string());
                flows.see(false, Segment { flow, back, said, ..segment.clone() }, 1);
            }
            flows.leave_out_late_answers();
            flows.said().map(|(_, _, said)| said).collect::<Vec<_>>()
        };
        let (syn, reset) = ([segment(5, 0, "S")], [segment(6, 0, "R")]);
        let given_up = [&syn[..], &reset[..]].concat();
        assert_eq!(lines(&given_up, &[segment(9, 0, "S")]), ["TCP a > b SYN"]);
        assert_eq!(lines(&syn, &[segment(9, 0, "S")]), ["TCP b > a SYN", "TCP a > b SYN"]);
        assert_eq!(lines(&syn, &reset), ["TCP b > a RST", "TCP a > b SYN"], "refused");
        let said = [segment(9, 0, "S"), segment(10, 3, "")];
        assert_eq!(lines(&given_up, &said), ["TCP b > a SYN 3 bytes", "TCP a > b SYN RST"]);
    }
}
