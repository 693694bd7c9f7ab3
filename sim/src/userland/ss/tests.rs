use super::*;
use crate::lab::Lab;

fn lab() -> Lab {
    Lab::new(crate::lab::Options::default())
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_string).collect()
}

/// Headings as the real tool prints them on a pipe, where nothing is to be shown.
#[test]
fn an_empty_table_has_its_heading() {
    let mut lab = lab();
    let all = lab.run("ss -tan");
    assert_eq!(all.stdout, "State Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n");
    assert_eq!(lab.run("ss -tuln").stdout, "Netid State Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n");
    assert_eq!(lab.run("ss -u").stdout, "Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n");
    assert_eq!(lab.run("ss -tlnH").stdout, "");
    let plain = lab.run("ss");
    assert_eq!(plain.stderr, "RTNETLINK answers: Invalid argument\n");
    assert_eq!(plain.status, 0);
}

#[test]
fn complaints() {
    let mut lab = lab();
    let bogus = lab.run("ss --bogus");
    assert_eq!(bogus.status, 255);
    assert_eq!(bogus.stderr, format!("ss: unrecognized option '--bogus'\n{USAGE}"));
    let state = lab.run("ss -tn state bogus");
    assert_eq!((state.stderr.as_str(), state.status), ("ss: wrong state name: bogus\n", 255));
    let extra = lab.run("ss extra");
    let text = "Error: an inet prefix is expected rather than \"extra\".\nCannot parse dst/src address.\n";
    assert_eq!((extra.stderr.as_str(), extra.status), (text, 1));
    let syntax = lab.run("ss -tn sport");
    assert!(syntax.stderr.starts_with("ss: bison bellows (while parsing filter): \"syntax error!\" Sorry.\nUsage: ss"));
    assert_eq!(lab.run("ss -V").stdout, VERSION);
    assert_eq!(lab.run("ss -K").stderr, "vethlab: ss --kill is not simulated\n");
}

#[test]
fn expressions() {
    for text in ["sport = :80", "( sport = :80 or dport = :ssh )", "dst 10.0.0.0/8 and not src :22", "dport >= :1024"] {
        assert!(Expression::parse(&words(text)).is_ok(), "{text}");
    }
    for text in ["(", "sport", "dst 10.0.0.1 )", "or", "src < 1.1.1.1"] {
        assert!(Expression::parse(&words(text)).is_err(), "{text}");
    }
}
