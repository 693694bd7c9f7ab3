//! `tcpdump` 4.99.3 with libpcap 1.10.3: what passes an interface, as text or as a capture file.

mod filter;
mod options;
mod pcap;
mod print;
mod session;

use super::Proc;
use crate::lab::Exit;
use options::{Options, Source};

/// The longest packet that is captured.
const MAXIMUM_SNAPLEN: usize = 262_144;

/// `tcpdump`
pub(super) async fn main(p: Proc) -> Exit {
    let options = match options::parse(&p) {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    let done = match &options.source {
        Source::List => Ok(session::list_devices(&p)),
        Source::File(path) => session::read(&p, &options, path).await,
        Source::Device(_) => session::listen(&p, &options).await,
    };
    Exit::Status(done.unwrap_or_else(|complaint| {
        p.err(&format!("{}: {complaint}\n", options.program));
        1
    }))
}

/// The expression: the words behind the options, or a file's content.
async fn expression(p: &Proc, options: &Options) -> Result<String, String> {
    let Some(path) = &options.filter_file else { return Ok(options.words.join(" ")) };
    let bytes = p.file(path).await.map_err(|why| format!("can't open {path}: {why}"))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let without_comment = |line: &str| line.split('#').next().unwrap_or("").to_string();
    Ok(text.lines().map(without_comment).collect::<Vec<_>>().join(" "))
}
