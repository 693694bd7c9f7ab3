//! Frames and who owns them: buffers come from a [`FramePool`] and go back to it, so that forwarding allocates nothing.
//!
//! A [`FrameBuf`] is not `Clone`, and in debug builds it is a bomb: dropping one that was not given back to its pool
//! panics, because every frame must end *sent*, *consumed*, or *discarded with a reason*.

use crate::addr::Ipv4Addr;
use crate::control::IfIndex;
use crate::link::vxlan::Remote;
use core::fmt;
use core::ops::{Deref, DerefMut};

/// Free bytes in front of a fresh frame: room for the headers of a VXLAN and its link, or for a longer IP header.
pub const HEADROOM: usize = 64;
/// Bytes of a small buffer: most of what hosts say to each other when nobody transfers anything. A large world has a hundred
/// thousand such frames on their way.
const TINY: usize = 168;
/// Bytes of an ordinary buffer: a frame of 1500 bytes payload with room to spare.
pub(crate) const SMALL: usize = 2048;
/// Bytes of a large one: a super-frame as veth delivers it, or a datagram on `lo`.
pub(crate) const LARGE: usize = HEADROOM + 65_536 + 64;

/// One frame: the bytes from the first of the link header to the last of the payload, no FCS.
pub struct FrameBuf {
    /// In a place of its own, so that who hands a frame on moves a pointer and nothing else; none: it was taken away.
    store: Option<Box<Store>>,
}

/// A buffer, where in it the frame begins, and what the device said of it.
#[derive(Debug, Default)]
struct Store {
    bytes: Vec<u8>,
    head: usize,
    offload: Offload,
}

/// What a real device may leave to the receiver: the facts of a `virtio_net_hdr`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offload {
    /// The TCP or UDP checksum is not finished: it starts at `.0` bytes into the frame, and its field lies `.1` behind that.
    pub partial_checksum: Option<(u16, u16)>,
    /// A super-frame: to be cut in segments of this many payload bytes (`gso_size`); the kind is `virtio_net_hdr.gso_type`.
    pub segment_size: Option<u16>,
    /// `virtio_net_hdr.gso_type`, carried through.
    pub segment_kind: u8,
    /// `virtio_net_hdr.hdr_len`, carried through.
    pub header_length: u16,
}

impl Offload {
    /// Nothing: all is finished, and it is one frame.
    pub const PLAIN: Offload =
        Offload { partial_checksum: None, segment_size: None, segment_kind: 0, header_length: 0 };
}

impl FrameBuf {
    /// No frame: what is left where one was taken away.
    pub(crate) const fn none() -> FrameBuf {
        FrameBuf { store: None }
    }

    /// What the device said about the checksum and segmentation of this frame.
    #[inline]
    pub fn offload(&self) -> &Offload {
        self.store.as_ref().map_or(&Offload::PLAIN, |store| &store.offload)
    }

    /// The same, to say something else.
    #[inline]
    pub fn offload_mut(&mut self) -> &mut Offload {
        &mut self.store.get_or_insert_default().offload
    }

    /// How many bytes it has.
    #[inline]
    pub fn len(&self) -> usize {
        self.store.as_ref().map_or(0, |store| store.bytes.len() - store.head)
    }

    /// True if it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes `count` bytes off the front (a header that was read).
    ///
    /// # Panics
    /// If the frame is shorter.
    #[inline]
    pub fn pull(&mut self, count: usize) {
        assert!(count <= self.len(), "pull past the end");
        if let Some(store) = &mut self.store {
            store.head += count;
        }
    }

    /// Puts `count` bytes before the front, with whatever value they have, and moves the frame back if there is no room.
    #[inline]
    pub fn push(&mut self, count: usize) {
        let Some(store) = &mut self.store else { return };
        if store.head < count {
            store.move_back(count - store.head);
        }
        store.head -= count;
    }

    /// Cuts the end off, if the frame is longer than `length`.
    #[inline]
    pub fn truncate(&mut self, length: usize) {
        if let Some(store) = &mut self.store {
            store.bytes.truncate(store.head + length);
        }
    }

    /// Adds bytes at the end.
    pub fn extend(&mut self, bytes: &[u8]) {
        if let Some(store) = &mut self.store {
            store.bytes.extend_from_slice(bytes);
        }
    }

    /// What holds the bytes, for a device that has the kernel write them: those of a fresh frame begin after [`HEADROOM`].
    #[cfg(target_os = "linux")]
    pub(crate) fn store_mut(&mut self) -> &mut Vec<u8> {
        &mut self.store.get_or_insert_default().bytes
    }

    /// What the frame costs in Linux's books: see [`truesize`].
    pub fn truesize(&self) -> usize {
        truesize(self.len())
    }

    /// Makes the frame `length` bytes long; new bytes at the end are 0.
    pub fn resize(&mut self, length: usize) {
        if let Some(store) = &mut self.store {
            store.bytes.resize(store.head + length, 0);
        }
    }
}

impl Store {
    #[cold]
    fn move_back(&mut self, count: usize) {
        self.bytes.splice(0..0, core::iter::repeat_n(0, count));
        self.head += count;
    }
}

/// What a packet of `length` bytes, without its link header, costs in Linux's books (`skb->truesize`), by which queues are
/// bounded: its bytes with headroom and the shared info, rounded up to a size that there is a cache for, and the `sk_buff`
/// itself. (Measured: 256 packets of 168 bytes wait for a neighbour in 212992 bytes, 166 of 228, and 92 of 728.)
pub fn truesize(length: usize) -> usize {
    const HEADROOM: usize = 32;
    const SHARED_INFO: usize = 320;
    const SK_BUFF: usize = 256;
    const SMALL_HEAD: usize = 576;
    match (length + HEADROOM).next_multiple_of(64) + SHARED_INFO {
        ..=SMALL_HEAD => SMALL_HEAD + SK_BUFF,
        size => size.next_power_of_two() + SK_BUFF,
    }
}

impl Deref for FrameBuf {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.store {
            Some(store) => &store.bytes[store.head..],
            None => &[],
        }
    }
}

impl DerefMut for FrameBuf {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.store {
            Some(store) => &mut store.bytes[store.head..],
            None => &mut [],
        }
    }
}

impl fmt::Debug for FrameBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameBuf({} bytes)", self.len())
    }
}

#[cfg(debug_assertions)]
impl Drop for FrameBuf {
    fn drop(&mut self) {
        let lost = self.store.is_some() && !std::thread::panicking();
        assert!(!lost, "a frame of {} bytes was lost: neither sent, nor consumed, nor discarded", self.len());
    }
}

/// Where frames come from and go back to.
#[derive(Debug, Default)]
#[allow(clippy::vec_box, reason = "a frame is a box, here and on its way")]
pub struct FramePool {
    tiny: Vec<Box<Store>>,
    small: Vec<Box<Store>>,
    large: Vec<Box<Store>>,
    taken: usize,
}

impl FramePool {
    /// An empty pool; it grows to the largest number of frames in flight and stays there.
    pub fn new() -> FramePool {
        FramePool::default()
    }

    /// An empty frame with room for `capacity` bytes, and [`HEADROOM`] before them.
    pub fn take(&mut self, capacity: usize) -> FrameBuf {
        let (free, size) = match HEADROOM + capacity {
            size if size <= TINY => (&mut self.tiny, TINY),
            size if size <= SMALL => (&mut self.small, SMALL),
            _ => (&mut self.large, LARGE),
        };
        let fresh = || Box::new(Store { bytes: Vec::with_capacity(size.max(HEADROOM + capacity)), ..Store::default() });
        let mut store = free.pop().unwrap_or_else(fresh);
        store.head = HEADROOM;
        store.offload = Offload::PLAIN;
        store.bytes.clear();
        store.bytes.resize(HEADROOM, 0);
        self.taken += 1;
        FrameBuf { store: Some(store) }
    }

    /// A frame with these bytes.
    pub fn copy(&mut self, bytes: &[u8]) -> FrameBuf {
        let mut frame = self.take(bytes.len());
        frame.extend(bytes);
        frame
    }

    /// Takes a frame back.
    pub fn give(&mut self, mut frame: FrameBuf) {
        let Some(store) = frame.store.take() else { return };
        self.taken -= 1;
        let free = match store.bytes.capacity() {
            size if size < SMALL => &mut self.tiny,
            size if size < LARGE => &mut self.small,
            _ => &mut self.large,
        };
        free.push(store);
    }

    /// How many frames are out.
    pub fn taken(&self) -> usize {
        self.taken
    }
}

/// Frames that leave a [`Stack`](crate::Stack), in order, each with the port it leaves by. Drain it before the next call.
#[derive(Debug, Default)]
pub struct Outbox {
    frames: Vec<(IfIndex, FrameBuf)>,
    crossing: Vec<(Crossing, FrameBuf)>,
}

/// A frame's way to another namespace, where a link of one stands on a link of the other: the number is the pair's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// To the link above, as it was received below.
    Up(u64),
    /// To the link below, to be sent there.
    Down(u64),
    /// Of a VXLAN, to where its datagrams are sent, to this host.
    Encapsulate(u64, Remote),
    /// To a VXLAN, from this host.
    Decapsulated(u64, Ipv4Addr),
}

impl Outbox {
    /// An empty one.
    pub fn new() -> Outbox {
        Outbox::default()
    }

    /// Adds a frame.
    #[inline]
    pub fn push(&mut self, port: IfIndex, frame: FrameBuf) {
        self.frames.push((port, frame));
    }

    /// Adds a frame that goes on in another namespace.
    pub fn cross(&mut self, way: Crossing, frame: FrameBuf) {
        self.crossing.push((way, frame));
    }

    /// True if a frame goes on in another namespace.
    #[inline]
    pub fn crosses(&self) -> bool {
        !self.crossing.is_empty()
    }

    /// Takes those that go on in other namespaces, oldest first.
    pub fn drain_crossing(&mut self) -> impl Iterator<Item = (Crossing, FrameBuf)> + '_ {
        self.crossing.drain(..)
    }

    /// Takes all that leave by ports, oldest first.
    pub fn drain(&mut self) -> impl Iterator<Item = (IfIndex, FrameBuf)> + '_ {
        self.frames.drain(..)
    }

    /// True if nothing waits.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.crossing.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_goes_round() {
        let mut pool = FramePool::new();
        let mut frame = pool.copy(b"payload");
        frame.push(2);
        frame[..2].copy_from_slice(b"ip");
        assert_eq!(&frame[..], b"ippayload");
        frame.pull(2);
        frame.push(HEADROOM + 10);
        assert_eq!(frame.len(), HEADROOM + 17);
        pool.give(frame);
        assert_eq!(pool.taken(), 0);
        let frame = pool.take(60_000);
        assert!(frame.is_empty());
        pool.give(frame);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "was lost")]
    fn a_lost_frame_is_found() {
        drop(FramePool::new().copy(b"lost"));
    }
}
