//! A router made with `pnet::datalink`, as a peer: one thread, one direction, the least that a router does — it checks the
//! type, takes one from the TTL, mends the checksum and writes both MACs.

use crate::field::{D0, Field, R1};
use pnet::datalink::{self, Channel, Config, DataLinkReceiver, DataLinkSender};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// The MAC to which the source sends: not the interface's own, so that the kernel leaves the frames alone.
pub const OWN: [u8; 6] = [2, 0, 0, 0, 1, 2];

/// Runs until it is dropped.
pub struct PnetRouter {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl PnetRouter {
    /// From `r0` to `r1`.
    pub fn start(field: &Field) -> io::Result<PnetRouter> {
        let (mut from, mut to) = field.middle.enter(|| Ok((open("r0")?.1, open("r1")?.0)))?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let work = move || {
            super::machine::pin(1);
            while !told.load(Ordering::Relaxed) {
                // A timeout is an error here, and the moment to look whether it is over.
                if let Ok(frame) = from.next() {
                    forward(frame, to.as_mut());
                }
            }
        };
        Ok(PnetRouter { stop, thread: Some(std::thread::spawn(work)) })
    }
}

impl Drop for PnetRouter {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It does nothing that could panic.
            let _ = thread.join();
        }
    }
}

/// Where frames go out, and where they come in.
pub(crate) type Ends = (Box<dyn DataLinkSender>, Box<dyn DataLinkReceiver>);

/// An interface's ends in the namespace of this thread; a read that waits too long is an error.
pub(crate) fn open(name: &str) -> io::Result<Ends> {
    let found = datalink::interfaces().into_iter().find(|interface| interface.name == name);
    let interface = found.ok_or_else(|| io::Error::other(format!("pnet does not find {name}")))?;
    let config = Config { read_timeout: Some(Duration::from_millis(20)), ..Config::default() };
    match datalink::channel(&interface, config)? {
        Channel::Ethernet(to, from) => Ok((to, from)),
        _ => Err(io::Error::other("pnet opens another kind of channel")),
    }
}

fn forward(frame: &[u8], to: &mut dyn DataLinkSender) {
    let is_ours = frame.get(..6) == Some(&OWN[..]) && frame.get(12..15) == Some(&[8, 0, 0x45]);
    if !is_ours || frame.get(22).is_none_or(|ttl| *ttl < 2) {
        return;
    }
    to.build_and_send(1, frame.len(), &mut |new| {
        new.copy_from_slice(frame);
        new[..6].copy_from_slice(&D0);
        new[6..12].copy_from_slice(&R1);
        new[22] -= 1;
        // RFC 1624, for a TTL that is one less: the sum is 0x100 more.
        let sum = u32::from(u16::from_be_bytes([new[24], new[25]])) + 0x100;
        let sum = (sum & 0xffff) + (sum >> 16);
        new[24..26].copy_from_slice(&(sum as u16).to_be_bytes());
    });
}
