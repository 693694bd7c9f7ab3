//! `-j`: what happens to a packet that fits. One file for each family.

mod header;
mod mark;
mod nat;
mod tcpmss;

use super::rule::{RejectWith, Target};
use super::subject::Subject;

/// How the way through the rules goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To the next rule.
    Continue,
    Accept,
    Drop,
    /// Drop, and tell the sender.
    Reject(RejectWith),
    Return,
    /// To the chain that is named, and back.
    Jump,
    /// To the chain that is named, and back to where this one was called from.
    Goto,
}

/// Does what a target does.
pub(super) fn act(target: &Target, subject: &mut Subject<'_>) -> Next {
    match target {
        Target::Jump(_) => Next::Jump,
        Target::Goto(_) => Next::Goto,
        Target::Accept => Next::Accept,
        Target::Drop => Next::Drop,
        Target::Return => Next::Return,
        Target::Reject(with) => Next::Reject(*with),
        // Outside the first namespace the kernel logs nothing; whoever watches sees the rule.
        Target::Log { .. } => Next::Continue,
        Target::Mark { value, mask } => mark::mark(subject, *value, *mask),
        Target::ConnMark(of) => mark::connmark(subject, *of),
        Target::Dnat(range) | Target::Snat(range) => nat::set_up(subject, range),
        Target::Masquerade { ports, random, random_fully } => {
            nat::masquerade(subject, ports.as_ref(), *random, *random_fully)
        }
        Target::Redirect { ports, random } => nat::redirect(subject, ports.as_ref(), *random),
        Target::NetMap(net, mask) => nat::netmap(subject, *net, *mask),
        Target::NoTrack | Target::CtNoTrack => {
            subject.nfct.untrack();
            Next::Continue
        }
        Target::TcpMss(size) => tcpmss::clamp(subject, *size),
        Target::Ttl(change) => header::ttl(subject, *change),
        Target::Dscp(dscp) => header::dscp(subject, *dscp),
        Target::Tos { value, mask } => header::tos(subject, *value, *mask),
    }
}
