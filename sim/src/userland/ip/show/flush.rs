//! `ip addr flush`: addresses are listed and deleted until none is left.

use super::super::Ip;
use super::super::args::{Args, Family, Stop};
use super::Filter;
use super::address::{self, Address};
use vethlab_engine::address::flag as ifa;
use vethlab_engine::control::{AddressSpec, Command, Errno};

/// `ip addr flush …`
pub(in super::super) fn flush(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    if args.is_empty() {
        return Err(Stop::fail(1, "Flush requires arguments.\n"));
    }
    if ip.opts.family == Family::Packet {
        return Err(Stop::fail(1, "Cannot flush link addresses.\n"));
    }
    let filter = Filter::read(ip, &mut args, false)?;
    // Secondaries become primaries when those go, and would go in their turn.
    let once = filter.flag_mask & !filter.flags & ifa::SECONDARY != 0;
    let mut round = 0;
    while ip.opts.loops == 0 || round < ip.opts.loops {
        let wanted = addresses(ip, &filter);
        if wanted.is_empty() {
            ip.flushed(round);
            return Ok(());
        }
        round += 1;
        delete(ip, &wanted)?;
        if ip.opts.stats > 0 {
            ip.print.raw(&format!("\n*** Round {round}, deleting {} addresses ***\n", wanted.len()));
            ip.print.flush();
        }
        if once {
            ip.flushed(round);
            return Ok(());
        }
    }
    Err(Stop::fail(255, format!("*** Flush remains incomplete after {round} rounds. ***\n")))
}

fn addresses(ip: &mut Ip, filter: &Filter) -> Vec<Address> {
    let mut wanted = Address::all(ip, filter.family);
    wanted.retain(|address| filter.takes_address(address));
    if ip.opts.stats > 1 {
        wanted.iter().for_each(|of| address::print(ip, of, true));
    }
    wanted
}

/// What an earlier deletion took along (secondaries) is no error.
fn delete(ip: &Ip, wanted: &[Address]) -> Result<(), Stop> {
    for address in wanted {
        let peer = Some(address.peer).filter(|peer| *peer != address.local);
        let spec = AddressSpec { peer, label: address.label.clone(), ..of(address) };
        let deleted = ip.world().apply(ip.ns, Command::AddressDelete(spec));
        if let Err(refusal) = deleted.as_ref()
            && refusal.errno != Errno::AddrNotAvail
        {
            let text = format!("{refusal}\nFailed to send flush request: {}\n", refusal.errno.text());
            return Err(Stop::fail(255, text));
        }
    }
    Ok(())
}

fn of(address: &Address) -> AddressSpec {
    AddressSpec::of(address.index, address.local, address.length)
}
