use super::*;
use std::path::Path;

/// A `/proc` with these processes: number, parent, state letter, switches.
fn proc(dir: &Path, processes: &[(u32, u32, &str, u64)]) {
    for entry in std::fs::read_dir(dir).unwrap() {
        std::fs::remove_dir_all(entry.unwrap().path()).unwrap();
    }
    for (pid, parent, state, switches) in processes {
        let task = dir.join(format!("{pid}/task/{pid}"));
        std::fs::create_dir_all(&task).unwrap();
        let children = processes.iter().filter(|other| other.1 == *pid).map(|other| format!("{} ", other.0));
        std::fs::write(task.join("children"), children.collect::<String>()).unwrap();
        let text = format!("State:\t{state}\nPPid:\t{parent}\nThreads:\t1\nvoluntary_ctxt_switches:\t{switches}\n");
        std::fs::write(dir.join(format!("{pid}/status")), text).unwrap();
    }
}

#[test]
fn quiet_means_twice_the_same_and_all_asleep() {
    let dir = tempfile::tempdir().unwrap();
    let mut tree = Tree::of(dir.path().into(), 1);
    let mut look = |processes: &[(u32, u32, &str, u64)]| {
        proc(dir.path(), processes);
        tree.look(&mut Moves::default())
    };
    let me = (1, 0, "R", 5);
    assert!(!look(&[me, (2, 1, "S", 1), (3, 2, "S", 1), (9, 0, "R", 1)]), "the first look proves nothing");
    assert!(look(&[me, (2, 1, "S", 1), (3, 2, "S", 1), (9, 0, "R", 2)]), "we, and who is not ours, may run");
    assert!(!look(&[me, (2, 1, "S", 1), (3, 2, "S", 2)]), "it ran in between");
    assert!(look(&[me, (2, 1, "S", 1), (3, 2, "S", 2)]));
    assert!(!look(&[me, (2, 1, "S", 1), (3, 2, "S", 2), (4, 3, "S", 0)]), "a grandchild came");
    assert!(!look(&[me, (2, 1, "S", 1), (3, 2, "S", 2), (4, 3, "R", 0)]));
    assert!(!look(&[me, (2, 1, "S", 1), (3, 2, "S", 2), (4, 3, "R", 0)]), "the same, but running");
    assert!(!look(&[me, (2, 1, "S", 1)]), "two went");
    assert!(look(&[me, (2, 1, "S", 1)]));
}

#[test]
fn who_says_that_it_sleeps_but_is_on_a_processor_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut tree = Tree::of(dir.path().into(), 1);
    let mut look = |call: &str| {
        proc(dir.path(), &[(1, 0, "R", 5), (2, 1, "S", 1)]);
        std::fs::write(dir.path().join("2/task/2/syscall"), call).unwrap();
        tree.look(&mut Moves::default())
    };
    let asleep = "7 0x4 0x1 0x0 0x0 0x0 0x0 0x7f 0x7f\n";
    look(asleep);
    assert!(look(asleep));
    assert!(!look("running\n"));
    assert!(look(asleep));
}

#[test]
fn who_will_see_soon_that_a_child_has_ended_is_busy() {
    let dir = tempfile::tempdir().unwrap();
    let mut tree = Tree::of(dir.path().into(), 1);
    let mut look = |call: i64, timeout: &str| {
        proc(dir.path(), &[(1, 0, "R", 5), (2, 1, "S", 1), (3, 2, "Z", 1)]);
        let line = format!("{call} 0x4 0x1 0x0 0x0 {timeout} 0x0 0x7f 0x7f\n");
        std::fs::write(dir.path().join("2/task/2/syscall"), line).unwrap();
        tree.look(&mut Moves::default());
        tree.look(&mut Moves::default())
    };
    assert!(!look(nix::libc::SYS_pselect6, "0x7f"));
    assert!(look(nix::libc::SYS_pselect6, "0x0"), "without a timeout it would have seen it");
    assert!(look(nix::libc::SYS_wait4, "0x7f"), "it waits for another one");
}

#[test]
fn without_the_kernels_lists_the_whole_machine_is_searched() {
    let dir = tempfile::tempdir().unwrap();
    proc(dir.path(), &[(1, 0, "R", 5), (2, 1, "S", 1), (3, 2, "S", 1), (9, 0, "R", 1)]);
    for pid in [1, 2, 3, 9] {
        std::fs::remove_file(dir.path().join(format!("{pid}/task/{pid}/children"))).unwrap();
    }
    let mut tree = Tree::of(dir.path().into(), 1);
    tree.look(&mut Moves::default());
    assert!(tree.look(&mut Moves::default()));
    assert_eq!(tree.homes(), [(2, NsId(0)), (3, NsId(0))]);
}

#[test]
fn children_live_where_their_parents_do_also_when_these_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let mut tree = Tree::of(dir.path().into(), 1);
    let me = (1, 0, "R", 5);
    proc(dir.path(), &[me, (2, 1, "S", 1), (3, 2, "S", 1)]);
    tree.look(&mut Moves::default());
    let mut moves = Moves::default();
    tree.settle_in(3, NsId(4), &mut moves);
    assert_eq!(moves, Moves { came: vec![NsId(4)], went: vec![NsId(0)] });

    proc(dir.path(), &[me, (2, 1, "S", 1), (3, 2, "S", 1), (5, 3, "S", 1)]);
    let mut moves = Moves::default();
    tree.look(&mut moves);
    assert_eq!(moves, Moves { came: vec![NsId(4)], went: vec![] });

    proc(dir.path(), &[me, (2, 1, "S", 1), (5, 1, "S", 1)]);
    let mut moves = Moves::default();
    tree.look(&mut moves);
    assert_eq!(moves, Moves { came: vec![], went: vec![NsId(4)] });
    assert_eq!(tree.home(5), Some(NsId(4)), "an orphan stays");
    assert_eq!(tree.home(3), None);
}

#[test]
fn a_process_of_unknown_descent_is_asked_for_its_environment() {
    let dir = tempfile::tempdir().unwrap();
    proc(dir.path(), &[(1, 0, "R", 5), (2, 1, "S", 1)]);
    std::fs::write(dir.path().join("2/environ"), b"A=1\0VETHLAB_NS=6\0B=2\0").unwrap();
    let mut tree = Tree::of(dir.path().into(), 1);
    tree.look(&mut Moves::default());
    assert_eq!(tree.home(2), Some(NsId(6)));
}
