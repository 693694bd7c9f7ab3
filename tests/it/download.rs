//! A TCP download arrives whole, and the same way each time. `VETHLAB_DOWNLOAD` is its length in bytes.

use vethlab_engine::time::Duration;
use vethlab_tests::download::{Download, EVERYTHING, LOSS, download};

/// A length that a debug build carries in a second or two.
const LENGTH: usize = 1_000_000;

fn twice(length: usize, netem: &str) -> Download {
    let first = download(1, length, netem);
    assert!(first.lost > 0, "nothing was lost");
    assert!(first.took < Duration::from_secs(60) * (1 + length.div_ceil(1_000_000) as u32), "{first:?}");
    assert_eq!(first, download(1, length, netem), "two runs of one seed differ");
    println!("{length} bytes, netem {netem}: {first:?}");
    first
}

#[test]
fn a_download_through_bridges_nat_and_loss_is_whole_and_always_the_same() {
    twice(std::env::var("VETHLAB_DOWNLOAD").map_or(LENGTH, |text| text.parse().unwrap()), LOSS);
}

/// Late, out of turn, twice, damaged or not at all.
#[test]
fn a_download_with_all_that_can_happen_to_a_packet_is_whole_and_always_the_same() {
    let first = twice(LENGTH, EVERYTHING);
    assert!(first.made > 0 && first.damaged > 0, "{first:?}");
    assert!(first.took > Duration::from_millis(40), "{first:?}");
}
