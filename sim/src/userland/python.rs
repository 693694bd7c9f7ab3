//! `python3`: of it, only `-m http.server` is ours; all else becomes the real one.

mod listing;
mod options;
mod reply;
mod server;

use self::options::Asked;
use super::Proc;
use super::becoming::exec;
use crate::lab::Exit;

/// `python3`
pub(crate) async fn main(p: Proc) -> Exit {
    match options::parse(p.argv()) {
        Asked::Another => exec(p.ns(), p.argv().to_vec()),
        Asked::Server(Ok(options)) => server::serve(&p, &options).await,
        Asked::Server(Err(options::Stop { out, err, status })) => {
            p.out(&out);
            p.err(&err);
            Exit::Status(status)
        }
    }
}

#[cfg(test)]
mod tests;
