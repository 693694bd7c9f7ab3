//! `conntrack` of conntrack-tools 1.4.7: the flows that connection tracking knows are listed, got, deleted and counted.

mod options;
mod print;
mod select;

pub(crate) use print::proc_line;

use super::Proc;
use crate::lab::Exit;
use options::{Command, NAME, Stop, Table, Words, read};
use print::Printer;
use select::Select;
use vethlab_engine::conntrack::Conn;

const HELP: &str = "\
Command line interface for the connection tracking system. Version 1.4.7
Usage: conntrack [commands] [options]

Commands:
  -L [table] [options]		List conntrack or expectation table
  -G [table] parameters		Get conntrack or expectation
  -D [table] parameters		Delete conntrack or expectation
  -I [table] parameters		Create a conntrack or expectation
  -U [table] parameters		Update a conntrack
  -E [table] [options]		Show events
  -F [table]			Flush table
  -C [table]			Show counter
  -S				Show statistics

Tables: conntrack, expect, dying, unconfirmed

Conntrack parameters and options:
  -n, --src-nat ip			source NAT ip
  -g, --dst-nat ip			destination NAT ip
  -j, --any-nat ip			source or destination NAT ip
  -m, --mark mark			Set mark
  -c, --secmark secmark			Set selinux secmark
  -e, --event-mask eventmask		Event mask, eg. NEW,DESTROY
  -z, --zero 				Zero counters while listing
  -o, --output type[,...]		Output format, eg. xml
  -l, --label label[,...]		conntrack labels

Expectation parameters and options:
  --tuple-src ip	Source address in expect tuple
  --tuple-dst ip	Destination address in expect tuple

Updating parameters and options:
  --label-add label	Add label
  --label-del label	Delete label

Common parameters and options:
  -s, --src, --orig-src ip		Source address from original direction
  -d, --dst, --orig-dst ip		Destination address from original direction
  -r, --reply-src ip		Source addres from reply direction
  -q, --reply-dst ip		Destination address from reply direction
  -p, --protonum proto		Layer 4 Protocol, eg. 'tcp'
  -f, --family proto		Layer 3 Protocol, eg. 'ipv6'
  -t, --timeout timeout		Set timeout
  -u, --status status		Set status, eg. ASSURED
  -w, --zone value		Set conntrack zone
  --orig-zone value		Set zone for original direction
  --reply-zone value		Set zone for reply direction
  -b, --buffer-size		Netlink socket buffer size
  --mask-src ip			Source mask address
  --mask-dst ip			Destination mask address

";

/// How many processors the lab's machine has: each has a line of statistics, and only the first does anything.
const PROCESSORS: usize = 2;

/// `conntrack`
pub(super) async fn main(p: Proc) -> Exit {
    let words = match read(p.argv()) {
        Ok(words) => words,
        Err(stop) => return end(&p, stop),
    };
    p.err(&words.warnings);
    let done = match words.command.unwrap_or(Command::Help) {
        Command::List => list(&p, &words),
        Command::Get => get(&p, &words),
        Command::Delete => delete(&p, &words),
        Command::Flush => flush(&p, &words),
        Command::Count => count(&p, &words),
        Command::Statistics => statistics(&p, &words),
        Command::Help => {
            p.out(HELP);
            Ok(())
        }
        Command::Version => {
            p.out(&format!("{NAME}\n"));
            Ok(())
        }
    };
    match done {
        Ok(()) => Exit::Status(0),
        Err(stop) => end(&p, stop),
    }
}

fn end(p: &Proc, stop: Stop) -> Exit {
    match stop {
        Stop::Usage(text) => {
            p.err(&format!("{NAME}: {text}\nTry `conntrack -h' or 'conntrack --help' for more information.\n"));
            Exit::Status(2)
        }
        Stop::Failed(text) => {
            p.err(&format!("{NAME}: {text}\n"));
            Exit::Status(1)
        }
        Stop::Refused(text) => {
            // A complaint that is longer than a line is one about labels, which are a matter of the command line.
            let status = if text.lines().count() > 1 { 2 } else { 1 };
            p.err(&text);
            Exit::Status(status)
        }
    }
}

/// Prints the flows that are asked for; their numbers among all.
fn show(p: &Proc, words: &Words, uses: u32, select: &Select) -> Vec<u64> {
    let (text, shown) = {
        let world = p.world();
        let now = world.now();
        let printer = Printer { output: words.output, now, wall: p.wall_clock_at(now), uses };
        let mut text = String::new();
        let mut shown = Vec::new();
        for conn in world.stack(p.ns()).conntrack().entries(now) {
            if !words.ipv6 && words.table == Table::Conntrack && select.fits(conn) {
                printer.flow(&mut text, conn);
                shown.push(conn.serial());
            }
        }
        (text, shown)
    };
    p.out(&text);
    shown
}

fn list(p: &Proc, words: &Words) -> Result<(), Stop> {
    if words.table == Table::Expect {
        p.err(&format!("{NAME}: 0 expectations have been shown.\n"));
        return Ok(());
    }
    if words.select.status == Some(0) {
        return Err(Stop::Failed("Operation failed: invalid parameters".into()));
    }
    if words.output.xml {
        p.out(print::XML_HEAD);
    }
    let shown = show(p, words, 1, &words.select);
    if words.output.xml {
        p.out(print::XML_FOOT);
    }
    if words.zero {
        let listed = |conn: &Conn| shown.binary_search(&conn.serial()).is_ok();
        p.world().stack_mut(p.ns()).conntrack_mut().zero_counters(listed);
    }
    p.err(&format!("{NAME}: {} flow entries have been shown.\n", shown.len()));
    Ok(())
}

fn get(p: &Proc, words: &Words) -> Result<(), Stop> {
    let shown = show(p, words, 2, &words.select);
    if shown.is_empty() {
        return Err(Stop::Failed("Operation failed: such conntrack doesn't exist".into()));
    }
    p.err(&format!("{NAME}: {} flow entries have been shown.\n", shown.len()));
    Ok(())
}

fn delete(p: &Proc, words: &Words) -> Result<(), Stop> {
    let select = Select { status: words.select.status.filter(|status| *status != 0), ..words.select.clone() };
    let shown = show(p, words, 1, &select);
    let listed = |conn: &Conn| shown.binary_search(&conn.serial()).is_ok();
    p.world().stack_mut(p.ns()).conntrack_mut().delete(listed);
    p.err(&format!("{NAME}: {} flow entries have been deleted.\n", shown.len()));
    // Nothing to delete is no success, and there is no more to say.
    if shown.is_empty() { Err(Stop::Refused(String::new())) } else { Ok(()) }
}

fn flush(p: &Proc, words: &Words) -> Result<(), Stop> {
    let name = match words.table {
        Table::Expect => "expectation",
        _ => "connection tracking",
    };
    if words.table == Table::Conntrack && !words.ipv6 {
        p.world().stack_mut(p.ns()).conntrack_mut().delete(|_| true);
    }
    p.err(&format!("{NAME}: {name} table has been emptied.\n"));
    Ok(())
}

fn count(p: &Proc, words: &Words) -> Result<(), Stop> {
    let now = p.now();
    let count = if words.table == Table::Expect { 0 } else { p.world().stack(p.ns()).conntrack().count(now) };
    p.out(&format!("{count}\n"));
    Ok(())
}

fn statistics(p: &Proc, words: &Words) -> Result<(), Stop> {
    let first = p.world().stack(p.ns()).conntrack().statistics();
    for processor in 0..PROCESSORS {
        let s = if processor == 0 { first } else { Default::default() };
        let text = match words.table {
            Table::Expect => "expect_new=0 expect_create=0 expect_delete=0 ".to_string(),
            _ => format!(
                "found=0 invalid={} insert=0 insert_failed={} drop={} early_drop={} error={} search_restart=0 \
                 clash_resolve={} chaintoolong=0 ",
                s.invalid, s.insert_failed, s.drop, s.early_drop, s.error, s.clash_resolve
            ),
        };
        p.out(&format!("cpu={processor:<4}\t{text}\n"));
    }
    Ok(())
}
