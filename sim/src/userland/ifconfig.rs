//! `ifconfig` of net-tools 2.10.

mod change;
mod ioctl;
mod order;
mod show;

use super::Proc;
use super::nettools::{RELEASE, fail, family_list, hardware_list};
use crate::lab::Exit;

const USAGE: &str = "\
Usage:
  ifconfig [-a] [-v] [-s] <interface> [[<AF>] <address>]
  [add <address>[/<prefixlen>]]
  [del <address>[/<prefixlen>]]
  [[-]broadcast [<address>]]  [[-]pointopoint [<address>]]
  [netmask <address>]  [dstaddr <address>]  [tunnel <address>]
  [outfill <NN>] [keepalive <NN>]
  [hw <HW> <address>]  [mtu <NN>]
  [[-]trailers]  [[-]arp]  [[-]allmulti]
  [multicast]  [[-]promisc]
  [mem_start <NN>]  [io_addr <NN>]  [irq <NN>]  [media <type>]
  [txqueuelen <NN>]
  [name <newname>]
  [[-]dynamic]
  [up|down] ...

  <HW>=Hardware Type.
  List of possible hardware types:
";
const USAGE_FAMILIES: &str = "  <AF>=Address family. Default: inet\n  List of possible address families:\n";

/// `ifconfig`
pub(super) async fn main(p: Proc) -> Exit {
    run(&p).unwrap_or_else(|exit| exit)
}

/// `netstat -i`, in long with `-e`.
pub(super) fn of_netstat(p: &Proc, all: bool, long: bool) {
    p.out("Kernel Interface table\n");
    if !long {
        p.out("Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n");
    }
    show::all(p, Options { all, short: !long, verbose: false }, false);
}

/// The lists go to standard error, wherever the rest goes.
fn usage(p: &Proc, status: i32) -> Exit {
    let say = |text: &str| if status == 0 { p.out(text) } else { p.err(text) };
    say(USAGE);
    p.err(&hardware_list(false));
    say(USAGE_FAMILIES);
    fail(p, &family_list(false), status)
}

/// The options, which stand before everything else.
#[derive(Clone, Copy, Debug, Default)]
struct Options {
    all: bool,
    short: bool,
    verbose: bool,
}

fn run(p: &Proc) -> Result<Exit, Exit> {
    let mut options = Options::default();
    let mut words = p.argv().get(1..).unwrap_or_default();
    while let Some((word, rest)) = words.split_first().filter(|(word, _)| word.starts_with('-')) {
        match word.as_str() {
            "-a" => options.all = true,
            "-s" => options.short = true,
            "-v" => options.verbose = true,
            "-V" | "-version" | "--version" => {
                p.out(RELEASE);
                return Ok(Exit::Status(0));
            }
            "-?" | "-h" | "-help" | "--help" => return Err(usage(p, 0)),
            _ => {
                p.err(&format!("ifconfig: option `{word}' not recognised.\n"));
                return Err(fail(p, "ifconfig: `--help' gives usage information.\n", 1));
            }
        }
        words = rest;
    }
    let Some((name, words)) = words.split_first() else {
        show::all(p, options, true);
        return Ok(Exit::Status(0));
    };
    // What fits into an interface's name.
    let name: String = name.chars().take(15).collect();
    if words.is_empty() {
        return Ok(Exit::Status(i32::from(!show::one(p, options, &name))));
    }
    change::run(p, options, &name, words)
}
