//! `wget` 1.21.3, for `http` alone.

mod options;

use self::options::{Options, parse};
use super::date::Date;
use super::http::{Body, Fault, From, Head, NoUrl, Stream, Url};
use super::quote::quoted;
use super::resolve::{Family, UNKNOWN, inet_aton, resolve};
use super::{OutFile, Proc};
use crate::lab::Exit;
use std::net::IpAddr;
use vethlab_engine::time::{Duration, Time};

/// A reply may lead on so often.
const MOST_REDIRECTS: usize = 20;
/// Numbers are appended to a name that is taken, up to this one.
const MOST_NAMES: u32 = 9999;
const GENERIC: i32 = 1;
const FILE: i32 = 3;
const NETWORK: i32 = 4;
const SERVER: i32 = 8;

/// `wget`
pub(crate) async fn main(p: Proc) -> Exit {
    let options = match parse(p.argv()) {
        Ok(options) => options,
        Err((out, err, status)) => {
            p.out(&out);
            p.err(&err);
            return Exit::Status(status);
        }
    };
    let mut wget = Wget { p: &p, options: &options, file: None };
    if let Err(status) = wget.open_output().await {
        return Exit::Status(status);
    }
    let mut status = 0;
    for url in &options.urls {
        let ended = wget.get(url).await.err().unwrap_or(0);
        status = if status == 0 { ended } else { status };
    }
    Exit::Status(status)
}

/// Why one attempt came to nothing.
enum Failed {
    /// With this status.
    For(i32),
    /// It may be tried again.
    Once,
}

struct Wget<'a> {
    p: &'a Proc,
    options: &'a Options,
    /// `-O`
    file: Option<OutFile>,
}

impl Wget<'_> {
    /// What is told unless `-q` or `-nv` say otherwise.
    fn log(&self, text: &str) {
        if !self.options.quiet && !self.options.terse {
            self.p.err(text);
        }
    }

    fn complain(&self, text: &str) {
        if !self.options.quiet {
            self.p.err(text);
        }
    }

    fn moment(&self) -> String {
        let date = Date::now(self.p);
        format!("{:04}-{:02}-{:02} {}", date.year, date.month, date.day, date.clock())
    }

    /// A file that `-O` names is made before anything else.
    async fn open_output(&mut self) -> Result<(), i32> {
        let Some(name) = self.options.output.as_ref().filter(|name| *name != "-") else { return Ok(()) };
        match self.p.create(name, false).await {
            Ok(file) => self.file = Some(file),
            Err(why) => {
                self.p.err(&format!("{name}: {why}\n"));
                return Err(GENERIC);
            }
        }
        Ok(())
    }

    /// One URL, as often as it takes.
    async fn get(&mut self, text: &str) -> Result<(), i32> {
        let mut url = self.place(text)?;
        if self.options.spider {
            self.log("Spider mode enabled. Check if remote file exists.\n");
        }
        let (mut tries, mut redirects) = (1, 0);
        loop {
            let again = if tries > 1 { format!("(try:{tries:2})  ") } else { String::new() };
            self.log(&format!("--{}--  {again}{}\n", self.moment(), url.text()));
            match self.try_once(&url).await {
                Ok(None) => return Ok(()),
                Ok(Some(_)) if redirects >= MOST_REDIRECTS => {
                    self.complain(&format!("{MOST_REDIRECTS} redirections exceeded.\n"));
                    return Err(SERVER);
                }
                Ok(Some(next)) => {
                    redirects += 1;
                    url = self.place(&next)?;
                }
                Err(Failed::For(status)) => return Err(status),
                Err(Failed::Once) if tries == self.options.tries => {
                    self.log("Giving up.\n\n");
                    return Err(NETWORK);
                }
                Err(Failed::Once) => {
                    self.log("Retrying.\n\n");
                    self.p.sleep_until(self.p.now() + Duration::from_secs(tries.min(10))).await;
                    tries += 1;
                }
            }
        }
    }

    fn place(&self, text: &str) -> Result<Url, i32> {
        let why = match Url::parse(text) {
            Ok(url) => return Ok(url),
            Err(NoUrl::Scheme(scheme)) if scheme == "https" => format!("{text}: HTTPS support not compiled in."),
            Err(NoUrl::Scheme(scheme)) => format!("{text}: Unsupported scheme {}.", quoted(self.p, &scheme)),
            Err(NoUrl::V6) => format!("{text}: IPv6 is not simulated."),
            Err(NoUrl::Bad) => format!("{text}: Invalid host name."),
        };
        if !self.options.quiet {
            self.p.err(&format!("{why}\n"));
        }
        Err(GENERIC)
    }

    fn until(&self) -> Time {
        match self.options.timeout {
            0.0 => Time::NEVER,
            seconds => self.p.now() + Duration::from_micros((seconds * 1e6) as u64),
        }
    }

    async fn connect(&self, url: &Url) -> Result<Stream<'_>, Failed> {
        let host = &url.host;
        let address = if let Some(address) = inet_aton(host) {
            self.log(&format!("Connecting to {host}:{}... ", url.port));
            address
        } else {
            self.log(&format!("Resolving {host} ({host})... "));
            let Ok(IpAddr::V4(address)) = resolve(host, Family::V4) else {
                self.log(&format!("failed: {UNKNOWN}.\n"));
                self.complain(&format!("wget: unable to resolve host address {}\n", quoted(self.p, host)));
                return Err(Failed::For(NETWORK));
            };
            self.log(&format!("{address}\nConnecting to {host} ({host})|{address}|:{}... ", url.port));
            address
        };
        let stream = match Stream::begin(self.p, (address, url.port), From::default()) {
            Ok(stream) => stream.connected(self.until()).await.map(|()| stream),
            Err(why) => Err(why),
        };
        let why = match stream {
            Ok(stream) => {
                self.log("connected.\n");
                return Ok(stream);
            }
            Err(Fault::Errno(errno) | Fault::Bind(errno)) => errno.text(),
            Err(Fault::Late) => "Connection timed out",
        };
        self.log(&format!("failed: {why}.\n"));
        Err(if why == "Connection timed out" { Failed::Once } else { Failed::For(NETWORK) })
    }

    /// One request; where it leads on, if it does.
    async fn try_once(&self, url: &Url) -> Result<Option<String>, Failed> {
        let mut stream = self.connect(url).await?;
        let method = if self.options.spider { "HEAD" } else { "GET" };
        let request = format!(
            "{method} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: Wget/1.21.3\r\nAccept: */*\r\nAccept-Encoding: identity\r\n\
             Connection: Keep-Alive\r\n\r\n",
            url.path,
            url.host_field()
        );
        self.log("HTTP request sent, awaiting response... ");
        let sent = stream.send(request.as_bytes(), self.until()).await;
        let head = match sent {
            Ok(()) => read_head(&mut stream, self.options.timeout, self.p).await,
            Err(why) => Err(why),
        };
        let head = match head {
            Ok(Some(head)) => head,
            Ok(None) => {
                self.log("No data received.\n");
                return Err(Failed::Once);
            }
            Err(why) => {
                let why = if let Fault::Errno(errno) = why { errno.text() } else { "Connection timed out" };
                self.log(&format!("Read error ({why}) in headers.\n"));
                return Err(Failed::Once);
            }
        };
        self.tell_head(&head);
        let next = head.field("Location").filter(|_| (300..400).contains(&head.status));
        if let Some(target) = next {
            self.log(&format!("Location: {target} [following]\n"));
            return Ok(Some(url.follow(target)));
        }
        if head.status >= 400 {
            return Err(self.refused(url, &head));
        }
        self.tell_length(&head);
        if self.options.spider {
            self.log("Remote file exists.\n\n");
            return Ok(None);
        }
        self.save(url, &head, &mut stream).await.map(|()| None)
    }

    fn tell_head(&self, head: &Head) {
        let status = head.lines.first().map_or("", |line| line.trim_end());
        if self.options.show_head {
            let lines: String = head.lines.iter().map(|line| format!("  {}\n", line.trim_end())).collect();
            self.complain(&format!("\n{}", lines.trim_end_matches(' ').trim_end_matches("  \n")));
        } else {
            self.log(&format!("{}\n", status.split_once(' ').map_or("", |(_, rest)| rest)));
        }
    }

    fn refused(&self, url: &Url, head: &Head) -> Failed {
        let status = head.lines.first().map_or("", |line| line.trim_end());
        let reason = status.splitn(3, ' ').nth(2).unwrap_or_default();
        if self.options.spider {
            self.log("Remote file does not exist -- broken link!!!\n\n");
        } else {
            let before = if self.options.terse { format!("{}:\n", url.text()) } else { String::new() };
            let after = if self.options.terse { "" } else { "\n" };
            self.complain(&format!("{before}{} ERROR {}: {reason}.\n{after}", self.moment(), head.status));
        }
        Failed::For(SERVER)
    }

    fn tell_length(&self, head: &Head) {
        let kind = head.field("Content-Type").and_then(|kind| kind.split(';').next());
        let kind = kind.map_or(String::new(), |kind| format!(" [{}]", kind.trim()));
        let length = head.field("Content-Length").and_then(|length| length.parse::<u64>().ok());
        let length = length.map_or("unspecified".to_string(), |length| match length {
            0..1024 => length.to_string(),
            _ => format!("{length} ({})", human(length)),
        });
        self.log(&format!("Length: {length}{kind}\n"));
    }

    /// A name that is not taken: `index.html`, `index.html.1` …
    async fn free_name(&self, url: &Url) -> String {
        let path = url.path.split('?').next().unwrap_or_default();
        let name = path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("index.html");
        let query = url.path.split_once('?').map_or(String::new(), |(_, query)| format!("?{query}"));
        let folder = self.options.prefix.as_ref().map_or(String::new(), |prefix| format!("{prefix}/"));
        let name = format!("{folder}{name}{query}");
        let mut free = name.clone();
        for number in 1..MOST_NAMES {
            if self.p.look(&free).await.is_err() {
                break;
            }
            free = format!("{name}.{number}");
        }
        free
    }

    async fn save(&self, url: &Url, head: &Head, stream: &mut Stream<'_>) -> Result<(), Failed> {
        let to_stdout = self.options.output.as_deref() == Some("-");
        let name = match &self.options.output {
            Some(name) if to_stdout => {
                if self.options.terse {
                    name.clone()
                } else {
                    "STDOUT".to_string()
                }
            }
            Some(name) => name.clone(),
            None => self.free_name(url).await,
        };
        self.log(&format!("Saving to: {}\n\n", quoted(self.p, &name)));
        let began = self.p.now();
        let mut body = head.body(false);
        let whole = if let Body::Length(length) = body { Some(length) } else { None };
        let mut content = Vec::new();
        loop {
            let Ok(piece) = body.take(&mut stream.unread) else { return Err(Failed::For(NETWORK)) };
            content.extend(piece);
            if matches!(body, Body::Over | Body::Length(0)) {
                break;
            }
            match stream.fill(self.until()).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => return Err(Failed::Once),
            }
        }
        if to_stdout {
            self.p.out_bytes(&content);
        } else {
            self.write(&name, &content).await?;
        }
        self.tell_saved(url, &name, content.len() as u64, whole, self.p.now().since(began).as_secs_f64());
        Ok(())
    }

    async fn write(&self, name: &str, content: &[u8]) -> Result<(), Failed> {
        let file = match self.file {
            Some(file) => Ok(file),
            None => self.p.create(name, false).await,
        };
        let written = match file {
            Ok(file) => self.p.write(file, content).await,
            Err(why) => Err(why),
        };
        written.map_err(|why| {
            self.complain(&format!("{name}: {why}\n\nCannot write to {} ({why}).\n", quoted(self.p, name)));
            Failed::For(FILE)
        })
    }

    fn tell_saved(&self, url: &Url, name: &str, size: u64, whole: Option<u64>, seconds: f64) {
        let sizes = whole.map_or(format!("[{size}]"), |whole| format!("[{size}/{whole}]"));
        if self.options.terse {
            self.complain(&format!("{} URL:{} {sizes} -> \"{name}\" [1]\n", self.moment(), url.text()));
            return;
        }
        let (rate, unit) = rate(size, seconds);
        let letter = unit.chars().next().filter(|letter| *letter != 'B').unwrap_or(' ');
        let mut rows = String::new();
        for row in 0..size / 51_200 {
            let at = whole.map_or(String::new(), |whole| format!(" {:3}%", (row + 1) * 51_200 * 100 / whole.max(1)));
            rows += &format!("{:6}K{}{at} {rate:>4}{letter} 0s\n", row * 50, " ..........".repeat(5));
        }
        let row = size / 51_200;
        let dots = (size % 51_200).div_ceil(1024).min(if size < 1024 { 0 } else { 50 }) as usize;
        let cells: String = (0..50)
            .map(|at| format!("{}{}", if at % 10 == 0 { " " } else { "" }, if at < dots { '.' } else { ' ' }))
            .collect();
        let at = whole.map_or(String::new(), |_| " 100%".to_string());
        rows += &format!("{:6}K{cells}{at} {rate:>4}{letter}={}s\n", row * 50, decimal(seconds));
        let saved =
            if name == "STDOUT" { "written to stdout".to_string() } else { format!("{} saved", quoted(self.p, name)) };
        self.log(&format!("{rows}\n{} ({rate} {unit}) - {saved} {sizes}\n\n", self.moment()));
    }
}

async fn read_head(stream: &mut Stream<'_>, timeout: f64, p: &Proc) -> Result<Option<Head>, Fault> {
    loop {
        if let Some(head) = Head::take(&mut stream.unread) {
            return Ok(Some(head));
        }
        let until = if timeout > 0.0 { p.now() + Duration::from_micros((timeout * 1e6) as u64) } else { Time::NEVER };
        if !stream.fill(until).await? {
            return Ok(None);
        }
    }
}

/// Bytes in a second, and of which size they are.
fn rate(bytes: u64, seconds: f64) -> (String, &'static str) {
    let mut rate = bytes as f64 / seconds.max(1e-6);
    let mut units = ["B/s", "KB/s", "MB/s", "GB/s"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while rate >= 1024.0 {
        let Some(larger) = units.next() else { break };
        (rate, unit) = (rate / 1024.0, larger);
    }
    let digits = if rate >= 99.95 || unit == "B/s" {
        0
    } else if rate >= 9.995 {
        1
    } else {
        2
    };
    (format!("{rate:.digits$}"), unit)
}

fn decimal(seconds: f64) -> String {
    match seconds {
        _ if seconds >= 9.95 => format!("{seconds:.0}"),
        _ if seconds >= 0.95 => format!("{seconds:.1}"),
        _ if seconds >= 0.095 => format!("{seconds:.1}"),
        _ if seconds >= 0.0095 => format!("{seconds:.2}"),
        _ if seconds >= 0.001 => format!("{seconds:.3}"),
        _ => "0".to_string(),
    }
}

/// `1.5K`
fn human(bytes: u64) -> String {
    let mut size = bytes as f64;
    let mut unit = ' ';
    for larger in ['K', 'M', 'G'] {
        if size < 1024.0 {
            break;
        }
        (size, unit) = (size / 1024.0, larger);
    }
    if size < 10.0 { format!("{size:.1}{unit}") } else { format!("{size:.0}{unit}") }
}

#[cfg(test)]
mod tests;
