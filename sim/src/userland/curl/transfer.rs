//! One URL: connect, ask, read the reply, follow where it leads.

mod connect;
mod reply;
mod request;

pub(super) use request::data;

use super::Curl;
use super::meter::Meter;
use super::options::{Options, Output};
use crate::userland::OutFile;
use crate::userland::http::{Body, NoUrl, Url};
use std::net::Ipv4Addr;
use vethlab_engine::control::Errno;
use vethlab_engine::time::{Duration, Time};

/// Curl's own number of an error, and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: i32,
    pub(super) text: String,
}

pub(super) fn failure<T>(code: i32, text: impl Into<String>) -> Result<T, Failure> {
    Err(Failure { code, text: text.into() })
}

/// What `-w` can tell of a transfer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    pub(super) url: String,
    pub(super) method: String,
    pub(super) status: u16,
    pub(super) minor: Option<u8>,
    pub(super) content_type: String,
    pub(super) redirect_to: String,
    pub(super) redirects: u64,
    pub(super) connects: u64,
    pub(super) headers: usize,
    pub(super) header_bytes: usize,
    pub(super) request_bytes: usize,
    pub(super) downloaded: u64,
    pub(super) uploaded: u64,
    pub(super) local: Option<(Ipv4Addr, u16)>,
    pub(super) remote: Option<(Ipv4Addr, u16)>,
    pub(super) file: String,
    /// Since the start, in seconds.
    pub(super) resolved: f64,
    pub(super) connected: f64,
    pub(super) ready: f64,
    pub(super) first: f64,
    pub(super) total: f64,
    pub(super) redirected: f64,
}

/// Where a body goes.
enum Sink {
    Stdout,
    /// A file, made when the first byte comes.
    File(String, Option<OutFile>),
}

pub(super) struct Transfer<'a, 'c> {
    curl: &'c mut Curl<'a>,
    options: &'a Options,
    pub(super) told: Told,
    meter: Meter<'a>,
    sink: Sink,
    began: Time,
    deadline: Time,
    post: Option<Vec<u8>>,
    /// What was said last begins with `{ [`.
    data_told: bool,
}

impl<'a, 'c> Transfer<'a, 'c> {
    /// Makes ready; the meter shows its first line.
    pub(super) fn new(
        curl: &'c mut Curl<'a>,
        output: Option<&Output>,
        url: &str,
        heading: bool,
    ) -> Result<Self, Failure> {
        let (p, options) = (curl.p, curl.options);
        let sink = match output {
            None => Sink::Stdout,
            Some(Output::File(name)) if name == "-" => Sink::Stdout,
            Some(Output::File(name)) => Sink::File(name.clone(), None),
            Some(Output::Remote) => {
                let path = Url::parse(url).map(|url| url.path).unwrap_or_default();
                let name = path.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
                if name.is_empty() {
                    curl.complain("curl: Remote file name has no length!\n");
                    return failure(23, "Failed writing received data to disk/application");
                }
                Sink::File(name.to_string(), None)
            }
        };
        let shown = matches!(sink, Sink::Stdout) && p.tty();
        let meter = Meter::new(p, !options.silent && !options.no_meter && !shown, heading);
        let began = p.now();
        let deadline = if options.max_time > 0.0 { after(began, options.max_time) } else { Time::NEVER };
        let told = Told { url: url.to_string(), ..Told::default() };
        let post = curl.post.clone();
        Ok(Transfer { curl, options, told, meter, sink, began, deadline, post, data_told: false })
    }

    fn since(&self) -> f64 {
        self.curl.p.now().since(self.began).as_secs_f64()
    }

    fn millis(&self) -> u128 {
        self.curl.p.now().since(self.began).as_millis()
    }

    /// `-v`: a line about what happens.
    fn say(&mut self, text: &str) {
        self.data_told = false;
        if self.options.verbose {
            self.curl.p.err(&format!("* {text}\n"));
        }
    }

    fn say_lines(&mut self, mark: char, lines: &str) {
        self.data_told = false;
        if self.options.verbose {
            lines.split_inclusive('\n').for_each(|line| self.curl.p.err(&format!("{mark} {line}")));
        }
    }

    fn say_data(&mut self, mark: char, bytes: usize) {
        let shown = matches!(self.sink, Sink::Stdout) && self.curl.p.tty();
        if self.options.verbose && !std::mem::replace(&mut self.data_told, true) && !shown {
            self.curl.p.err(&format!("{mark} [{bytes} bytes data]\n"));
        }
    }

    /// Does it all.
    pub(super) async fn run(&mut self, url: &str) -> Result<(), Failure> {
        let mut url = url.to_string();
        loop {
            let place = place(&url)?;
            self.told.url = place.text();
            let next = self.visit(&place).await;
            let next = match next {
                Ok(next) => next,
                Err(why) => {
                    self.finish();
                    if !["Timeout", ""].contains(&why.text.as_str()) {
                        self.close();
                    }
                    return Err(why);
                }
            };
            let Some(next) = next else {
                self.finish();
                self.leave(&place);
                return Ok(());
            };
            self.leave(&place);
            if self.options.max_redirects >= 0 && self.told.redirects >= self.options.max_redirects as u64 {
                self.finish();
                return failure(47, format!("Maximum ({}) redirects followed", self.options.max_redirects));
            }
            self.told.redirects += 1;
            self.told.redirected = self.since();
            self.say(&format!("Issue another request to this URL: '{next}'"));
            if self.post.is_some() && matches!(self.told.status, 301..=303) {
                self.say("Switch from POST to GET");
                self.post = None;
            }
            url = next;
        }
    }

    fn finish(&mut self) {
        self.told.total = self.since();
        self.told.downloaded = self.meter.received;
        self.told.uploaded = self.meter.sent;
        self.meter.done();
    }

    /// The connection stays open for the next URL, or not.
    fn leave(&mut self, url: &Url) {
        match &self.curl.kept {
            Some(kept) if kept.usable => {
                let text = format!("Connection #{} to host {} left intact", kept.number, url.host);
                self.say(&text);
            }
            _ => self.close(),
        }
    }

    fn close(&mut self) {
        let number = self.curl.kept.as_ref().map(|kept| kept.number);
        if let Some(kept) = self.curl.kept.take() {
            kept.stream.close();
        }
        if let Some(number) = number.or(self.curl.opening.take()) {
            self.say(&format!("Closing connection {number}"));
        }
    }

    /// One request and its reply; where to go on, if it says so.
    async fn visit(&mut self, url: &Url) -> Result<Option<String>, Failure> {
        let address = self.address(url)?;
        self.told.resolved = self.since();
        let reused = self.connect(url, address).await?;
        self.told.connected = if reused { self.told.connected } else { self.since() };
        self.told.ready = self.since();
        self.ask(url).await?;
        let head = match self.read_head().await {
            Err(why) if why.code == 52 && reused => {
                // The server closed it in the meantime.
                self.say("Connection died, retrying a fresh connect");
                self.close();
                self.connect(url, address).await?;
                self.ask(url).await?;
                self.read_head().await?
            }
            head => head?,
        };
        let Some(head) = head else {
            return self.read_body(Body::ToTheEnd, None).await.map(|()| None);
        };
        let target = head.field("Location").filter(|_| (300..400).contains(&head.status));
        let next = target.map(|target| url.follow(target));
        self.told.redirect_to = next.clone().unwrap_or_default();
        let next = next.filter(|_| self.options.follow);
        let body = head.body(self.options.head);
        self.meter.expected = head.field("Content-Length").and_then(|length| length.parse().ok());
        if let Some(kept) = &mut self.curl.kept {
            kept.usable = head.keeps_alive() && body != Body::ToTheEnd;
        }
        self.read_body(body, next.as_ref()).await?;
        if self.options.fail_with_body && head.status >= 400 {
            return failure(22, format!("The requested URL returned error: {}", head.status));
        }
        Ok(next)
    }

    fn broken<T>(&mut self, code: i32, what: &str, errno: Errno) -> Result<T, Failure> {
        let text = format!("{what} failure: {}", errno.text());
        self.say(&text);
        failure(code, text)
    }

    fn late<T>(&mut self) -> Result<T, Failure> {
        let of = self.meter.expected.map_or(String::new(), |whole| format!(" out of {whole}"));
        let received = self.meter.received;
        let text =
            format!("Operation timed out after {} milliseconds with {received}{of} bytes received", self.millis());
        self.say(&text);
        failure(28, text)
    }
}

fn place(url: &str) -> Result<Url, Failure> {
    match Url::parse(url) {
        Ok(url) => Ok(url),
        Err(NoUrl::Scheme(scheme)) => failure(1, format!("Protocol \"{scheme}\" not supported or disabled in libcurl")),
        Err(NoUrl::Bad) => failure(3, "URL using bad/illegal format or missing URL"),
        Err(NoUrl::V6) => failure(4, "IPv6 is not simulated"),
    }
}

/// So many seconds later.
fn after(time: Time, seconds: f64) -> Time {
    time + Duration::from_micros((seconds * 1e6) as u64)
}
