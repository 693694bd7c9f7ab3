//! What is asked, and sent.

use super::super::Curl;
use super::super::options::Data;
use super::{Failure, Transfer, failure};
use crate::userland::http::{Fault, Url};

impl Transfer<'_, '_> {
    /// Sends the request.
    pub(super) async fn ask(&mut self, url: &Url) -> Result<(), Failure> {
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
}

/// What `-d` says, of all its words together.
pub(in super::super) async fn data(curl: &Curl<'_>) -> Option<Vec<u8>> {
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
