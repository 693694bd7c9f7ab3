//! Wrong commands get Linux's words, on Linux's stream, with Linux's status.

use vethlab_sim::{Host, Lab, Options};
use vethlab_tests::wrong::{Answer, SETUP, parse, print};

#[test]
fn wrong_commands_are_answered_as_linux_answers_them() {
    let expected = parse(include_str!("../wrong.txt"));
    assert!(expected.len() >= 60, "only {} commands", expected.len());
    let mut lab = Lab::new(Options { seed: 1, host: Host::Bare });
    for command in SETUP {
        let output = lab.run(command);
        assert_eq!((output.status, output.stderr.as_str()), (0, ""), "{command}");
    }
    let mut wrong = Vec::new();
    for answer in &expected {
        let output = lab.run(&answer.command);
        let ours = Answer {
            command: answer.command.clone(),
            stdout: output.stdout,
            stderr: output.stderr,
            status: output.status,
        };
        if ours != *answer {
            wrong.push(format!("Linux:\n{}ours:\n{}", print(std::slice::from_ref(answer)), print(&[ours])));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), expected.len(), wrong.join("\n"));
}
