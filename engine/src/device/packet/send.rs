//! Frames out by a packet socket: `sendmmsg`, each frame with its header before it.

#![allow(unsafe_code, reason = "sendmmsg has no safe wrapper that fits")]

use super::vnet;
use crate::device::{BATCH, DeviceCounters};
use crate::frame::{FrameBuf, FramePool};
use socket2::Socket;
use std::io;
use std::mem::{MaybeUninit, zeroed};
use std::os::fd::AsRawFd;

/// Sends all frames, in order, counts them, and gives their buffers back.
pub(super) fn transmit(
    socket: &Socket,
    pool: &mut FramePool,
    frames: &mut Vec<FrameBuf>,
    counters: &mut DeviceCounters,
) {
    for frame in frames.iter_mut() {
        let header = vnet::encode(frame.offload());
        frame.push(vnet::HEADER);
        frame[..vnet::HEADER].copy_from_slice(&header);
    }
    let mut done = 0;
    while done < frames.len() {
        let rest = &frames[done..];
        match send_batch(socket, &rest[..rest.len().min(BATCH)]) {
            Ok(count) => {
                let sent = &rest[..count.min(rest.len())];
                counters.sent += sent.len() as u64;
                counters.sent_bytes += sent.iter().map(|frame| (frame.len() - vnet::HEADER) as u64).sum::<u64>();
                done += sent.len();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                counters.refuse(&error);
                done += 1;
            }
        }
    }
    frames.drain(..).for_each(|frame| pool.give(frame));
}

/// Sends up to a batch of frames; how many went. An error is the first one's.
fn send_batch(socket: &Socket, frames: &[FrameBuf]) -> io::Result<usize> {
    let mut parts = [const { MaybeUninit::<libc::iovec>::uninit() }; BATCH];
    let mut messages = [const { MaybeUninit::<libc::mmsghdr>::uninit() }; BATCH];
    for ((frame, part), message) in frames.iter().zip(&mut parts).zip(&mut messages) {
        let part = part.write(libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() });
        // SAFETY: plain old data, for which all zeroes is a valid value.
        let message = message.write(unsafe { zeroed() });
        message.msg_hdr.msg_iov = part;
        message.msg_hdr.msg_iovlen = 1;
    }
    let count = frames.len().min(BATCH) as u32;
    let flags = libc::MSG_DONTWAIT;
    // SAFETY: the first `count` messages are written, and each points to a part that is written and tells of a frame, which
    // the kernel only reads; all outlive the call.
    let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), messages.as_mut_ptr().cast(), count, flags) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}
