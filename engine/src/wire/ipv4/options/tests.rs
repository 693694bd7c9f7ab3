//! Options followed from hop to hop, and malformed ones.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

const A: Ipv4Addr = Ipv4Addr::new(10, 12, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 12, 0, 2);
const R: Ipv4Addr = Ipv4Addr::new(10, 12, 0, 254);
const NOBODY: IsForeign<'_> = &|_| false;

fn header_of(options: &[u8]) -> Vec<u8> {
    [&[0; HEADER], options].concat()
}

fn here(address: Ipv4Addr, time: u32) -> Here {
    Here { address, time }
}

/// `ping -R`: sent by A, passed on by R, answered by B, received by A.
#[test]
fn a_recorded_route_there_and_back() {
    let mut given = [0; 40];
    given[..4].copy_from_slice(&[kind::NOOP, kind::RR, 39, 4]);
    let own = OwnOptions::compile(&given, NOBODY).unwrap();
    let mut header = header_of(own.bytes());
    build(&mut header, &own.options, B, A, 0);

    let mut seen = receive(&mut header, here(R, 0), NOBODY).unwrap();
    forward(&mut header, &mut seen, Ipv4Addr::new(10, 12, 1, 254));
    assert!(seen.changed);

    let seen = receive(&mut header, here(B, 0), NOBODY).unwrap();
    let answer = echo(&header, &seen, NOBODY).unwrap();
    assert_eq!(answer.bytes().len(), 40);
    let mut header = header_of(answer.bytes());
    build(&mut header, &answer.options, A, B, 0);
    receive(&mut header, here(A, 0), NOBODY).unwrap();

    let slots: Vec<Ipv4Addr> = header[HEADER + 3..].chunks_exact(4).map(|hop| address_at(hop, 0).unwrap()).collect();
    let way_out = Ipv4Addr::new(10, 12, 1, 254);
    assert_eq!(header[HEADER..HEADER + 3], [kind::RR, 39, 4 + 5 * 4]);
    assert_eq!(slots[..5], [A, way_out, B, B, A]);
    assert!(slots[5..].iter().all(|hop| hop.is_unspecified()));
}

/// `ping -T tsandaddr`: each takes a slot of address and time, and who finds none is counted.
#[test]
fn timestamps_with_addresses() {
    let mut given = [0; 20];
    given[..4].copy_from_slice(&[kind::TIMESTAMP, 20, 5, TS_AND_ADDRESS]);
    let own = OwnOptions::compile(&given, NOBODY).unwrap();
    let mut header = header_of(own.bytes());
    build(&mut header, &own.options, B, A, 7);
    let seen = receive(&mut header, here(B, 9), NOBODY).unwrap();
    assert!(seen.changed && seen.timestamp_wants_address);
    let words: Vec<u32> =
        header[HEADER + 4..].chunks_exact(4).map(|word| u32::from_be_bytes(take(word, 0).unwrap())).collect();
    assert_eq!(words, [A.to_bits(), 7, B.to_bits(), 9]);
    assert_eq!(header[HEADER + 2], 21, "the pointer stands behind the end");
    for overflow in 1..=15 {
        receive(&mut header, here(R, 9), NOBODY).unwrap();
        assert_eq!(header[HEADER + 3], overflow << 4 | TS_AND_ADDRESS);
    }
    assert_eq!(receive(&mut header, here(R, 9), NOBODY).map_err(|malformed| malformed.pointer), Err(23));
    let seen = Options { timestamp: 20, length: 20, ..Options::default() };
    assert_eq!(echo(&header, &seen, NOBODY).unwrap().bytes(), &header[HEADER..], "a full one is echoed as it is");
}

/// A prespecified slot is filled by the host it names, and by nobody else.
#[test]
fn prespecified_timestamps() {
    let mut given = vec![kind::TIMESTAMP, 12, 5, TS_PRESPECIFIED];
    given.extend(B.octets());
    given.extend([0; 4]);
    let mut header = header_of(&given);
    let seen = receive(&mut header, here(R, 9), &|asked| asked != R).unwrap();
    assert!(!seen.changed && !seen.timestamp_wants_time && header[HEADER..] == given[..]);
    let seen = receive(&mut header, here(B, 9), &|asked| asked != B).unwrap();
    assert!(seen.changed && seen.timestamp_wants_time);
    assert_eq!((header[HEADER + 2], &header[HEADER + 8..]), (13, &[0, 0, 0, 9][..]));
}

/// A source route is walked hop by hop, and the answer goes the same way back.
#[test]
fn a_source_route_there_and_back() {
    let [first, second] = [Ipv4Addr::new(10, 1, 0, 1), Ipv4Addr::new(10, 2, 0, 1)];
    let mut given = vec![kind::LSRR, 11, 4];
    given.extend(first.octets());
    given.extend(second.octets());
    let own = OwnOptions::compile(&given, NOBODY).unwrap();
    assert_eq!(own.options.next_hop, Some(first));
    let mut header = header_of(own.bytes());
    put(&mut header, 12, A.octets());
    put(&mut header, 16, first.octets());
    build(&mut header, &own.options, B, A, 0);

    for (hop, next) in [(first, second), (second, B)] {
        let mut seen = receive(&mut header, here(hop, 0), NOBODY).unwrap();
        assert_eq!(hops_left(&header, &seen).next(), Some(Ok(next)));
        (seen.source_route_hit, seen.next_hop) = (true, Some(next));
        forward(&mut header, &mut seen, hop);
        assert_eq!(take::<4>(&header, 16), Some(next.octets()));
    }
    let seen = receive(&mut header, here(B, 0), NOBODY).unwrap();
    assert_eq!(hops_left(&header, &seen).next(), None);
    let answer = echo(&header, &seen, NOBODY).unwrap();
    assert_eq!(answer.options.next_hop, Some(second));
    let mut header = header_of(answer.bytes());
    build(&mut header, &answer.options, A, B, 0);
    assert_eq!(header[HEADER..HEADER + 3], [kind::LSRR, 11, 4]);
    assert_eq!(header[HEADER + 3..HEADER + 11], [first.octets(), A.octets()].concat());
}

/// Which byte is to blame, as `ip_options_compile` has it.
#[test]
fn malformed_options_are_blamed_by_the_byte() {
    let table: &[(&[u8], u8)] = &[
        (&[1, 1, 1, 7], 23),              // no length
        (&[7, 1, 4, 0], 20),              // a length below two
        (&[7, 8, 4, 0], 20),              // past the end
        (&[7, 2, 0, 0], 21),              // no pointer
        (&[7, 4, 3, 0], 22),              // points into itself
        (&[7, 4, 4, 0], 22),              // no room for an address
        (&[7, 3, 4, 7, 3, 4, 0, 0], 23),  // twice
        (&[68, 3, 5, 0], 21),             // too short
        (&[68, 4, 4, 0], 22),             // points into itself
        (&[68, 8, 5, 1, 0, 0, 0, 0], 22), // no room for address and time
        (&[68, 4, 5, 0xf0], 23),          // the overflow overflows
        (&[131, 2, 0, 0], 21),
        (&[137, 3, 3, 0], 22),
        (&[148, 3, 0, 0], 21),
    ];
    for (options, place) in table {
        let mut header = header_of(options);
        assert_eq!(
            receive(&mut header, here(A, 0), NOBODY).map_err(|malformed| malformed.pointer),
            Err(*place),
            "{options:?}"
        );
    }
    let mut header = header_of(&[148, 4, 0, 0, 0, 9, 9, 9]);
    let seen = receive(&mut header, here(A, 0), NOBODY).unwrap();
    assert!(seen.router_alert == 20 && seen.changed);
    assert_eq!(header[HEADER + 4..], [0; 4], "nothing stands behind the end");
}

#[test]
fn later_fragments_keep_what_is_to_be_copied() {
    let mut header = header_of(&[7, 3, 4, 148, 4, 0, 0, 1, 131, 3, 4, 0]);
    keep_copied(&mut header);
    assert_eq!(header[HEADER..], [1, 1, 1, 148, 4, 0, 0, 1, 131, 3, 4, 0]);
}

/// What the kernel (6.18) answered to random options, a line each: destination, options, and what came of it. Its clock
/// is replaced by 0x11111111; `accept_source_route` is on. 10.12.0.2 and 10.13.0.2 are its own.
const KERNEL: &str = include_str!("kernel.txt");
const CLOCK: u32 = 0x1111_1111;
const NEAR: Ipv4Addr = Ipv4Addr::new(10, 12, 0, 2);
const FAR: Ipv4Addr = Ipv4Addr::new(10, 13, 0, 2);
/// A neighbour on the far side.
const ACROSS: Ipv4Addr = Ipv4Addr::new(10, 13, 0, 9);

fn is_own(address: Ipv4Addr) -> bool {
    [NEAR, FAR].contains(&address) || address.is_loopback()
}

/// `inet_addr_type` is not unicast for own, group and "any" addresses.
fn is_foreign(address: Ipv4Addr) -> bool {
    !is_own(address) && !address.is_multicast() && !address.is_unspecified()
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() { "-".to_owned() } else { bytes.iter().map(|byte| format!("{byte:02x}")).collect() }
}

/// An answer as it is seen on the cables: at the sender's, or at the first hop of the way back.
fn answered(header: &[u8], options: &Options, what: &str) -> String {
    let sender = Ipv4Addr::new(10, 12, 0, 1);
    let Some(own) = echo(header, options, &is_foreign) else { return "nothing".to_owned() };
    let mut answer = header_of(own.bytes());
    build(&mut answer, &own.options, sender, NEAR, CLOCK);
    let options = hex(&answer[HEADER..]);
    match own.options.next_hop {
        None => format!("{what} {options}"),
        Some(hop) if hop == sender => format!("{what} {options}"),
        Some(hop) if hop == ACROSS => format!("forwarded {hop} {options}"),
        Some(_) => "nothing".to_owned(),
    }
}

fn problem(header: &[u8], malformed: Malformed) -> String {
    answered(header, &malformed.before, &format!("problem {}", malformed.pointer))
}

/// What our functions make of it, called as `ip_rcv_options`, `ip_options_rcv_srr`, `ip_forward` and `icmp_reply` call
/// theirs.
fn treat(to: Ipv4Addr, given: &[u8]) -> String {
    let mut header = header_of(given);
    put(&mut header, 12, [10, 12, 0, 1]);
    put(&mut header, 16, to.octets());
    let mut options = match receive(&mut header, here(NEAR, CLOCK), &is_foreign) {
        Ok(options) => options,
        Err(malformed) => return problem(&header, malformed),
    };
    let mut goal = to;
    if options.source_route != 0 {
        if !is_own(to) && options.strict {
            return problem(&header, Malformed { pointer: 16, before: options });
        }
        let hops: Vec<_> = if is_own(to) { hops_left(&header, &options).collect() } else { Vec::new() };
        for hop in hops {
            match hop {
                Err(malformed) => return problem(&header, malformed),
                Ok(ACROSS) => {
                    (options.source_route_hit, options.next_hop) = (true, Some(ACROSS));
                }
                Ok(hop) if hop == NEAR || hop == FAR => put(&mut header, 16, hop.octets()),
                Ok(_) => return "nothing".to_owned(),
            }
            if options.source_route_hit {
                break;
            }
        }
        goal = options.next_hop.unwrap_or(goal);
    }
    if is_own(goal) {
        return answered(&header, &options, "reply");
    }
    forward(&mut header, &mut options, FAR);
    let to = address_at(&header, 16).expect("an address");
    format!("forwarded {to} {}", hex(&header[HEADER..]))
}

/// The kernel as judge.
#[test]
fn random_options_are_treated_as_the_kernel_treats_them() {
    let mut wrong = Vec::new();
    for line in KERNEL.lines() {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().expect("three words");
        let (to, given, expected) = (word().parse().expect("an address"), word(), word());
        let given: Vec<u8> = given
            .as_bytes()
            .chunks(2)
            .map(|digits| u8::from_str_radix(core::str::from_utf8(digits).expect("digits"), 16).expect("hex"))
            .collect();
        let ours = treat(to, &given);
        if ours != expected {
            wrong.push(format!("{line}\n    ours: {ours}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), KERNEL.lines().count(), wrong.join("\n"));
}

fn options() -> impl Strategy<Value = Vec<u8>> {
    let kinds = prop_oneof![Just(7u8), Just(68), Just(131), Just(137), Just(148), Just(0), Just(1), any::<u8>()];
    let option = (kinds, 0..41u8, 0..42u8, any::<u8>(), vec(any::<u8>(), 0..36));
    vec(option, 0..5).prop_map(|options| {
        let one = |(kind, size, pointer, marks, rest): (u8, u8, u8, u8, Vec<u8>)| match kind {
            0 | 1 => vec![kind],
            _ => [&[kind, size.min(rest.len() as u8 + 4), pointer, marks][..], &rest].concat(),
        };
        options.into_iter().flat_map(one).collect()
    })
}

proptest! {
    #[test]
    fn noise_never_panics(options in options(), cut in 0..61usize, hit: bool) {
        let mut header = header_of(&options);
        header.truncate(cut);
        let read = receive(&mut header, here(A, 1), &|asked| asked != A);
        let _ = OwnOptions::compile(&options, NOBODY);
        if let Ok(mut read) = read {
            if let Some(answer) = echo(&header, &read, NOBODY) {
                let mut header = header_of(answer.bytes());
                build(&mut header, &answer.options, A, B, 1);
                prop_assert!(answer.bytes().len() % 4 == 0 && header.len() <= 60);
            }
            read.source_route_hit = hit;
            read.next_hop = hops_left(&header, &read).next().and_then(|hop| hop.ok());
            forward(&mut header, &mut read, B);
        }
        keep_copied(&mut header);
    }
}
