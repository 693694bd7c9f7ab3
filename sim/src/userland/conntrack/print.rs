//! How a flow is printed: a line, an element of XML, a command that would make it again, and the line of
//! `/proc/net/nf_conntrack`.

use super::options::Output;
use crate::userland::date::Date;
use std::fmt::Write as _;
use vethlab_engine::conntrack::{Conn, CtCounter, Direction, Tuple, status};
use vethlab_engine::time::{Duration, Time};

pub(super) const XML_HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<conntrack>\n";
pub(super) const XML_FOOT: &str = "</conntrack>\n";

/// Between a packet and whoever asks for what it left, a tick of the kernel's clock passes at least; in virtual time no time
/// need pass at all.
const TICK: Duration = Duration::from_millis(4);

/// What printing needs to know.
pub(super) struct Printer {
    pub(super) output: Output,
    pub(super) now: Time,
    /// Now, in seconds since 1970.
    pub(super) wall: u64,
    /// What `use=` says.
    pub(super) uses: u32,
}

/// `-o id`
pub(super) fn id(conn: &Conn) -> u32 {
    let mixed = conn.serial().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as u32
}

fn protocol_name(number: u8) -> &'static str {
    match number {
        1 => "icmp",
        6 => "tcp",
        17 => "udp",
        33 => "dccp",
        47 => "gre",
        132 => "sctp",
        136 => "udplite",
        _ => "unknown",
    }
}

/// Seconds that are left.
fn left(conn: &Conn, now: Time) -> u64 {
    conn.timeout.since(now).saturating_sub(TICK).as_secs()
}

/// `src=… dst=…` and what the protocol adds, with a space behind each.
fn tuple(text: &mut String, tuple: &Tuple) {
    let (source, destination) = (tuple.source, tuple.destination);
    let _ = write!(text, "src={} dst={} ", source.address, destination.address);
    let _ = match tuple.protocol {
        1 => write!(text, "type={} code={} id={} ", tuple.icmp.0, tuple.icmp.1, source.port),
        6 | 17 | 33 | 132 | 136 => write!(text, "sport={} dport={} ", source.port, destination.port),
        47 => write!(text, "srckey=0x0 dstkey=0x0 "),
        _ => Ok(()),
    };
}

fn counters(text: &mut String, conn: &Conn, direction: Direction) {
    if let Some(CtCounter { packets, bytes }) = of(conn, direction) {
        let _ = write!(text, "packets={packets} bytes={bytes} ");
    }
}

fn of(conn: &Conn, direction: Direction) -> Option<CtCounter> {
    let [original, reply] = conn.counters?;
    Some(if direction == Direction::Original { original } else { reply })
}

/// What all texts have in common, from the timeout to the mark. `private` is what stands behind the timeout.
fn body(text: &mut String, conn: &Conn, now: Time, private: &str) {
    let _ = write!(text, "{} {private}", left(conn, now));
    if let Some(state) = conn.tcp_state() {
        let _ = write!(text, "{state} ");
    }
    tuple(text, conn.tuple(Direction::Original));
    counters(text, conn, Direction::Original);
    if !conn.has(status::SEEN_REPLY) {
        text.push_str("[UNREPLIED] ");
    }
    tuple(text, conn.tuple(Direction::Reply));
    counters(text, conn, Direction::Reply);
    if conn.has(status::ASSURED) {
        text.push_str("[ASSURED] ");
    }
    let _ = write!(text, "mark={} ", conn.mark);
}

fn delta(conn: &Conn, now: Time) -> Option<u64> {
    conn.started.map(|started| now.since(started).as_secs())
}

/// A line of `/proc/net/nf_conntrack` (`ct_seq_show`).
pub(crate) fn proc_line(text: &mut String, conn: &Conn, now: Time) {
    let number = conn.tuple(Direction::Original).protocol;
    let _ = write!(text, "ipv4     2 {:<8} {number} ", protocol_name(number));
    let private = if number == 47 { "timeout=30, stream_timeout=180 " } else { "" };
    body(text, conn, now, private);
    text.push_str("zone=0 ");
    if let Some(delta) = delta(conn, now) {
        let _ = write!(text, "delta-time={delta} ");
    }
    text.push_str("use=2\n");
}

impl Printer {
    pub(super) fn flow(&self, text: &mut String, conn: &Conn) {
        if self.output.save {
            self.save(text, conn);
        } else if self.output.xml {
            self.xml(text, conn);
        } else {
            self.line(text, conn);
        }
    }

    fn line(&self, text: &mut String, conn: &Conn) {
        if self.output.extended {
            text.push_str("ipv4     2 ");
        }
        let number = conn.tuple(Direction::Original).protocol;
        let _ = write!(text, "{:<8} {number} ", protocol_name(number));
        body(text, conn, self.now, "");
        if let Some(delta) = delta(conn, self.now) {
            let _ = write!(text, "delta-time={delta} ");
            if self.output.ktimestamp {
                let _ = write!(text, "[start={}] ", date(self.wall.saturating_sub(delta)));
            }
        }
        let _ = write!(text, "use={}", self.uses);
        if self.output.id {
            let _ = write!(text, " id={}", id(conn));
        }
        text.push('\n');
    }

    fn xml(&self, text: &mut String, conn: &Conn) {
        text.push_str("<flow>");
        for (name, direction) in [("original", Direction::Original), ("reply", Direction::Reply)] {
            let tuple = conn.tuple(direction);
            let (from, to, number) = (tuple.source, tuple.destination, tuple.protocol);
            let _ = write!(
                text,
                "<meta direction=\"{name}\"><layer3 protonum=\"2\" protoname=\"ipv4\"><src>{}</src><dst>{}</dst>\
                 </layer3><layer4 protonum=\"{number}\" protoname=\"{}\">",
                from.address,
                to.address,
                protocol_name(number)
            );
            let _ = match number {
                6 | 17 | 33 | 132 | 136 => {
                    write!(text, "<sport>{}</sport><dport>{}</dport>", from.port, to.port)
                }
                47 => write!(text, "<srckey>0x0</srckey><dstkey>0x0</dstkey>"),
                _ => Ok(()),
            };
            text.push_str("</layer4>");
            if let Some(CtCounter { packets, bytes }) = of(conn, direction) {
                let _ = write!(text, "<counters><packets>{packets}</packets><bytes>{bytes}</bytes></counters>");
            }
            text.push_str("</meta>");
        }
        self.xml_rest(text, conn);
    }

    fn xml_rest(&self, text: &mut String, conn: &Conn) {
        text.push_str("<meta direction=\"independent\">");
        if let Some(state) = conn.tcp_state() {
            let _ = write!(text, "<state>{state}</state>");
        }
        let (left, mark, uses, id) = (left(conn, self.now), conn.mark, self.uses, id(conn));
        let _ = write!(text, "<timeout>{left}</timeout><mark>{mark}</mark><use>{uses}</use><id>{id}</id>");
        if conn.has(status::ASSURED) {
            text.push_str("<assured/>");
        }
        if !conn.has(status::SEEN_REPLY) {
            text.push_str("<unreplied/>");
        }
        if let Some(delta) = delta(conn, self.now) {
            let _ = write!(text, "<deltatime>{delta}</deltatime>");
        }
        text.push_str("</meta></flow>\n");
    }

    /// The options of `conntrack -A` that would make the flow again.
    fn save(&self, text: &mut String, conn: &Conn) {
        let [original, reply] = &conn.tuples;
        let names = [(status::SEEN_REPLY, "SEEN_REPLY"), (status::ASSURED, "ASSURED")];
        let set: Vec<&str> = names.into_iter().filter(|(bit, _)| conn.has(*bit)).map(|(_, name)| name).collect();
        let set = if set.is_empty() { "UNSET".to_string() } else { set.join(",") };
        let (from, to) = (original.source.address, original.destination.address);
        let translated = |done, changed, yes, no| if conn.has(done) && changed { yes } else { no };
        let source = translated(status::DST_NAT_DONE, reply.source.address != to, "-g", "-r");
        let destination = translated(status::SRC_NAT_DONE, reply.destination.address != from, "-n", "-q");
        let _ = write!(
            text,
            "-A -t {} -u {set} -s {from} -d {to} {source} {} {destination} {} -p ",
            left(conn, self.now),
            reply.source.address,
            reply.destination.address
        );
        let name = protocol_name(original.protocol);
        let _ = match original.protocol {
            1 => write!(
                text,
                "icmp --icmp-type {} --icmp-code {} --icmp-id {}",
                original.icmp.0, original.icmp.1, original.source.port
            ),
            6 | 17 | 33 | 132 | 136 => write!(
                text,
                "{name} --sport {} --dport {} --reply-port-src {} --reply-port-dst {}",
                original.source.port, original.destination.port, reply.source.port, reply.destination.port
            ),
            47 => write!(text, "gre --srckey 0 --dstkey 0 --reply-key-src 0 --reply-key-dst 0"),
            number => write!(text, "{number}"),
        };
        if let Some(state) = conn.tcp_state() {
            let _ = write!(text, " --state {state}");
        }
        text.push('\n');
    }
}

/// `asctime` of a time in UTC: `Mon Jan  1 00:00:00 2024`.
fn date(seconds: u64) -> String {
    Date::of(seconds as i64).asctime()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_asctime() {
        for (seconds, text) in [
            (0, "Thu Jan  1 00:00:00 1970"),
            (1_704_067_200, "Mon Jan  1 00:00:00 2024"),
            (1_709_210_096, "Thu Feb 29 12:34:56 2024"),
            (1_795_665_423, "Thu Nov 26 03:57:03 2026"),
            (4_107_542_399, "Sun Feb 28 23:59:59 2100"),
        ] {
            assert_eq!(date(seconds), text);
        }
    }
}
