use crate::{Host, Lab, Options};

/// A server on the host that replies this to the first who connects, and what `curl` says then.
fn curl(reply: &str, words: &str) -> (String, String, i32) {
    let mut lab = Lab::new(Options { seed: 1, host: Host::Bare });
    lab.serve_text("nc -l -N 8080", reply);
    let output = lab.run(&format!("curl {words} http://127.0.0.1:8080/x"));
    (output.stdout, output.stderr, output.status)
}

fn said(out: &str, err: &str, status: i32) -> (String, String, i32) {
    (out.into(), err.into(), status)
}

const OK: &str = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";

#[test]
fn a_reply_is_shown_with_or_without_its_head() {
    assert_eq!(curl(OK, "-s"), said("hello\n", "", 0));
    assert_eq!(curl(OK, "-si"), said(OK, "", 0));
    assert_eq!(curl(OK, "-sw %{http_code},%{size_download},%{num_connects}"), said("hello\n200,6,1", "", 0));
    let meter = "\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0";
    let (out, err, status) = curl(OK, "");
    assert_eq!((out.as_str(), status), ("hello\n", 0));
    assert!(err.contains(meter) && err.contains("\r100     6  100     6    0     0 "), "{err}");
}

#[test]
fn failures_have_curls_numbers_and_words() {
    let missing = "HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(curl(missing, "-sS -f"), said("", "curl: (22) The requested URL returned error: 404\n", 22));
    assert_eq!(curl(missing, "-sS"), said("", "", 0));
    assert_eq!(curl("", "-sS"), said("", "curl: (52) Empty reply from server\n", 52));
    assert_eq!(curl("hello\n", "-sS"), said("", "curl: (1) Received HTTP/0.9 when not allowed\n", 1));
    let short = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
    assert_eq!(curl(short, "-sS"), said("abc", "curl: (18) transfer closed with 6 bytes remaining to read\n", 18));
    let mut lab = Lab::new(Options { seed: 1, host: Host::Bare });
    for (line, text, status) in [
        (
            "curl -sS 127.0.0.1:1",
            "curl: (7) Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to server",
            7,
        ),
        (
            "curl -sS 10.9.9.9",
            "curl: (7) Failed to connect to 10.9.9.9 port 80 after 0 ms: Couldn't connect to server",
            7,
        ),
        ("curl -sS nosuch.invalid", "curl: (6) Could not resolve host: nosuch.invalid", 6),
        ("curl -sS https://127.0.0.1/", "curl: (1) Protocol \"https\" not supported or disabled in libcurl", 1),
        ("curl -sS http:///", "curl: (3) URL using bad/illegal format or missing URL", 3),
    ] {
        let output = lab.run(line);
        assert_eq!((output.stderr, output.status), (format!("{text}\n"), status), "{line}");
    }
}

#[test]
fn v_tells_what_passes() {
    let (_, err, _) = curl(OK, "-sv");
    let told = "*   Trying 127.0.0.1:8080...\n\
                * Connected to 127.0.0.1 (127.0.0.1) port 8080 (#0)\n\
                > GET /x HTTP/1.1\r\n> Host: 127.0.0.1:8080\r\n> User-Agent: curl/7.88.1\r\n> Accept: */*\r\n> \r\n\
                * HTTP 1.0, assume close after body\n\
                < HTTP/1.0 200 OK\r\n< Content-Length: 6\r\n< \r\n{ [6 bytes data]\n* Closing connection 0\n";
    assert_eq!(err, told);
}

#[test]
fn the_body_goes_into_a_file() {
    let mut lab = Lab::new(Options { seed: 1, host: Host::Bare });
    lab.serve_text("nc -l -N 8080", OK);
    assert_eq!(lab.run("curl -s -O http://127.0.0.1:8080/dir/page").status, 0);
    assert_eq!(lab.provided("page"), Some(&b"hello\n"[..]));
}
