//! `telnet` (netkit, as Debian shipped it): a line-wise talk with a server.

use super::resolve::{Family, resolve};
use super::{Proc, Wait, netdb};
use crate::lab::Exit;
use std::net::IpAddr;
use vethlab_engine::local::SocketKind;
use vethlab_engine::time::Time;

const USAGE: &str = "\
Usage: telnet [-4] [-6] [-8] [-E] [-L] [-a] [-d] [-e char] [-l user]
\t[-n tracefile] [ -b addr ] [-r] [host-name [port]]
";
const IAC: u8 = 255;

/// `telnet`
pub(crate) async fn main(p: Proc) -> Exit {
    let mut operands = Vec::new();
    for word in p.argv().iter().skip(1) {
        match word.as_str() {
            "-4" | "-8" | "-E" | "-L" | "-a" | "-d" | "-K" | "-c" => {}
            option if option.starts_with('-') => {
                p.err(USAGE);
                return Exit::Status(1);
            }
            operand => operands.push(operand.to_string()),
        }
    }
    let (host, service) = match operands.as_slice() {
        [host] => (host, "telnet"),
        [host, port] => (host, port.as_str()),
        [] => {
            p.err("telnet: its own prompt is not simulated: say a host\n");
            return Exit::Status(1);
        }
        _ => {
            p.err(USAGE);
            return Exit::Status(1);
        }
    };
    match service.parse().ok().or_else(|| netdb::service(service, Some("tcp"))) {
        Some(port) => connect(&p, host, port).await,
        None => {
            p.err(&format!("telnet: could not resolve {host}/{service}: Servname not supported for ai_socktype\n"));
            Exit::Status(1)
        }
    }
}

async fn connect(p: &Proc, host: &str, port: u16) -> Exit {
    let address = match resolve(host, Family::V4) {
        Ok(IpAddr::V4(address)) => address,
        Ok(IpAddr::V6(_)) => return failed(p, "telnet: IPv6 is not simulated\n"),
        Err(why) => return failed(p, &format!("telnet: could not resolve {host}/{port}: {why}\n")),
    };
    p.out(&format!("Trying {address}...\n"));
    let unable = |why: &str| failed(p, &format!("telnet: Unable to connect to remote host: {why}\n"));
    let socket = match p.socket(SocketKind::Tcp) {
        Ok(socket) => socket,
        Err(errno) => return unable(errno.text()),
    };
    if let Err(errno) = p.start_connect(socket, (address, port)) {
        return unable(errno.text());
    }
    p.poll(&[Wait::Write(socket)], Time::NEVER).await;
    if let Some(errno) = p.socket_error(socket) {
        return unable(errno.text());
    }
    p.out(&format!("Connected to {host}.\nEscape character is '^]'.\n"));
    loop {
        let ready = p.poll(&[Wait::Read(socket), Wait::Stdin], Time::NEVER).await.ready;
        if ready.contains(&0) {
            match p.try_read(socket) {
                Ok(None) => {}
                Ok(Some(piece)) if !piece.is_empty() => {
                    let (shown, answer) = telnet(&piece);
                    p.out_bytes(&shown);
                    // What cannot be answered now will not be asked again.
                    let _ = p.try_write(socket, &answer);
                }
                _ => return failed(p, "Connection closed by foreign host.\n"),
            }
        }
        if ready.contains(&1)
            && let Some(piece) = p.try_stdin()
        {
            if piece.is_empty() {
                // The end of its input ends it, whatever may still come.
                p.err("Connection closed by foreign host.\n");
                return Exit::Status(1);
            }
            let mut line = Vec::new();
            for byte in piece {
                match byte {
                    b'\n' => line.extend(b"\r\n"),
                    IAC => line.extend([IAC, IAC]),
                    byte => line.push(byte),
                }
            }
            send(p, socket, &line).await;
        }
    }
}

async fn send(p: &Proc, socket: vethlab_engine::local::SocketId, mut line: &[u8]) {
    while !line.is_empty() {
        match p.try_write(socket, line) {
            Ok(0) => drop(p.poll(&[Wait::Write(socket)], Time::NEVER).await),
            Ok(sent) => line = line.get(sent..).unwrap_or_default(),
            Err(_) => return,
        }
    }
}

fn failed(p: &Proc, text: &str) -> Exit {
    p.err(text);
    Exit::Status(1)
}

/// What is shown of what came, and what is answered: every option is refused.
fn telnet(piece: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut shown, mut answer) = (Vec::new(), Vec::new());
    let mut rest = piece;
    loop {
        rest = match rest {
            [] => return (shown, answer),
            [IAC, IAC, more @ ..] => {
                shown.push(IAC);
                more
            }
            // WILL and WONT are answered by DONT, DO and DONT by WONT.
            [IAC, verb @ 251..=254, option, more @ ..] => {
                answer.extend([IAC, if *verb < 253 { 254 } else { 252 }, *option]);
                more
            }
            [IAC, _, more @ ..] => more,
            [b'\r', more @ ..] => more,
            [byte, more @ ..] => {
                shown.push(*byte);
                more
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::telnet;
    use crate::{Host, Lab, Options};

    #[test]
    fn options_are_refused_and_text_is_shown() {
        assert_eq!(
            telnet(b"a\xff\xfb\x01b\xff\xfd\x03\r\n\xff\xff"),
            (b"ab\n\xff".to_vec(), vec![255, 254, 1, 255, 252, 3])
        );
    }

    #[test]
    fn it_connects_and_is_left() {
        let mut lab = Lab::new(Options { seed: 1, host: Host::Bare });
        let refused = lab.run("telnet 127.0.0.1 81");
        assert_eq!(refused.stdout, "Trying 127.0.0.1...\n");
        assert_eq!(refused.stderr, "telnet: Unable to connect to remote host: Connection refused\n");
        lab.start("nc -l -W 1 -N 80");
        lab.provide("-", "hello\n");
        let talk = lab.run("telnet localhost http");
        let said = "Trying 127.0.0.1...\nConnected to localhost.\nEscape character is '^]'.\n";
        assert_eq!((talk.stdout.as_str(), talk.status), (said, 1));
        assert_eq!(talk.stderr, "Connection closed by foreign host.\n");
    }
}
