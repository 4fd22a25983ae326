//! Compiled policies under `hearth debug`: their state goes with each branch, and what one does to its process it does to its branch.

#![cfg(unix)]

use std::process::{Command, Output, Stdio};

use super::workshop::library;
use super::{misbehaving, quickstart, text};

fn debug(policy: &str, more: &[&str], commands: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("commands.txt");
    std::fs::write(&script, commands).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
    command.env_remove("HEARTH_PLUGIN_PATH").args(["debug", &quickstart(), "--policy", policy]).args(more);
    command.arg("--commands").arg(script).stdin(Stdio::null()).output().unwrap()
}

fn destructive(how: &str) -> String {
    format!("node_allocation={},how={how}", library("hearth-test-destructive").display())
}

/// What is printed; the command must have succeeded.
#[track_caller]
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn a_library_brings_down_its_branch_alone() {
    for how in ["no_memory_there", "abort", "exit", "kill"] {
        let commands = "run to 40\nbranch doomed\nrun";
        let ended = debug(&destructive(how), &[], commands);
        let (said, wrong) = (text(&ended.stdout), text(&ended.stderr));
        assert_eq!(ended.status.code(), Some(2), "{how}: {said}{wrong}");
        assert!(wrong.contains("branch doomed is gone: its process has ended"), "{how}: {wrong}");
        assert!(wrong.contains(": `switch` to another branch"), "{how}: {wrong}");
    }
    // The first branch is the debugger's own child, so that it is known how it has ended.
    let ended = debug(&destructive("no_memory_there"), &[], "run");
    let wrong = text(&ended.stderr);
    assert!(wrong.contains("branch main is gone: signal 11 has ended its process"), "{wrong}");
}

#[test]
fn a_branch_goes_on_without_the_library_that_would_have_brought_it_down() {
    let commands = "run to 40\nbranch spared\nset node_allocation=first-fit\nrun\nexpect queue = 0\nsummary";
    assert!(printed(&debug(&destructive("abort"), &[], commands)).contains("nothing is left to happen"));
}

#[test]
fn what_a_library_prints_or_forks_spoils_nothing() {
    let commands = "run to 40\nbranch other\nrun\nswitch main\nrun\nsummary\ncompare";
    let well = printed(&debug(&destructive("well"), &[], commands));
    for how in ["print", "fork", "own_hook"] {
        assert_eq!(
            printed(&debug(&destructive(how), &[], commands)),
            well.replace("how=well", &format!("how={how}")),
            "{how}"
        );
    }
}

#[test]
fn a_call_that_does_not_come_back_gives_its_branch_up_with_its_name() {
    for commands in ["run", "run to 40\nbranch other\nrun"] {
        let ended = debug(&destructive("hang"), &["--policy-timeout", "0.3"], commands);
        let wrong = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{wrong}");
        assert!(
            wrong.contains("is gone: policies.node_allocation: \"destroys\" of ")
                && wrong.contains("has not come back from place"),
            "{wrong}"
        );
    }
}

#[test]
fn a_library_that_came_later_is_named_too() {
    let come = format!("run to 40\nset {}\nrun", destructive("hang"));
    let output = debug("keep_alive=fixed", &["--policy-timeout", "0.3"], &come);
    let wrong = text(&output.stderr);
    assert!(wrong.contains("is gone: policies.node_allocation: \"destroys\" of "), "{wrong}");
}

/// A panic is caught where it happens: the simulation cannot go on, but what led to it can be looked at, and another branch goes on.
#[test]
fn a_call_that_panics_can_be_looked_at() {
    let panics = format!("node_allocation=\"{}\":misplaces,how=panic_text", misbehaving());
    let commands =
        format!("run to 0.5\nbranch doomed\nset {panics}\nrun\npolicy node_allocation\nnodes\nswitch main\nrun");
    let said = printed(&debug("keep_alive=fixed", &[], &commands));
    assert!(said.contains("the simulation stopped: "), "{said}");
    assert!(said.contains("place about invocation 0 of resize: Failed: panicked: as asked: panic_text (at "), "{said}");
    assert!(said.contains("nothing is left to happen"), "{said}");
}

/// It is as if it had been there alone: a random policy of a library draws on where it was in each branch.
#[test]
fn the_state_of_a_library_goes_with_each_branch() {
    let random = |policy: &str| format!("node_allocation={policy}");
    let compiled = random(&library("hearth-node-allocation-random").display().to_string());
    let commands = "run to 30\nbranch one\nrun to 60\nbranch two\nrun\nswitch one\nrun\nswitch main\nrun\ncompare";
    let (compiled, built_in) =
        (printed(&debug(&compiled, &[], commands)), printed(&debug(&random("random"), &[], commands)));
    assert_eq!(compiled, built_in);
    assert!(compiled.contains("two against main: of "), "{compiled}");
    assert!(!compiled.contains(" lost ") || compiled.contains(", 0 lost,"), "{compiled}");
}
