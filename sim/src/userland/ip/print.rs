//! What `ip` prints: the same calls give plain text, one line a thing (`-o`), JSON (`-j`, `-p`) and colours (`-c`), as
//! iproute2's `lib/json_print.c`, `lib/json_writer.c` and `lib/color.c` do.
//!
//! One call says a thing once: a key for JSON, and a text with `{}` where the value stands for people.
//!
//! ```ignore
//! print.begin();                                   // new_json_obj():    [
//! print.open_object();                             //                    {
//! print.string_in(Color::IfName, "dev", "dev {} ", name);
//! print.number("metric", "metric {} ", 100);
//! print.text("\n");                                // people only
//! print.close_object();
//! print.end();                                     // delete_json_obj(): ] and a newline
//! ```
//!
//! Standard output is held back as C's stdio holds it (to the next [`Print::flush`], or line by line on a terminal), so
//! that both streams into one file give the same order of lines as the real tool.

use std::fmt::Display;

/// What a piece of text is, for `-c` (`enum color_attr`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Color {
    /// An interface's name.
    IfName,
    /// A link-layer address.
    Mac,
    /// An IPv4 address.
    Inet,
    /// An IPv6 address.
    Inet6,
    /// The state `UP`.
    OperStateUp,
    /// The state `DOWN`.
    OperStateDown,
    /// No colour.
    None,
}

impl Color {
    fn code(self, dark: bool) -> Option<&'static str> {
        let (light_code, dark_code) = match self {
            Color::IfName => ("\x1b[36m", "\x1b[1;36m"),
            Color::Mac => ("\x1b[33m", "\x1b[1;33m"),
            Color::Inet => ("\x1b[35m", "\x1b[1;35m"),
            Color::Inet6 => ("\x1b[34m", "\x1b[1;34m"),
            Color::OperStateUp => ("\x1b[32m", "\x1b[1;32m"),
            Color::OperStateDown => ("\x1b[31m", "\x1b[1;31m"),
            Color::None => return None,
        };
        Some(if dark { dark_code } else { light_code })
    }
}

const CLEAR: &str = "\x1b[0m";

/// How it is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// `-j`
    pub json: bool,
    /// `-p`
    pub pretty: bool,
    /// `-o`: lines are joined by a backslash.
    pub oneline: bool,
    /// `-c`, worked out: print colours.
    pub color: bool,
    /// `COLORFGBG` tells of a dark background.
    pub dark: bool,
    /// Standard output is a terminal: it is flushed line by line.
    pub tty: bool,
}

/// Where a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// The printer, and what it printed so far.
#[derive(Debug, Default)]
pub(super) struct Print {
    style: Style,
    json: Option<Json>,
    held: String,
    done: Vec<(Stream, String)>,
}

/// The state of the JSON writer: how deep, and whether a comma is due.
#[derive(Debug, Default)]
struct Json {
    depth: usize,
    comma: bool,
}

impl Print {
    /// A printer of this style.
    pub(super) fn new(style: Style) -> Print {
        Print { style, ..Print::default() }
    }

    /// True between [`Print::begin`] and [`Print::end`] with `-j`.
    pub(super) fn is_json(&self) -> bool {
        self.json.is_some()
    }

    /// What was printed since the last call, in order, standard output flushed.
    pub(super) fn take(&mut self) -> Vec<(Stream, String)> {
        self.flush();
        std::mem::take(&mut self.done)
    }

    /// `fflush(stdout)`
    pub(super) fn flush(&mut self) {
        if !self.held.is_empty() {
            self.done.push((Stream::Out, std::mem::take(&mut self.held)));
        }
    }

    /// Prints on standard error (with its newline).
    pub(super) fn error(&mut self, text: &str) {
        if !text.is_empty() {
            self.done.push((Stream::Err, text.to_owned()));
        }
    }

    /// Prints on standard output, in whatever style.
    pub(super) fn raw(&mut self, text: &str) {
        self.held.push_str(text);
        if self.style.tty
            && let Some(end) = self.held.rfind('\n')
        {
            let rest = self.held.split_off(end + 1);
            self.flush();
            self.held = rest;
        }
    }

    // people only

    /// `PRINT_FP`: for people only.
    pub(super) fn text(&mut self, text: &str) {
        if !self.is_json() {
            self.raw(text);
        }
    }

    /// The same with a colour.
    pub(super) fn text_in(&mut self, color: Color, text: &str) {
        if self.is_json() {
            return;
        }
        match color.code(self.style.dark).filter(|_| self.style.color) {
            Some(code) => self.raw(&format!("{code}{text}{CLEAR}")),
            None => self.raw(text),
        }
    }

    /// `print_nl()`: the end of a line that `-o` joins with the next.
    pub(super) fn nl(&mut self) {
        self.text(self.separator());
    }

    /// `_SL_`
    pub(super) fn separator(&self) -> &'static str {
        if self.style.oneline { "\\" } else { "\n" }
    }

    // both

    /// A string: `"key":"value"`, and `text` with `{}` replaced by it.
    pub(super) fn string(&mut self, key: &str, text: &str, value: &str) {
        self.string_in(Color::None, key, text, value);
    }

    /// The same with a colour, which covers all of `text`.
    pub(super) fn string_in(&mut self, color: Color, key: &str, text: &str, value: &str) {
        if self.is_json() {
            self.json_string(key, value);
        } else {
            self.text_in(color, &filled(text, value));
        }
    }

    /// A number: `"key":5`, and `text` with `{}` replaced by it.
    pub(super) fn number(&mut self, key: &str, text: &str, value: impl Display) {
        if self.is_json() {
            self.json_number(key, value);
        } else {
            self.text(&filled(text, &value.to_string()));
        }
    }

    /// `print_0xhex()`: `"key":"0x10"`, and `text` with `{}` replaced by `0x10` (0 is `0`, as `%#x` has it).
    pub(super) fn hex(&mut self, key: &str, text: &str, value: u64) {
        let hex = if value == 0 { "0".to_owned() } else { format!("{value:#x}") };
        self.string(key, text, &hex);
    }

    /// A truth: `"key":true`, and `text` as it stands, or `true`/`false` for its `{}`.
    pub(super) fn boolean(&mut self, key: &str, text: &str, value: bool) {
        if self.is_json() {
            self.json_bool(key, value);
        } else {
            self.text(&filled(text, if value { "true" } else { "false" }));
        }
    }

    /// `"key":null`, and `text`.
    pub(super) fn null(&mut self, key: &str, text: &str) {
        if self.is_json() {
            self.json_null(key);
        } else {
            self.text(text);
        }
    }

    /// A string of an array: it has no key.
    pub(super) fn element(&mut self, text: &str, value: &str) {
        self.string("", text, value);
    }

    // JSON only. An empty key is none: an array's element.

    /// `PRINT_JSON`: a string, in JSON only.
    pub(super) fn json_string(&mut self, key: &str, value: &str) {
        self.json_value(key, &quoted(value));
    }

    /// A number, in JSON only.
    pub(super) fn json_number(&mut self, key: &str, value: impl Display) {
        self.json_value(key, &value.to_string());
    }

    /// A truth, in JSON only.
    pub(super) fn json_bool(&mut self, key: &str, value: bool) {
        self.json_value(key, if value { "true" } else { "false" });
    }

    /// `null`, in JSON only.
    pub(super) fn json_null(&mut self, key: &str) {
        self.json_value(key, "null");
    }

    // structure

    /// `new_json_obj()`: with `-j`, JSON from here on, in an array.
    pub(super) fn begin(&mut self) {
        if self.style.json {
            self.json = Some(Json::default());
            self.json_open("", "[");
        }
    }

    /// `delete_json_obj()`
    pub(super) fn end(&mut self) {
        if self.is_json() {
            self.json_close_array();
            self.json = None;
            self.raw("\n");
            self.flush();
        }
    }

    /// `open_json_object(NULL)`
    pub(super) fn open_object(&mut self) {
        self.json_open("", "{");
    }

    /// `open_json_object(key)`
    pub(super) fn open_object_named(&mut self, key: &str) {
        self.json_open(key, "{");
    }

    /// `close_json_object()`
    pub(super) fn close_object(&mut self) {
        self.json_close("}");
    }

    /// `open_json_array(PRINT_ANY, …)`, with separate words for JSON and for people.
    pub(super) fn open_array(&mut self, key: &str, text: &str) {
        self.text(text);
        self.json_open(key, "[");
    }

    /// `close_json_array(PRINT_ANY, …)`
    pub(super) fn close_array(&mut self, text: &str) {
        self.text(text);
        self.json_close_array();
    }

    // the writer

    fn json_value(&mut self, key: &str, value: &str) {
        if self.is_json() {
            self.json_key(key);
            self.json_comma();
            self.raw(value);
        }
    }

    /// The comma that is due, and from now on one is.
    fn json_comma(&mut self) {
        let due = self.json.as_mut().map(|json| std::mem::replace(&mut json.comma, true));
        if due == Some(true) {
            self.raw(",");
        }
    }

    fn json_key(&mut self, key: &str) {
        if key.is_empty() {
            return;
        }
        self.json_comma();
        self.json_line();
        self.json_no_comma();
        self.raw(&quoted(key));
        self.raw(if self.style.pretty { ": " } else { ":" });
    }

    fn json_open(&mut self, key: &str, bracket: &str) {
        if !self.is_json() {
            return;
        }
        self.json_key(key);
        self.json_comma();
        self.raw(bracket);
        if let Some(json) = &mut self.json {
            json.depth += 1;
            json.comma = false;
        }
        if bracket == "[" && self.style.pretty {
            self.raw(" ");
        }
    }

    fn json_close_array(&mut self) {
        let filled = self.json.as_ref().is_some_and(|json| json.comma);
        if filled && self.style.pretty {
            self.raw(" ");
        }
        self.json_no_comma();
        self.json_close("]");
    }

    fn json_close(&mut self, bracket: &str) {
        let Some(json) = &mut self.json else { return };
        json.depth = json.depth.saturating_sub(1);
        if json.comma {
            self.json_line();
        }
        self.raw(bracket);
        if let Some(json) = &mut self.json {
            json.comma = true;
        }
    }

    fn json_no_comma(&mut self) {
        if let Some(json) = &mut self.json {
            json.comma = false;
        }
    }

    fn json_line(&mut self) {
        if let Some(json) = self.json.as_ref().filter(|_| self.style.pretty) {
            let line = format!("\n{}", "    ".repeat(json.depth));
            self.raw(&line);
        }
    }
}

/// `text` with its `{}` replaced.
fn filled(text: &str, value: &str) -> String {
    match text.split_once("{}") {
        Some((before, after)) => format!("{before}{value}{after}"),
        None => text.to_owned(),
    }
}

/// A JSON string with the escapes that iproute2 knows, and no others.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '\t' => quoted.push_str("\\t"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\x0c' => quoted.push_str("\\f"),
            '\x08' => quoted.push_str("\\b"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(style: Style) -> String {
        let mut print = Print::new(style);
        print.begin();
        for (name, tags) in [("lo", &["A", "B"][..]), ("x\"y", &[][..])] {
            print.open_object();
            print.string_in(Color::IfName, "ifname", "{}: ", name);
            print.open_array("flags", "<");
            for tag in tags {
                print.element("{},", tag);
            }
            print.close_array("> ");
            print.number("mtu", "mtu {}", 1500);
            print.nl();
            print.boolean("up", "", true);
            print.close_object();
            print.text("\n");
        }
        print.end();
        print.take().into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn plain_oneline_and_coloured() {
        assert_eq!(sample(Style::default()), "lo: <A,B,> mtu 1500\n\nx\"y: <> mtu 1500\n\n");
        let oneline = Style { oneline: true, ..Style::default() };
        assert_eq!(sample(oneline), "lo: <A,B,> mtu 1500\\\nx\"y: <> mtu 1500\\\n");
        let color = Style { color: true, ..Style::default() };
        assert!(sample(color).starts_with("\x1b[36mlo: \x1b[0m<A,B,> "));
    }

    #[test]
    fn json_compact_and_pretty() {
        let json = Style { json: true, ..Style::default() };
        let compact = r#"[{"ifname":"lo","flags":["A","B"],"mtu":1500,"up":true},"#;
        assert_eq!(sample(json), format!("{compact}{}\n", r#"{"ifname":"x\"y","flags":[],"mtu":1500,"up":true}]"#));
        let pretty = Style { pretty: true, ..json };
        let expected = "[ {\n        \"ifname\": \"lo\",\n        \"flags\": [ \"A\",\"B\" ],\n        \"mtu\": 1500,\n        \
                        \"up\": true\n    },{\n        \"ifname\": \"x\\\"y\",\n        \"flags\": [ ],\n        \
                        \"mtu\": 1500,\n        \"up\": true\n    } ]\n";
        assert_eq!(sample(pretty), expected);
    }

    #[test]
    fn an_empty_listing_in_json() {
        for (pretty, expected) in [(false, "[]\n"), (true, "[ ]\n")] {
            let mut print = Print::new(Style { json: true, pretty, ..Style::default() });
            print.begin();
            print.end();
            assert_eq!(print.take(), [(Stream::Out, expected.to_owned())]);
        }
    }

    #[test]
    fn errors_overtake_what_is_not_flushed_but_not_on_a_terminal() {
        for (tty, first) in [(false, Stream::Err), (true, Stream::Out)] {
            let mut print = Print::new(Style { tty, ..Style::default() });
            print.text("one\ntw");
            print.error("no\n");
            assert_eq!(print.take().first().map(|(stream, _)| *stream), Some(first));
        }
    }
}
