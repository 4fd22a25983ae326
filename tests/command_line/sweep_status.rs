//! `hearth sweep status DIR --follow`: how far a plan is, until all is done.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use super::sweep::{scenario, sweep_arguments};
use super::sweep_engines::is_installed;
use super::{hearth, printed};

/// A plan of twelve runs.
fn planned(folder: &Path) -> String {
    let plan = folder.join("planned").to_str().unwrap().to_owned();
    printed(hearth().args(sweep_arguments(&scenario(folder), &plan)).arg("--plan"));
    plan
}

/// What follows a plan says, while its shares are done one after the other: each once it has been said how far the last has come.
fn followed(plan: &str, mut command: Command) -> String {
    let mut follower = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(follower.stdout.take().unwrap());
    let mut said = Vec::new();
    for (done, share) in [(0, "1/3"), (4, "2/3"), (8, "3/3")] {
        let so_far = format!("{done} of 12 runs done, 0 running");
        while !String::from_utf8_lossy(&said).contains(&so_far) {
            let read = output.read_until(b'\n', &mut said).unwrap();
            assert!(read > 0, "{so_far} is not said: {}", String::from_utf8_lossy(&said));
        }
        printed(hearth().args(["sweep", "work", plan, "--share", share]));
    }
    output.read_to_end(&mut said).unwrap();
    assert!(follower.wait().unwrap().success());
    String::from_utf8(said).unwrap()
}

#[test]
fn a_line_follows_whenever_something_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let plan = planned(folder.path());
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
    command.args(["sweep", "status", &plan, "--follow", "--every", "0.1"]);
    let said = followed(&plan, command);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.first(), Some(&"0 of 12 runs done, 0 running, 0 failed, 12 open"));
    assert_eq!(lines.last(), Some(&"12 of 12 runs done, 0 running, 0 failed, 0 open"));
    assert!(lines.len() >= 4 && lines.windows(2).all(|pair| pair[0] != pair[1]), "{said}");
    assert!(lines.iter().any(|line| line.contains("of one core left")) && !said.contains('\u{1b}'), "{said}");
    let again = printed(hearth().args(["sweep", "status", &plan, "--follow"]));
    assert_eq!(again, "12 of 12 runs done, 0 running, 0 failed, 0 open\n", "it ends at once");
}

#[test]
fn on_a_terminal_what_was_said_is_replaced() {
    // Of util-linux: it runs a command on a terminal.
    if !is_installed("on_a_terminal_what_was_said_is_replaced", "script") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let plan = planned(folder.path());
    let hearth = format!("stty cols 50; '{}' sweep status '{plan}' --follow --every 0.1", env!("CARGO_BIN_EXE_hearth"));
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &hearth, "/dev/null"]).env("TERM", "xterm");
    let said = followed(&plan, command);
    let drawn: Vec<&str> = said.split("\u{1b}[").collect();
    let last = drawn.last().unwrap();
    assert!(last.contains("100 %") && last.contains("12 of 12 runs done, 0 running, 0 failed, 0 open"), "{said:?}");
    let bars = drawn.iter().filter(|part| part.contains(['░', '█'])).count();
    assert!((4..=14).contains(&bars), "a bar is drawn anew where something has changed: {said:?}");
    // What is longer than the terminal is wide would go on in another line.
    assert!(
        said.contains("about ") && said.split("\r").all(|line| line.trim_start().chars().count() <= 50),
        "{said:?}"
    );
}
