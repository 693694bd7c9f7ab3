//! Quotation marks of GNU programs: curly in a UTF-8 locale, plain in the C locale.

use super::Proc;

/// The word in the quotation marks of the program's locale.
pub(crate) fn quoted(p: &Proc, word: &str) -> String {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| p.env(name).filter(|value| !value.is_empty()));
    if is_utf8(locale.unwrap_or("C")) { format!("\u{2018}{word}\u{2019}") } else { format!("'{word}'") }
}

/// True for `C.UTF-8`, `en_US.utf8`.
fn is_utf8(locale: &str) -> bool {
    let codeset = locale.split_once('.').map_or("", |(_, codeset)| codeset);
    codeset.to_ascii_lowercase().replace('-', "").starts_with("utf8")
}

#[cfg(test)]
mod tests {
    use super::is_utf8;

    #[test]
    fn only_utf8_locales_have_curly_marks() {
        assert!(is_utf8("C.UTF-8") && is_utf8("de_DE.utf8@euro"));
        assert!(!is_utf8("C") && !is_utf8("POSIX") && !is_utf8("de_DE.ISO-8859-1") && !is_utf8(""));
    }
}
