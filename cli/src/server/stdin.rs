//! Standard input on its way from a client's process to its program.
//!
//! A client reads only as much as its program has asked for. What it has read is handed on when all real processes sleep:
//! then all has come that will come by this (virtual) time, so that the pieces do not depend on how fast the machine is.

use super::Server;
use crate::wire::Reply;
use vethlab_sim::Pid;

/// A program reads at most this much at once.
const PIECE: u32 = 16384;

/// The standard input of one client's program.
#[derive(Default)]
pub(super) struct Stdin {
    /// The program waits for a piece.
    wanted: bool,
    /// What has come.
    piece: Vec<u8>,
    /// Behind it is the end.
    ended: bool,
    /// It is a terminal, and whoever sits there lives by the wall clock.
    pub(super) terminal: bool,
}

impl Stdin {
    /// The program asks for a piece: what the client must be told, if anything.
    pub(super) fn ask(&mut self) -> Option<Reply> {
        self.wanted = true;
        (!self.ended).then_some(Reply::NeedStdin(PIECE))
    }

    /// The client has read this; nothing is the end.
    pub(super) fn came(&mut self, bytes: &[u8]) {
        self.ended |= bytes.is_empty();
        self.piece.extend_from_slice(bytes);
    }

    /// A program waits for what is typed.
    pub(super) fn is_typed(&self) -> bool {
        self.wanted && self.terminal
    }

    fn is_due(&self) -> bool {
        self.wanted && (self.ended || !self.piece.is_empty())
    }

    /// The next piece, and what the client must be told, if anything.
    fn take(&mut self) -> (Vec<u8>, Option<Reply>) {
        self.wanted = false;
        let reads_on = !self.ended && (self.piece.len() as u32) < PIECE;
        (std::mem::take(&mut self.piece), reads_on.then_some(Reply::NeedStdin(0)))
    }
}

impl Server {
    /// Something was read that a program waits for.
    pub(super) fn stdin_is_due(&self) -> bool {
        self.clients.inputs().any(|(_, stdin)| stdin.is_due())
    }

    /// Hands on what was read; true if anything was.
    pub(super) fn hand_on_stdin(&mut self) -> bool {
        let due: Vec<Pid> =
            self.clients.inputs().filter(|(_, stdin)| stdin.is_due()).filter_map(|(program, _)| program).collect();
        for program in &due {
            let Some(stdin) = self.clients.input_of(*program) else { continue };
            let (piece, reply) = stdin.take();
            self.lab.stdin(*program, piece);
            if let Some(reply) = reply {
                self.clients.tell(*program, &reply);
            }
        }
        !due.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_handed_on_once_and_the_end_as_often_as_it_is_asked_for() {
        let mut stdin = Stdin::default();
        stdin.came(b"unasked");
        assert!(!stdin.is_due());
        assert_eq!(stdin.ask(), Some(Reply::NeedStdin(PIECE)));
        assert_eq!(stdin.take(), (b"unasked".to_vec(), Some(Reply::NeedStdin(0))), "the client reads no further");
        assert!(!stdin.is_due());
        stdin.ask();
        stdin.came(&vec![7; PIECE as usize]);
        assert_eq!(stdin.take(), (vec![7; PIECE as usize], None), "it has read all it may");
        stdin.ask();
        stdin.came(b"last");
        stdin.came(b"");
        assert_eq!(stdin.take(), (b"last".to_vec(), None));
        for _ in 0..2 {
            assert_eq!(stdin.ask(), None, "there is no more to read");
            assert!(stdin.is_due());
            assert_eq!(stdin.take(), (Vec::new(), None));
        }
    }
}
