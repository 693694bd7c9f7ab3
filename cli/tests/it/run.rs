//! `vethlab run`: status, streams, signals, pipes, background jobs, and that nothing is left behind.

use crate::common::{eventually, prints, users};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn the_status_is_the_scripts() {
    prints("exit 3", "", 3);
    prints("kill -TERM $$", "", 143);
    prints("kill -KILL $$", "", 137);
    for user in users() {
        let output = user.vethlab(&["run", "no-such-script"]).output().unwrap();
        assert_eq!(output.status.code(), Some(127));
        let output = user.script("exit 5 # its own arguments").args(["--seed", "-x"]).output().unwrap();
        assert_eq!(output.status.code(), Some(5));
    }
}

#[test]
fn a_script_is_root_whoever_runs_it() {
    prints("echo $EUID $UID; id -u; whoami; [ \"$(id -u)\" -eq 0 ] || exit 1", "0 0\n0\nroot\n", 0);
}

#[test]
fn files_of_the_kernel_are_the_labs() {
    prints("ip netns add red; ls -l /run/netns | cut -c1-22", "total 0\n-r--r--r-- 1 root root\n", 0);
    prints("echo 1 > /proc/sys/net/ipv4/ip_forward && sysctl net.ipv4.ip_forward", "net.ipv4.ip_forward = 1\n", 0);
    prints("cd /sys/class/net; for i in *; do echo $i $(< $i/mtu); done", "lo 65536\n", 0);
    let script = "ip netns add red; r() { ip netns exec red \"$@\"; }; a=$(readlink /proc/self/ns/net); \
                  [ $a = $(readlink /proc/$$/ns/net) ] && [ $a != $(r readlink /proc/self/ns/net) ] && echo ${a%[*}";
    prints(script, "net:\n", 0);
    prints("echo x 2> /dev/null > /proc/sys/net/ipv4/ip_forward", "", 1);
    for user in users() {
        let output = user.run("/sbin/ip link");
        assert_eq!(output.status.code(), Some(127));
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("/sbin/ip is the real machine's tool and was not run")
        );
    }
}

#[test]
fn each_stream_goes_its_own_way() {
    for user in users() {
        let output = user.run("hostname; ip netns exec nope true; echo $?; tshark -i lo; echo $?");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "vethlab\n255\n127\n");
        let expected = "Cannot open network namespace \"nope\": No such file or directory\n\
                        vethlab: tshark is not simulated; it was not run, so that the real network stays untouched\n";
        assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
    }
}

#[test]
fn commands_live_in_the_namespace_of_the_shell_that_runs_them() {
    let script = r#"
        ip netns add red; ip netns add blue
        ip netns exec red bash -c 'ip netns identify; ip netns identify $$; exit 9'; echo $?
        ip netns exec red ip netns exec blue bash -c 'ip netns exec red ip netns identify; ip netns identify'
        ip netns exec red env -i PATH="$PATH" bash -c 'ip netns identify'
        ip netns exec red env -i "$(command -v ip)" netns identify
        ip netns exec red bash -c '(sleep 1; ip netns identify) & '; sleep 2
        ip -all netns exec bash -c 'ip netns identify'
    "#;
    let all = "\nnetns: blue\nblue\n\nnetns: red\nred\n";
    prints(script, &format!("red\nred\n9\nred\nblue\nred\nred\nred\n{all}"), 0);
}

#[test]
fn what_cannot_be_executed_is_told_as_ip_and_sudo_do() {
    for user in users() {
        let output = user.run("ip netns add red; ip netns exec red nosuch; echo $?; sudo nosuch; echo $?");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n1\n");
        let expected = "exec of \"nosuch\" failed: No such file or directory\nsudo: nosuch: command not found\n";
        assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
    }
}

#[test]
fn an_hour_of_sleep_takes_no_time_and_keeps_its_order() {
    let began = Instant::now();
    prints("(sleep 3h; echo three) & (sleep 1h; echo one) & (sleep 2h; echo two) & wait", "one\ntwo\nthree\n", 0);
    prints("(sleep 1h; echo late) | cat; sleep 1h | { sleep 2h; echo later; }", "late\nlater\n", 0);
    assert!(began.elapsed() < Duration::from_secs(60), "virtual hours");
}

#[test]
fn the_wall_clock_counts_while_a_real_process_sleeps_by_it() {
    let script = "ping 127.0.0.1 > log & /bin/sleep 1.2; kill $!; grep -c seq= log";
    for user in users() {
        let output = user.run(script);
        let answers: u32 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
        assert!((1..10).contains(&answers), "{answers} answers within 1.2 s");
    }
}

#[test]
fn a_process_that_never_sleeps_does_not_stop_time() {
    prints("(while :; do :; done) & sleep 1; kill $!; echo over", "over\n", 0);
}

#[test]
fn who_reads_no_further_ends_a_ping() {
    let head = "PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data.\n";
    prints("ping 127.0.0.1 | head -1; echo ${PIPESTATUS[*]}", &format!("{head}141 0\n"), 0);
}

#[test]
fn signals_reach_programs_also_in_the_background() {
    let script = "ping -q 127.0.0.1 & sleep 2.5; kill -INT $!; wait $!; echo $?
        sleep 100 & kill -TERM $!; wait $!; echo $?";
    for user in users() {
        let output = user.run(script);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("3 packets transmitted, 3 received, 0% packet loss"), "{text}");
        assert!(text.ends_with("\n0\n143\n"), "{text}");
    }
}

#[test]
fn a_killed_client_takes_its_program_with_it() {
    let script = "ip netns add red; ip link add veth-a type veth peer name veth-b netns red
        ip netns exec red sleep 1000 & sleep 1
        ip netns del red; ip link show veth-a > /dev/null && echo held
        kill -9 $!; { wait $!; } 2>/dev/null; sleep 1
        ip link show veth-a > /dev/null 2>&1 || echo gone";
    prints(script, "held\ngone\n", 0);
}

#[test]
fn standard_input_reaches_a_program_that_reads_it() {
    prints("printf 'netns add green\\nnetns list\\n' | ip -batch -", "green\n", 0);
    prints("echo 'netns add green' > lines; ip -batch lines; ip netns list", "green\n", 0);
}

#[test]
fn timeout_ends_what_takes_too_long_in_virtual_time() {
    let script = "timeout 1 sleep 10; echo $?; timeout 10 sleep 1; echo $?; timeout 5 bash -c 'exit 9'; echo $?
        timeout 60 bash -c 'sleep 100; echo no'; echo $?
        timeout --preserve-status 1 bash -c 'trap \"exit 7\" TERM; sleep 10 & wait'; echo $?
        ip netns add red; ip netns exec red timeout 1 ip netns identify
        timeout -s INT 2.5 ping -q 127.0.0.1 | grep -c '3 packets transmitted, 3 received'";
    prints(script, "124\n0\n9\n124\n7\nred\n1\n", 0);
}

#[test]
fn a_run_repeats_itself() {
    let script = "for n in 1 2 3 4 5 6; do ping -c 2 127.0.0.$n & done | cat; wait";
    for user in users() {
        let first = user.run(script);
        assert!(first.stdout.len() > 1000, "six pings");
        for _ in 0..3 {
            assert_eq!(String::from_utf8_lossy(&user.run(script).stdout), String::from_utf8_lossy(&first.stdout));
        }
    }
}

/// True while a process of that number is there.
fn alive(pid: &str) -> bool {
    Path::new("/proc").join(pid.trim()).exists()
}

#[test]
fn what_a_script_leaves_running_ends_with_it() {
    for user in users() {
        let script = "setsid /bin/sleep 300 & echo $!; (trap '' HUP TERM INT; /bin/sleep 301) & echo $!; ping 127.1 &";
        let output = user.script(script).stderr(Stdio::null()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let pids: Vec<&str> = text.lines().take(2).collect();
        assert_eq!(pids.len(), 2, "{text}");
        pids.iter().for_each(|pid| assert!(!alive(pid), "{pid} is left"));
        user.assert_clean();
    }
}

#[test]
fn told_to_end_we_tell_the_script() {
    for (script, status) in [("echo $$; sleep infinity", 143), ("trap 'exit 3' TERM; echo $$; sleep infinity", 3)] {
        for user in users() {
            let mut child = user.script(script).stdout(Stdio::piped()).spawn().unwrap();
            let mut pid = [0; 16];
            let got = child.stdout.as_mut().unwrap().read(&mut pid).unwrap();
            kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(status), "{script}");
            assert!(!alive(std::str::from_utf8(&pid[..got]).unwrap()));
            user.assert_clean();
        }
    }
}

#[test]
fn the_script_does_not_outlive_a_killed_lab() {
    for user in users() {
        let mut child = user.script("echo $$; while :; do :; done").stdout(Stdio::piped()).spawn().unwrap();
        let mut pid = [0; 16];
        let got = child.stdout.as_mut().unwrap().read(&mut pid).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let pid = std::str::from_utf8(&pid[..got]).unwrap();
        eventually("the script ends", || !alive(pid));
    }
}

#[test]
fn a_directory_may_stay_ahead_of_our_programs() {
    for user in users() {
        let ahead = user.dir.path().join("ahead");
        std::fs::create_dir(&ahead).unwrap();
        let shim = ahead.join("hostname");
        std::fs::write(&shim, "#!/bin/sh\necho shim; PATH=${PATH#*:}; exec hostname \"$@\"\n").unwrap();
        std::fs::set_permissions(&shim, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::write(user.dir.path().join("script"), "ip netns add red; hostname; ip netns exec red hostname")
            .unwrap();
        let output = user.vethlab(&["run", "--path-first", "ahead", "script"]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "shim\nvethlab\nshim\nvethlab\n");
    }
}
