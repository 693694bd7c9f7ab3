use crate::{Host, Lab, Options, Signal};

fn lab() -> Lab {
    let mut lab = Lab::new(Options { seed: 1, host: Host::Bare });
    lab.provide("www/a.txt", "hello\n");
    lab.provide("www/sub/index.html", "<html>\n");
    lab
}

#[test]
fn files_directories_and_what_is_not_there() {
    let mut lab = lab();
    let server = lab.start("python3 -m http.server 8000 -d www");
    assert_eq!(lab.run("curl -s 127.0.0.1:8000/a.txt").stdout, "hello\n");
    let head = "HTTP/1.0 200 OK\r\nServer: SimpleHTTP/0.6 Python/3.11.2\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n\
                Content-type: text/plain\r\nContent-Length: 6\r\nLast-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n";
    assert_eq!(lab.run("curl -sI 127.0.0.1:8000/a.txt").stdout, head);
    let page = lab.run("curl -s 127.0.0.1:8000/").stdout;
    let items = "<li><a href=\"a.txt\">a.txt</a></li>\n<li><a href=\"sub/\">sub/</a></li>\n";
    assert!(page.contains("<title>Directory listing for /</title>") && page.contains(items), "{page}");
    assert_eq!(lab.run("curl -sL 127.0.0.1:8000/sub").stdout, "<html>\n", "moved, then its index");
    assert_eq!(lab.run("curl -s -o x -w %{http_code} 127.0.0.1:8000/nope").stdout, "404");
    assert_eq!(lab.run("curl -s -o x -w %{http_code} -d x 127.0.0.1:8000/").stdout, "501");
    lab.signal(server, Signal::Int);
    let server = lab.finish(server);
    let said =
        "Serving HTTP on 0.0.0.0 port 8000 (http://0.0.0.0:8000/) ...\n\nKeyboard interrupt received, exiting.\n";
    assert_eq!((server.stdout.as_str(), server.status), (said, 0));
    let log: Vec<&str> = server.stderr.lines().collect();
    assert_eq!(log.first(), Some(&"127.0.0.1 - - [01/Jan/2024 00:00:00] \"GET /a.txt HTTP/1.1\" 200 -"));
    assert!(log.contains(&"127.0.0.1 - - [01/Jan/2024 00:00:00] \"GET /sub/ HTTP/1.0\" 200 -"), "led on: {log:?}");
    assert!(log.contains(&"127.0.0.1 - - [01/Jan/2024 00:00:00] code 404, message File not found"), "{log:?}");
}

#[test]
fn a_port_that_is_taken_is_a_traceback() {
    let mut lab = lab();
    lab.start("python3 -u -m http.server");
    let second = lab.run("python3 -m http.server");
    assert!(second.stderr.starts_with("Traceback (most recent call last):\n"), "{}", second.stderr);
    assert!(second.stderr.ends_with("OSError: [Errno 98] Address already in use\n") && second.status == 1);
}

#[test]
fn without_a_real_machine_there_is_no_other_python() {
    assert_eq!(lab().run("python3 script.py").status, 127);
}
