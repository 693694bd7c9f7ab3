//! C's `fnmatch()` with no flags: `*`, `?`, `[a-z]`, `[!a]` and `\\`.

/// One piece of a pattern.
enum Piece {
    /// `*`
    Any,
    /// `?`
    One,
    /// `[abx-z]`, or none of them.
    Set { chars: Vec<char>, negated: bool },
    /// Itself.
    Char(char),
}

impl Piece {
    fn takes(&self, c: char) -> bool {
        match self {
            Piece::Any | Piece::One => true,
            Piece::Char(wanted) => *wanted == c,
            Piece::Set { chars, negated } => {
                let range = |window: &[char]| matches!(window, [low, '-', high] if (*low..=*high).contains(&c));
                (chars.contains(&c) || chars.windows(3).any(range)) != *negated
            }
        }
    }
}

/// True if the pattern fits all of `name`. It takes no more than pattern times name steps, whatever stars are in it.
pub(super) fn fnmatch(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    // Up to which characters of the name the pieces so far may reach.
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for piece in pieces(pattern) {
        let mut next = vec![false; name.len() + 1];
        let mut any = false;
        for (at, was) in reached.iter().enumerate() {
            any |= was;
            if matches!(piece, Piece::Any) {
                next[at] = any;
            } else if *was && name.get(at).is_some_and(|c| piece.takes(*c)) {
                next[at + 1] = true;
            }
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        pieces.push(match c {
            '*' => Piece::Any,
            '?' => Piece::One,
            '\\' => Piece::Char(rest.next().unwrap_or('\\')),
            '[' => match set(rest.as_str()) {
                Some((piece, after)) => {
                    rest = after.chars();
                    piece
                }
                None => Piece::Char('['),
            },
            other => Piece::Char(other),
        });
    }
    pieces
}

/// What stands in brackets, and what follows; a first `]` is one of the characters.
fn set(text: &str) -> Option<(Piece, &str)> {
    let (negated, text) = text.strip_prefix(['!', '^']).map_or((false, text), |text| (true, text));
    let (first, _) = text.char_indices().next().map(|(_, c)| (c.len_utf8(), c))?;
    let end = first + text.get(first..)?.find(']')?;
    let chars = text.get(..end)?.chars().collect();
    Some((Piece::Set { chars, negated }, text.get(end + 1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::fnmatch;

    #[test]
    fn labels_match_as_shells_match_names() {
        for (pattern, name, expected) in [
            ("v*", "veth0", true),
            ("v*0", "veth1", false),
            ("v*0*", "v10:x", true),
            ("v?:x", "v0:x", true),
            ("eth[0-3]", "eth2", true),
            ("eth[!0-3]", "eth2", false),
            ("[]x]", "]", true),
            ("\\*", "*", true),
            ("\\", "\\", true),
            ("[", "[", true),
            ("", "x", false),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(fnmatch(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn stars_without_end_take_no_time_without_end() {
        assert!(!fnmatch(&"*a".repeat(10_000), &"a".repeat(15)));
        assert!(fnmatch(&"*".repeat(10_000), &"a".repeat(15)));
    }
}
