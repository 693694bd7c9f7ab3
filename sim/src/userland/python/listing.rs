//! What `http.server` makes of paths, names and directories.

use crate::lab::DirEntry;

/// `urllib.parse.unquote`
pub(super) fn unquote(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let code = more.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = more.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `urllib.parse.quote`
fn quote(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-~/".contains(&byte);
    let word = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(word).collect()
}

/// `html.escape`, quotation marks untouched.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The file that a request's path means, below the directory that is served.
pub(super) fn translate(root: &str, path: &str) -> String {
    let path = unquote(path.split(['?', '#']).next().unwrap_or_default());
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let slash = if path.trim_end().ends_with('/') { "/" } else { "" };
    if parts.is_empty() { format!("{root}{slash}") } else { format!("{root}/{}{slash}", parts.join("/")) }
}

/// The page that shows a directory.
pub(super) fn page(path: &str, mut entries: Vec<DirEntry>) -> String {
    entries.sort_by_key(|entry| entry.name.to_lowercase());
    let title = format!("Directory listing for {}", escape(&unquote(path)));
    let mut text = format!(
        "<!DOCTYPE HTML>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n</head>\n\
         <body>\n<h1>{title}</h1>\n<hr>\n<ul>\n"
    );
    for DirEntry { name, directory, link } in entries {
        let slash = if directory { "/" } else { "" };
        let mark = if link { "@" } else { slash };
        text += &format!(
            "<li><a href=\"{}\">{}</a></li>\n",
            quote(&format!("{name}{slash}")),
            escape(&format!("{name}{mark}"))
        );
    }
    text + "</ul>\n<hr>\n</body>\n</html>\n"
}

/// The type of a file by its name, as Debian's Python guesses it.
pub(super) fn kind(path: &str) -> &'static str {
    const KINDS: &[(&str, &str)] = &[
        ("avif", "image/avif"),
        ("bmp", "image/bmp"),
        ("bz2", "application/x-bzip2"),
        ("c", "text/x-csrc"),
        ("css", "text/css"),
        ("csv", "text/csv"),
        ("gif", "image/gif"),
        ("gz", "application/gzip"),
        ("htm", "text/html"),
        ("html", "text/html"),
        ("ico", "image/vnd.microsoft.icon"),
        ("jpeg", "image/jpeg"),
        ("jpg", "image/jpeg"),
        ("js", "text/javascript"),
        ("json", "application/json"),
        ("md", "text/markdown"),
        ("mp3", "audio/mpeg"),
        ("mp4", "video/mp4"),
        ("pdf", "application/pdf"),
        ("png", "image/png"),
        ("py", "text/x-python"),
        ("sh", "text/x-sh"),
        ("svg", "image/svg+xml"),
        ("tar", "application/x-tar"),
        ("txt", "text/plain"),
        ("wasm", "application/wasm"),
        ("webp", "image/webp"),
        ("xml", "application/xml"),
        ("xz", "application/x-xz"),
        ("zip", "application/zip"),
    ];
    let name = path.rsplit('/').next().unwrap_or_default();
    let ending = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map_or("", |(_, ending)| ending);
    let found = KINDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(ending));
    found.map_or("application/octet-stream", |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_directory() {
        for (path, file) in [
            ("/", "./"),
            ("/a%20b.txt?x#y", "./a b.txt"),
            ("/../../etc/passwd", "./etc/passwd"),
            ("/sub/", "./sub/"),
            ("/%2e%2e/x", "./x"),
        ] {
            assert_eq!(translate(".", path), file, "{path}");
        }
    }

    #[test]
    fn names_are_written_so_that_browsers_find_them() {
        let entry = |name: &str, directory, link| DirEntry { name: name.into(), directory, link };
        let entries = vec![entry("z", true, true), entry("B", false, false), entry("a b&<.txt", false, false)];
        let text = page("/x/", entries);
        let items: Vec<&str> = text.lines().filter(|line| line.starts_with("<li>")).collect();
        let expected = [
            "<li><a href=\"a%20b%26%3C.txt\">a b&amp;&lt;.txt</a></li>",
            "<li><a href=\"B\">B</a></li>",
            "<li><a href=\"z/\">z@</a></li>",
        ];
        assert_eq!(items, expected);
        assert_eq!(
            (kind("./a.HTML"), kind("x/.html"), kind("c.tar.gz")),
            ("text/html", "application/octet-stream", "application/gzip")
        );
    }
}
