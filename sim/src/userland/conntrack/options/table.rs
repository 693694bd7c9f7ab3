//! The words of `conntrack`'s command line, and the letters that stand for them.

use crate::userland::getopt::Takes;

/// A word, if it takes a value, and the letter that the tool uses inside.
pub(super) type Long = (&'static str, Takes, char);

/// Options of all commands, by the letters that the tool uses inside.
pub(super) const LONG: &[Long] = &[
    ("dump", Takes::MaybeValue, 'L'),
    ("create", Takes::MaybeValue, 'I'),
    ("add", Takes::MaybeValue, 'A'),
    ("delete", Takes::MaybeValue, 'D'),
    ("update", Takes::MaybeValue, 'U'),
    ("get", Takes::MaybeValue, 'G'),
    ("flush", Takes::MaybeValue, 'F'),
    ("event", Takes::MaybeValue, 'E'),
    ("load-file", Takes::Value, 'R'),
    ("version", Takes::Nothing, 'V'),
    ("help", Takes::MaybeValue, 'h'),
    ("orig-src", Takes::Value, 's'),
    ("src", Takes::Value, 's'),
    ("orig-dst", Takes::Value, 'd'),
    ("dst", Takes::Value, 'd'),
    ("reply-src", Takes::Value, 'r'),
    ("reply-dst", Takes::Value, 'q'),
    ("protonum", Takes::Value, 'p'),
    ("timeout", Takes::Value, 't'),
    ("status", Takes::Value, 'u'),
    ("zero", Takes::Nothing, 'z'),
    ("event-mask", Takes::Value, 'e'),
    ("tuple-src", Takes::Value, '['),
    ("tuple-dst", Takes::Value, ']'),
    ("mask-src", Takes::Value, '{'),
    ("mask-dst", Takes::Value, '}'),
    ("nat-range", Takes::Value, 'a'),
    ("mark", Takes::Value, 'm'),
    ("secmark", Takes::Value, 'c'),
    ("id", Takes::Value, 'i'),
    ("family", Takes::Value, 'f'),
    ("src-nat", Takes::MaybeValue, 'n'),
    ("dst-nat", Takes::MaybeValue, 'g'),
    ("output", Takes::Value, 'o'),
    ("buffer-size", Takes::Value, 'b'),
    ("any-nat", Takes::MaybeValue, 'j'),
    ("zone", Takes::Value, 'w'),
    ("label", Takes::Value, 'l'),
    ("label-add", Takes::Value, '<'),
    ("label-del", Takes::MaybeValue, '>'),
    ("orig-zone", Takes::Value, '('),
    ("reply-zone", Takes::Value, ')'),
    ("count", Takes::MaybeValue, 'C'),
    ("stats", Takes::MaybeValue, 'S'),
];

/// What `-p` adds for protocols with ports.
const PORTS: &[Long] = &[
    ("orig-port-src", Takes::Value, '1'),
    ("sport", Takes::Value, '1'),
    ("orig-port-dst", Takes::Value, '2'),
    ("dport", Takes::Value, '2'),
    ("reply-port-src", Takes::Value, '3'),
    ("reply-port-dst", Takes::Value, '4'),
    ("mask-port-src", Takes::Value, '5'),
    ("mask-port-dst", Takes::Value, '6'),
    ("tuple-port-src", Takes::Value, '8'),
    ("tuple-port-dst", Takes::Value, '9'),
];
const STATE: &[Long] = &[("state", Takes::Value, '7')];
const ICMP: &[Long] =
    &[("icmp-type", Takes::Value, 'X'), ("icmp-code", Takes::Value, 'Y'), ("icmp-id", Takes::Value, 'Z')];

/// Protocols by name, with their number and what they add.
pub(super) const PROTOCOLS: &[(&str, u8, &[&[Long]])] = &[
    ("tcp", 6, &[PORTS, STATE]),
    ("udp", 17, &[PORTS]),
    ("udplite", 136, &[PORTS]),
    ("sctp", 132, &[PORTS]),
    ("dccp", 33, &[PORTS]),
    ("icmp", 1, &[ICMP]),
    ("icmpv6", 58, &[]),
    ("gre", 47, &[]),
];

/// The long name by which a letter is complained of, in the order in which they are looked at.
pub(super) const NAMES: &[(char, &str)] = &[
    ('s', "src"),
    ('d', "dst"),
    ('r', "reply-src"),
    ('q', "reply-dst"),
    ('p', "protonum"),
    ('t', "timeout"),
    ('u', "status"),
    ('z', "zero"),
    ('e', "event-mask"),
    ('[', "tuple-src"),
    (']', "tuple-dst"),
    ('{', "mask-src"),
    ('}', "mask-dst"),
    ('a', "nat-range"),
    ('m', "mark"),
    ('i', "id"),
    ('f', "family"),
    ('n', "src-nat"),
    ('g', "dst-nat"),
    ('o', "output"),
    ('c', "secmark"),
    ('b', "buffer-size"),
    ('j', "any-nat"),
    ('w', "zone"),
    ('l', "label"),
    ('<', "label-add"),
    ('>', "label-del"),
    ('(', "orig-zone"),
    (')', "reply-zone"),
];
