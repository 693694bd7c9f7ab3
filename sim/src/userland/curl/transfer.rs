//! One URL: connect, ask, read the reply, follow where it leads.

use super::meter::Meter;
use super::options::{Data, Options, Output};
use super::{Curl, Kept};
use crate::userland::OutFile;
use crate::userland::http::{Body, Fault, From, Head, NoUrl, Stream, Url};
use crate::userland::resolve::{Family, inet_aton, resolve};
use crate::userland::socket::device;
use std::net::{IpAddr, Ipv4Addr};
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

    fn address(&mut self, url: &Url) -> Result<Ipv4Addr, Failure> {
        let pinned = self.options.resolve.iter().find(|(host, port, _)| *host == url.host && *port == url.port);
        if let Some((_, _, address)) = pinned {
            return Ok(*address);
        }
        match resolve(&url.host, Family::V4) {
            Ok(IpAddr::V4(address)) => Ok(address),
            _ => {
                let text = format!("Could not resolve host: {}", url.host);
                self.say(&text);
                self.curl.opening = Some(self.curl.connections);
                failure(6, text)
            }
        }
    }

    /// Connects, or takes the connection that is there; true if it does.
    async fn connect(&mut self, url: &Url, address: Ipv4Addr) -> Result<bool, Failure> {
        let to = (address, url.port);
        let fits = |kept: &Kept<'_>| kept.usable && kept.to == (url.host.clone(), url.port) && !kept.stream.is_gone();
        if let Some(number) = self.curl.kept.as_ref().filter(|kept| fits(kept)).map(|kept| kept.number) {
            self.say("Found bundle for host: 0x55d0c0ffee00 [serially]");
            self.say("Can not multiplex, even if we wanted to");
            self.say(&format!("Re-using existing connection #{number} with host {}", url.host));
            return Ok(true);
        }
        if let Some(old) = self.curl.kept.take() {
            old.stream.close();
        }
        let number = self.curl.connections;
        self.curl.connections += 1;
        self.curl.opening = Some(number);
        self.say(&format!("  Trying {address}:{}...", url.port));
        let from = self.from()?;
        let stream = match Stream::begin(self.curl.p, to, from) {
            Ok(stream) => stream,
            Err(Fault::Bind(errno)) => {
                return failure(45, format!("bind failed with errno {}: {}", errno.number(), errno.text()));
            }
            Err(Fault::Errno(errno)) => {
                self.say(&format!("Immediate connect fail for {address}: {}", errno.text()));
                return self.unreachable(url);
            }
            Err(Fault::Late) => return self.unreachable(url),
        };
        self.wait_for(&stream, url, address).await?;
        self.say(&format!("Connected to {} ({address}) port {} (#{number})", url.host, url.port));
        self.told.connects += 1;
        self.told.local = Some(self.curl.p.local_name(stream.socket));
        self.told.remote = Some(to);
        let to = (url.host.clone(), url.port);
        self.curl.kept = Some(Kept { stream, to, number, usable: true });
        self.curl.opening = None;
        Ok(false)
    }

    /// `--interface`: a device, or an address.
    fn from(&self) -> Result<From, Failure> {
        let Some(name) = &self.options.interface else { return Ok(From::default()) };
        if let Some(device) = device(self.curl.p, name) {
            return Ok(From { address: None, device: Some(device) });
        }
        match inet_aton(name) {
            Some(address) => Ok(From { address: Some(address), device: None }),
            None => failure(45, format!("Couldn't bind to '{name}'")),
        }
    }

    fn unreachable<T>(&mut self, url: &Url) -> Result<T, Failure> {
        self.failed_to_connect(url, 7, "Couldn't connect to server")
    }

    fn failed_to_connect<T>(&mut self, url: &Url, code: i32, why: &str) -> Result<T, Failure> {
        let text = format!("Failed to connect to {} port {} after {} ms: {why}", url.host, url.port, self.millis());
        self.say(&text);
        failure(code, text)
    }

    async fn wait_for(&mut self, stream: &Stream<'_>, url: &Url, address: Ipv4Addr) -> Result<(), Failure> {
        let patience = after(self.curl.p.now(), self.options.connect_timeout);
        loop {
            let until = self.meter.due().min(self.deadline).min(patience);
            let why = match stream.connected(until).await {
                Ok(()) => return Ok(()),
                Err(why) => why,
            };
            self.meter.update();
            let now = self.curl.p.now();
            match why {
                Fault::Errno(errno) | Fault::Bind(errno) => {
                    self.say(&format!("connect to {address} port {} failed: {}", url.port, errno.text()));
                    return self.unreachable(url);
                }
                Fault::Late if now >= self.deadline => {
                    let text = format!("Connection timed out after {} milliseconds", self.millis());
                    self.say(&text);
                    return failure(28, text);
                }
                Fault::Late if now >= patience => {
                    let millis = (self.options.connect_timeout * 1000.0) as u64;
                    self.say(&format!("ipv4 connect timeout after {millis}ms, move on!"));
                    return self.failed_to_connect(url, 28, "Timeout was reached");
                }
                Fault::Late => {}
            }
        }
    }

    /// Sends the request.
    async fn ask(&mut self, url: &Url) -> Result<(), Failure> {
        let (request, method) = self.request(url);
        self.told.method = method;
        self.told.request_bytes += request.len();
        self.send(request.as_bytes()).await?;
        self.say_lines('>', &request);
        if let Some(post) = self.post.clone() {
            self.meter.to_send = post.len() as u64;
            self.send(&post).await?;
            self.meter.sent += post.len() as u64;
            self.say_data('}', post.len());
        }
        Ok(())
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let until = self.deadline;
        let Some(kept) = &self.curl.kept else { return failure(7, "Couldn't connect to server") };
        match kept.stream.send(bytes, until).await {
            Ok(()) => Ok(()),
            Err(Fault::Errno(errno) | Fault::Bind(errno)) => self.broken(55, "Send", errno),
            Err(Fault::Late) => self.late(),
        }
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

    /// The request's head, and its method.
    fn request(&self, url: &Url) -> (String, String) {
        let options = self.options;
        let posts = self.post.is_some();
        let usual = if options.head {
            "HEAD"
        } else if posts {
            "POST"
        } else {
            "GET"
        };
        let method = options.method.clone().unwrap_or_else(|| usual.to_string());
        let path = match (&self.curl.query, url.path.contains('?')) {
            (Some(query), false) => format!("{}?{query}", url.path),
            (Some(query), true) => format!("{}&{query}", url.path),
            (None, _) => url.path.clone(),
        };
        let own = |name: &str| {
            let found =
                |line: &&String| line.split([':', ';']).next().is_some_and(|own| own.eq_ignore_ascii_case(name));
            options.headers.iter().find(found)
        };
        let value = |line: &String| line.split_once(':').map_or("", |(_, value)| value).trim().to_string();
        // Whoever answered in HTTP/1.0 is asked so from then on.
        let old = options.http10 || self.told.minor == Some(0);
        let mut text = format!("{method} {path} HTTP/1.{}\r\n", u8::from(!old));
        match own("Host").map(value) {
            Some(host) if host.is_empty() => {}
            Some(host) => text += &format!("Host: {host}\r\n"),
            None => text += &format!("Host: {}\r\n", url.host_field()),
        }
        let agent = options.agent.as_deref().unwrap_or("curl/7.88.1");
        if own("User-Agent").is_none() && !agent.is_empty() {
            text += &format!("User-Agent: {agent}\r\n");
        }
        if own("Accept").is_none() {
            text += "Accept: */*\r\n";
        }
        if let Some(referer) = options.referer.as_ref().filter(|_| own("Referer").is_none()) {
            text += &format!("Referer: {referer}\r\n");
        }
        for line in options.headers.iter().filter(|line| !line.to_ascii_lowercase().starts_with("host:")) {
            match (line.split_once(':'), line.strip_suffix(';')) {
                (Some((_, value)), _) if !value.trim().is_empty() => text += &format!("{line}\r\n"),
                (None, Some(name)) => text += &format!("{name}:\r\n"),
                _ => {}
            }
        }
        if let Some(post) = &self.post {
            text += &format!("Content-Length: {}\r\n", post.len());
            if own("Content-Type").is_none() {
                text += "Content-Type: application/x-www-form-urlencoded\r\n";
            }
        }
        (text + "\r\n", method)
    }

    /// Reads more of the reply; false at its end.
    async fn fill(&mut self) -> Result<bool, Failure> {
        loop {
            let until = self.meter.due().min(self.deadline);
            let Some(kept) = &mut self.curl.kept else { return Ok(false) };
            match kept.stream.fill(until).await {
                Ok(more) => return Ok(more),
                Err(Fault::Errno(errno) | Fault::Bind(errno)) => return self.broken(56, "Recv", errno),
                Err(Fault::Late) if self.curl.p.now() >= self.deadline => return self.late(),
                Err(Fault::Late) => self.meter.update(),
            }
        }
    }

    fn unread(&mut self) -> &mut Vec<u8> {
        match &mut self.curl.kept {
            Some(kept) => &mut kept.stream.unread,
            None => &mut self.curl.nothing,
        }
    }

    /// Reads the reply's head; none if it has none (HTTP/0.9, if that is allowed).
    async fn read_head(&mut self) -> Result<Option<Head>, Failure> {
        loop {
            while let Some(head) = Head::take(self.unread()) {
                self.heard(&head).await?;
                if head.status >= 200 {
                    return Ok(Some(head));
                }
            }
            let more = self.fill().await?;
            if self.told.first == 0.0 {
                self.told.first = self.since();
            }
            let unread = self.unread();
            let known = b"HTTP/".iter().zip(unread.iter()).all(|(known, byte)| known == byte);
            if !known && self.options.http09 {
                return Ok(None);
            }
            if !known {
                self.say("Received HTTP/0.9 when not allowed");
                return failure(1, "Received HTTP/0.9 when not allowed");
            }
            if !more {
                self.say("Empty reply from server");
                return failure(52, "Empty reply from server");
            }
        }
    }

    /// Tells of a head, and writes it where it is wanted.
    async fn heard(&mut self, head: &Head) -> Result<(), Failure> {
        self.told.status = head.status;
        self.told.minor = Some(head.minor);
        self.told.content_type = head.field("Content-Type").unwrap_or_default().to_string();
        self.told.headers = head.lines.len().saturating_sub(2);
        let fails = self.options.fail && head.status >= 400;
        let ends_anyhow = !head.keeps_alive();
        let endless = head.body(self.options.head) == Body::ToTheEnd && head.status >= 200;
        if head.minor == 0 && ends_anyhow {
            self.say("HTTP 1.0, assume close after body");
        }
        for (at, line) in head.lines.iter().enumerate() {
            let last = at + 1 == head.lines.len();
            if last && endless && !ends_anyhow && !fails {
                self.say("no chunk, no close, no size. Assume close to signal end");
            }
            if last && fails {
                let text = format!("The requested URL returned error: {}", head.status);
                self.say(&text);
                self.meter.expected = head.field("Content-Length").and_then(|length| length.parse().ok());
                return failure(22, text);
            }
            self.say_lines('<', line);
            self.told.header_bytes += line.len();
            if self.options.include || self.options.head {
                self.write(line.as_bytes()).await?;
            }
        }
        if let Some(file) = &self.options.dump_head {
            self.curl.dump_head(file, &head.lines.concat()).await?;
        }
        Ok(())
    }

    /// Reads the body; one that is followed by another request is not kept.
    async fn read_body(&mut self, mut body: Body, next: Option<&String>) -> Result<(), Failure> {
        loop {
            let before = self.unread().len();
            let Ok(content) = body.take(self.unread()) else {
                self.say("Problem (2) in the Chunked-Encoded data");
                return failure(56, "Problem (2) in the Chunked-Encoded data");
            };
            let raw = before - self.unread().len();
            if raw > 0 && next.is_none() {
                self.say_data('{', raw);
            }
            self.meter.received += content.len() as u64;
            if next.is_none() && !content.is_empty() {
                self.write(&content).await?;
            }
            match body {
                Body::Over => break,
                Body::Length(0) => break,
                _ => {}
            }
            if self.fill().await? {
                continue;
            }
            match body {
                Body::Length(left) => {
                    let text = format!("transfer closed with {left} bytes remaining to read");
                    self.say(&text);
                    return failure(18, text);
                }
                Body::Chunks { .. } => {
                    let text = "transfer closed with outstanding read data remaining";
                    self.say(text);
                    return failure(18, text);
                }
                Body::ToTheEnd | Body::Over => break,
            }
        }
        if next.is_none() { self.write(b"").await } else { Ok(()) }
    }

    /// Writes a piece where the body goes; a file is made even if there is nothing to write.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Sink::File(name, opened) = &mut self.sink else {
            self.curl.p.out_bytes(bytes);
            return Ok(());
        };
        self.told.file.clone_from(name);
        let file = match opened {
            Some(file) => *file,
            None => match self.curl.p.create(name, false).await {
                Ok(file) => *opened.insert(file),
                Err(why) => {
                    let text = format!("Failed to open the file {name}: {why}");
                    self.curl.warn(&text);
                    return failure(23, "Failure writing output to destination");
                }
            },
        };
        if self.curl.p.write(file, bytes).await.is_err() {
            return failure(23, "Failure writing output to destination");
        }
        Ok(())
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

/// What `-d` says, of all its words together.
pub(super) async fn data(curl: &Curl<'_>) -> Option<Vec<u8>> {
    let mut all: Vec<u8> = Vec::new();
    for (at, (kind, word)) in curl.options.data.iter().enumerate() {
        if at > 0 {
            all.push(b'&');
        }
        let file = word.strip_prefix('@').filter(|_| *kind != Data::Raw);
        let Some(file) = file else {
            all.extend(word.as_bytes());
            continue;
        };
        let content = match curl.p.file(file).await {
            Ok(content) => content,
            Err(_) => {
                curl.warn(&format!("Couldn't read data from file \"{file}\", this makes an empty POST."));
                Vec::new()
            }
        };
        let dropped = |byte: &u8| *kind == Data::Ascii && matches!(byte, b'\r' | b'\n' | 0);
        all.extend(content.into_iter().filter(|byte| !dropped(byte)));
    }
    (!curl.options.data.is_empty()).then_some(all)
}
