//! What is measured, and against what. `cargo bench -p vethlab-benches` prints it all, with
//! `--bench tcp` one of them; figures are never asserted in tests.
//!
//! | bench | measures |
//! |---|---|
//! | `forward` | one packet through a router's whole path, with few routes and with ten thousand |
//! | `lpm` | the longest-prefix match against peers from the registry, with the same answers checked first |
//! | `conntrack` | connections, tracked and translated |
//! | `tcp` | a download of 100 MB through two bridges, NAT and cables that lose, and how long it took in virtual time |
