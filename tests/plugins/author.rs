//! The author's way: crates that `hearth policies new` writes build, pass their tests and run; and so does the one of the
//! guide.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

use super::languages::{ALL_BUT_RUST, shell};
use super::workshop::{built, cargo, carried_interface};
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
    for (kind, slot) in KINDS {
        let name = format!("my-{kind}");
        new_crate(folder.path(), &name, kind);
        try_out(&folder.path().join(&name), &name, slot);
    }
}

/// Writes a policy as the command does in an empty folder, and gives what it says that comes next.
fn written(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
    let output = command.current_dir(folder).args(["policies", "new"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().filter_map(|line| line.strip_prefix("  ")).map(str::to_owned).collect()
}

const KINDS: [(&str, &str); 5] = [
    ("node-allocation", "node_allocation"),
    ("eviction", "eviction.containers"),
    ("admission", "admission"),
    ("keep-alive", "keep_alive"),
    ("autoscaling", "autoscaling"),
];

#[test]
fn who_has_only_the_program_builds_checks_and_runs_a_policy_in_each_language() {
    for language in ALL_BUT_RUST.into_iter().filter(|language| language.is_here()) {
        let folder = tempfile::tempdir().unwrap();
        for (kind, slot) in KINDS {
            let name = format!("my-{kind}");
            let next = written(folder.path(), &[&name, "--kind", kind, "--language", language.folder]);
            let [enter, build, check, run] = next.as_slice() else { panic!("{next:?}") };
            assert_eq!((enter, check.as_str()), (&format!("cd {name}"), "hearth policies check policy.so"));
            assert_eq!(run, &format!("hearth run SCENARIO --policy {slot}=./policy.so"));
            let own = folder.path().join(&name);
            assert!(fs::read_to_string(own.join("README.md")).unwrap().contains(&format!("{build}\n{check}\n{run}\n")));
            // Where there is nothing else, and no network.
            shell(&own, &format!("export GOFLAGS=-mod=mod GOPROXY=off\n{build}"));
            let library = own.join("policy.so").display().to_string();
            let check = hearth(&["policies", "check", &library, "--cases", "64"]);
            assert_eq!(text(&check.stdout).matches(&format!("{name} (")).count(), 1, "{}", text(&check.stdout));
            assert!(check.status.success(), "{}", text(&check.stdout));
            let run = hearth(&["run", &quickstart(), "--policy", &format!("{slot}={library}")]);
            assert!(run.status.success(), "{}", text(&run.stderr));
        }
    }
}

#[test]
fn a_vendored_crate_of_each_kind_depends_on_nothing_outside_of_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    // A home of Cargo in which no crate was ever downloaded.
    let home = folder.path().join("home");
    fs::create_dir(&home).unwrap();
    for (kind, slot) in KINDS {
        let name = format!("my-{kind}");
        let next = written(folder.path(), &[&name, "--kind", kind, "--vendor"]);
        let [_, build, check, run] = next.as_slice() else { panic!("{next:?}") };
        assert_eq!(build, "cargo build --release");
        let own = folder.path().join(&name);
        let mut command = std::process::Command::new(env!("CARGO"));
        command.args(["build", "--offline"]).current_dir(&own).env("CARGO_HOME", &home);
        command.env("CARGO_TARGET_DIR", folder.path().join("target"));
        let output = command.output().unwrap();
        let said = text(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(!said.contains("warning"), "{said}");
        let file = check.strip_prefix("hearth policies check target/release/").unwrap();
        assert_eq!(run, &format!("hearth run SCENARIO --policy {slot}=target/release/{file}"));
        let library = folder.path().join("target/debug").join(file).display().to_string();
        let check = hearth(&["policies", "check", &library, "--cases", "64"]);
        assert!(check.status.success(), "{}", text(&check.stdout));
        let run = hearth(&["run", &quickstart(), "--policy", &format!("{slot}={library}")]);
        assert!(run.status.success(), "{}", text(&run.stderr));
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
    let carried = tempfile::tempdir().unwrap();
    let old = carried_interface(carried.path());
    let (major, minor) = hearth_policy_api::boundary::interface_version();
    assert_eq!(refused(&old), said(&format!("version {major}.{minor}.0 has no test kit: take {major}.{minor}")));
}

#[test]
fn the_check_of_a_library_names_what_is_unsound() {
    // With its defaults alone: with the others it goes wrong in every way that there is.
    let library = misbehaving();
    let mut all: Vec<&str> = vec!["policies", "check", &library, "--cases", "64"];
    let defaults =
        ["misplaces.how=well", "misplans.how=twice", "misevicts.how=well", "misadmits.how=well", "miskeeps.how=well"];
    defaults.iter().for_each(|given| all.extend(["--parameter", *given]));
    let check = |more: &[&str]| hearth(&[&all, more].concat());
    let output = check(&[]);
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
    // What it does not promise it is not held to, and other values of parameters are told as they are.
    let waived = text(&check(&["--waive", "respects-capacity", "--waive", "work_conserving"]).stdout);
    assert!(waived.contains("misplaces (node allocation): no fault in 64 histories"), "{waived}");
    let panics = text(&check(&["--parameter", "misadmits.how=panic_admit"]).stdout);
    assert!(panics.contains("misadmits (admission): failed in admit: panicked: as asked: panic_admit"), "{panics}");
    let refused = |more: &[&str]| {
        let output = check(more);
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr)
    };
    let unknown = refused(&["--parameter", "hwo=well"]);
    assert!(unknown.contains("no policy here has it; there are how, limit: did you mean \"how\"?"), "{unknown}");
    let unsuitable = refused(&["--parameter", "misplaces.how=ill"]);
    assert!(unsuitable.contains("parameter \"how\": found \"ill\", expected one of "), "{unsuitable}");
    let claim = refused(&["--waive", "bounded-memroy"]);
    assert!(claim.contains("did you mean \"bounded_memory\"?"), "{claim}");
    let (code, message) = failure(&["policies", "check", "nowhere.so"]);
    assert_eq!((code, message.as_str()), (2, "nowhere.so cannot be read: No such file or directory (os error 2)"));
}
