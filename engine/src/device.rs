//! The Linux sockets and system calls that carry frames and watch processes: the only place with `unsafe`.
//!
//! Each block of it says why it is sound; what leaves this module is safe to call.

pub mod process;
pub mod seccomp;
