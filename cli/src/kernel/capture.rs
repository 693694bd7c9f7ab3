//! Frames at every interface of every named namespace, as long as it has its name: a socket keeps a namespace alive.
//!
//! Where commands are [written down](crate::shim), each `ip` asks before it deletes a namespace, and after it is done: so a
//! new namespace is listened to before anything is sent in it, and one that goes is let go.

use nix::poll::{PollFd, PollFlags};
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{
    AddressFamily, LinkAddr, SockFlag, SockProtocol, SockType, recvfrom, setsockopt, socket, sockopt,
};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Instant;
use vethlab_engine::time::Time;
use vethlab_sim::capture::{Capture, Direction};

/// The environment variable that says where a capture is asked.
pub(crate) const WATCH: &str = "VETHLAB_WATCH";

/// Where namespaces have their names.
const NAMES: &str = "/run/netns";
/// Room for frames that were not fetched yet.
const BUFFER: usize = 8 << 20;
/// An Ethernet header and the largest IP packet.
const LARGEST: usize = 14 + 65535;
/// `PACKET_OUTGOING`
const OUTGOING: u8 = 4;

/// All captures of a run, in one file.
pub(super) struct Capturer {
    listener: UnixListener,
    socket: PathBuf,
    file: File,
    capture: Capture,
    began: Instant,
    home: File,
    /// By name; the host has none.
    taps: BTreeMap<String, Tap>,
}

/// The capture in one namespace.
struct Tap {
    socket: OwnedFd,
    netns: File,
    names: BTreeMap<usize, String>,
}

impl Capturer {
    /// Listens on the host, and for whoever asks.
    pub(super) fn new(dir: &Path, file: &Path) -> io::Result<Capturer> {
        let socket = dir.join("watch");
        let listener = UnixListener::bind(&socket)?;
        listener.set_nonblocking(true)?;
        let home = File::open("/proc/self/ns/net")?;
        let mut capturer = Capturer {
            listener,
            socket,
            file: File::options().append(true).open(file)?,
            capture: Capture::new(),
            began: Instant::now(),
            home: home.try_clone()?,
            taps: BTreeMap::new(),
        };
        capturer.listen(String::new(), home)?;
        Ok(capturer)
    }

    /// Where it is asked.
    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// What to poll.
    pub(super) fn watched(&self) -> impl Iterator<Item = PollFd<'_>> {
        let taps = self.taps.values().map(|tap| tap.socket.as_fd());
        [self.listener.as_fd()].into_iter().chain(taps).map(|fd| PollFd::new(fd, PollFlags::POLLIN))
    }

    /// Fetches what has come, and does what is asked.
    pub(super) fn serve(&mut self) -> io::Result<()> {
        let names: Vec<String> = self.taps.keys().cloned().collect();
        names.iter().try_for_each(|name| self.fetch(name))?;
        while let Ok((stream, _)) = self.listener.accept() {
            // Whoever asks and is gone needs no answer.
            let _ = self.answer(stream);
        }
        self.write()
    }

    /// Writes down the rest.
    pub(super) fn finish(mut self) -> io::Result<()> {
        // Answers may be on their way in the kernel's queues.
        std::thread::sleep(std::time::Duration::from_millis(50));
        self.serve()
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.write_all(&self.capture.take())
    }

    /// `scan`: listens in namespaces that are new. `release NAME`: listens there no more; without a name, nowhere but on
    /// the host.
    fn answer(&mut self, stream: UnixStream) -> io::Result<()> {
        stream.set_nonblocking(false)?;
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line)?;
        match line.trim_end().split_once(' ') {
            None => self.scan()?,
            Some((_, name)) => self.release(name)?,
        }
        (&stream).write_all(b"done\n")
    }

    fn scan(&mut self) -> io::Result<()> {
        // Interfaces may have other names now.
        self.taps.values_mut().for_each(|tap| tap.names.clear());
        let mut present = Vec::new();
        for entry in std::fs::read_dir(NAMES)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let known = self.taps.contains_key(&name);
            if let (false, Ok(netns)) = (known, File::open(entry.path())) {
                // A name whose namespace is not mounted yet, or no more.
                let _ = self.listen(name.clone(), netns);
            }
            present.push(name);
        }
        let gone: Vec<String> =
            self.taps.keys().filter(|name| !name.is_empty() && !present.contains(name)).cloned().collect();
        gone.iter().try_for_each(|name| self.release(name))
    }

    fn release(&mut self, name: &str) -> io::Result<()> {
        let all = || self.taps.keys().filter(|name| !name.is_empty()).cloned().collect();
        let names: Vec<String> = if name.is_empty() { all() } else { vec![name.to_string()] };
        for name in names {
            self.fetch(&name)?;
            self.taps.remove(&name);
        }
        Ok(())
    }

    /// Does something in another network namespace.
    fn visit<R>(&self, netns: &File, act: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        setns(netns, CloneFlags::CLONE_NEWNET)?;
        let result = act();
        setns(&self.home, CloneFlags::CLONE_NEWNET)?;
        result
    }

    fn listen(&mut self, name: String, netns: File) -> io::Result<()> {
        let socket = self.visit(&netns, || {
            let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
            let socket = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll)?;
            // Less room loses frames only where very many come at once.
            let _ = setsockopt(&socket, sockopt::RcvBufForce, &BUFFER);
            Ok(socket)
        })?;
        self.taps.insert(name, Tap { socket, netns, names: BTreeMap::new() });
        Ok(())
    }

    /// Takes all frames that a namespace's socket holds.
    fn fetch(&mut self, name: &str) -> io::Result<()> {
        let mut frame = vec![0; LARGEST];
        loop {
            let Some(tap) = self.taps.get(name) else { return Ok(()) };
            let Ok((length, Some(from))) = recvfrom::<LinkAddr>(tap.socket.as_raw_fd(), &mut frame) else {
                return Ok(());
            };
            let (index, out) = (from.ifindex(), from.pkttype() == OUTGOING);
            let Some(interface) = self.interface(name, index)? else { continue };
            // On lo a frame is seen going out and coming in.
            if interface == "lo" && out {
                continue;
            }
            let full = if name.is_empty() { interface } else { format!("{name}/{interface}") };
            let direction = if out { Direction::Out } else { Direction::In };
            let time = Time(self.began.elapsed().as_nanos() as u64);
            self.capture.frame(time, &full, direction, frame.get(..length).unwrap_or(&frame));
        }
    }

    /// The name of an interface; none if it is gone.
    fn interface(&mut self, name: &str, index: usize) -> io::Result<Option<String>> {
        let Some(tap) = self.taps.get(name) else { return Ok(None) };
        if let Some(known) = tap.names.get(&index) {
            return Ok(Some(known.clone()));
        }
        let all = self.visit(&tap.netns, || Ok(nix::net::if_::if_nameindex()?))?;
        let names = all.iter().map(|entry| (entry.index() as usize, entry.name().to_string_lossy().into_owned()));
        let names: BTreeMap<usize, String> = names.collect();
        let found = names.get(&index).cloned();
        if let Some(tap) = self.taps.get_mut(name) {
            tap.names = names;
        }
        Ok(found)
    }
}

/// Asks the capture for something, and waits until it is done. No capture, no matter.
pub(crate) fn ask(request: &str) {
    let Some(place) = std::env::var_os(WATCH) else { return };
    let Ok(mut stream) = UnixStream::connect(place) else { return };
    let _ = stream.write_all(format!("{request}\n").as_bytes());
    let _ = BufReader::new(&stream).read_line(&mut String::new());
}
