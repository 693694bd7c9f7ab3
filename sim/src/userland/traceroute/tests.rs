use super::*;

#[test]
fn marks_are_those_of_the_original() {
    for (kind, code, text) in [
        (3, 0, "!N"),
        (3, 1, "!H"),
        (3, 2, "!P"),
        (3, 3, ""),
        (3, 4, "!F-1400"),
        (3, 5, "!S"),
        (3, 6, "!N"),
        (3, 7, "!H"),
        (3, 9, "!X"),
        (3, 10, "!X"),
        (3, 13, "!X"),
        (3, 14, "!V"),
        (3, 15, "!C"),
        (3, 16, "!<16>"),
        (11, 1, "!<11-1>"),
        (12, 0, "!<12-0>"),
    ] {
        assert_eq!(verdict(kind, code, 1400).as_deref(), Some(text), "{kind} {code}");
    }
    assert_eq!(verdict(11, 0, 0), None);
}
