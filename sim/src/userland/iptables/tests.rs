//! iptables as a whole, in a lab.

use crate::lab::{Lab, Options, Output};

fn lab() -> Lab {
    Lab::new(Options::default())
}

fn run(lab: &mut Lab, line: &str) -> Output {
    lab.run(line)
}

#[test]
fn a_rule_is_listed_saved_and_deleted() {
    let mut lab = lab();
    assert_eq!(run(&mut lab, "iptables-save").stdout, "");
    assert_eq!(run(&mut lab, "iptables -A INPUT -p tcp --dport ssh -s 10.1.2.3/8 -j ACCEPT"), Output::default());
    assert_eq!(
        run(&mut lab, "iptables -S INPUT").stdout,
        "-P INPUT ACCEPT\n-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT\n"
    );
    assert_eq!(
        run(&mut lab, "iptables -L INPUT 1").stdout,
        "ACCEPT     tcp  --  10.0.0.0/8           anywhere             tcp dpt:ssh\n"
    );
    assert_eq!(run(&mut lab, "iptables -D INPUT -s 10.0.0.0/8 -p 6 --dport 22 -j ACCEPT").status, 0);
    assert_eq!(run(&mut lab, "iptables -S INPUT").stdout, "-P INPUT ACCEPT\n");
}
