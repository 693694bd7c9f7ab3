//! VLAN tags (802.1Q, 802.1ad): four bytes between the MACs and the Ethernet type.

use super::ethernet;
use crate::frame::FrameBuf;

/// Bytes of a tag.
pub const TAG: usize = 4;
/// Ethernet type of an 802.1ad tag.
pub const SERVICE: u16 = 0x88a8;
/// Bytes of the two MACs.
const MACS: usize = 12;

/// What a tag says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The VLAN; 0: none.
    pub id: u16,
    /// What follows.
    pub ethertype: u16,
}

/// The tag of a frame whose Ethernet type is `ethertype`, and whose payload begins with the tag then.
pub fn tag_of(ethertype: u16, payload: &[u8]) -> Option<Tag> {
    if ethertype != ethernet::VLAN && ethertype != SERVICE {
        return None;
    }
    let &[a, b, c, d] = payload.first_chunk::<TAG>()?;
    Some(Tag { id: u16::from_be_bytes([a, b]) & 0x0fff, ethertype: u16::from_be_bytes([c, d]) })
}

/// Puts a tag into a frame that begins with its link header.
pub fn tag(frame: &mut FrameBuf, protocol: u16, id: u16) {
    if frame.len() < ethernet::HEADER {
        return;
    }
    frame.push(TAG);
    frame.copy_within(TAG..TAG + MACS, 0);
    super::put(frame, MACS, protocol.to_be_bytes());
    super::put(frame, MACS + 2, id.to_be_bytes());
    if let Some((start, _)) = frame.offload_mut().partial_checksum.as_mut() {
        *start = start.saturating_add(TAG as u16);
    }
}

/// Takes the tag off a packet that begins with it; the frame begins with its link header then.
pub fn untag(frame: &mut FrameBuf) {
    frame.push(ethernet::HEADER);
    if frame.len() >= ethernet::HEADER + TAG {
        frame.copy_within(..MACS, TAG);
        frame.pull(TAG);
        if let Some((start, _)) = frame.offload_mut().partial_checksum.as_mut() {
            *start = start.saturating_sub(TAG as u16);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FramePool;

    #[test]
    fn a_tag_goes_in_and_out() {
        let mut pool = FramePool::new();
        let plain = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0, 0x45, 0];
        let mut frame = pool.copy(&plain);
        tag(&mut frame, ethernet::VLAN, 10);
        assert_eq!(frame[..18], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x81, 0, 0, 10, 8, 0]);
        frame.pull(ethernet::HEADER);
        assert_eq!(tag_of(ethernet::VLAN, &frame), Some(Tag { id: 10, ethertype: 0x800 }));
        assert_eq!(tag_of(ethernet::IPV4, &frame), None);
        untag(&mut frame);
        assert_eq!(frame[..], plain);
        pool.give(frame);
    }
}
