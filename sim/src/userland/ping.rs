//! `ping` of iputils 20221126: echo requests over a raw socket, word for word as the original prints them.
//!
//! It goes its way in four steps: [`options`] (what is asked), [`setup`] (a socket, a source address), [`session`] (when
//! to send and how long to wait) and [`reply`] (what came back). [`tally`] counts, [`describe`] has the sentences.

mod describe;
mod options;
mod reply;
mod session;
mod setup;
mod tally;

use crate::lab::{Exit, Signal};
use crate::userland::Proc;
use crate::userland::resolve::Family;
use options::{Options, Quit};
use session::Session;

/// `ping`, `ping4`, `ping6`
pub(super) async fn main(p: Proc) -> Exit {
    match begin(&p) {
        Ok(session) => Exit::Status(session.run().await),
        Err(quit) => {
            p.out(&quit.out);
            p.err(&quit.err);
            Exit::Status(quit.status)
        }
    }
}

fn begin(p: &Proc) -> Result<Session, Quit> {
    let options = options::parse(p.argv())?;
    p.err(&options.warnings);
    let data = fill(p, &options)?;
    if options.verbose {
        say_sockets(p, &options);
    }
    let target = setup::prepare(p, &options)?;
    let interval = if options.flood && !options.interval_set { 0 } else { options.interval };
    if interval >= i32::MAX / options.preload {
        p.out(&target.banner);
        return Err(Quit::error(&options.name, 2, format!("illegal preload and/or interval: {interval}")));
    }
    p.catch(&[Signal::Int, Signal::Quit]);
    Ok(Session::new(p.clone(), options, target, data, interval))
}

/// `-v`: which sockets there are. Their numbers are those of a program that has opened nothing else.
fn say_sockets(p: &Proc, options: &Options) {
    if options.ident == Some(0) {
        p.err(&format!("{}: WARNING: ident 0 => forcing raw socket\n", options.name));
    }
    let (four, six, family) = match options.family {
        Family::Any => ("3 (socktype: SOCK_RAW)", "4 (socktype: SOCK_RAW)", "AF_UNSPEC"),
        Family::V4 => ("3 (socktype: SOCK_RAW)", "-1 (socktype: 0)", "AF_INET"),
        Family::V6 => ("-1 (socktype: 0)", "3 (socktype: SOCK_RAW)", "AF_INET6"),
    };
    p.err(&format!("{}: sock4.fd: {four}, sock6.fd: {six}, hints.ai_family: {family}\n\n", options.name));
}

/// More than any datagram holds: what is longer cannot be sent anyway.
const LONGEST: usize = 0x1_0000;

/// The data of each request: 0, 1, 2 …, or the pattern of `-p`.
fn fill(p: &Proc, options: &Options) -> Result<Vec<u8>, Quit> {
    let length = options.size.min(LONGEST);
    let Some(pattern) = &options.pattern else {
        return Ok((0..length).map(|i| i as u8).collect());
    };
    let (pattern, error) = match pattern.find(|c: char| !c.is_ascii_hexdigit()) {
        Some(at) => ("", pattern.get(at..)),
        None => (pattern.as_str(), None),
    };
    if let Some(rest) = error {
        return Err(Quit::error(&options.name, 2, format!("patterns must be specified as hex digits: {rest}")));
    }
    let digits: Vec<u8> = pattern.bytes().filter_map(|c| (c as char).to_digit(16)).map(|d| d as u8).collect();
    let bytes: Vec<u8> =
        digits.chunks(2).take(16).map(|pair| pair.iter().fold(0, |high, low| high << 4 | low)).collect();
    if !options.quiet {
        let shown: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        p.out(&format!("PATTERN: 0x{shown}\n"));
    }
    Ok(repeat(&bytes, length))
}

/// The pattern over and over. Data not longer than the pattern and a header holds it once at most, as the original
/// counts.
fn repeat(pattern: &[u8], length: usize) -> Vec<u8> {
    let mut data: Vec<u8> = if length < pattern.len() + 8 {
        pattern.to_vec()
    } else {
        pattern.iter().copied().cycle().take(length).collect()
    };
    data.resize(length, 0);
    data
}

#[cfg(test)]
mod tests {
    use super::repeat;

    #[test]
    fn patterns_fill_the_data() {
        assert_eq!(repeat(&[0x12, 0x34], 11), [0x12, 0x34, 0x12, 0x34, 0x12, 0x34, 0x12, 0x34, 0x12, 0x34, 0x12]);
        assert_eq!(repeat(&[0xff], 8), [0xff, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(repeat(&[1, 2, 3], 2), [1, 2]);
        assert_eq!(repeat(&[], 9), [0; 9]);
    }
}
