//! `curl` 7.88.1, for `http` alone.

mod meter;
mod options;
mod transfer;
mod writeout;

use self::options::Options;
use self::transfer::{Failure, Told, Transfer, data, failure};
use super::Proc;
use super::http::Stream;
use crate::lab::Exit;
use vethlab_engine::time::Duration;

const VERSION: &str = "\
curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1
Release-Date: 2023-02-20
Protocols: http
";
const HELP: &str = include_str!("curl/help.txt");
const TRY: &str = "curl: try 'curl --help' or 'curl --manual' for more information\n";
/// The width at which warnings are broken.
const WIDTH: usize = 79;
/// Statuses that `--retry` believes to pass.
const PASSING: [u16; 6] = [408, 429, 500, 502, 503, 504];

/// A connection that may serve more than one URL.
struct Kept<'a> {
    stream: Stream<'a>,
    to: (String, u16),
    number: u64,
    usable: bool,
}

/// What lasts longer than one URL.
struct Curl<'a> {
    p: &'a Proc,
    options: &'a Options,
    kept: Option<Kept<'a>>,
    /// The number of a connection that is not open yet.
    opening: Option<u64>,
    connections: u64,
    post: Option<Vec<u8>>,
    /// `-G`: data that goes into the URL.
    query: Option<String>,
    nothing: Vec<u8>,
}

/// `curl`
pub(crate) async fn main(p: Proc) -> Exit {
    let options = match options::parse(p.argv()) {
        Ok(options) => options,
        Err(why) => {
            p.err(&format!("curl: {why}\n{TRY}"));
            return Exit::Status(2);
        }
    };
    if options.version || options.help {
        p.out(if options.version { VERSION } else { HELP });
        return Exit::Status(0);
    }
    if options.urls.is_empty() {
        p.err(TRY);
        return Exit::Status(2);
    }
    let mut curl = Curl {
        p: &p,
        options: &options,
        kept: None,
        opening: None,
        connections: 0,
        post: None,
        query: None,
        nothing: Vec::new(),
    };
    let data = data(&curl).await;
    if options.get {
        curl.query = data.map(|data| String::from_utf8_lossy(&data).into_owned());
    } else {
        curl.post = data;
    }
    let mut status = 0;
    for (at, url) in options.urls.iter().enumerate() {
        status = curl.get(at, url).await;
    }
    Exit::Status(status)
}

impl Curl<'_> {
    /// One URL, as often as it takes.
    async fn get(&mut self, at: usize, url: &str) -> i32 {
        let (mut left, mut pause) = (self.options.retry, 1);
        let mut heading = true;
        loop {
            let (told, failed) = self.try_once(at, url, heading).await;
            heading = false;
            if let Some(why) = failed.as_ref().filter(|_| !self.options.silent || self.options.show_error) {
                self.p.err(&format!("curl: ({}) {}\n", why.code, why.text));
            }
            if let Some(reason) = self.reason_to_retry(&told, failed.as_ref()).filter(|_| left > 0) {
                let wait = if self.options.retry_delay > 0 { self.options.retry_delay } else { pause };
                self.warn(&format!("Problem {reason}. Will retry in {wait} seconds. {left} retries left."));
                self.p.sleep_until(self.p.now() + Duration::from_secs(wait)).await;
                left -= 1;
                pause = (pause * 2).min(600);
                continue;
            }
            if let Some(format) = &self.options.write_out {
                writeout::write(self.p, format, &told, failed.as_ref(), at);
            }
            return failed.map_or(0, |why| why.code);
        }
    }

    async fn try_once(&mut self, at: usize, url: &str, heading: bool) -> (Told, Option<Failure>) {
        let output = self.options.outputs.get(at).cloned();
        let mut transfer = match Transfer::new(self, output.as_ref(), url, heading) {
            Ok(transfer) => transfer,
            Err(why) => return (Told { url: url.to_string(), ..Told::default() }, Some(why)),
        };
        let failed = transfer.run(url).await.err();
        (std::mem::take(&mut transfer.told), failed)
    }

    fn reason_to_retry(&self, told: &Told, failed: Option<&Failure>) -> Option<&'static str> {
        match failed.map(|why| why.code) {
            Some(28 | 6) => Some(": timeout"),
            Some(7) if self.options.retry_refused => Some(": connection refused"),
            None | Some(22) if PASSING.contains(&told.status) => Some(": HTTP error"),
            Some(_) if self.options.retry_all => Some("(retrying all errors)"),
            _ => None,
        }
    }

    fn complain(&self, text: &str) {
        if !self.options.silent || self.options.show_error {
            self.p.err(text);
        }
    }

    /// A warning, broken into lines.
    fn warn(&self, text: &str) {
        if self.options.silent {
            return;
        }
        const PREFIX: &str = "Warning: ";
        let width = WIDTH - PREFIX.len();
        let mut rest = text;
        while rest.len() > width {
            let cut = rest.get(..width).and_then(|part| part.rfind(' ')).unwrap_or(width - 1);
            let Some((line, more)) = rest.split_at_checked(cut + 1) else { break };
            self.p.err(&format!("{PREFIX}{line}\n"));
            rest = more;
        }
        self.p.err(&format!("{PREFIX}{rest}\n"));
    }

    /// `-D`
    async fn dump_head(&self, file: &str, lines: &str) -> Result<(), Failure> {
        if file == "-" {
            self.p.out(lines);
            return Ok(());
        }
        let written = match self.p.create(file, false).await {
            Ok(opened) => self.p.write(opened, lines.as_bytes()).await,
            Err(why) => Err(why),
        };
        written.or_else(|_| failure(23, "Failed writing received data to disk/application"))
    }
}

#[cfg(test)]
mod tests;
