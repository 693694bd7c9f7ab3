//! What is answered: its head, its body, and where that is written.

use super::{Failure, Sink, Transfer, failure};
use crate::userland::http::{Body, Fault, Head};

impl Transfer<'_, '_> {
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

    pub(super) fn unread(&mut self) -> &mut Vec<u8> {
        match &mut self.curl.kept {
            Some(kept) => &mut kept.stream.unread,
            None => &mut self.curl.nothing,
        }
    }

    /// Reads the reply's head; none if it has none (HTTP/0.9, if that is allowed).
    pub(super) async fn read_head(&mut self) -> Result<Option<Head>, Failure> {
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
    pub(super) async fn read_body(&mut self, mut body: Body, next: Option<&String>) -> Result<(), Failure> {
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
