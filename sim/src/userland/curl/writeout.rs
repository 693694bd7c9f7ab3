//! `-w`: what is told of a transfer when it is over.

use super::transfer::{Failure, Told};
use crate::userland::Proc;

/// Prints it.
pub(super) fn write(p: &Proc, format: &str, told: &Told, failed: Option<&Failure>, at: usize) {
    let (mut text, mut to_stderr) = (String::new(), false);
    let mut rest = format;
    while let Some(letter) = rest.chars().next() {
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        match (letter, rest.chars().next()) {
            ('\\', Some(escaped @ ('n' | 'r' | 't'))) => {
                text.push(match escaped {
                    'n' => '\n',
                    'r' => '\r',
                    _ => '\t',
                });
                rest = rest.get(1..).unwrap_or_default();
            }
            ('%', Some('%')) => {
                text.push('%');
                rest = rest.get(1..).unwrap_or_default();
            }
            ('%', Some('{')) if rest.contains('}') => {
                let (name, more) = rest.get(1..).and_then(|rest| rest.split_once('}')).unwrap_or_default();
                rest = more;
                match name {
                    "stdout" | "stderr" => {
                        print(p, &mut text, to_stderr);
                        to_stderr = name == "stderr";
                    }
                    "onerror" if failed.is_none() => break,
                    "onerror" => {}
                    name => match variable(name, told, failed, at) {
                        Some(value) => text += &value,
                        None => p.err(&format!("curl: unknown --write-out variable: '{name}'\n")),
                    },
                }
            }
            (letter, _) => text.push(letter),
        }
    }
    print(p, &mut text, to_stderr);
}

fn print(p: &Proc, text: &mut String, to_stderr: bool) {
    if to_stderr {
        p.err(text)
    } else {
        p.out(text)
    }
    text.clear();
}

fn variable(name: &str, told: &Told, failed: Option<&Failure>, at: usize) -> Option<String> {
    let time = |seconds: f64| format!("{seconds:.6}");
    let rate = |bytes: u64| if told.total > 0.0 { (bytes as f64 / told.total) as u64 } else { 0 };
    let end =
        |end: Option<(std::net::Ipv4Addr, u16)>| end.map_or((String::new(), 0), |(ip, port)| (ip.to_string(), port));
    Some(match name {
        "http_code" | "response_code" => format!("{:03}", told.status),
        "http_connect" => "000".to_string(),
        "http_version" => {
            told.minor.map_or("0".to_string(), |minor| if minor == 0 { "1.0".into() } else { "1.1".into() })
        }
        "content_type" => told.content_type.clone(),
        "errormsg" => failed.map_or(String::new(), |why| why.text.clone()),
        "exitcode" => failed.map_or(0, |why| why.code).to_string(),
        "filename_effective" => told.file.clone(),
        "local_ip" => end(told.local).0,
        "local_port" => end(told.local).1.to_string(),
        "remote_ip" => end(told.remote).0,
        "remote_port" => end(told.remote).1.to_string(),
        "method" => told.method.clone(),
        "num_connects" => told.connects.to_string(),
        "num_headers" => told.headers.to_string(),
        "num_redirects" => told.redirects.to_string(),
        "redirect_url" => told.redirect_to.clone(),
        "referer" => String::new(),
        "scheme" => "HTTP".to_string(),
        "size_download" => told.downloaded.to_string(),
        "size_upload" => told.uploaded.to_string(),
        "size_header" => told.header_bytes.to_string(),
        "size_request" => told.request_bytes.to_string(),
        "speed_download" => rate(told.downloaded).to_string(),
        "speed_upload" => rate(told.uploaded).to_string(),
        "ssl_verify_result" | "proxy_ssl_verify_result" => "0".to_string(),
        "time_namelookup" => time(told.resolved),
        "time_connect" => time(told.connected),
        "time_appconnect" => time(0.0),
        "time_pretransfer" => time(told.ready),
        "time_redirect" => time(told.redirected),
        "time_starttransfer" => time(told.first),
        "time_total" => time(told.total),
        "url" | "url_effective" => told.url.clone(),
        "urlnum" => at.to_string(),
        _ => return None,
    })
}
