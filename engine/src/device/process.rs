//! Things about processes that the standard library keeps behind `unsafe`: what became of a signal's disposition, file
//! descriptors that travel over a socket, and what a file is, in the kernel's own bytes.

#![allow(unsafe_code, reason = "three system calls, each wrapped in one function")]

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, UnixAddr, recvmsg, sendmsg};
use std::ffi::CString;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// True if this process ignores the signal: a shell starts background jobs with `SIGINT` and `SIGQUIT` ignored.
pub fn is_ignored(signal: Signal) -> bool {
    // SAFETY: a sigaction is plain old data, for which all zeroes is a valid value.
    let mut old: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: with a null new action the call only writes the current one to `old`, which outlives it.
    let result = unsafe { libc::sigaction(signal as libc::c_int, std::ptr::null(), &mut old) };
    result == 0 && old.sa_sigaction == libc::SIG_IGN
}

/// Gives the signal its default effect again (Rust programs start with `SIGPIPE` ignored).
pub fn restore_default(signal: Signal) {
    let action = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: installs no handler, so no code can run in signal context. It fails only for SIGKILL and SIGSTOP, which
    // have their default effect anyway.
    let _ = unsafe { sigaction(signal, &action) };
}

/// Sends an open file over a socket, with one byte of company.
pub fn send_fd(stream: &UnixStream, fd: BorrowedFd<'_>) -> io::Result<()> {
    let fds = [fd.as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&fds)];
    sendmsg::<UnixAddr>(stream.as_raw_fd(), &[IoSlice::new(b"F")], &rights, MsgFlags::MSG_NOSIGNAL, None)?;
    Ok(())
}

/// Receives what [`send_fd`] sent. `UnexpectedEof` if the other end closed instead, `InvalidData` if no file came along.
pub fn receive_fd(stream: &UnixStream) -> io::Result<OwnedFd> {
    let mut byte = [0u8; 1];
    let mut parts = [IoSliceMut::new(&mut byte)];
    let mut space = nix::cmsg_space!([RawFd; 1]);
    let message = recvmsg::<UnixAddr>(stream.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)?;
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(fds) = control
            && let Some(fd) = fds.first()
        {
            // SAFETY: the kernel has just installed this descriptor for us; nobody else knows its number.
            return Ok(unsafe { OwnedFd::from_raw_fd(*fd) });
        }
    }
    let kind = if message.bytes == 0 { io::ErrorKind::UnexpectedEof } else { io::ErrorKind::InvalidData };
    Err(kind.into())
}

/// What `stat` (or, without `follow`, `lstat`) says of a file, as the bytes of the kernel's `struct stat`, but that root
/// owns it.
pub fn stat(path: &Path, follow: bool) -> io::Result<Vec<u8>> {
    let mut found = if follow { nix::sys::stat::stat(path) } else { nix::sys::stat::lstat(path) }?;
    (found.st_uid, found.st_gid) = (0, 0);
    // SAFETY: a `struct stat` is plain old data without padding, which the kernel writes whole; the slice covers exactly
    // the local variable.
    let bytes = unsafe { std::slice::from_raw_parts((&raw const found).cast::<u8>(), size_of_val(&found)) };
    Ok(bytes.to_vec())
}

/// What `statx` says of a file, as the bytes of `struct statx`, but that root owns it.
pub fn statx(path: &Path, follow: bool, mask: u32) -> io::Result<Vec<u8>> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    // SAFETY: a `struct statx` is plain old data, for which all zeroes is a valid value.
    let mut found: libc::statx = unsafe { std::mem::zeroed() };
    // SAFETY: the path ends with a zero, and the call writes one `struct statx` to `found`, which outlives it.
    let result = unsafe { libc::statx(libc::AT_FDCWD, path.as_ptr(), flags, mask, &mut found) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    (found.stx_uid, found.stx_gid) = (0, 0);
    // SAFETY: as above; the variable was zeroed, so every byte of it is there.
    let bytes = unsafe { std::slice::from_raw_parts((&raw const found).cast::<u8>(), size_of_val(&found)) };
    Ok(bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;

    #[test]
    fn rust_ignores_sigpipe_until_told_otherwise() {
        assert!(is_ignored(Signal::SIGPIPE));
        assert!(!is_ignored(Signal::SIGWINCH));
    }

    #[test]
    fn an_open_file_travels_over_a_socket() {
        let (left, right) = UnixStream::pair().unwrap();
        let (mut reader, mut writer) = std::io::pipe().unwrap();
        send_fd(&left, reader.as_fd()).unwrap();
        let received = receive_fd(&right).unwrap();
        writer.write_all(b"hello").unwrap();
        drop(writer);
        let mut text = String::new();
        std::fs::File::from(received).read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), 0, "the bytes went to the copy");
    }

    #[test]
    fn a_closed_socket_is_an_end_and_a_bare_byte_is_no_file() {
        let (mut left, right) = UnixStream::pair().unwrap();
        left.write_all(b"x").unwrap();
        assert_eq!(receive_fd(&right).unwrap_err().kind(), io::ErrorKind::InvalidData);
        drop(left);
        assert_eq!(receive_fd(&right).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
