//! What was seen on Linux 6.18.
