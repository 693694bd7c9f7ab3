//! Programs that talk: standard input piece by piece, real files, and who comes first.

use crate::common::{User, prints, users};

#[test]
fn a_listener_in_the_background_is_there_before_its_caller() {
    let script = "ip netns add red; ip link add va type veth peer name vb netns red
        ip addr add 10.0.0.1/24 dev va; ip link set va up
        ip -n red addr add 10.0.0.2/24 dev vb; ip -n red link set vb up
        ip netns exec red nc -l -v -n -N 80 </dev/null & echo hello | nc -v -n -N 10.0.0.2 80; wait
        seq 1 20000 | ip netns exec red nc -l -N 81 & nc -d -n 10.0.0.2 81 | cksum; seq 1 20000 | cksum; wait
        for n in 1 2 3; do echo $n | nc -n -N 10.0.0.2 82; done & ip netns exec red timeout 2 nc -l -k 82 </dev/null";
    let user = users().remove(0);
    let both = |user: &User| {
        let output = user.run(script);
        (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let first = both(&user);
    assert!(first.0.starts_with("hello\n"), "{first:?}");
    let sums: Vec<&str> = first.0.lines().skip(1).take(2).collect();
    assert_eq!(sums.first(), sums.last(), "{first:?}");
    for _ in 1..20 {
        assert_eq!(both(&user), first);
    }
}

#[test]
fn only_a_program_that_asks_reads_standard_input() {
    let script = "printf '80\\n81\\n' | while read port; do nc -z 127.0.0.1 $port; echo $port $?; done
        printf 'a\\nb\\n' | { ip link show lo >/dev/null; cat; }";
    prints(script, "80 1\n81 1\na\nb\n", 0);
}

#[test]
fn pieces_arrive_when_they_are_written_and_the_end_after_them() {
    let script = "(echo one; sleep 1; echo two) | nc -l -N 80 & sleep 0.5
        nc -d 127.0.0.1 80 | while read word; do echo $word; done; wait
        nc -l -N 81 < /dev/null & nc -d 127.0.0.1 81; echo over $?";
    prints(script, "one\ntwo\nover 0\n", 0);
}

#[test]
fn who_reads_no_further_ends_a_talk() {
    prints("yes | nc -l 80 2>/dev/null & nc -d 127.0.0.1 80 | head -1; echo ${PIPESTATUS[*]}", "y\n141 0\n", 0);
}

#[test]
fn files_are_written_with_the_callers_rights() {
    for user in users() {
        let script = "page() { printf 'HTTP/1.0 200 OK\\r\\n\\r\\n\\0\\377page\\n' | nc -l -N 80 >/dev/null & }
            page; curl -s -o page http://127.0.0.1/; echo $?; wait; od -An -tx1 page
            page; curl -s -S -o nowhere/page http://127.0.0.1/; echo $?; wait";
        let output = user.run(script);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "0\n 00 ff 70 61 67 65 0a\n23\n");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(said, "curl: (23) Failure writing output to destination\n");
    }
}

#[test]
fn a_directory_is_served_and_other_scripts_are_pythons_own() {
    let script = "mkdir www; echo hello > www/a.txt
        (cd www; exec timeout 5 python3 -m http.server 8000 >/dev/null 2>&1) & sleep 1
        curl -s http://127.0.0.1:8000/a.txt; curl -s http://127.0.0.1:8000/ | grep -c 'a.txt'
        wait; [ -x /usr/bin/python3 ] || { echo 4 4; exit; }; python3 -c 'print(2 + 2, end=\" \")'
        /usr/bin/python3 -c 'print(2 + 2)'";
    for user in users() {
        let output = user.run(script);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.starts_with("hello\n1\n") && text.ends_with("4 4\n"), "{text}");
    }
}
