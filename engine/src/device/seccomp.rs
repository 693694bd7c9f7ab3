//! System calls of a child that a parent answers: seccomp filters with user notification (Linux 5.0, `seccomp_unotify(2)`).
//!
//! A process installs a filter on itself ([`install`]), hands the [`Listener`] to another and execs a program. From then on
//! the calls named by the filter, of that program and of all its descendants, wait until the holder of the listener has
//! answered: let it go on, fail it, give it a value, or put an open file into the caller's table. No rights are needed but
//! `no_new_privs`, which [`install`] sets.

#![allow(unsafe_code, reason = "seccomp(2) and its ioctls have no safe wrapper")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// The architecture this program is built for, as the kernel's audit code names it.
#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xc000_00b7;
/// No filter is built for other machines: see [`install`].
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const NATIVE: u32 = 0;

/// Numbers of the x32 interface, which shares the x86-64 audit code, begin here.
const X32: u32 = 0x4000_0000;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It runs.
    Allow,
    /// The holder of the listener answers it.
    Notify,
    /// It fails with this error number at once; with 0 it succeeds and does nothing.
    Errno(u16),
}

/// A test of one argument's low 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Argument equals the value.
    Equals(u8, u32),
    /// Argument differs from the value.
    Differs(u8, u32),
    /// Argument is not greater than the value.
    AtMost(u8, u32),
}

/// One line of a filter: this call, if all tests hold, ends so. The first line that fits decides; no line: it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The number of the call.
    pub call: libc::c_long,
    /// What must hold of its arguments.
    pub tests: Vec<Test>,
    /// What becomes of it.
    pub action: Action,
}

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const JUMP_GREATER: u16 = (libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
/// Where `struct seccomp_data` holds the call's number, the architecture, and the low half of argument 0.
const AT_NUMBER: u32 = 0;
const AT_ARCH: u32 = 4;
const AT_ARGS: u32 = if cfg!(target_endian = "little") { 16 } else { 20 };

fn step(code: u16, k: u32, yes: u8, no: u8) -> libc::sock_filter {
    libc::sock_filter { code, jt: yes, jf: no, k }
}

fn verdict(action: Action) -> libc::sock_filter {
    let value = match action {
        Action::Allow => libc::SECCOMP_RET_ALLOW,
        Action::Notify => libc::SECCOMP_RET_USER_NOTIF,
        Action::Errno(number) => libc::SECCOMP_RET_ERRNO | u32::from(number),
    };
    step(RETURN, value, 0, 0)
}

/// The program of a filter, in classic BPF: foreign architectures first, then rule after rule.
fn compile(rules: &[Rule], foreign: Action) -> Vec<libc::sock_filter> {
    let mut code = vec![
        step(LOAD, AT_ARCH, 0, 0),
        step(JUMP_EQUAL, NATIVE, 1, 0),
        verdict(foreign),
        step(LOAD, AT_NUMBER, 0, 0),
        step(JUMP_GREATER, X32 - 1, 0, 1),
        verdict(foreign),
    ];
    for rule in rules {
        // With tests: jump over the loads, the tests, the verdict and the reload. Rules have at most a handful of tests.
        let length = if rule.tests.is_empty() { 1 } else { 2 * rule.tests.len() + 2 };
        code.push(step(JUMP_EQUAL, rule.call as u32, 0, length as u8));
        for (done, test) in rule.tests.iter().enumerate() {
            let away = (2 * (rule.tests.len() - done) - 1) as u8;
            let (argument, code_, value, yes, no) = match *test {
                Test::Equals(argument, value) => (argument, JUMP_EQUAL, value, 0, away),
                Test::Differs(argument, value) => (argument, JUMP_EQUAL, value, away, 0),
                Test::AtMost(argument, value) => (argument, JUMP_GREATER, value, away, 0),
            };
            code.push(step(LOAD, AT_ARGS + 8 * u32::from(argument), 0, 0));
            code.push(step(code_, value, yes, no));
        }
        code.push(verdict(rule.action));
        if !rule.tests.is_empty() {
            code.push(step(LOAD, AT_NUMBER, 0, 0));
        }
    }
    code.push(verdict(Action::Allow));
    code
}

/// Puts a filter on this process for good, and on all that it becomes and starts. `foreign` is what becomes of calls of
/// another architecture than this program's. `Unsupported` where the kernel knows no notification.
pub fn install(rules: &[Rule], foreign: Action) -> io::Result<Listener> {
    if NATIVE == 0 {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let mut code = compile(rules, foreign);
    let program = libc::sock_fprog { len: code.len() as u16, filter: code.as_mut_ptr() };
    nix::sys::prctl::set_no_new_privs()?;
    // Since Linux 5.19 a call that was received is not interrupted by harmless signals: nothing is done twice.
    let patient = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    match set_filter(patient, &program) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            set_filter(libc::SECCOMP_FILTER_FLAG_NEW_LISTENER, &program)
        }
        result => result,
    }
}

fn set_filter(flags: libc::c_ulong, program: &libc::sock_fprog) -> io::Result<Listener> {
    // SAFETY: `program` and the instructions it points to live across the call, and `len` is their number; the kernel
    // copies and checks them.
    let fd = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, program) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: with NEW_LISTENER the call returns a new descriptor, which nobody else knows of.
    Ok(Listener(unsafe { OwnedFd::from_raw_fd(fd as libc::c_int) }))
}

/// A call that waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Names it until it is answered.
    pub id: u64,
    /// The thread that calls, as this process knows it (0 if it cannot see it).
    pub pid: u32,
    /// The number of the call.
    pub call: libc::c_long,
    /// Its arguments.
    pub args: [u64; 6],
}

/// Where calls wait.
#[derive(Debug)]
pub struct Listener(OwnedFd);

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<OwnedFd> for Listener {
    /// For a descriptor that came over a socket.
    fn from(fd: OwnedFd) -> Listener {
        Listener(fd)
    }
}

impl Listener {
    /// Takes the next call that waits. `None` if it is gone already: a signal ended it. Blocks unless `poll` has said that
    /// there is one.
    pub fn receive(&self) -> io::Result<Option<Notification>> {
        // SAFETY: plain old data; the kernel demands all zeroes.
        let mut raw: libc::seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: the request writes one `seccomp_notif` to the pointer, which lives across the call.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &mut raw) };
        if result == 0 {
            let call = libc::c_long::from(raw.data.nr);
            return Ok(Some(Notification { id: raw.id, pid: raw.pid, call, args: raw.data.args }));
        }
        match io::Error::last_os_error() {
            error if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR)) => Ok(None),
            error => Err(error),
        }
    }

    /// True while the call still waits: what was read of its process belongs to it, and not to another of the same number.
    pub fn is_waiting(&self, id: u64) -> bool {
        // SAFETY: the request reads one u64 from the pointer.
        unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0 }
    }

    /// Lets the call run as if there were no filter.
    pub fn go_on(&self, id: u64) -> io::Result<()> {
        self.respond(id, 0, 0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32)
    }

    /// Ends the call with a value.
    pub fn succeed(&self, id: u64, value: i64) -> io::Result<()> {
        self.respond(id, value, 0, 0)
    }

    /// Ends the call with an error number.
    pub fn fail(&self, id: u64, errno: i32) -> io::Result<()> {
        self.respond(id, 0, -errno, 0)
    }

    fn respond(&self, id: u64, val: i64, error: i32, flags: u32) -> io::Result<()> {
        let mut raw = libc::seccomp_notif_resp { id, val, error, flags };
        // SAFETY: the request reads one `seccomp_notif_resp` from the pointer.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &mut raw) };
        gone_is_fine(result)
    }

    /// Ends the call with a new descriptor of the caller's for an open file of ours.
    pub fn succeed_with_file(&self, id: u64, file: BorrowedFd<'_>, close_on_exec: bool) -> io::Result<()> {
        let mut raw = libc::seccomp_notif_addfd {
            id,
            flags: libc::SECCOMP_ADDFD_FLAG_SEND as u32,
            srcfd: file.as_raw_fd() as u32,
            newfd: 0,
            newfd_flags: if close_on_exec { libc::O_CLOEXEC as u32 } else { 0 },
        };
        let sent = self.add(&mut raw);
        if sent != -1 || io::Error::last_os_error().raw_os_error() != Some(libc::EINVAL) {
            return gone_is_fine(sent);
        }
        // Before Linux 5.14 adding and answering are two requests.
        raw.flags = 0;
        match self.add(&mut raw) {
            -1 => gone_is_fine(-1),
            number => self.succeed(id, i64::from(number)),
        }
    }

    fn add(&self, raw: &mut libc::seccomp_notif_addfd) -> libc::c_int {
        // SAFETY: the request reads one `seccomp_notif_addfd` from the pointer; `srcfd` is a descriptor borrowed for the
        // time of the call.
        unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ADDFD, raw) }
    }
}

/// A caller that was killed meanwhile needs no answer.
fn gone_is_fine(result: libc::c_int) -> io::Result<()> {
    if result >= 0 {
        return Ok(());
    }
    match io::Error::last_os_error() {
        error if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINPROGRESS)) => Ok(()),
        error => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel's interpreter would say: `data` are the 32-bit words of a `seccomp_data`.
    fn judge(code: &[libc::sock_filter], number: u32, arch: u32, args: [u64; 6]) -> u32 {
        let word = |offset: u32| match offset {
            AT_NUMBER => number,
            AT_ARCH => arch,
            _ => args[((offset - AT_ARGS) / 8) as usize] as u32,
        };
        let (mut at, mut a) = (0, 0);
        loop {
            let step = code[at];
            at += 1;
            let jump = match step.code {
                LOAD => {
                    a = word(step.k);
                    continue;
                }
                RETURN => return step.k,
                JUMP_EQUAL => a == step.k,
                JUMP_GREATER => a > step.k,
                other => panic!("unknown instruction {other}"),
            };
            at += usize::from(if jump { step.jt } else { step.jf });
        }
    }

    fn rules() -> Vec<Rule> {
        vec![
            Rule { call: 2, tests: vec![], action: Action::Notify },
            Rule { call: 1, tests: vec![Test::Differs(0, 2), Test::AtMost(2, 256)], action: Action::Notify },
            Rule { call: 41, tests: vec![Test::Equals(0, 2)], action: Action::Errno(13) },
            Rule { call: 41, tests: vec![Test::Equals(0, 10)], action: Action::Errno(13) },
            Rule { call: 102, tests: vec![], action: Action::Errno(0) },
        ]
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let code = compile(&rules(), Action::Errno(38));
        let ask = |number, args| judge(&code, number, NATIVE, args);
        let errno = |n: u32| libc::SECCOMP_RET_ERRNO | n;
        assert_eq!(ask(2, [0; 6]), libc::SECCOMP_RET_USER_NOTIF);
        assert_eq!(ask(1, [1, 0, 2, 0, 0, 0]), libc::SECCOMP_RET_USER_NOTIF);
        assert_eq!(ask(1, [2, 0, 2, 0, 0, 0]), libc::SECCOMP_RET_ALLOW, "another descriptor");
        assert_eq!(ask(1, [1, 0, 257, 0, 0, 0]), libc::SECCOMP_RET_ALLOW, "too long");
        assert_eq!(ask(41, [2, 0, 0, 0, 0, 0]), errno(13));
        assert_eq!(ask(41, [10, 0, 0, 0, 0, 0]), errno(13), "the second rule of the same call");
        assert_eq!(ask(41, [1, 0, 0, 0, 0, 0]), libc::SECCOMP_RET_ALLOW);
        assert_eq!(ask(102, [0; 6]), errno(0));
        assert_eq!(ask(3, [0; 6]), libc::SECCOMP_RET_ALLOW);
    }

    #[test]
    fn other_architectures_are_not_mistaken_for_ours() {
        let code = compile(&rules(), Action::Errno(38));
        let refused = libc::SECCOMP_RET_ERRNO | 38;
        assert_eq!(judge(&code, 2, 0x4000_0003, [0; 6]), refused);
        assert_eq!(judge(&code, X32 + 2, NATIVE, [0; 6]), refused);
        assert_eq!(judge(&code, X32 - 1, NATIVE, [0; 6]), libc::SECCOMP_RET_ALLOW);
    }
}
