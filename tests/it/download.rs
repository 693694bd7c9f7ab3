//! A TCP download arrives whole, and the same way each time. `VETHLAB_DOWNLOAD` is its length in bytes.

use vethlab_engine::time::Duration;
use vethlab_tests::download::download;

/// A length that a debug build carries in a second or two.
const LENGTH: usize = 1_000_000;

#[test]
fn a_download_through_bridges_nat_and_loss_is_whole_and_always_the_same() {
    let length = std::env::var("VETHLAB_DOWNLOAD").map_or(LENGTH, |text| text.parse().unwrap());
    let first = download(1, length);
    assert!(first.lost > 0, "nothing was lost");
    assert!(first.took < Duration::from_secs(60) * (1 + length.div_ceil(1_000_000) as u32), "{first:?}");
    assert_eq!(first, download(1, length), "two runs of one seed differ");
    println!("{length} bytes: {first:?}");
}
