//! Files of the kernel that scripts read and write by redirection: `/proc/sys/net`, `/proc/net`, `/sys/class/net` and
//! `/run/netns` as the simulated namespace shows them.
//!
//! A seccomp filter stands on the script and on all that it starts ([`rules`]). Calls that name a file stop there, and
//! [`Files::answer`] looks at the path: one of the kernel's files is answered from the simulated namespace of the
//! caller, everything else goes on untouched. What is read lies in a memory file that is put into the caller's table;
//! what is written into it goes to the namespace at once, so that a refused value is a failed `write`, as in Linux.

mod calls;
mod memory;
mod paths;
mod shadow;

pub(crate) use calls::rules;

use calls::Ask;
use nix::errno::Errno as Os;
use nix::sys::memfd::{MFdFlags, memfd_create};
use paths::Place;
use shadow::Shadow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use vethlab_engine::control::Errno;
use vethlab_engine::device::process;
use vethlab_engine::device::seccomp::{Listener, Notification};
use vethlab_sim::view::{self, Kind};
use vethlab_sim::{NsId, World};

/// Who answers for the kernel's files.
pub(crate) struct Files {
    shadow: Shadow,
    /// Memory files that were given out for writing, by the number in their names.
    given: BTreeMap<u64, (NsId, String)>,
    next: u64,
}

/// What becomes of a call.
enum Answer {
    GoOn,
    Value(i64),
    Fail(i32),
    File { file: OwnedFd, close_on_exec: bool },
}

impl From<Errno> for Answer {
    fn from(errno: Errno) -> Answer {
        Answer::Fail(errno.number())
    }
}

impl From<Os> for Answer {
    fn from(errno: Os) -> Answer {
        Answer::Fail(errno as i32)
    }
}

impl From<io::Error> for Answer {
    fn from(error: io::Error) -> Answer {
        Answer::Fail(error.raw_os_error().unwrap_or(Os::EIO as i32))
    }
}

impl Files {
    /// Directories are laid out below `folder`, which is ours alone.
    pub(crate) fn new(folder: &Path) -> Files {
        Files { shadow: Shadow::new(folder), given: BTreeMap::new(), next: 0 }
    }

    /// Answers the next call that waits. `namespace` tells where a process lives.
    pub(crate) fn answer(
        &mut self,
        listener: &Listener,
        world: &mut World,
        namespace: impl Fn(u32) -> NsId,
    ) -> io::Result<()> {
        let Some(call) = listener.receive()? else { return Ok(()) };
        let answer = match calls::read(&call) {
            Some(ask) => self.decide(&call, ask, world, namespace),
            None => Answer::GoOn,
        };
        if !listener.is_waiting(call.id) {
            return Ok(());
        }
        match answer {
            Answer::GoOn => listener.go_on(call.id),
            Answer::Value(value) => listener.succeed(call.id, value),
            Answer::Fail(errno) => listener.fail(call.id, errno),
            Answer::File { file, close_on_exec } => listener.succeed_with_file(call.id, file.as_fd(), close_on_exec),
        }
    }

    fn decide(&mut self, call: &Notification, ask: Ask, world: &mut World, namespace: impl Fn(u32) -> NsId) -> Answer {
        if let Ask::Write { fd, buffer, length } = ask {
            return self.write(call.pid, fd, buffer, length, world);
        }
        let Some(path) = paths::named_by(call.pid, &ask, &self.shadow) else { return Answer::GoOn };
        if matches!(ask, Ask::Exec { .. }) {
            return exec(&path);
        }
        if !view::is_ours(&path) {
            return Answer::GoOn;
        }
        let place = Place { ns: namespace(paths::whose(&path, call.pid)), path };
        match ask {
            Ask::Open { flags, .. } => self.open(world, place, flags),
            Ask::Stat { out, follow, .. } => self.stat(call.pid, world, place, out, follow),
            Ask::StatX { out, follow, mask, .. } => self.statx(call.pid, world, place, out, follow, mask),
            Ask::Access { mode, .. } => access(world, &place, mode),
            Ask::ReadLink { out, size, .. } => read_link(call.pid, world, &place, out, size),
            Ask::Change { .. } => change(world, &place),
            Ask::Attribute { .. } => Os::EOPNOTSUPP.into(),
            Ask::Exec { .. } | Ask::Write { .. } => Answer::GoOn,
        }
    }

    /// `open`: a directory is a real one, laid out now; a file is a copy of what it says now.
    fn open(&mut self, world: &mut World, place: Place, flags: i32) -> Answer {
        let close_on_exec = flags & libc::O_CLOEXEC != 0;
        let writes = matches!(flags & libc::O_ACCMODE, libc::O_WRONLY | libc::O_RDWR);
        let reads = matches!(flags & libc::O_ACCMODE, libc::O_RDONLY | libc::O_RDWR);
        let place = match place.followed(world) {
            Ok((_, entry)) if entry.kind == Kind::Directory && writes => return Os::EISDIR.into(),
            Ok((place, entry)) if entry.kind == Kind::Directory => {
                let opened = self.shadow.lay_out(world, &place).and_then(File::open);
                return opened.map_or_else(Answer::from, |file| Answer::File { file: file.into(), close_on_exec });
            }
            Ok(_) if flags & libc::O_DIRECTORY != 0 => return Os::ENOTDIR.into(),
            Ok((_, entry)) if writes && entry.mode & 0o200 == 0 => return Os::EACCES.into(),
            Ok((_, entry)) if reads && entry.mode & 0o400 == 0 => return Os::EACCES.into(),
            Ok((place, _)) => place,
            Err(errno) if flags & libc::O_CREAT != 0 && !place.path.starts_with("/proc/") => {
                // No file can be made there, if there is a folder.
                return place.folder().followed(world).map_or(errno.into(), |_| Os::EACCES.into());
            }
            Err(errno) => return errno.into(),
        };
        let content = match view::read(world, place.ns, &place.path) {
            Ok(content) => content,
            Err(_) if !reads => Vec::new(),
            Err(errno) => return errno.into(),
        };
        self.memory_file(place, &content).map_or_else(Answer::from, |file| Answer::File { file, close_on_exec })
    }

    /// A memory file that holds `content`, and whose name tells us apart what is written to it.
    fn memory_file(&mut self, place: Place, content: &[u8]) -> io::Result<OwnedFd> {
        let number = self.next;
        self.next += 1;
        let mut file =
            File::from(memfd_create(format!("{}{number}", paths::MEMORY_FILE).as_str(), MFdFlags::MFD_CLOEXEC)?);
        file.write_all(content)?;
        file.rewind()?;
        self.given.insert(number, (place.ns, place.path));
        Ok(file.into())
    }

    /// `write`: into one of our memory files it goes to the namespace; any other file is none of our business.
    fn write(&mut self, pid: u32, fd: i32, buffer: u64, length: usize, world: &mut World) -> Answer {
        let Some(number) = paths::memory_file(pid, fd) else { return Answer::GoOn };
        let Some((ns, path)) = self.given.get(&number) else { return Answer::GoOn };
        let Ok(bytes) = memory::read(pid, buffer, length) else { return Os::EFAULT.into() };
        match view::write(world, *ns, path, &bytes) {
            Ok(()) => Answer::Value(length as i64),
            Err(errno) => errno.into(),
        }
    }

    fn stat(&mut self, pid: u32, world: &mut World, place: Place, out: u64, follow: bool) -> Answer {
        let bytes = self.shadow.stand_in(world, &place, follow).map(|path| process::stat(&path, follow));
        copy_out(pid, out, bytes)
    }

    fn statx(&mut self, pid: u32, world: &mut World, place: Place, out: u64, follow: bool, mask: u32) -> Answer {
        let bytes = self.shadow.stand_in(world, &place, follow).map(|path| process::statx(&path, follow, mask));
        copy_out(pid, out, bytes)
    }
}

/// Hands the caller what the kernel said of the stand-in.
fn copy_out(pid: u32, out: u64, bytes: Result<io::Result<Vec<u8>>, Answer>) -> Answer {
    match bytes {
        Ok(Ok(bytes)) => memory::write(pid, out, &bytes).map_or_else(Answer::from, |()| Answer::Value(0)),
        Ok(Err(error)) => error.into(),
        Err(answer) => answer,
    }
}

/// `access`, as root asks: what somebody may do, root may.
fn access(world: &World, place: &Place, mode: i32) -> Answer {
    match place.followed(world) {
        Err(errno) => errno.into(),
        Ok((_, entry)) => {
            let bits = i32::from(entry.mode);
            let refused =
                (mode & libc::W_OK != 0 && bits & 0o222 == 0) || (mode & libc::X_OK != 0 && bits & 0o111 == 0);
            if refused { Os::EACCES.into() } else { Answer::Value(0) }
        }
    }
}

fn read_link(pid: u32, world: &World, place: &Place, out: u64, size: usize) -> Answer {
    match view::kind(world, place.ns, &place.path).map(|entry| entry.kind) {
        Ok(Kind::Link(target)) => {
            let bytes = &target.as_bytes()[..target.len().min(size)];
            memory::write(pid, out, bytes).map_or_else(Answer::from, |()| Answer::Value(bytes.len() as i64))
        }
        Ok(_) => Os::EINVAL.into(),
        Err(errno) => errno.into(),
    }
}

/// `mkdir`, `unlink` and their like: the kernel's files are not made or removed so.
fn change(world: &World, place: &Place) -> Answer {
    match view::kind(world, place.ns, &place.path).map(|entry| entry.kind) {
        Ok(Kind::Directory) => Os::EEXIST.into(),
        Ok(_) => Os::EBUSY.into(),
        Err(errno) => errno.into(),
    }
}

/// `execve`: the real machine's network tools are not run, whoever asks for them by their full path.
fn exec(path: &str) -> Answer {
    match paths::real_tool(path) {
        Some(name) => {
            eprintln!("vethlab: {path} is the real machine's tool and was not run; say `{name}` for the simulated one");
            Os::ENOENT.into()
        }
        None => Answer::GoOn,
    }
}
