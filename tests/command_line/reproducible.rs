//! The same scenario and seed give the same bytes: run after run, and in every build, since the golden files were
//! written by a release build.

use std::fs;

use serde_json::Value;

use crate::{hearth, project_path};

/// `invocations.csv` and `summary.json`.
fn results(arguments: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let scenario = project_path("examples/quickstart.json");
    hearth().arg("run").arg(scenario).arg("--output").arg(folder.path()).args(arguments).assert().success();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let summary: Value = serde_json::from_str(&read("summary.json")).unwrap();
    (read("invocations.csv"), format!("{summary:#}\n"))
}

/// Compares with a golden file, or writes it when `HEARTH_BLESS` is set.
fn compare(name: &str, text: &str) {
    let file = project_path("tests/golden").join(name);
    if std::env::var_os("HEARTH_BLESS").is_some() {
        fs::write(&file, text).unwrap();
    }
    assert!(text == fs::read_to_string(&file).unwrap(), "{name} differs from its golden file");
}

#[test]
fn a_run_gives_the_bytes_of_the_golden_files() {
    let (invocations, summary) = results(&[]);
    compare("quickstart.invocations.csv", &invocations);
    compare("quickstart.summary.json", &summary);
}

#[test]
fn a_run_with_random_numbers_gives_the_bytes_of_its_seed() {
    let random = ["--policy", "node_allocation=random"];
    let first = results(&random);
    assert_eq!(first, results(&random));
    compare("quickstart-random.invocations.csv", &first.0);
    assert_ne!(first.0, results(&[&random[..], &["--seed", "43"]].concat()).0);
}
