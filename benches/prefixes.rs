//! The Internet's prefixes, or as many like them from a seed, and addresses to ask for.

use crate::mrt;
use flate2::read::{GzDecoder, MultiGzDecoder};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use vethlab_engine::addr::{Address, Prefix};
use vethlab_engine::fib::NextHopId;
use vethlab_engine::rng::Rng;

/// Prefixes and their next hops, in no order.
pub type Routes<A> = Vec<(Prefix<A>, NextHopId)>;

/// Each prefix gets one of so many next hops by chance: the worst case for tables that join equal neighbours.
const NEXT_HOPS: u64 = 255;

/// How many of a thousand prefixes have which length, as on the Internet in October 2025.
const LENGTHS4: &[(u8, u64)] =
    &[(16, 15), (17, 9), (18, 15), (19, 28), (20, 48), (21, 55), (22, 120), (23, 107), (24, 602), (28, 1)];
const LENGTHS6: &[(u8, u64)] =
    &[(29, 40), (32, 141), (36, 50), (40, 84), (42, 20), (44, 90), (45, 25), (46, 40), (47, 38), (48, 471), (64, 1)];

/// Both tables, and a word on where they are from.
pub struct Internet {
    /// IPv4.
    pub v4: Routes<Ipv4Addr>,
    /// IPv6.
    pub v6: Routes<Ipv6Addr>,
    /// Where they are from.
    pub source: String,
}

/// Reads `$VETHLAB_PREFIXES`, or the file that lies beside the checkout; else draws tables of the same size and lengths.
pub fn internet(seed: u64) -> Internet {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/internet-prefixes.txt.gz");
    let file = std::env::var_os("VETHLAB_PREFIXES").map_or(beside, PathBuf::from);
    let mut rng = Rng::new(seed);
    match read(&file, &mut rng) {
        Some((v4, v6)) => Internet { v4, v6, source: format!("prefixes of {}", file.display()) },
        None => Internet {
            v4: draw(&mut rng, 900_000, LENGTHS4, |bits| Ipv4Addr::from_bits((bits >> 96) as u32)),
            v6: draw(&mut rng, 160_000, LENGTHS6, |bits| Ipv6Addr::from_bits(0x2400 << 112 | bits >> 6)),
            source: format!("prefixes drawn from seed {seed} ({} is not there)", file.display()),
        },
    }
}

/// Reads a file: one prefix a line, with a next hop behind it if there is one (else by chance), or a table of a route
/// collector (MRT, `TABLE_DUMP_V2`); each packed by gzip or not.
pub fn from_file(file: &Path, seed: u64) -> Result<Internet, String> {
    let failed = |why: String| format!("{}: {why}", file.display());
    let mut bytes = std::fs::read(file).map_err(|why| failed(why.to_string()))?;
    if bytes.starts_with(b"BZh") {
        return Err(failed("is packed by bzip2: unpack it first (bunzip2 -k)".to_string()));
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked).map_err(|why| failed(why.to_string()))?;
        bytes = unpacked;
    }
    let mut rng = Rng::new(seed);
    let (mut v4, mut v6) = if mrt::is_mrt(&bytes) {
        let (v4, v6) = mrt::prefixes(&bytes).map_err(failed)?;
        (each_once(v4.into_iter().map(with_hop)), each_once(v6.into_iter().map(with_hop)))
    } else {
        text(&String::from_utf8_lossy(&bytes), &mut rng).map_err(failed)?
    };
    shuffle(&mut v4, &mut rng);
    shuffle(&mut v6, &mut rng);
    if v4.is_empty() && v6.is_empty() {
        return Err(failed("there is no prefix in it".to_string()));
    }
    Ok(Internet { v4, v6, source: format!("of {}", file.display()) })
}

fn with_hop<A>((prefix, peer): (Prefix<A>, u16)) -> (Prefix<A>, NextHopId) {
    (prefix, peer)
}

/// Of several next hops for a prefix, the first.
fn each_once<A: Address>(routes: impl Iterator<Item = (Prefix<A>, NextHopId)>) -> Routes<A> {
    let mut all = BTreeMap::new();
    for (prefix, hop) in routes {
        all.entry(prefix).or_insert(hop);
    }
    all.into_iter().collect()
}

/// Lines of text. Next hops are numbered as they are met.
fn text(text: &str, rng: &mut Rng) -> Result<(Routes<Ipv4Addr>, Routes<Ipv6Addr>), String> {
    let (mut v4, mut v6, mut hops) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (number, line) in (1..).zip(text.lines()) {
        let mut words = line.split_whitespace();
        let Some(word) = words.next().filter(|word| !word.starts_with('#')) else { continue };
        let hop = match words.next() {
            None => rng.below(NEXT_HOPS) as NextHopId,
            Some(hop) => {
                let next = hops.len() as NextHopId;
                *hops.entry(hop).or_insert(next)
            }
        };
        let wrong = || format!("line {number}: {word:?} is no prefix");
        let (address, length) = word.split_once('/').ok_or_else(wrong)?;
        let length: u8 = length.parse().map_err(|_| wrong())?;
        match address.parse().map_err(|_| wrong())? {
            IpAddr::V4(address) if length <= 32 => v4.push((Prefix::of(address, length), hop)),
            IpAddr::V6(address) if length <= 128 => v6.push((Prefix::of(address, length), hop)),
            _ => return Err(wrong()),
        }
    }
    Ok((each_once(v4.into_iter()), each_once(v6.into_iter())))
}

/// A file with one prefix a line, packed by gzip; lines that are none are passed over.
fn read(file: &Path, rng: &mut Rng) -> Option<(Routes<Ipv4Addr>, Routes<Ipv6Addr>)> {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for line in BufReader::new(GzDecoder::new(File::open(file).ok()?)).lines() {
        let line = line.ok()?;
        let Some((address, length)) = line.split_once('/') else { continue };
        let Ok(length) = length.parse() else { continue };
        let hop = rng.below(NEXT_HOPS) as NextHopId;
        if let Ok(address) = address.parse() {
            v4.push((Prefix::of(address, length), hop));
        } else if let Ok(address) = address.parse() {
            v6.push((Prefix::of(address, length), hop));
        }
    }
    shuffle(&mut v4, rng);
    shuffle(&mut v6, rng);
    Some((v4, v6))
}

/// A file that is sorted would flatter tables that are filled in its order.
fn shuffle<T>(list: &mut [T], rng: &mut Rng) {
    for at in (1..list.len()).rev() {
        list.swap(at, rng.below(at as u64 + 1) as usize);
    }
}

fn draw<A: Address>(rng: &mut Rng, count: usize, lengths: &[(u8, u64)], address: impl Fn(u128) -> A) -> Routes<A> {
    let mut routes = BTreeMap::new();
    while routes.len() < count {
        let mut drawn = rng.below(1000);
        let length = lengths.iter().find(|(_, share)| {
            let found = drawn < *share;
            drawn = drawn.saturating_sub(*share);
            found
        });
        // Networks lie in heaps: of the first 16 bits not all are in use.
        let bits = u128::from((rng.below(20_000) * 0x9e37) & 0xffff) << 112 | u128::from(rng.next()) << 48;
        routes.insert(
            Prefix::of(address(bits), length.map_or(24, |(length, _)| *length)),
            rng.below(NEXT_HOPS) as NextHopId,
        );
    }
    let mut routes: Routes<A> = routes.into_iter().collect();
    shuffle(&mut routes, rng);
    routes
}

/// Which addresses are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Any (of 2000::/3).
    Random,
    /// Any prefix of the table, and any address in it.
    InTable,
    /// A million flows of that kind, of which the `n`th is asked for 1/`n` as often as the first.
    Zipf,
}

impl Trace {
    /// All of them.
    pub const ALL: [Trace; 3] = [Trace::Random, Trace::InTable, Trace::Zipf];

    /// What tables of results call it.
    pub fn name(self) -> &'static str {
        match self {
            Trace::Random => "random",
            Trace::InTable => "in-table",
            Trace::Zipf => "zipf",
        }
    }

    /// So many addresses.
    pub fn draw<A: Address>(self, routes: &Routes<A>, count: usize, seed: u64) -> Vec<A> {
        let mut rng = Rng::new(seed);
        match self {
            Trace::Random => (0..count).map(|_| any(&mut rng)).collect(),
            Trace::InTable => (0..count).map(|_| in_table(routes, &mut rng)).collect(),
            Trace::Zipf => {
                let flows: Vec<A> = (0..1_000_000).map(|_| in_table(routes, &mut rng)).collect();
                // The inverse of the distribution of 1/x.
                let flow = |rng: &mut Rng| (flows.len() as f64).powf(rng.below(1 << 40) as f64 / (1u64 << 40) as f64);
                (0..count).map(|_| flows[(flow(&mut rng) as usize).min(flows.len()) - 1]).collect()
            }
        }
    }
}

fn any<A: Address>(rng: &mut Rng) -> A {
    let bits = u128::from(rng.next()) << 64 | u128::from(rng.next());
    A::from_bits(if A::BITS == 128 { bits >> 3 | 1 << 125 } else { bits })
}

fn in_table<A: Address>(routes: &Routes<A>, rng: &mut Rng) -> A {
    let prefix = routes[rng.below(routes.len() as u64) as usize].0;
    let host = any::<A>(rng).to_bits() & (prefix.address().to_bits() ^ prefix.last().to_bits());
    A::from_bits(prefix.address().to_bits() | host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_prefixes_with_and_without_next_hops() {
        let all = "# a table\n10.0.0.0/8 a\n10.0.0.0/8 b\n\n192.0.2.0/24 b\n2001:db8::/32\n";
        let (v4, v6) = text(all, &mut Rng::new(1)).expect("prefixes");
        let hops: Vec<NextHopId> = v4.iter().map(|(_, hop)| *hop).collect();
        assert_eq!((hops, v6.len()), (vec![0, 1], 1), "the first of two lines counts");
        for (wrong, said) in
            [("10.0.0.0", "line 1: \"10.0.0.0\" is no prefix"), ("\n1.2.3.4/33", "line 2: \"1.2.3.4/33\" is no prefix")]
        {
            assert_eq!(text(wrong, &mut Rng::new(1)).map(|_| ()), Err(said.to_string()));
        }
    }
}
