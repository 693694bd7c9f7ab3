//! Any bytes as a route collector's table: no panic, and what is read are prefixes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vethlab_benches::mrt;

fuzz_target!(|data: &[u8]| {
    let _ = mrt::is_mrt(data);
    if let Ok((v4, v6)) = mrt::prefixes(data) {
        assert!(v4.iter().all(|(prefix, _)| prefix.length() <= 32));
        assert!(v6.iter().all(|(prefix, _)| prefix.length() <= 128));
    }
});
