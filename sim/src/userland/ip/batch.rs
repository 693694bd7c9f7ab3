//! `ip -batch FILE`: a command a line, `#` comments, lines continued by a backslash, words in quotes.

use super::Ip;
use super::args::Stop;

/// A line of a batch, cut into words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The number of its last line in the file.
    number: usize,
    /// Its words, or what is wrong with them: a quote that does not end, ends the whole batch.
    words: Result<Vec<String>, &'static str>,
}

impl Ip {
    /// Carries out all commands of a file. A failed one ends it, unless `-force`; the status then is 1.
    pub(super) async fn batch(&mut self, name: &str) -> Result<(), Stop> {
        let text = match self.p.file(name).await {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(why) => return Err(Stop::fail(1, format!("Cannot open file \"{name}\" for reading: {why}\n"))),
        };
        let family = self.opts.family;
        let (lines, complete) = lines(&text);
        let mut failed = false;
        for line in lines {
            let words = line.words.map_err(|why| Stop::quit(1, why))?;
            self.opts.family = family;
            let end = self.command(&words);
            match end {
                Ok(()) => {}
                Err(Stop::Fail(_, text)) => {
                    self.print.error(&text);
                    self.print.error(&format!("Command failed {name}:{}\n", line.number));
                    failed = true;
                }
                Err(stop) => return Err(stop),
            }
            self.show();
            if failed && !self.opts.force {
                return Err(Stop::fail(1, ""));
            }
        }
        if !complete {
            self.print.error("Missing continuation line\n");
        }
        if failed { Err(Stop::fail(1, "")) } else { Ok(()) }
    }
}

/// The commands of a batch; false if its end is a backslash.
pub(super) fn lines(text: &str) -> (Vec<Line>, bool) {
    let mut lines = Vec::new();
    let mut physical = text.split_inclusive('\n').enumerate().map(|(at, line)| (at + 1, uncommented(line)));
    while let Some((mut number, line)) = physical.next() {
        let mut command = line.to_owned();
        while let Some(at) = command.find("\\\n") {
            let Some((next, more)) = physical.next() else { return (lines, false) };
            number = next;
            command.truncate(at);
            command.push_str(more);
        }
        let words = words(&command);
        if words != Ok(Vec::new()) {
            lines.push(Line { number, words });
        }
    }
    (lines, true)
}

fn uncommented(line: &str) -> &str {
    line.split_once('#').map_or(line, |(command, _)| command)
}

/// `makeargs()`: words between blanks; one that begins with a quote ends with it.
fn words(line: &str) -> Result<Vec<String>, &'static str> {
    /// Words of one command, as many as iproute2 has room for.
    const MOST: usize = 511;
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        if rest.is_empty() {
            return Ok(words);
        }
        if words.len() >= MOST {
            return Err("Too many arguments to command\n");
        }
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let end = match quote {
            Some(quote) => {
                rest = &rest[1..];
                rest.find(quote).ok_or("Unterminated quoted string\n")?
            }
            None => rest.find([' ', '\t', '\r', '\n']).unwrap_or(rest.len()),
        };
        words.push(rest[..end].to_owned());
        rest = rest.get(end + 1..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(text: &str) -> Vec<(usize, String)> {
        let (lines, _) = lines(text);
        lines.into_iter().map(|line| (line.number, line.words.unwrap().join("|"))).collect()
    }

    #[test]
    fn comments_continuations_and_quotes() {
        let text = "# head\n\nlink add a\\\n  type veth # why\n addr 'x y'\t\"\" z\nroute";
        let expected = [(4, "link|add|a|type|veth"), (5, "addr|x y||z"), (6, "route")];
        assert_eq!(commands(text), expected.map(|(at, line)| (at, line.to_owned())));
    }

    /// `do_link` of iproute2 stays set: later listings of one link tell of the link alone.
    #[test]
    fn a_listing_of_links_is_not_forgotten() {
        let mut lab = crate::lab::Lab::new(crate::lab::Options::default());
        lab.provide("b", "addr show dev lo\nlink show dev lo\naddr show dev lo\n");
        let shown = lab.run("ip -o -batch b").stdout;
        let firsts: Vec<_> = shown.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
        assert_eq!(firsts, ["inet", "inet6", "<LOOPBACK,UP,LOWER_UP>", "<LOOPBACK,UP,LOWER_UP>"]);
    }

    #[test]
    fn a_batch_may_end_badly() {
        assert_eq!(lines("link \\\n"), (vec![], false));
        assert_eq!(words("link 'x"), Err("Unterminated quoted string\n"));
        assert_eq!(words(&"x ".repeat(512)), Err("Too many arguments to command\n"));
    }
}
