//! `vethlab run --on kernel` and `vethlab diff`, as root and as an ordinary user.

use crate::common::{User, users};
use std::process::{Command, Output, Stdio};

/// Those who may make namespaces; says SKIPPED aloud for others.
fn able() -> Vec<User> {
    let able = |user: &User| {
        let mut asked = user.vethlab(&["run", "--on", "kernel", "/dev/null"]);
        asked.output().unwrap().status.success()
    };
    let (able, unable): (Vec<User>, Vec<User>) = users().into_iter().partition(able);
    if !unable.is_empty() {
        assert!(std::env::var_os("VETHLAB_NO_SKIP").is_none(), "users cannot make namespaces here");
        eprintln!("SKIPPED for {} users: needs root, or a system that lets users make namespaces", unable.len());
    }
    able
}

fn write(user: &User, script: &str) {
    std::fs::write(user.dir.path().join("script"), script).unwrap();
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn said(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn a_script_on_the_kernel_is_root_in_namespaces_of_its_own() {
    let names = || text(&Command::new("ip").args(["netns", "list"]).output().unwrap().stdout);
    for user in able() {
        let before = names();
        write(
            &user,
            "ip netns add vethlab-red; ip -n vethlab-red link set lo up; sudo ip netns list; id -u; ls /sys/class/net
             ip netns exec vethlab-red ping -c 1 127.0.0.1 | grep -c '1 received'
             sysctl -w net.ipv4.ip_forward=1; echo a line >> /etc/iproute2/rt_tables; echo $?
             echo 0 2>/dev/null > /proc/sys/kernel/printk || echo refused; sleep 1000 & exit 7",
        );
        let output = user.vethlab(&["run", "--on", "kernel", "script"]).stdin(Stdio::null()).output().unwrap();
        let expected = "vethlab-red\n0\nlo\n1\nnet.ipv4.ip_forward = 1\n0\nrefused\n";
        assert_eq!(text(&output.stdout), expected, "{}", text(&output.stderr));
        assert_eq!(output.status.code(), Some(7));
        assert_eq!(names(), before, "a namespace is left");
        assert!(!std::fs::read_to_string("/etc/iproute2/rt_tables").unwrap_or_default().contains("a line"));
        user.assert_clean();
    }
}

#[test]
fn commands_are_written_down_in_both_worlds() {
    for user in able() {
        write(&user, "ip netns add red; ip netns exec red ip link show nosuch; ip link | grep -c lo:");
        for on in ["simulator", "kernel"] {
            let run = user.vethlab(&["run", "--host", "bare", "--on", on, "--log", "log", "script"]).output().unwrap();
            assert_eq!(text(&run.stdout), "1\n");
            let log = std::fs::read_to_string(user.dir.path().join("log")).unwrap();
            let inner = r#""argv":["ip","netns","exec","red","ip","link","show","nosuch"],"stdout":"","stderr":"Device \"nosuch\" does not exist.\n","status":1}"#;
            assert_eq!(log.lines().filter(|line| line.contains("\"depth\":0")).count(), 3, "{on}: {log}");
            assert!(log.contains(inner), "{on}: {log}");
        }
    }
}

#[test]
fn two_equal_runs_differ_in_nothing() {
    for user in able() {
        write(
            &user,
            "ip netns add red; ip link add va type veth peer name vb netns red; ip addr add 10.0.0.1/24 dev va
             ip link set va up; ip -n red addr add 10.0.0.2/24 dev vb; ip -n red link set vb up; ping -c 1 10.0.0.2",
        );
        let output = user.vethlab(&["diff", "script"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(text(&output.stdout), "no difference: 7 commands, 6 lines of frames\n");
        let output = user.vethlab(&["diff", "--json", "script"]).output().unwrap();
        assert!(text(&output.stdout).contains("\"equal\": true"));
        user.assert_clean();
    }
}

/// A script that knows where it runs, and does something else there, in each of the ways that are compared.
#[test]
fn every_difference_is_shown() {
    for user in able() {
        write(
            &user,
            "on_kernel() { [ -z \"$VETHLAB_SOCKET\" ]; }
             on_kernel && ip link set lo mtu 1500; ip link show lo
             on_kernel || ip netns add red; ip netns list
             on_kernel && ping -c 1 127.0.0.1 > ping; on_kernel",
        );
        let output = user.vethlab(&["diff", "--tries", "1", "script"]).output().unwrap();
        let shown = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{shown}");
        for part in [
            "$ ip link set lo mtu 1500\n  only the kernel came to it\n",
            "$ ip link show lo\n  standard output\n- <I>: lo: <LOOPBACK,UP,LOWER_UP> mtu 1500",
            "$ ip netns list\n  standard output\n+ red\n",
            "$ ip netns add red\n  only the simulator came to it\n",
            "the script's status\n- 0\n+ 1\n",
            "frames at host/lo\n- in to one: IP 127.0.0.1 > 127.0.0.1 ttl 64 tos 0x0 length 84 DF ICMP echo request 1\n",
        ] {
            assert!(shown.contains(part), "{part}\nis not in\n{shown}");
        }
        let output = user.vethlab(&["diff", "--json", "--tries", "1", "script"]).output().unwrap();
        let json = text(&output.stdout);
        assert!(json.contains("\"equal\": false") && json.contains("\"host/lo\""), "{json}");
    }
}

#[test]
fn what_cannot_be_compared_says_so_in_one_line() {
    for user in users() {
        let output = user.vethlab(&["diff", "nosuch"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(text(&output.stderr), "vethlab: nosuch: No such file or directory (os error 2)\n");
    }
}
