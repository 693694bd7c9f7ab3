//! What is measured, and against what. `cargo bench` prints it all; figures are never asserted in tests.
//!
//! | bench | measures |
//! |---|---|
//! | `forward` | one packet through a router's whole path, with few routes and with ten thousand |
//! | `lpm` | the longest-prefix match against peers from the registry, with the same answers checked first |
