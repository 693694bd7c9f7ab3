//! `ip netns`: names of namespaces, the numbers by which namespaces know each other, and programs run in them.

use super::Ip;
use super::args::{Args, Stop, get_integer, invarg, matches};
use crate::lab::Exit;
use crate::world::NsId;
use vethlab_engine::control::{Errno, Refusal};

/// Where the names are.
const RUN_DIR: &str = "/run/netns";

fn usage() -> Stop {
    Stop::quit(255, include_str!("usage/netns.txt"))
}

/// A command that prints `text` and returns −1.
fn fail(text: impl AsRef<str>) -> Stop {
    Stop::fail(1, format!("{}\n", text.as_ref()))
}

/// `ip netns …`
pub(super) fn run(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(word) = args.next() else { return list(ip) };
    if let Some(name) = args.peek().filter(|name| !ip.opts.all && is_invalid(name)) {
        return Err(Stop::quit(255, format!("Invalid netns name \"{name}\"\n")));
    }
    const COMMANDS: &[&str] = &[
        "list", "show", "lst", "list-id", "help", "add", "set", "delete", "identify", "pids", "exec", "monitor",
        "attach",
    ];
    match COMMANDS.iter().copied().find(|command| matches(word, command)) {
        Some("list" | "show" | "lst") => list(ip),
        Some("list-id") => list_id(ip, args),
        Some("help") => Err(usage()),
        Some("add") => add(ip, args),
        Some("set") => set(ip, args),
        Some("delete") => delete(ip, args),
        Some("identify") => identify(ip, args),
        Some("pids") => pids(ip, args),
        Some("exec") => exec(ip, args),
        Some("attach") => attach(ip, args),
        Some(_) => Err(fail("vethlab: ip netns monitor is not simulated")),
        None => Err(Stop::quit(255, format!("Command \"{word}\" is unknown, try \"ip netns help\".\n"))),
    }
}

fn is_invalid(name: &str) -> bool {
    name.is_empty() || name.len() > 255 || name.contains('/') || name == "." || name == ".."
}

fn list(ip: &mut Ip) -> Result<(), Stop> {
    let names: Vec<_> = {
        let world = ip.world();
        world.netns_list().into_iter().map(|(name, ns)| (name, world.nsid(ip.ns, ns))).collect()
    };
    ip.print.begin();
    for (name, id) in names {
        ip.print.open_object();
        ip.print.string("name", "{}", &name);
        if let Some(id) = id {
            ip.print.number("id", " (id: {})", id);
        }
        ip.print.text("\n");
        ip.print.close_object();
    }
    ip.print.end();
    Ok(())
}

fn add(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let name = args.next().ok_or_else(|| fail("No netns name specified"))?;
    let made = ip.world().netns_add(name);
    made.map(drop).map_err(|errno| cannot_create(name, errno))
}

fn cannot_create(name: &str, errno: Errno) -> Stop {
    fail(format!("Cannot create namespace file \"{RUN_DIR}/{name}\": {}", errno.text()))
}

fn attach(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let (Some(name), Some(word)) = (args.next(), args.next()) else {
        return Err(fail("No netns name and PID specified"));
    };
    let pid = get_integer(word, 0).filter(|pid| *pid != 0).ok_or_else(|| fail(format!("Invalid PID: {word}")))?;
    if ip.world().netns_named(name).is_some() {
        return Err(cannot_create(name, Errno::Exist));
    }
    let ns = ip
        .ns_of_pid(pid)
        .ok_or_else(|| fail(format!("Bind /proc/{pid}/ns/net -> {RUN_DIR}/{name} failed: {}", Errno::NoEnt.text())))?;
    let attached = ip.world().netns_attach(name, ns);
    attached.map_err(|errno| cannot_create(name, errno))
}

fn delete(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let names = match args.next() {
        _ if ip.opts.all => ip.world().netns_list().into_iter().map(|(name, _)| name).collect(),
        Some(name) => vec![name.to_owned()],
        None => return Err(fail("No netns name specified")),
    };
    for name in names {
        let gone = ip.world().netns_delete(&name);
        gone.map_err(|errno| fail(format!("Cannot remove namespace file \"{RUN_DIR}/{name}\": {}", errno.text())))?;
    }
    Ok(())
}

fn set(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let name = args.next().ok_or_else(|| fail("No netns name specified"))?;
    let word = args.next().ok_or_else(|| fail("No nsid specified"))?;
    let wanted = match (word, get_integer(word, 0)) {
        ("auto", _) => None,
        (_, None) => return Err(invarg("Invalid \"netnsid\" value", word)),
        (_, Some(number)) => Some(u32::try_from(number).map_err(|_| invarg("\"netnsid\" value should be >= 0", word))?),
    };
    let mut world = ip.world();
    let ns = world
        .netns_named(name)
        .ok_or_else(|| fail(format!("Cannot open network namespace \"{name}\": {}", Errno::NoEnt.text())))?;
    if world.nsid(ip.ns, ns).is_some() {
        return Err(Refusal::because(Errno::Exist, "Peer netns already has a nsid assigned").into());
    }
    match world.nsid_assign(ip.ns, ns, wanted) {
        Ok(_) => Ok(()),
        Err(Errno::Exist | Errno::NoSpc) => {
            Err(Refusal::because(Errno::Exist, "The specified nsid is already used").into())
        }
        Err(errno) => Err(Refusal::from(errno).into()),
    }
}

fn list_id(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let (mut target, mut wanted) = (None, None);
    while let Some(word) = args.next() {
        match word {
            "target-nsid" => target = Some(nsid_word(args.value()?, word)?),
            "nsid" => wanted = Some(nsid_word(args.value()?, word)?),
            _ => return Err(usage()),
        }
    }
    let invalid = || Refusal::because(Errno::Inval, "Peer netns reference is invalid");
    let of = match target {
        Some(id) => {
            let known = ip.world().nsids(ip.ns);
            let invalid = || Refusal::because(Errno::Inval, "Target netns reference is invalid");
            known.into_iter().find(|(known, _)| *known == id).ok_or_else(invalid)?.1
        }
        None => ip.ns,
    };
    let mut ids = ip.world().nsids(of);
    if let Some(id) = wanted {
        ids.retain(|(known, _)| *known == id);
        if ids.is_empty() {
            return Err(invalid().into());
        }
    }
    ip.print.begin();
    for (id, ns) in ids {
        print_id(ip, id, ns, target.is_some());
    }
    ip.print.end();
    Ok(())
}

fn nsid_word(value: &str, key: &str) -> Result<u32, Stop> {
    let number = get_integer(value, 0).ok_or_else(|| invarg(&format!("\"{key}\" value is invalid"), value))?;
    u32::try_from(number).map_err(|_| invarg(&format!("\"{key}\" value should be >= 0"), "(null)"))
}

fn print_id(ip: &mut Ip, id: u32, ns: NsId, of_target: bool) {
    let current = ip.world().nsid(ip.ns, ns);
    // iproute2 takes the target's number for one of our own where we have none for this namespace.
    let name = ip.name_of_nsid(current.unwrap_or(id));
    ip.print.open_object();
    ip.print.number("nsid", "nsid {} ", id);
    match current.filter(|_| of_target) {
        Some(current) => ip.print.number("current-nsid", "current-nsid {} ", current),
        None if of_target => ip.print.text("current-nsid unassigned "),
        None => {}
    }
    if let Some(name) = name {
        ip.print.string("name", "(iproute2 netns name: {})", &name);
    }
    ip.print.text("\n");
    ip.print.close_object();
}

fn identify(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let ns = match (args.next(), args.next()) {
        (None, _) => ip.ns,
        (Some(_), Some(_)) => return Err(fail("extra arguments specified")),
        (Some(word), None) if !word.bytes().all(|c| c.is_ascii_digit()) => {
            return Err(fail(format!("Specified string '{word}' is not a pid")));
        }
        (Some(word), None) => word
            .parse()
            .ok()
            .and_then(|pid| ip.ns_of_pid(pid))
            .ok_or_else(|| fail(format!("Cannot open network namespace: {}", Errno::NoEnt.text())))?,
    };
    // Of several names the one read last counts.
    let name = ip.world().netns_list().into_iter().rfind(|(_, named)| *named == ns).map(|(name, _)| name);
    ip.print.raw(&format!("{}\n", name.unwrap_or_default()));
    Ok(())
}

fn pids(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let name = args.next().ok_or_else(|| fail("No netns name specified"))?;
    if !args.is_empty() {
        return Err(fail("extra arguments specified"));
    }
    let ns = ip.world().netns_named(name);
    let ns = ns.ok_or_else(|| fail(format!("Cannot open network namespace: {}", Errno::NoEnt.text())))?;
    for pid in ip.p.pids_in(ns) {
        ip.print.raw(&format!("{pid}\n"));
    }
    Ok(())
}

fn exec(ip: &mut Ip, mut args: Args<'_>) -> Result<(), Stop> {
    let name = if ip.opts.all { None } else { Some(args.next().ok_or_else(|| fail("No netns name specified"))?) };
    if args.is_empty() {
        return Err(fail("No command specified"));
    }
    let places = match name {
        None => {
            let names = ip.world().netns_list();
            names.into_iter().map(|(name, ns)| (ns, format!("\nnetns: {name}\n"))).collect()
        }
        Some(name) => {
            let ns = ip.world().netns_named(name).ok_or_else(|| {
                Stop::fail(255, format!("Cannot open network namespace \"{name}\": {}\n", Errno::NoEnt.text()))
            })?;
            vec![(ns, String::new())]
        }
    };
    if ip.opts.batch {
        return Err(fail("vethlab: ip netns exec in a batch is not simulated"));
    }
    Err(Stop::Become(Exit::Exec { places, argv: args.rest().to_vec(), by_ip: true }))
}

impl Ip {
    /// The namespace of a process. The first process of all lives in the host's.
    pub(super) fn ns_of_pid(&self, pid: i32) -> Option<NsId> {
        let known = u32::try_from(pid).ok().and_then(|pid| self.p.ns_of_pid(pid));
        known.or_else(|| (pid == 1).then(|| self.world().host()))
    }

    /// The namespace that a file stands for: a name, or a path like `/var/run/netns/red` or `/proc/12/ns/net`.
    pub(super) fn ns_of_file(&self, word: &str) -> Option<NsId> {
        if !word.contains('/') {
            return self.world().netns_named(word);
        }
        let path = word.strip_prefix("/var").filter(|path| path.starts_with("/run/")).unwrap_or(word);
        if let Some(name) = path.strip_prefix(RUN_DIR).and_then(|rest| rest.strip_prefix('/')) {
            return self.world().netns_named(name);
        }
        match path.strip_prefix("/proc/")?.strip_suffix("/ns/net")? {
            "self" => Some(self.ns),
            pid => self.ns_of_pid(pid.parse().ok()?),
        }
    }

    /// Namespaces and their names; of several names of one the newest comes first.
    pub(super) fn names_of_nsids(&self) -> Vec<(NsId, String)> {
        self.world().netns_list().into_iter().map(|(name, ns)| (ns, name)).collect()
    }

    /// `get_name_from_nsid()`: of several names the newest.
    pub(super) fn name_of_nsid(&self, id: u32) -> Option<String> {
        let world = self.world();
        let mut names = world.netns_list().into_iter();
        names.find(|(_, ns)| world.nsid(self.ns, *ns) == Some(id)).map(|(name, _)| name)
    }
}
