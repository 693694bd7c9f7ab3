//! The system calls that name a file: which they are, and where their arguments stand.

use vethlab_engine::device::seccomp::{Action, Notification, Rule, Test};

/// Values of sysctls are short; longer writes are never looked at.
const LONGEST_VALUE: u32 = 256;
/// The streams of errors is no place for values.
const STDERR: u32 = 2;

/// A call that waits. `dir` is a descriptor of the caller's (`AT_FDCWD`: its working directory), the other numbers are
/// addresses in its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Open {
        dir: i32,
        path: u64,
        flags: i32,
    },
    Stat {
        dir: i32,
        path: u64,
        out: u64,
        follow: bool,
    },
    StatX {
        dir: i32,
        path: u64,
        out: u64,
        follow: bool,
        mask: u32,
    },
    Access {
        dir: i32,
        path: u64,
        mode: i32,
    },
    ReadLink {
        dir: i32,
        path: u64,
        out: u64,
        size: usize,
    },
    /// `mkdir`, `unlink`, `rmdir` and `symlink`.
    Change {
        dir: i32,
        path: u64,
    },
    Exec {
        dir: i32,
        path: u64,
    },
    /// `getxattr`: `ls -l` looks for access control lists.
    Attribute {
        path: u64,
    },
    Write {
        fd: i32,
        buffer: u64,
        length: usize,
    },
}

impl Ask {
    /// The descriptor and the path, for calls that have them.
    pub(super) fn path(&self) -> Option<(i32, u64)> {
        match *self {
            Ask::Open { dir, path, .. }
            | Ask::Stat { dir, path, .. }
            | Ask::StatX { dir, path, .. }
            | Ask::Access { dir, path, .. }
            | Ask::ReadLink { dir, path, .. }
            | Ask::Change { dir, path }
            | Ask::Exec { dir, path } => Some((dir, path)),
            Ask::Attribute { path } => Some((libc::AT_FDCWD, path)),
            Ask::Write { .. } => None,
        }
    }
}

/// Reads a call's arguments.
pub(super) fn read(call: &Notification) -> Option<Ask> {
    let [a, b, c, d, e, _] = call.args;
    let here = libc::AT_FDCWD;
    let follows = |flags: u64| flags as i32 & libc::AT_SYMLINK_NOFOLLOW == 0;
    let dir = a as i32;
    Some(match call.call {
        libc::SYS_openat => Ask::Open { dir, path: b, flags: c as i32 },
        libc::SYS_newfstatat => Ask::Stat { dir, path: b, out: c, follow: follows(d) },
        libc::SYS_statx => Ask::StatX { dir, path: b, out: e, follow: follows(c), mask: d as u32 },
        libc::SYS_faccessat | libc::SYS_faccessat2 => Ask::Access { dir, path: b, mode: c as i32 },
        libc::SYS_readlinkat => Ask::ReadLink { dir, path: b, out: c, size: d as usize },
        libc::SYS_mkdirat | libc::SYS_unlinkat => Ask::Change { dir, path: b },
        libc::SYS_symlinkat => Ask::Change { dir: b as i32, path: c },
        libc::SYS_execve => Ask::Exec { dir: here, path: a },
        libc::SYS_execveat => Ask::Exec { dir, path: b },
        libc::SYS_getxattr | libc::SYS_lgetxattr => Ask::Attribute { path: a },
        libc::SYS_write => Ask::Write { fd: a as i32, buffer: b, length: c as usize },
        #[cfg(target_arch = "x86_64")]
        other => return read_old(other, call.args),
        #[cfg(not(target_arch = "x86_64"))]
        _ => return None,
    })
}

/// Calls without a directory, which newer architectures have no more.
#[cfg(target_arch = "x86_64")]
fn read_old(call: libc::c_long, [a, b, c, ..]: [u64; 6]) -> Option<Ask> {
    let dir = libc::AT_FDCWD;
    Some(match call {
        libc::SYS_open => Ask::Open { dir, path: a, flags: b as i32 },
        libc::SYS_creat => Ask::Open { dir, path: a, flags: libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC },
        libc::SYS_stat => Ask::Stat { dir, path: a, out: b, follow: true },
        libc::SYS_lstat => Ask::Stat { dir, path: a, out: b, follow: false },
        libc::SYS_access => Ask::Access { dir, path: a, mode: b as i32 },
        libc::SYS_readlink => Ask::ReadLink { dir, path: a, out: b, size: c as usize },
        libc::SYS_mkdir | libc::SYS_unlink | libc::SYS_rmdir => Ask::Change { dir, path: a },
        libc::SYS_symlink => Ask::Change { dir, path: b },
        _ => return None,
    })
}

/// The calls of this machine that stop.
const CALLS: &[libc::c_long] = &[
    libc::SYS_openat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
    libc::SYS_symlinkat,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_getxattr,
    libc::SYS_lgetxattr,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_creat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
];

/// A script is root, as scripts that ask for it (`$EUID`) want to hear: these tell 0.
const WHO: [libc::c_long; 4] = [libc::SYS_getuid, libc::SYS_geteuid, libc::SYS_getgid, libc::SYS_getegid];

/// Sockets that would reach the real machine's network.
const FAMILIES: [i32; 4] = [libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK, libc::AF_PACKET];

/// The filter on a script and on all that it starts: calls that name a file stop, short writes stop, sockets of the real
/// network are refused, and the user is root.
pub(crate) fn rules() -> Vec<Rule> {
    let stop = |call: &libc::c_long| Rule { call: *call, tests: Vec::new(), action: Action::Notify };
    let refuse = |family: i32| Rule {
        call: libc::SYS_socket,
        tests: vec![Test::Equals(0, family as u32)],
        action: Action::Errno(libc::EACCES as u16),
    };
    let write = Rule {
        call: libc::SYS_write,
        tests: vec![Test::Differs(0, STDERR), Test::AtMost(2, LONGEST_VALUE)],
        action: Action::Notify,
    };
    let nobody_else = |call: libc::c_long| Rule { call, tests: Vec::new(), action: Action::Errno(0) };
    CALLS.iter().map(stop).chain([write]).chain(WHO.map(nobody_else)).chain(FAMILIES.map(refuse)).collect()
}
