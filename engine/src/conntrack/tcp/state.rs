//! The states of a TCP flow, and the kernel's table that leads from one to the next.

use crate::conntrack::Direction;
use crate::conntrack::settings::TcpSettings;
use crate::time::Duration;
use crate::wire::Tcp;
use crate::wire::tcp::flag;

/// `enum tcp_conntrack`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TcpState {
    /// No segment yet.
    None,
    /// A SYN.
    SynSent,
    /// A SYN and an ACK of it.
    SynRecv,
    /// An ACK of that.
    Established,
    /// A FIN.
    FinWait,
    /// An ACK of the FIN.
    CloseWait,
    /// A FIN from the other side.
    LastAck,
    /// An ACK of that.
    TimeWait,
    /// A RST.
    Close,
    /// A SYN from the other side, too.
    SynSent2,
}

/// What counts of a segment's flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::conntrack) enum Index {
    Syn,
    SynAck,
    Fin,
    Ack,
    Rst,
    None,
}

/// What the table says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This is the state now.
    To(TcpState),
    /// The segment may be valid or not: it passes.
    Ignore,
    /// It is not part of the flow.
    Invalid,
}

impl TcpState {
    /// As `conntrack -L` prints it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            TcpState::None => "NONE",
            TcpState::SynSent => "SYN_SENT",
            TcpState::SynRecv => "SYN_RECV",
            TcpState::Established => "ESTABLISHED",
            TcpState::FinWait => "FIN_WAIT",
            TcpState::CloseWait => "CLOSE_WAIT",
            TcpState::LastAck => "LAST_ACK",
            TcpState::TimeWait => "TIME_WAIT",
            TcpState::Close => "CLOSE",
            TcpState::SynSent2 => "SYN_SENT2",
        }
    }

    /// For how long a flow in it is remembered.
    pub(in crate::conntrack) fn timeout(self, settings: &TcpSettings) -> Duration {
        settings.by_state.get(self as usize).copied().unwrap_or_default()
    }

    /// True if a SYN can begin the flow anew.
    pub(super) const fn is_over(self) -> bool {
        matches!(self, TcpState::TimeWait | TcpState::Close | TcpState::SynSent2)
    }

    /// True from the first FIN on (`tcp_can_early_drop`).
    pub(super) const fn is_closing(self) -> bool {
        use TcpState::{Close, CloseWait, FinWait, LastAck, TimeWait};
        matches!(self, FinWait | CloseWait | LastAck | TimeWait | Close)
    }
}

impl Index {
    pub(super) const fn of(tcp: &Tcp) -> Index {
        if tcp.has(flag::RST) {
            Index::Rst
        } else if tcp.has(flag::SYN) {
            if tcp.has(flag::ACK) { Index::SynAck } else { Index::Syn }
        } else if tcp.has(flag::FIN) {
            Index::Fin
        } else if tcp.has(flag::ACK) {
            Index::Ack
        } else {
            Index::None
        }
    }
}

type Row = [Next; 10];

/// From a direction, what came, and the state before.
pub(super) fn next(direction: Direction, index: Index, state: TcpState) -> Next {
    let (syn, syn_ack, ack) = match direction {
        Direction::Original => (&SYN_ORIGINAL, &SYN_ACK_ORIGINAL, &ACK_ORIGINAL),
        Direction::Reply => (&SYN_REPLY, &SYN_ACK_REPLY, &ACK_REPLY),
    };
    let row: &Row = match index {
        Index::Syn => syn,
        Index::SynAck => syn_ack,
        Index::Fin => &FIN,
        Index::Ack => ack,
        Index::Rst => &RST,
        Index::None => return IV,
    };
    row.get(state as usize).copied().unwrap_or(IV)
}

const SS: Next = Next::To(TcpState::SynSent);
const SR: Next = Next::To(TcpState::SynRecv);
const ES: Next = Next::To(TcpState::Established);
const FW: Next = Next::To(TcpState::FinWait);
const CW: Next = Next::To(TcpState::CloseWait);
const LA: Next = Next::To(TcpState::LastAck);
const TW: Next = Next::To(TcpState::TimeWait);
const CL: Next = Next::To(TcpState::Close);
const S2: Next = Next::To(TcpState::SynSent2);
const IG: Next = Next::Ignore;
const IV: Next = Next::Invalid;

//              state before:     NO  SS  SR  ES  FW  CW  LA  TW  CL  S2
const SYN_ORIGINAL: Row = [SS, SS, IG, IG, IG, IG, IG, SS, SS, S2];
const SYN_ACK_ORIGINAL: Row = [IV, IV, SR, IV, IV, IV, IV, IV, IV, SR];
const ACK_ORIGINAL: Row = [ES, IV, ES, ES, CW, CW, TW, TW, CL, IV];
const SYN_REPLY: Row = [IV, S2, IV, IV, IV, IV, IV, SS, IV, S2];
const SYN_ACK_REPLY: Row = [IV, SR, IG, IG, IG, IG, IG, IG, IG, SR];
const ACK_REPLY: Row = [IV, IG, SR, ES, CW, CW, TW, TW, CL, IG];
const FIN: Row = [IV, IV, FW, FW, LA, LA, LA, TW, CL, IV];
const RST: Row = [IV, CL, CL, CL, CL, CL, CL, CL, CL, CL];
