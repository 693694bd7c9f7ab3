//! `vethlab router`: the packet path on real interfaces.
//!
//! The router is a world whose host namespace has a port for each interface, stepped in real time: what configures it are
//! the same programs, and what its packets meet is the same path, as in a simulation.

mod report;
mod script;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use vethlab_engine::device::Mode;
use vethlab_engine::runner::{Runner, Turn};
use vethlab_engine::time::Time;
use vethlab_sim::{Host, Lab, Options, World};

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct RouterArgs {
    /// The interfaces to route between, mostly veth ends; they should have no addresses of the kernel's
    #[arg(long, required = true, num_args = 1.., value_name = "IFNAME")]
    port: Vec<String>,
    /// An address of the router
    #[arg(long, value_name = "IFNAME=ADDRESS/LENGTH", value_parser = script::address)]
    address: Vec<String>,
    /// Commands that configure it before it starts, a line each: `ip …`, `sysctl …`. Interfaces are up and packets are
    /// forwarded (net.ipv4.ip_forward = 1) unless they say otherwise
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// How frames are carried
    #[arg(long, value_enum, default_value_t = Io::Auto)]
    io: Io,
    /// Never sleep: look for frames all the time, on a CPU of its own. Without it the router sleeps when no frame came
    /// for 50 µs, and to be woken takes about as long
    #[arg(long)]
    busy: bool,
    /// How long to run: 10, 0.5, 500ms, 2m, 1h; until a signal comes if not said
    #[arg(long = "for", value_name = "DURATION", value_parser = script::duration)]
    lasting: Option<Duration>,
}

/// The kinds of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Io {
    /// The fastest that carries everything and opens here
    Auto,
    /// Packet sockets, recvmmsg and sendmmsg: carries everything, and is what the others are compared with
    Plain,
    /// A ring that the kernel fills, and sendmmsg; frames longer than its slots wait beside it: carries everything
    Ring,
    /// A ring whose slots hold super-frames of 64 KiB: carries everything
    Gso,
    /// AF_XDP: the fastest for small frames, but wants CAP_BPF, and at the far ends `ethtool -K IFNAME tso off gso off`
    Xdp,
}

impl Io {
    fn wish(self) -> Option<Mode> {
        match self {
            Io::Auto => None,
            Io::Plain => Some(Mode::Plain),
            Io::Ring => Some(Mode::Ring),
            Io::Gso => Some(Mode::Gso),
            Io::Xdp => Some(Mode::Xdp),
        }
    }
}

/// Runs a router until it is told to end, and prints what passed.
pub(crate) fn router(args: &RouterArgs) -> ExitCode {
    match start(args).and_then(|(mut runner, lab)| drive(&mut runner, &lab, args.lasting)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tell(&why);
            ExitCode::FAILURE
        }
    }
}

/// A line for people.
fn tell(text: &str) {
    eprintln!("vethlab router: {text}");
}

/// Opens the interfaces and configures the router.
fn start(args: &RouterArgs) -> Result<(Runner, Lab), String> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = args.port.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(format!("{twice} is named twice"));
    }
    let wish = args.io.wish();
    let mut runner = Runner::open(&args.port, Time::ZERO, wish, args.busy).map_err(|why| why.to_string())?;
    tell_of_io(runner.mode());
    let mut lab = Lab::new(Options { seed: std::process::id().into(), host: Host::Bare });
    for port in runner.ports() {
        let (name, mtu, carrier) = (port.name().to_owned(), port.link().mtu, port.has_carrier());
        lab.world().device_add(&name, port.mac(), mtu, carrier).map_err(|why| format!("{name}: {}", why.text()))?;
    }
    warn_of_kernel_addresses(&args.port);
    script::run(&mut lab, "sysctl -qw net.ipv4.ip_forward=1", "forwarding")?;
    for line in &args.address {
        script::run(&mut lab, line, "--address")?;
    }
    if let Some(path) = &args.script {
        script::run_file(&mut lab, path)?;
    }
    Ok((runner, lab))
}

/// Which kind of devices it is, if nobody said, and what it cannot carry.
fn tell_of_io((mode, picked): (Mode, Option<&str>)) {
    if let Some(why) = picked {
        tell(&format!("io {}: picked by auto: {why}", mode.name()));
    }
    if let Some(limits) = mode.limits() {
        tell(&format!("io {}: {limits}", mode.name()));
    }
}

/// Where the kernel has an address too, it answers ARP for it as well, with another MAC.
fn warn_of_kernel_addresses(ports: &[String]) {
    let Ok(all) = nix::ifaddrs::getifaddrs() else { return };
    for interface in all.filter(|interface| ports.contains(&interface.interface_name)) {
        let address = interface.address.and_then(|address| address.as_sockaddr_in().map(|found| found.ip()));
        if let Some(address) = address.filter(|address| *address != Ipv4Addr::UNSPECIFIED) {
            let name = interface.interface_name;
            tell(&format!("the kernel has {address} on {name} and answers for it too: ip addr flush dev {name}"));
        }
    }
}

/// Forwards until the end.
fn drive(runner: &mut Runner, lab: &Lab, lasting: Option<Duration>) -> Result<(), String> {
    let mut world = lab.world();
    let start = world.now();
    runner.restart_clock(start);
    let end = lasting.map_or(Time::NEVER, |lasting| start + lasting);
    let names: Vec<String> = runner.ports().iter().map(|port| format!("{} is {}", port.name(), port.mac())).collect();
    tell(&format!("ready: {}", names.join(", ")));
    loop {
        match runner.turn(&mut *world, end).map_err(|why| format!("waiting for frames: {why}"))? {
            Turn::Again => {}
            Turn::News(line) => tell(&line),
            Turn::Report => print(&world, runner)?,
            Turn::End => return print(&world, runner),
        }
    }
}

fn print(world: &World, runner: &mut Runner) -> Result<(), String> {
    let text = report::report(world, runner);
    let mut stdout = io::stdout().lock();
    let printed = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    printed.map_err(|why| format!("printing the counters: {why}"))
}
