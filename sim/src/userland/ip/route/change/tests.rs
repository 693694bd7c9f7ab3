use super::super::super::args::incomplete;
use super::*;

fn read(line: &str) -> Result<Request, Stop> {
    let words: Vec<String> = line.split_whitespace().map(String::from).collect();
    let mut request = Request::default();
    request.read(&mut Args::new(&words)).map(|_| request)
}

fn garbage(word: &str) -> Stop {
    duparg2("to", word)
}

#[test]
fn a_route_in_its_usual_words() {
    let request = read("default via 10.0.0.1 dev eth0 metric 100 proto static src 10.0.0.2").expect("a route");
    assert_eq!((request.family, request.metric, request.protocol), (Family::Inet, Some(100), Some(4)));
    assert_eq!(request.gateway, Some(Via::Address(Some(IpAddr::from([10, 0, 0, 1])))));
    assert_eq!((request.device.as_deref(), request.prefsrc), (Some("eth0"), Some(IpAddr::from([10, 0, 0, 2]))));
    assert!(request.destination.is_some_and(|to| to.length == 0 && to.length_given));
}

#[test]
fn abbreviations_mean_what_they_mean_to_iproute2() {
    assert_eq!(read("default v GW"), Err(invarg("Invalid VRF\n", "GW")));
    assert_eq!(read("10.0.0.0/8 t 77 p 5 pro static").map(|of| (of.table, of.metric)), Ok((Some(77), Some(5))));
    assert_eq!(read("10.0.0.0/8 d 10").map(|of| of.tos), Ok(16));
    assert_eq!(read("10.0.0.0/8 pre high").map(|of| of.preference), Ok(Some(1)));
    assert_eq!(read("b 10.0.0.0/8").map(|of| of.kind), Ok(Some(3)));
    assert_eq!(read("to blackhole 10.0.0.0/8").map(|of| of.kind), Ok(Some(6)));
    assert_eq!(read("bl 10.0.0.0/8 10.0.0.0/8"), Err(garbage("10.0.0.0/8")));
    assert_eq!(read("blackhole"), Err(incomplete()));
}

#[test]
fn the_first_address_tells_the_family() {
    let wrong = |text: &str| Err(Stop::quit(1, text));
    assert_eq!(read("10.0.0.0/8 via fe80::1"), wrong("Error: inet address is expected rather than \"fe80::1\".\n"));
    assert_eq!(
        read("via inet6 fe80::1 10.0.0.0/8"),
        wrong("Error: inet6 prefix is expected rather than \"10.0.0.0/8\".\n")
    );
    let mixed = read("10.0.0.0/8 via inet6 fe80::1").expect("both families");
    assert!(matches!(mixed.gateway, Some(Via::Address(Some(IpAddr::V6(_))))) && mixed.family == Family::Inet);
    assert_eq!(read("10.0.0.0/8 via link 2:0:0:0:0:1").map(|of| of.gateway), Ok(Some(Via::Foreign)));
    assert!(read("10.0.0.0/8 via any").is_ok_and(|of| of.empty));
    assert!(read("10.0.0.0/8 via default").is_ok_and(|of| !of.empty));
}

#[test]
fn what_is_said_of_wrong_words() {
    for (line, word, message) in [
        ("10.0.0.0/8 metric x", "x", "\"metric\" value is invalid\n"),
        ("10.0.0.0/8 table nosuch", "nosuch", "\"table\" value is invalid\n"),
        ("10.0.0.0/8 proto 300", "300", "\"protocol\" value is invalid\n"),
        ("10.0.0.0/8 scope nosuch", "nosuch", "invalid \"scope\" value\n"),
        ("10.0.0.0/8 tos 400", "400", "\"tos\" value is invalid\n"),
        ("10.0.0.0/8 realms foo", "foo", "\"realm\" value is invalid\n"),
        ("10.0.0.0/8 pref foo", "foo", "\"pref\" value is invalid\n"),
        ("10.0.0.0/8 nhid x", "x", "\"id\" value is invalid\n"),
        ("10.0.0.0/8 encap foo", "foo", "\"encap type\" value is invalid\n"),
        ("10.0.0.0/8 ttl-propagate foo", "foo", "\"ttl-propagate\" value is invalid\n"),
        ("via 10.0.0.1 via 10.0.0.2", "via", "use nexthop syntax to specify multiple via\n"),
    ] {
        assert_eq!(read(line), Err(invarg(message, word)), "{line}");
    }
    assert_eq!(read("10.0.0.0/8 via 10.0.0.1 foo"), Err(garbage("foo")));
    assert_eq!(read("10.0.0.0/8 help"), Err(usage()));
}
