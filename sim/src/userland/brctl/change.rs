//! What `brctl` changes.

use super::Brctl;
use crate::world::{LinkAdd, LinkKind};
use vethlab_engine::control::{Command, Errno, IfIndex, LinkChange, Refusal};

/// The first words, as many as a command needs; their number was checked.
fn words<const N: usize>(words: &[String]) -> [&str; N] {
    std::array::from_fn(|at| words.get(at).map_or("", String::as_str))
}

/// `brctl addbr`: a longer name is cut to fifteen bytes, as the kernel's old call cuts it.
pub(super) fn addbr(brctl: &Brctl, args: &[String]) -> Result<(), String> {
    let [name] = words(args);
    let mut cut = name.to_string();
    cut.truncate(name.floor_char_boundary(15));
    let kind = LinkKind::Bridge(Box::default());
    let link = LinkAdd { name: Some(cut), index: None, address: None, mtu: None, txqueuelen: None, kind };
    match brctl.p.world().link_add(brctl.p.ns(), link) {
        Ok(_) => Ok(()),
        Err(Refusal { errno: Errno::Exist, .. }) => {
            Err(format!("device {name} already exists; can't create bridge with the same name\n"))
        }
        Err(refusal) => Err(format!("add bridge failed: {}\n", refusal.errno.text())),
    }
}

/// `brctl delbr`
pub(super) fn delbr(brctl: &Brctl, args: &[String]) -> Result<(), String> {
    let [name] = words(args);
    let Some(index) = brctl.link(name) else {
        return Err(format!("bridge {name} doesn't exist; can't delete it\n"));
    };
    if !brctl.is_bridge(name) {
        return Err(format!("can't delete bridge {name}: {}\n", Errno::Perm.text()));
    }
    let ns = brctl.p.ns();
    let mut world = brctl.p.world();
    if world.stack(ns).ports().get(index).is_some_and(|port| port.is_up()) {
        return Err(format!("bridge {name} is still up; can't delete it\n"));
    }
    world.link_delete(ns, index).map_err(|refusal| format!("can't delete bridge {name}: {}\n", refusal.errno.text()))
}

/// `brctl addif`: one after the other, to the first that is refused.
pub(super) fn addif(brctl: &Brctl, args: &[String]) -> Result<(), String> {
    let [bridge] = words(args);
    args.iter().skip(1).try_for_each(|name| {
        enslave(brctl, bridge, name).map_err(|errno| match errno {
            Errno::NoDev => which_is_missing(brctl, bridge, name),
            Errno::Busy => format!("device {name} is already a member of a bridge; can't add it to bridge {bridge}.\n"),
            Errno::Loop => {
                format!("device {name} is a bridge device itself; can't add a bridge device to a bridge device.\n")
            }
            errno => format!("can't add {name} to bridge {bridge}: {}\n", errno.text()),
        })
    })
}

fn which_is_missing(brctl: &Brctl, bridge: &str, name: &str) -> String {
    match brctl.link(name) {
        None => format!("interface {name} does not exist!\n"),
        Some(_) => format!("bridge {bridge} does not exist!\n"),
    }
}

/// `SIOCBRADDIF`
fn enslave(brctl: &Brctl, bridge: &str, name: &str) -> Result<(), Errno> {
    let (index, of) = pair(brctl, bridge, name)?;
    let ns = brctl.p.ns();
    let mut world = brctl.p.world();
    if world.stack(ns).ports().get(index).is_some_and(|port| port.master.is_some()) {
        return Err(Errno::Busy);
    }
    let change = LinkChange { master: Some(Some(of)), ..LinkChange::default() };
    world.apply(ns, Command::LinkChange(index, change)).map_err(|refusal| refusal.errno)
}

/// Both links; `ENODEV` if one is missing, `EOPNOTSUPP` if the second is no bridge.
fn pair(brctl: &Brctl, bridge: &str, name: &str) -> Result<(IfIndex, IfIndex), Errno> {
    let index = brctl.link(name).ok_or(Errno::NoDev)?;
    let of = brctl.link(bridge).ok_or(Errno::NoDev)?;
    if brctl.is_bridge(bridge) { Ok((index, of)) } else { Err(Errno::OpNotSupp) }
}

/// `brctl delif`
pub(super) fn delif(brctl: &Brctl, args: &[String]) -> Result<(), String> {
    let [bridge] = words(args);
    args.iter().skip(1).try_for_each(|name| {
        free(brctl, bridge, name).map_err(|errno| match errno {
            Errno::NoDev => which_is_missing(brctl, bridge, name),
            Errno::Inval => format!("device {name} is not a port of {bridge}\n"),
            errno => format!("can't delete {name} from {bridge}: {}\n", errno.text()),
        })
    })
}

/// `SIOCBRDELIF`
fn free(brctl: &Brctl, bridge: &str, name: &str) -> Result<(), Errno> {
    let (index, of) = pair(brctl, bridge, name)?;
    let ns = brctl.p.ns();
    let mut world = brctl.p.world();
    if world.stack(ns).ports().get(index).is_none_or(|port| port.master != Some(of)) {
        return Err(Errno::Inval);
    }
    let change = LinkChange { master: Some(None), ..LinkChange::default() };
    world.apply(ns, Command::LinkChange(index, change)).map_err(|refusal| refusal.errno)
}

/// `br_set()`: a file of a bridge, or, without it, the old call's no.
fn set(brctl: &Brctl, bridge: &str, file: &str, value: i64) -> Result<(), Errno> {
    match brctl.link(bridge) {
        None => Err(Errno::NoDev),
        Some(_) if !brctl.is_bridge(bridge) => Err(Errno::OpNotSupp),
        Some(_) => brctl.write(&format!("{bridge}/bridge/{file}"), value),
    }
}

/// `port_set()`: a file of a port, of whatever bridge it is one; if that fails, the old call, which looks at the bridge.
fn port_set(brctl: &Brctl, bridge: &str, port: &str, file: &str, value: i64) -> Result<(), Errno> {
    let Err(errno) = brctl.write(&format!("{port}/brport/{file}"), value) else { return Ok(()) };
    pair(brctl, bridge, port)?;
    Err(errno)
}

/// Seconds, with a fraction if need be, in hundredths.
fn seconds(word: &str) -> Option<i64> {
    let word = word.trim_start();
    let end = word.char_indices().map(|(at, c)| at + c.len_utf8());
    let number = end.rev().find_map(|end| word.get(..end)?.parse::<f64>().ok())?;
    Some((number * 100.0) as i64)
}

/// `sscanf("%i")`: a number of any C base at the word's head.
fn integer(word: &str) -> Option<i64> {
    let (negative, digits) = match word.trim_start().strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, word.trim_start().trim_start_matches('+')),
    };
    let (base, digits) = match (digits.strip_prefix("0x"), digits.len()) {
        (Some(hex), _) => (16, hex),
        (None, 2..) if digits.starts_with('0') => (8, digits),
        _ => (10, digits),
    };
    let end = digits.find(|c: char| !c.is_digit(base)).unwrap_or(digits.len());
    let number = digits.get(..end).filter(|digits| !digits.is_empty())?;
    let number = i64::from_str_radix(number, base).unwrap_or(i64::MAX);
    Some(i64::from((if negative { -number } else { number }) as i32))
}

/// `on`, `yes`, `1`; `off`, `no`, `0`
fn on_off(word: &str) -> Result<i64, String> {
    match word {
        "on" | "yes" | "1" => Ok(1),
        "off" | "no" | "0" => Ok(0),
        _ => Err("expect on/off for argument\n".to_string()),
    }
}

/// A time of a bridge: its file, what it is called when the word is bad, and when the kernel refuses.
fn set_time(brctl: &Brctl, args: &[String], file: &str, bad: &str, what: &str) -> Result<(), String> {
    let [bridge, word] = words(args);
    let value = seconds(word).ok_or_else(|| format!("bad {bad} value\n"))?;
    set(brctl, bridge, file, value).map_err(|errno| format!("set {what} failed: {}\n", errno.text()))
}

/// `brctl setageing`
pub(super) fn setageing(brctl: &Brctl, args: &[String]) -> Result<(), String> {
    set_time(brctl, args, "ageing_time", "ageing time", "ageing time")
}

/// `brctl setfd`
pub(super) fn setfd(brctl: &Brctl, args: &[String]) -> Result<(), String> {
    set_time(brctl, args, "forward_delay", "forward delay", "forward delay")
}

/// `brctl sethello`
pub(super) fn sethello(brctl: &Brctl, args: &[String]) -> Result<(), String> {
    set_time(brctl, args, "hello_time", "hello timer", "hello timer")
}

/// `brctl setmaxage`
pub(super) fn setmaxage(brctl: &Brctl, args: &[String]) -> Result<(), String> {
    set_time(brctl, args, "max_age", "max age", "max age")
}

/// `brctl setbridgeprio`
pub(super) fn setbridgeprio(brctl: &Brctl, args: &[String]) -> Result<(), String> {
    let [bridge, word] = words(args);
    let value = integer(word).ok_or("bad priority\n")?;
    set(brctl, bridge, "priority", value).map_err(|errno| format!("set bridge priority failed: {}\n", errno.text()))
}

/// `brctl stp`
pub(super) fn stp(brctl: &Brctl, args: &[String]) -> Result<(), String> {
    let [bridge, word] = words(args);
    let value = on_off(word)?;
    set(brctl, bridge, "stp_state", value).map_err(|errno| format!("set stp status failed: {}\n", errno.text()))
}

/// `brctl setpathcost`
pub(super) fn setpathcost(brctl: &Brctl, args: &[String]) -> Result<(), String> {
    let [bridge, port, word] = words(args);
    let value = integer(word).ok_or("bad path cost value\n")?;
    let failed = |errno: Errno| format!("set path cost failed: {}\n", errno.text());
    port_set(brctl, bridge, port, "path_cost", value).map_err(failed)
}

/// `brctl setportprio`
pub(super) fn setportprio(brctl: &Brctl, args: &[String]) -> Result<(), String> {
    let [bridge, port, word] = words(args);
    let value = integer(word).ok_or("bad path priority value\n")?;
    let failed = |errno: Errno| format!("set port priority failed: {}\n", errno.text());
    port_set(brctl, bridge, port, "priority", value).map_err(failed)
}

/// `brctl hairpin`
pub(super) fn hairpin(brctl: &Brctl, args: &[String]) -> Result<(), String> {
    let [bridge, port, word] = words(args);
    let value = on_off(word)?;
    if brctl.link(port).is_none() || brctl.link(bridge).is_none() {
        return Err(which_is_missing(brctl, bridge, port));
    }
    port_set(brctl, bridge, port, "hairpin_mode", value)
        .map_err(|errno| format!("can't set {port} to hairpin on bridge {bridge}: {}\n", errno.text()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_sscanf_reads_them() {
        let times = [("10", 1000), ("1.5", 150), (".5", 50), ("+3", 300), ("10abc", 1000), ("1e2", 10_000), ("0", 0)];
        for (word, hundredths) in times {
            assert_eq!(seconds(word), Some(hundredths), "{word}");
        }
        assert_eq!((seconds("abc"), seconds("")), (None, None));
        let numbers = [("10", 10), ("0x10z", 16), ("010", 8), ("-5", -5), ("0", 0), ("+7", 7)];
        for (word, number) in numbers {
            assert_eq!(integer(word), Some(number), "{word}");
        }
        assert_eq!((integer("x"), integer("")), (None, None));
    }
}
