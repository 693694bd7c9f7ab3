//! Prints the random script of a seed.
fn main() {
    let seed = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
    print!("{}", vethlab_tests::random::script(seed));
}
