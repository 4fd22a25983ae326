//! The author's way: crates that `hearth policies new` writes build, pass their tests and run; and so does the one of the
//! guide.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

use super::workshop::{built, cargo};
use super::{failure, hearth, misbehaving, project_path, quickstart, text};

/// Writes a crate as the command does, in a folder.
fn new_crate(folder: &Path, name: &str, kind: &str) {
    let policy_api = project_path("policy-api");
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
    command.current_dir(folder).args(["policies", "new", name, "--kind", kind, "--policy-api"]).arg(policy_api);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with(&format!("{name}/src/lib.rs is the policy.")));
}

/// Tests and builds a crate, checks its library, and runs the quickstart with it.
fn try_out(folder: &Path, name: &str, slot: &str) {
    cargo(folder, &["test"]);
    cargo(folder, &["build"]);
    let library = built(name).display().to_string();
    let check = hearth(&["policies", "check", &library, "--cases", "64"]);
    assert!(check.status.success(), "{}", text(&check.stdout));
    assert!(text(&check.stdout).contains("no fault in 64 histories"));
    let run = hearth(&["run", &quickstart(), "--policy", &format!("{slot}={library}")]);
    assert!(run.status.success(), "{}", text(&run.stderr));
    assert!(text(&run.stdout).contains(name));
}

#[test]
fn a_new_crate_of_each_kind_builds_passes_its_tests_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, slot) in [
        ("node-allocation", "node_allocation"),
        ("eviction", "eviction.containers"),
        ("admission", "admission"),
        ("keep-alive", "keep_alive"),
    ] {
        let name = format!("my-{kind}");
        new_crate(folder.path(), &name, kind);
        try_out(&folder.path().join(&name), &name, slot);
    }
}

#[test]
fn the_policy_of_the_guide_builds_passes_its_tests_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    let name = "least-recently-placed";
    new_crate(folder.path(), name, "node-allocation");
    let guide = fs::read_to_string(project_path("docs/writing-a-policy.md")).unwrap();
    let source = guide.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    fs::write(folder.path().join(name).join("src/lib.rs"), source).unwrap();
    try_out(&folder.path().join(name), name, "node_allocation");
}

#[test]
fn a_crate_is_not_written_over_another_nor_under_a_strange_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("mine")).unwrap();
    let refused = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
        command.current_dir(folder.path()).args(["policies", "new", name, "--kind", "eviction"]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr)
    };
    assert_eq!(refused("mine"), "error: the folder mine is there already: choose another name\n");
    assert!(refused("My Policy").starts_with("error: \"My Policy\" is no name for a policy: "));
}

#[test]
fn a_crate_is_only_written_against_an_interface_that_this_program_loads() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |policy_api: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
        command.current_dir(folder.path()).args(["policies", "new", "mine", "--kind", "eviction", "--policy-api"]);
        let output = command.arg(policy_api).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(!folder.path().join("mine").exists());
        text(&output.stderr).replace(&policy_api.display().to_string(), "DIR")
    };
    let said = |problem: &str| format!("error: --policy-api DIR: {problem}\n");
    assert_eq!(refused(&project_path("docs")), said("there is no Cargo.toml in it"));
    let another = project_path("plugins/eviction/lru");
    assert_eq!(refused(&another), said("it is the crate hearth-eviction-lru, not hearth-policy-api"));
    let old = project_path("tests/frozen/policy-api-2.0");
    let (major, minor) = hearth_policy_api::boundary::interface_version();
    assert_eq!(refused(&old), said(&format!("version 2.0.0 has no test kit: take {major}.{minor}")));
}

#[test]
fn the_check_of_a_library_names_what_is_unsound() {
    let output = hearth(&["policies", "check", &misbehaving(), "--cases", "64"]);
    let said = text(&output.stdout);
    assert!(
        said.contains(
            "misplaces (node allocation): places a request on node 0, which cannot make room for it\nafter\n"
        )
    );
    assert!(said.contains("misevicts (eviction): no fault in 64 histories"), "{said}");
    assert_eq!(
        (output.status.code(), text(&output.stderr).as_str()),
        (Some(1), "error: unsound: misplaces, misplans\n")
    );
    let (code, message) = failure(&["policies", "check", "nowhere.so"]);
    assert_eq!((code, message.as_str()), (2, "nowhere.so cannot be read: No such file or directory (os error 2)"));
}
