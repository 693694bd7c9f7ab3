//! Criterion benches of the engine and the simulator; see the files beside this one.
