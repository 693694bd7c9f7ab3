//! What `SimpleHTTPRequestHandler` answers.

use super::listing::{escape, kind, page, translate};
use crate::userland::Proc;
use crate::userland::date::Date;

const SERVER: &str = "SimpleHTTP/0.6 Python/3.11.2";

/// An answer: its head and its body, which are sent one after the other, and what is logged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) head: Vec<u8>,
    pub(super) body: Vec<u8>,
    pub(super) log: Vec<String>,
}

/// A request's first line.
struct Line<'a> {
    text: &'a str,
    method: &'a str,
    path: String,
    /// It has no version: the answer has no head.
    old: bool,
}

/// The answer to a request; none if more of it must come first.
pub(super) async fn answer(p: &Proc, root: &str, request: &[u8]) -> Option<Answer> {
    let end = request.iter().position(|byte| *byte == b'\n')?;
    let text = String::from_utf8_lossy(request.get(..end)?).into_owned();
    let text = text.trim_end_matches(['\r', '\n']);
    let words: Vec<&str> = text.split_whitespace().collect();
    let refuse = |what: String| Some(error(p, &Line { text, method: "", path: String::new(), old: true }, 400, &what));
    let (method, path, old) = match words.as_slice() {
        [] => return Some(Answer::default()),
        [method, path, version] if is_version(version) => (*method, *path, false),
        [_, _, .., version] if words.len() > 2 && !is_version(version) => {
            return refuse(format!("Bad request version ('{version}')"));
        }
        ["GET", path] => ("GET", *path, true),
        [method, _] => return refuse(format!("Bad HTTP/0.9 request type ('{method}')")),
        _ => return refuse(format!("Bad request syntax ('{text}')")),
    };
    if !old && !ends(request) {
        return None;
    }
    // A path of two slashes would be another host's.
    let path = if path.starts_with("//") { format!("/{}", path.trim_start_matches('/')) } else { path.to_string() };
    let line = Line { text, method, path, old };
    if !["GET", "HEAD"].contains(&method) {
        return Some(error(p, &line, 501, &format!("Unsupported method ('{method}')")));
    }
    Some(file(p, root, &line).await)
}

fn is_version(word: &str) -> bool {
    let numbers = word.strip_prefix("HTTP/").and_then(|numbers| numbers.split_once('.'));
    numbers.is_some_and(|(major, minor)| major == "1" && minor.parse::<u8>().is_ok())
}

/// An empty line ends the head.
fn ends(request: &[u8]) -> bool {
    let mut lines = request.split(|byte| *byte == b'\n').skip(1).peekable();
    while let Some(line) = lines.next() {
        if lines.peek().is_some() && (line.is_empty() || line == b"\r") {
            return true;
        }
    }
    false
}

async fn file(p: &Proc, root: &str, line: &Line<'_>) -> Answer {
    let mut path = translate(root, &line.path);
    let mut info = p.look(&path).await;
    if info.as_ref().is_ok_and(|info| info.directory) {
        let (place, query) = match line.path.split_once('?') {
            Some((place, query)) => (place, format!("?{query}")),
            None => (line.path.as_str(), String::new()),
        };
        if !place.ends_with('/') {
            let fields = [("Location", format!("{place}/{query}")), ("Content-Length", "0".to_string())];
            return reply(p, line, (301, "Moved Permanently"), &fields, Vec::new());
        }
        let mut index = None;
        for name in ["index.html", "index.htm"] {
            let candidate = format!("{}/{name}", path.trim_end_matches('/'));
            let found = p.look(&candidate).await;
            if found.as_ref().is_ok_and(|found| !found.directory) {
                index = Some((candidate, found));
                break;
            }
        }
        match index {
            Some(found) => (path, info) = found,
            None => return list(p, &path, line).await,
        }
    }
    if path.ends_with('/') {
        return error(p, line, 404, "File not found");
    }
    let (Ok(info), Ok(content)) = (info, p.file(&path).await) else { return error(p, line, 404, "File not found") };
    let fields = [
        ("Content-type", kind(&path).to_string()),
        ("Content-Length", content.len().to_string()),
        ("Last-Modified", Date::of(info.modified).http()),
    ];
    reply(p, line, (200, "OK"), &fields, content)
}

async fn list(p: &Proc, path: &str, line: &Line<'_>) -> Answer {
    let Ok(entries) = p.list(path).await else { return error(p, line, 404, "No permission to list directory") };
    let text = page(&line.path, entries);
    let fields = [("Content-type", "text/html; charset=utf-8".to_string()), ("Content-Length", text.len().to_string())];
    reply(p, line, (200, "OK"), &fields, text.into_bytes())
}

fn reply(p: &Proc, line: &Line<'_>, status: (u16, &str), fields: &[(&str, String)], body: Vec<u8>) -> Answer {
    let date = Date::now(p).http();
    let mut head = format!("HTTP/1.0 {} {}\r\nServer: {SERVER}\r\nDate: {date}\r\n", status.0, status.1);
    fields.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
    head += "\r\n";
    Answer {
        head: if line.old { Vec::new() } else { head.into_bytes() },
        body: if line.method == "HEAD" { Vec::new() } else { body },
        log: vec![format!("\"{}\" {} -", line.text, status.0)],
    }
}

fn error(p: &Proc, line: &Line<'_>, status: u16, message: &str) -> Answer {
    let explained = match status {
        400 => "Bad request syntax or unsupported method",
        404 => "Nothing matches the given URI",
        _ => "Server does not support this operation",
    };
    let body = format!(
        "<!DOCTYPE HTML>\n<html lang=\"en\">\n    <head>\n        <meta charset=\"utf-8\">\n        \
         <title>Error response</title>\n    </head>\n    <body>\n        <h1>Error response</h1>\n        \
         <p>Error code: {status}</p>\n        <p>Message: {}.</p>\n        \
         <p>Error code explanation: {status} - {explained}.</p>\n    </body>\n</html>\n",
        escape(message)
    );
    let fields = [
        ("Connection", "close".to_string()),
        ("Content-Type", "text/html;charset=utf-8".to_string()),
        ("Content-Length", body.len().to_string()),
    ];
    let mut answer = reply(p, line, (status, message), &fields, body.into_bytes());
    answer.log.insert(0, format!("code {status}, message {message}"));
    answer
}
