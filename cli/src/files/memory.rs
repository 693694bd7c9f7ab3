//! Bytes of another process, a descendant of ours that waits for an answer.

use nix::sys::uio::{RemoteIoVec, process_vm_readv, process_vm_writev};
use nix::unistd::Pid;
use std::io::{self, IoSlice, IoSliceMut};

/// Longest path, its zero included (`PATH_MAX`).
const PATH_MAX: usize = 4096;
/// Reads do not cross a page that may not be there.
const PAGE: u64 = 4096;

/// `length` bytes at `address`.
pub(super) fn read(pid: u32, address: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let remote = RemoteIoVec { base: address as usize, len: length };
    let count = process_vm_readv(Pid::from_raw(pid as i32), &mut [IoSliceMut::new(&mut bytes)], &[remote])?;
    bytes.truncate(count);
    Ok(bytes)
}

/// The text that ends with a zero at `address`; `None` if it is no path.
pub(super) fn read_path(pid: u32, address: u64) -> Option<String> {
    let mut bytes = Vec::new();
    while bytes.len() < PATH_MAX {
        let from = address + bytes.len() as u64;
        let part = read(pid, from, (PAGE - from % PAGE) as usize).ok().filter(|part| !part.is_empty())?;
        if let Some(end) = part.iter().position(|byte| *byte == 0) {
            bytes.extend_from_slice(&part[..end]);
            return String::from_utf8(bytes).ok();
        }
        bytes.extend_from_slice(&part);
    }
    None
}

/// Puts bytes there.
pub(super) fn write(pid: u32, address: u64, bytes: &[u8]) -> io::Result<()> {
    let remote = RemoteIoVec { base: address as usize, len: bytes.len() };
    process_vm_writev(Pid::from_raw(pid as i32), &[IoSlice::new(bytes)], &[remote])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_up_to_its_zero() {
        let text = b"/proc/sys/net\0rest".to_vec();
        let me = std::process::id();
        assert_eq!(read_path(me, text.as_ptr() as u64).as_deref(), Some("/proc/sys/net"));
        assert_eq!(read_path(me, 8), None, "nothing is there");
    }
}
