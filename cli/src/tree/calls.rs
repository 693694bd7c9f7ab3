//! The system calls in which processes sleep, and if they sleep by the wall clock.
//!
//! A process that waits for a while *or* for something to come (`poll` with a timeout) is not one: what it waits for may
//! well be the lab's, and then should come without delay.

use super::status::text;
use nix::libc;
use std::path::Path;

/// True if any thread of the process is in a system call that nothing ends but the clock, or reads from a terminal.
pub(super) fn is_set(proc: &Path, pid: u32, threads: &[u32]) -> bool {
    let dir = proc.join(pid.to_string());
    calls(proc, pid, threads).any(|(number, args)| sleeps(number, args) || reads_terminal(number, args, &dir))
}

/// True if any thread of the process waits for descriptors, and looks up again after a while.
pub(super) fn looks_up(proc: &Path, pid: u32, threads: &[u32]) -> bool {
    calls(proc, pid, threads).any(|(number, args)| is_timed(number, args))
}

/// True if a thread of the process is on a processor or waits for one, whatever state it says that it is in.
///
/// Where we may not ask, its state is all there is.
pub(super) fn is_running(proc: &Path, pid: u32, threads: &[u32]) -> bool {
    lines(proc, pid, threads).any(|line| line.starts_with("running"))
}

/// The system calls in which the threads of a process sleep.
fn calls(proc: &Path, pid: u32, threads: &[u32]) -> impl Iterator<Item = (i64, [u64; 6])> {
    lines(proc, pid, threads).filter_map(|line| parse(&line))
}

/// What the kernel says of the system call of each thread (`fs/proc/base.c`, `proc_pid_syscall`).
fn lines(proc: &Path, pid: u32, threads: &[u32]) -> impl Iterator<Item = String> {
    let dir = proc.join(format!("{pid}/task"));
    threads.iter().filter_map(move |thread| text(&dir.join(format!("{thread}/syscall"))))
}

/// Number and arguments of a system call, as `/proc/PID/syscall` prints them (`running` if there is none).
fn parse(text: &str) -> Option<(i64, [u64; 6])> {
    let mut words = text.split_ascii_whitespace();
    let number = words.next()?.parse().ok()?;
    let mut args = [0; 6];
    for arg in &mut args {
        *arg = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
    }
    Some((number, args))
}

/// `nanosleep`, and waits for none of no descriptors.
fn sleeps(number: i64, [first, second, third, ..]: [u64; 6]) -> bool {
    match number {
        libc::SYS_nanosleep | libc::SYS_clock_nanosleep => true,
        libc::SYS_pselect6 => first == 0,
        libc::SYS_ppoll => second == 0 && third != 0,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_select => first == 0,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll => second == 0 && third as i32 > 0,
        _ => false,
    }
}

/// `poll` and its like with a timeout.
fn is_timed(number: i64, [_, _, third, fourth, fifth, _]: [u64; 6]) -> bool {
    match number {
        libc::SYS_ppoll => third != 0,
        libc::SYS_pselect6 => fifth != 0,
        libc::SYS_epoll_pwait => fourth as i32 > 0,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_select => fifth != 0,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll => third as i32 > 0,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_epoll_wait => fourth as i32 > 0,
        _ => false,
    }
}

fn reads_terminal(number: i64, [fd, ..]: [u64; 6], dir: &Path) -> bool {
    let file = || std::fs::read_link(dir.join(format!("fd/{fd}"))).ok();
    number == libc::SYS_read && file().is_some_and(|file| file.starts_with("/dev/pts") || file.starts_with("/dev/tty"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_proc_are_read() {
        let line = "230 0x0 0x1 0x7ffd5c 0x0 0x0 0xffffffffffffffff 0x7ffd5b 0x7f1a\n";
        assert_eq!(parse(line), Some((230, [0, 1, 0x7f_fd5c, 0, 0, u64::MAX])));
        assert_eq!(parse("running\n"), None);
        assert_eq!(parse("-1 0x7ffd 0x7f\n"), None, "in no call");
    }

    #[test]
    fn only_pure_sleeps_count() {
        assert!(sleeps(libc::SYS_clock_nanosleep, [0; 6]));
        assert!(sleeps(libc::SYS_pselect6, [0, 0, 0, 0, 1, 0]));
        assert!(!sleeps(libc::SYS_pselect6, [4, 1, 0, 0, 1, 0]), "waits for a descriptor, too");
        assert!(!sleeps(libc::SYS_ppoll, [0; 6]), "waits for a signal");
        assert!(!sleeps(libc::SYS_wait4, [0; 6]));
    }

    #[test]
    fn a_wait_for_descriptors_may_be_timed() {
        assert!(is_timed(libc::SYS_pselect6, [4, 1, 0, 0, 1, 0]));
        assert!(!is_timed(libc::SYS_pselect6, [4, 1, 0, 0, 0, 0]));
        assert!(is_timed(libc::SYS_epoll_pwait, [4, 1, 1, 20, 0, 0]));
        assert!(!is_timed(libc::SYS_epoll_pwait, [4, 1, 1, u64::from(u32::MAX), 0, 0]), "it waits for ever");
        assert!(!is_timed(libc::SYS_wait4, [0; 6]));
    }
}
