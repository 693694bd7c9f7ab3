//! Configuration as data, the netlink of this house: what may be asked of a [`Stack`](crate::Stack), and how it refuses.
//!
//! The names and the numbers are rtnetlink's (`include/uapi/linux/rtnetlink.h`); a [`Refusal`] prints as iproute2 prints
//! the kernel's answer.

mod fdb;
mod refusal;
mod request;

pub use fdb::{FdbEntry, FdbMode, FdbSpec};
pub use refusal::{Errno, Refusal};
pub use request::*;
