//! The cache against what the kernel does.
