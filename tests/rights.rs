//! Rights that a test needs, and what it says where they are missing.

use std::process::{Command, Stdio};

/// True if this process may make network and mount namespaces as root. Else says SKIPPED aloud.
///
/// # Panics
/// On CI (`VETHLAB_NO_SKIP`), where nothing is skipped.
pub fn root_or_skip(test: &str) -> bool {
    let made = Command::new("unshare").args(["-nm", "true"]).stderr(Stdio::null()).status();
    let may = made.is_ok_and(|status| status.success());
    if !may {
        skip(test, "needs root, to make network namespaces");
    }
    may
}

/// Says that a test is skipped, and why.
///
/// # Panics
/// On CI (`VETHLAB_NO_SKIP`), where nothing is skipped.
pub fn skip(test: &str, why: &str) {
    assert!(std::env::var_os("VETHLAB_NO_SKIP").is_none(), "{test} would be skipped: {why}");
    eprintln!("SKIPPED {test}: {why}");
}
