//! Prints the random script of a seed: `random_script SEED` a network's, `random_script SEED lab` a container lab's.
fn main() {
    let mut words = std::env::args().skip(1);
    let seed = words.next().and_then(|text| text.parse().ok()).unwrap_or(0);
    let write = if words.next().is_some_and(|word| word == "lab") {
        vethlab_tests::random::lab
    } else {
        vethlab_tests::random::script
    };
    print!("{}", write(seed));
}
