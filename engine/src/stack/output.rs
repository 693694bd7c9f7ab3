//! A datagram goes out.

use super::{Cx, Stack};
use crate::control::Errno;
use crate::frame::FrameBuf;
use crate::observe::Observer;
use crate::route::OutputRoute;

impl Stack {
    /// A datagram of our own (`ip_output`): its IPv4 header is complete but for id and checksum, the payload is behind it.
    /// It is cut in fragments if it is larger than the way's MTU and DF is not set (`EMSGSIZE` if it is); it goes through
    /// `lo` if the way does, and a broadcast or a group of ours is delivered here, too. The frame is used up in any case.
    pub(crate) fn ip_output<O: Observer>(
        &mut self,
        cx: &mut Cx<'_>,
        route: &OutputRoute,
        frame: FrameBuf,
        observer: &mut O,
    ) -> Result<(), Errno> {
        let _ = (cx, route, frame, observer);
        unimplemented!()
    }
}
