//! What `arping` is asked.

use super::error;
use crate::lab::Exit;
use crate::userland::Proc;
use crate::userland::getopt::{Item, getopt};
use crate::userland::number::bounded;
use crate::userland::resolve::{Family, resolve};
use std::net::{IpAddr, Ipv4Addr};

/// The options of one run.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) target: Ipv4Addr,
    pub(super) broadcast_only: bool,
    pub(super) dad: bool,
    pub(super) quit_on_reply: bool,
    pub(super) unsolicited: bool,
    pub(super) advert: bool,
    pub(super) quiet: bool,
    /// `-c`; -1 is no limit.
    pub(super) count: i64,
    /// `-w` in seconds; 0 is none.
    pub(super) timeout: i64,
    /// `-i` in seconds; 0 sends once.
    pub(super) interval: i64,
    pub(super) device: Option<String>,
    /// `-s`, as it was written.
    pub(super) source: Option<String>,
}

/// Reads the command line; what ends the program is printed.
pub(super) fn parse(p: &Proc) -> Result<Options, Exit> {
    let mut options = Options {
        target: Ipv4Addr::UNSPECIFIED,
        broadcast_only: false,
        dad: false,
        quit_on_reply: false,
        unsolicited: false,
        advert: false,
        quiet: false,
        count: -1,
        timeout: 0,
        interval: 1,
        device: None,
        source: None,
    };
    let words = getopt(p.argv(), "h?bfDUAqc:w:i:s:I:V", &[]);
    for item in words.items {
        match item {
            Item::Option(letter, None) => options.flag(p, letter)?,
            Item::Option(letter, Some(value)) => options.value(p, letter, value)?,
            Item::Bad(complaint) => {
                p.err(&complaint);
                return Err(usage(p));
            }
        }
    }
    let [target] = words.operands.as_slice() else { return Err(usage(p)) };
    options.target = match resolve(target, Family::V4) {
        Ok(IpAddr::V4(address)) => address,
        Ok(IpAddr::V6(_)) => return Err(error(p, 2, "IPv6 packets are not simulated yet")),
        Err(text) => return Err(error(p, 2, &format!("{target}: {text}"))),
    };
    Ok(options)
}

fn usage(p: &Proc) -> Exit {
    p.err(USAGE);
    Exit::Status(2)
}

impl Options {
    fn flag(&mut self, p: &Proc, letter: char) -> Result<(), Exit> {
        match letter {
            'b' => self.broadcast_only = true,
            'D' => (self.dad, self.quit_on_reply) = (true, true),
            'U' => self.unsolicited = true,
            'A' => (self.advert, self.unsolicited) = (true, true),
            'q' => self.quiet = true,
            'f' => self.quit_on_reply = true,
            'V' => {
                p.out("arping from iputils 20221126\n");
                p.out("libcap: yes, IDN: yes, NLS: no, error.h: yes, getrandom(): yes, __fpending(): yes\n");
                return Err(Exit::Status(0));
            }
            _ => return Err(usage(p)),
        }
        Ok(())
    }

    fn value(&mut self, p: &Proc, letter: char, value: String) -> Result<(), Exit> {
        let number = |min| bounded(&value, min, i64::from(i32::MAX)).map_err(|text| error(p, 1, &text));
        match letter {
            'c' => self.count = number(1)?,
            'w' => self.timeout = number(0)?,
            'i' => self.interval = number(0)?,
            's' => self.source = Some(value),
            'I' => self.device = Some(value).filter(|name| !name.is_empty()),
            _ => return Err(usage(p)),
        }
        Ok(())
    }
}

const USAGE: &str = "
Usage:
  arping [options] <destination>

Options:
  -f            quit on first reply
  -q            be quiet
  -b            keep on broadcasting, do not unicast
  -D            duplicate address detection mode
  -U            unsolicited ARP mode, update your neighbours
  -A            ARP answer mode, update your neighbours
  -V            print version and exit
  -c <count>    how many packets to send
  -w <timeout>  how long to wait for a reply
  -i <interval> set interval between packets (default: 1 second)
  -I <device>   which ethernet device to use
  -s <source>   source ip address
  <destination> dns name or ip address

For more details see arping(8).
";
