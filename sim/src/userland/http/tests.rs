use super::*;

fn whole(mut body: Body, text: &str, step: usize) -> (Vec<u8>, Body, usize) {
    let (mut unread, mut content) = (Vec::new(), Vec::new());
    for part in text.as_bytes().chunks(step) {
        unread.extend(part);
        content.extend(body.take(&mut unread).expect("a body"));
    }
    (content, body, unread.len())
}

#[test]
fn a_body_ends_where_its_head_says_however_it_is_cut() {
    let chunks = "5\r\nhello\r\n3;x=y\r\nxyz\r\n0\r\nT: 1\r\n\r\nrest";
    for step in [1, 2, 7, 100] {
        let start = Body::Chunks { left: 0, state: Chunk::Size };
        assert_eq!(whole(start, chunks, step), (b"helloxyz".to_vec(), Body::Over, 4), "{step}");
        assert_eq!(whole(Body::Length(5), "hello!", step), (b"hello".to_vec(), Body::Over, 1));
        assert_eq!(whole(Body::ToTheEnd, "hello", step), (b"hello".to_vec(), Body::ToTheEnd, 0));
    }
    assert!(Body::Chunks { left: 0, state: Chunk::Size }.take(&mut b"zz\r\n".to_vec()).is_err());
}

#[test]
fn a_head_is_taken_as_a_whole() {
    let mut unread = b"HTTP/1.0 404 Not found\r\nContent-length: 7\r\nA: b\r\n".to_vec();
    assert_eq!(Head::take(&mut unread), None);
    unread.extend(b"\r\nbody");
    let head = Head::take(&mut unread).expect("a head");
    assert_eq!((head.minor, head.status, head.field("CONTENT-LENGTH"), head.lines.len()), (0, 404, Some("7"), 4));
    assert_eq!((head.body(false), head.body(true), head.keeps_alive()), (Body::Length(7), Body::Length(0), false));
    assert_eq!(unread, b"body");
}

#[test]
fn urls() {
    let url = |text: &str| Url::parse(text).map(|url| (url.host.clone(), url.port, url.text()));
    assert_eq!(url("10.0.0.2"), Ok(("10.0.0.2".into(), 80, "http://10.0.0.2/".into())));
    assert_eq!(url("http://web:8080/a?b#c"), Ok(("web".into(), 8080, "http://web:8080/a?b".into())));
    assert_eq!(url("HTTP://web?q"), Ok(("web".into(), 80, "http://web/?q".into())));
    assert_eq!(url("https://web/"), Err(NoUrl::Scheme("https".into())));
    for bad in ["", "http://", "http:///x", "http://a:99999/", "http://a b/", "http://a:x/"] {
        assert_eq!(url(bad), Err(NoUrl::Bad), "{bad:?}");
    }
    let from = Url::parse("http://web:8080/a/b?c").expect("a URL");
    assert_eq!(from.follow("/x"), "http://web:8080/x");
    assert_eq!(from.follow("x"), "http://web:8080/a/x");
    assert_eq!(from.follow("http://other/"), "http://other/");
}
