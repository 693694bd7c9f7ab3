use crate::{Host, Lab, Options};

fn lab() -> Lab {
    let mut lab = Lab::new(Options { seed: 1, host: Host::Bare });
    lab.serve_text("nc -l -N 8080", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Type: text/plain\r\n\r\nhello\n");
    lab
}

#[test]
fn a_page_is_printed_or_saved() {
    let page = lab().run("wget -qO- http://127.0.0.1:8080/x");
    assert_eq!((page.stdout.as_str(), page.stderr.as_str(), page.status), ("hello\n", "", 0));
    let mut lab = lab();
    lab.provide("x", "old");
    let told = lab.run("wget http://127.0.0.1:8080/x");
    assert_eq!((told.stdout.as_str(), told.status), ("", 0));
    let head = "--2024-01-01 00:00:00--  http://127.0.0.1:8080/x\nConnecting to 127.0.0.1:8080... connected.\n\
                HTTP request sent, awaiting response... 200 OK\nLength: 6 [text/plain]\nSaving to: 'x.1'\n\n     0K ";
    assert!(told.stderr.starts_with(head), "{}", told.stderr);
    assert!(told.stderr.ends_with(" - 'x.1' saved [6/6]\n\n"), "{}", told.stderr);
    assert_eq!((lab.provided("x.1"), lab.provided("x")), (Some(&b"hello\n"[..]), Some(&b"old"[..])));
}

#[test]
fn failures_have_wgets_words() {
    let mut lab = lab();
    let refused = lab.run("wget http://127.0.0.1:1/");
    let text =
        "--2024-01-01 00:00:00--  http://127.0.0.1:1/\nConnecting to 127.0.0.1:1... failed: Connection refused.\n";
    assert_eq!((refused.stderr.as_str(), refused.status), (text, 4));
    let none = lab.run("wget");
    let usage = "wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n";
    assert_eq!((none.stderr.as_str(), none.status), (usage, 1));
    assert_eq!(lab.run("wget -q nosuch.invalid").status, 4);
}
