//! One datagram on its way to completion: `struct ipq`.

use super::Reassembled;
use crate::control::IfIndex;
use crate::frame::{FrameBuf, FramePool};
use crate::reason::DropReason;
use crate::time::Time;
use crate::wire::ipv4::options::Options;
use crate::wire::ipv4::{self, Ipv4};

/// The longest packet there is.
const LONGEST: usize = 65_535;

/// A fragment: where its payload lies in the datagram's, and its frame, which begins with the IP header.
#[derive(Debug)]
struct Piece {
    begin: usize,
    end: usize,
    header_length: usize,
    frame: FrameBuf,
    /// It begins a run: a stretch of pieces that came one behind the other.
    begins_run: bool,
}

#[derive(Debug)]
pub(super) struct Datagram {
    deadline: Time,
    port: IfIndex,
    /// In the order of their place.
    pieces: Vec<Piece>,
    /// Payload bytes of the whole, as far as is known.
    length: usize,
    /// The last fragment has come: `length` is final.
    last_in: bool,
    /// Payload bytes that are there.
    present: usize,
    /// The ECN marks seen, a bit each.
    ecn: u8,
    /// Bytes of the largest fragment, and of the largest that had DF.
    largest: usize,
    largest_df: usize,
    /// Of the first fragment.
    options: Options,
}

impl Datagram {
    pub(super) fn new(deadline: Time, port: IfIndex) -> Datagram {
        Datagram {
            deadline,
            port,
            pieces: Vec::new(),
            length: 0,
            last_in: false,
            present: 0,
            ecn: 0,
            largest: 0,
            largest_df: 0,
            options: Options::default(),
        }
    }

    pub(super) fn deadline(&self) -> Time {
        self.deadline
    }

    /// The port that the latest fragment came in by.
    pub(super) fn port(&self) -> IfIndex {
        self.port
    }

    pub(super) fn count(&self) -> usize {
        self.pieces.len()
    }

    pub(super) fn memory(&self) -> usize {
        self.pieces.iter().map(|piece| piece.frame.truesize()).sum()
    }

    /// Adds a fragment (`ip_frag_queue`). Every reason but a duplicate spoils the whole datagram.
    pub(super) fn add(
        &mut self,
        port: IfIndex,
        header: &Ipv4,
        options: &Options,
        frame: FrameBuf,
    ) -> Result<(), (FrameBuf, DropReason)> {
        let begin = header.fragment_offset();
        let mut end = begin + header.payload_length();
        let last = !header.more_fragments();
        if !last {
            // What does not fill a unit of eight bytes cannot be followed by anything.
            end &= !7;
        }
        let contradicts = if last { end < self.length || self.last_in && end != self.length } else { self.last_in };
        if end <= begin || contradicts && (last || end > self.length) {
            return Err((frame, DropReason::FragmentMalformed));
        }
        // Even a duplicate tells where the end is.
        self.last_in |= last;
        self.length = self.length.max(end);
        let at = match self.place(begin, end) {
            Ok(at) => at,
            Err(reason) => return Err((frame, reason)),
        };
        if begin == 0 {
            self.options = *options;
        }
        self.port = port;
        self.present += end - begin;
        self.ecn |= 1 << (header.tos & 3);
        let size = end - begin + header.header_length;
        self.largest = self.largest.max(size);
        if header.dont_fragment() {
            self.largest_df = self.largest_df.max(size);
        }
        let follows = at == self.pieces.len() && self.pieces.last().is_some_and(|before| before.end == begin);
        let header_length = header.header_length;
        self.pieces.insert(at, Piece { begin, end, header_length, frame, begins_run: !follows });
        Ok(())
    }

    /// Where a fragment belongs among the others (`inet_frag_queue_insert`).
    fn place(&self, begin: usize, end: usize) -> Result<usize, DropReason> {
        if self.pieces.last().is_none_or(|last| last.end <= begin) {
            return Ok(self.pieces.len());
        }
        let mut at = 0;
        for run in self.pieces.chunk_by(|_, next| !next.begins_run) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            if end <= first.begin {
                break;
            }
            if begin < last.end {
                let inside = begin >= first.begin && end <= last.end;
                return Err(if inside { DropReason::ReassemblyDuplicate } else { DropReason::ReassemblyOverlap });
            }
            at += run.len();
        }
        Ok(at)
    }

    pub(super) fn is_complete(&self) -> bool {
        let first_in = self.pieces.first().is_some_and(|piece| piece.begin == 0);
        first_in && self.last_in && self.present == self.length
    }

    /// Why a complete datagram cannot be put together after all.
    pub(super) fn fault(&self) -> Option<DropReason> {
        let header_length = self.pieces.first().map_or(ipv4::HEADER, |piece| piece.header_length);
        if header_length + self.length > LONGEST {
            return Some(DropReason::ReassemblyTooBig);
        }
        // Not-ECT together with anything else: somebody on the way, or the sender, is broken (RFC 3168, 5.3).
        (self.ecn & 1 != 0 && self.ecn != 1).then_some(DropReason::ReassemblyEcn)
    }

    /// The packet: the first fragment's header, without fragment bits, and all payloads (`ip_frag_reasm`). DF is set if
    /// the largest fragment had it. Call it on a complete datagram without fault.
    pub(super) fn assemble(self, pool: &mut FramePool) -> Reassembled {
        let header_length = self.pieces.first().map_or(0, |piece| piece.header_length);
        let total = header_length + self.length;
        let mut frame = pool.take(total);
        if let Some(header) = self.pieces.first().and_then(|piece| piece.frame.get(..header_length)) {
            frame.extend(header);
        }
        let (fragments, largest, options) = (self.pieces.len(), self.largest, self.options);
        for piece in self.pieces {
            let from = piece.header_length;
            frame.extend(piece.frame.get(from..from + piece.end - piece.begin).unwrap_or(&[]));
            pool.give(piece.frame);
        }
        let df = if self.largest_df == self.largest { ipv4::DF } else { 0 };
        ipv4::set_total_length(&mut frame, total as u16);
        ipv4::set_flags_fragment(&mut frame, df);
        const CE: u8 = 3;
        if self.ecn & (1 << CE) != 0
            && let Some(tos) = frame.get_mut(1)
        {
            *tos |= CE;
        }
        ipv4::write_checksum(&mut frame);
        Reassembled { frame, fragments, largest, options }
    }

    /// The fragments, with their places.
    pub(super) fn into_frames(self) -> impl Iterator<Item = (usize, FrameBuf)> {
        self.pieces.into_iter().map(|piece| (piece.begin, piece.frame))
    }
}
