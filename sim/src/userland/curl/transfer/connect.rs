//! The address of a URL's host, and the connection to it.

use super::super::Kept;
use super::{Failure, Transfer, after, failure};
use crate::userland::http::{Fault, From, Stream, Url};
use crate::userland::resolve::{Family, inet_aton, resolve};
use crate::userland::socket::device;
use std::net::{IpAddr, Ipv4Addr};

impl Transfer<'_, '_> {
    pub(super) fn address(&mut self, url: &Url) -> Result<Ipv4Addr, Failure> {
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
    pub(super) async fn connect(&mut self, url: &Url, address: Ipv4Addr) -> Result<bool, Failure> {
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
}
