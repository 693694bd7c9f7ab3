//! What whole-system tests share; the tests are in the folders beside this file.

pub mod binary;
pub mod download;
pub mod judge;
pub mod pack;
pub mod random;
pub mod rights;
pub mod router;
pub mod wrong;
