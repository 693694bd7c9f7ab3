use super::*;
use crate::lab::{Lab, Options as LabOptions};

const TITLE: &str = "Proto Recv-Q Send-Q Local Address           Foreign Address         State      ";

/// As the real tool prints them where there are no sockets.
#[test]
fn headings() {
    let mut lab = Lab::new(LabOptions::default());
    let unix = "Proto RefCnt Flags       Type       State         I-Node   Path\n";
    assert_eq!(
        lab.run("netstat").stdout,
        format!("Active Internet connections (w/o servers)\n{TITLE}\nActive UNIX domain sockets (w/o servers)\n{unix}")
    );
    assert_eq!(
        lab.run("netstat -tulpn").stdout,
        format!("Active Internet connections (only servers)\n{TITLE} PID/Program name    \n")
    );
    assert_eq!(
        lab.run("netstat -ate").stdout,
        format!("Active Internet connections (servers and established)\n{TITLE} User       Inode     \n")
    );
    assert_eq!(lab.run("netstat -x").stdout, format!("Active UNIX domain sockets (w/o servers)\n{unix}"));
    assert_eq!(lab.run("netstat -4to").stdout, format!("Active Internet connections (w/o servers)\n{TITLE} Timer\n"));
}

#[test]
fn complaints_and_other_tables() {
    let mut lab = Lab::new(LabOptions::default());
    let bogus = lab.run("netstat --bogus");
    assert_eq!(bogus.status, E_OPTERR);
    assert_eq!(bogus.stderr, format!("netstat: unrecognized option '--bogus'\n{USAGE}{}", family_list(true)));
    assert_eq!(lab.run("netstat -tc").stderr, "vethlab: netstat -c is not simulated\n");
    assert_eq!(lab.run("netstat -A foo").stderr, "Unknown address family `foo'.\n");
    let head =
        "Kernel IP routing table\nDestination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n";
    assert!(lab.run("netstat -rn").stdout.starts_with(head));
    assert_eq!(lab.run("netstat -rne").stdout, lab.run("route -n").stdout);
    let interfaces = lab.run("netstat -i").stdout;
    let head = "Kernel Interface table\nIface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n";
    assert!(interfaces.starts_with(head), "{interfaces}");
    assert!(
        interfaces
            .contains("\nlo              65536        0      0      0 0             0      0      0      0 LRU\n")
    );
}
