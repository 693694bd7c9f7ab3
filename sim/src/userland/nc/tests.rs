use crate::{Host, Lab, Options, Pid};
use vethlab_engine::time::Duration;

/// A host 10.0.0.1 and a namespace `red`, 10.0.0.2.
fn lab() -> Lab {
    let mut lab = Lab::new(Options { seed: 1, host: Host::Bare });
    for line in [
        "ip netns add red",
        "ip link add veth-host type veth peer name veth-red netns red",
        "ip addr add 10.0.0.1/24 dev veth-host",
        "ip link set veth-host up",
        "ip -n red addr add 10.0.0.2/24 dev veth-red",
        "ip -n red link set veth-red up",
    ] {
        assert_eq!(lab.run(line).status, 0, "{line}");
    }
    lab
}

/// Starts a program in `red`.
fn serve(lab: &mut Lab, line: &str) -> Pid {
    let ns = lab.world().netns_named("red").expect("red is there");
    lab.start_in(ns, line)
}

/// What a command line prints, with its status; it may take that many milliseconds.
fn says(lab: &mut Lab, line: &str, most: u64) -> (String, String, i32) {
    let began = lab.now();
    let output = lab.run(line);
    assert!(lab.now().since(began) <= Duration::from_millis(most), "{line} took {:?}", lab.now().since(began));
    (output.stdout, output.stderr, output.status)
}

#[test]
fn a_client_and_a_server_talk() {
    let mut lab = lab();
    let server = serve(&mut lab, "nc -v -n -l -N 8080");
    lab.provide("-", "hello\n");
    let succeeded = "Connection to 10.0.0.2 8080 port [tcp/*] succeeded!\n";
    assert_eq!(says(&mut lab, "nc -nv -N 10.0.0.2 8080", 10), (String::new(), succeeded.into(), 0));
    let server = lab.finish(server);
    assert_eq!((server.stdout.as_str(), server.status), ("hello\n", 0));
    let text = server.stderr;
    assert!(text.starts_with("Listening on 0.0.0.0 8080\nConnection received on 10.0.0.1 "), "{text}");
}

#[test]
fn a_closed_port_a_silent_host_and_no_route_are_told_apart() {
    let mut lab = lab();
    let failed = |text: &str| (String::new(), format!("nc: connect to {text}\n"), 1);
    assert_eq!(says(&mut lab, "nc -zv 10.0.0.2 81", 10), failed("10.0.0.2 port 81 (tcp) failed: Connection refused"));
    let timed_out = failed("10.0.0.9 port 81 (tcp) timed out: Operation now in progress");
    assert_eq!(says(&mut lab, "nc -zv -w 2 10.0.0.9 81", 2000), timed_out);
    assert_eq!(says(&mut lab, "nc -zv 10.0.0.8 81", 3100), failed("10.0.0.8 port 81 (tcp) failed: No route to host"));
    assert_eq!(
        says(&mut lab, "nc -zv 10.1.0.1 81", 0),
        failed("10.1.0.1 port 81 (tcp) failed: Network is unreachable")
    );
    assert_eq!(says(&mut lab, "nc -z 10.0.0.2 81", 10), (String::new(), String::new(), 1));
}

#[test]
fn ports_in_ranges_and_by_name() {
    let mut lab = lab();
    serve(&mut lab, "nc -l -k -p http");
    let refused = |port: u16| format!("nc: connect to 10.0.0.2 port {port} (tcp) failed: Connection refused\n");
    let open = "Connection to 10.0.0.2 80 port [tcp/http] succeeded!\n";
    let text = format!("{}{open}{}", refused(79), refused(81));
    for _ in 0..2 {
        assert_eq!(says(&mut lab, "nc -zv 10.0.0.2 81-79", 50), (String::new(), text.clone(), 0));
    }
    assert_eq!(says(&mut lab, "nc -zv 10.0.0.2 foo", 0).1, "nc: port number invalid: foo\n");
    assert_eq!(says(&mut lab, "nc -z 10.0.0.2 80", 10), (String::new(), String::new(), 0), "it says nothing unasked");
    assert_eq!(says(&mut lab, "netcat -zv 10.0.0.2 80-", 0).1, "netcat: port number invalid: \n");
}

#[test]
fn udp_is_probed_by_five_letters() {
    let mut lab = lab();
    let server = serve(&mut lab, "nc -n -u -l -v -w 5 9000");
    let succeeded = "Connection to 10.0.0.2 9000 port [udp/*] succeeded!\n";
    assert_eq!(says(&mut lab, "nc -uzv 10.0.0.2 9000", 3010), (String::new(), succeeded.into(), 0));
    let server = lab.finish(server);
    assert_eq!(server.stdout, "X".repeat(5));
    assert!(server.stderr.starts_with("Bound on 0.0.0.0 9000\nConnection received on 10.0.0.1 "), "{}", server.stderr);
    assert_eq!(says(&mut lab, "nc -uzv 10.0.0.2 9001", 10), (String::new(), String::new(), 1));
    assert_eq!(says(&mut lab, "nc -uz 10.0.0.2 9001", 0), (String::new(), String::new(), 0), "nothing is sent");
}

#[test]
fn a_udp_listener_hears_its_first_caller_only() {
    let mut lab = lab();
    let server = serve(&mut lab, "nc -u -l -W 2 9000");
    lab.provide("-", "one\n");
    assert_eq!(says(&mut lab, "nc -u -p 7000 -w 1 10.0.0.2 9000", 1010).2, 0);
    assert_eq!(says(&mut lab, "nc -u -p 7001 -w 1 10.0.0.2 9000", 10).2, 0, "refused: it is another's");
    assert_eq!(says(&mut lab, "nc -u -p 7000 -w 1 10.0.0.2 9000", 1010).2, 0);
    assert_eq!(lab.finish(server).stdout, "one\none\n");
}

#[test]
fn it_stays_until_the_other_end_closes_and_q_seconds_longer() {
    let mut lab = lab();
    serve(&mut lab, "nc -l -k 8080");
    assert_eq!(says(&mut lab, "timeout 4 nc 10.0.0.2 8080", 4000).2, 124, "the server does not close by itself");
    assert_eq!(says(&mut lab, "timeout 4 nc -N 10.0.0.2 8080", 10).2, 0);
    assert_eq!(says(&mut lab, "timeout 4 nc -q 0 10.0.0.2 8080", 10).2, 0);
    let began = lab.now();
    assert_eq!(says(&mut lab, "timeout 4 nc -q 2 10.0.0.2 8080", 2010).2, 0);
    assert!(lab.now().since(began) >= Duration::from_secs(2));
    assert_eq!(says(&mut lab, "timeout 4 nc -w 1 10.0.0.2 8080", 1010).2, 0);
}

#[test]
fn what_is_not_simulated_is_refused() {
    let mut lab = lab();
    for option in ["-6 ::1 80", "-U /tmp/x", "-x 1.2.3.4 10.0.0.2 80", "-S 10.0.0.2 80", "-F 10.0.0.2 80"] {
        let (_, text, status) = says(&mut lab, &format!("nc {option}"), 0);
        assert!(text.ends_with("not simulated\n") && status == 1, "{option}: {text}");
    }
}
