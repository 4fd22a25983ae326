//! What every crate that is published says of itself, and what the first build leaves out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use hearth_tests::project_path;
use serde_json::Value;

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).current_dir(project_path(".")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn packages() -> Vec<Value> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--offline", "--no-deps", "--format-version", "1"])).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn is_published(package: &Value) -> bool {
    package["publish"].is_null()
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    package[field].as_str().unwrap_or_else(|| panic!("{} has no {field}", package["name"]))
}

#[test]
fn every_published_crate_has_all_that_crates_io_and_docs_rs_show() {
    let packages = packages();
    let published: Vec<&Value> = packages.iter().filter(|package| is_published(package)).collect();
    assert!(published.len() > 40, "only {} crates", published.len());
    for package in published {
        let name = text(package, "name");
        let folder = Path::new(text(package, "manifest_path")).parent().unwrap();
        assert!(text(package, "description").len() > 10, "{name}");
        assert_eq!(text(package, "license"), "MIT OR Apache-2.0", "{name}");
        assert_eq!(text(package, "documentation"), format!("https://docs.rs/{name}"));
        assert!(text(package, "repository").starts_with("https://"), "{name}");
        assert!(package["rust_version"].is_string(), "{name}");
        assert!(folder.join(text(package, "readme")).is_file(), "{name}: its readme is not there");
        let keywords: Vec<&str> =
            package["keywords"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        // As crates.io takes them.
        assert!((1..=5).contains(&keywords.len()), "{name}: {keywords:?}");
        let is_keyword = |word: &&str| {
            word.len() <= 20
                && word.starts_with(|c: char| c.is_ascii_alphanumeric())
                && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-+".contains(c))
        };
        assert!(keywords.iter().all(is_keyword), "{name}: {keywords:?}");
        assert!(!package["categories"].as_array().unwrap().is_empty(), "{name} has no category");
        assert_eq!(package["metadata"]["docs"]["rs"]["all-features"], true, "{name}");
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            let (own, whole) = (fs::read(folder.join(licence)), fs::read(project_path(licence)));
            assert!(own.is_ok_and(|own| own == whole.unwrap()), "{name} has no {licence} of its own");
        }
    }
}

/// A version that is asked for but too old would build here, by path, and not from crates.io.
#[test]
fn dependencies_within_the_project_ask_for_the_version_there_is() {
    let packages = packages();
    let versions: BTreeMap<&str, &str> =
        packages.iter().map(|package| (text(package, "name"), text(package, "version"))).collect();
    for package in packages.iter().filter(|package| is_published(package)) {
        for dependency in package["dependencies"].as_array().unwrap() {
            let (name, required) = (text(dependency, "name"), text(dependency, "req"));
            let Some(version) = versions.get(name) else { continue };
            // A crate that depends on itself turns its features on for its tests; that is left out of packages.
            let is_itself = name == text(package, "name");
            let as_expected = if is_itself { "*".to_owned() } else { format!("^{version}") };
            assert_eq!(required, as_expected, "{} asks for {name}", package["name"]);
        }
    }
}

/// The names and numbers of external crates that a package is built from with the features that are on by default.
fn external_crates(package: &str) -> Vec<String> {
    let tree = cargo(&["tree", "--offline", "-p", package, "-e", "normal,build", "--prefix", "none", "-f", "{p}"]);
    let mut crates: Vec<String> =
        tree.lines().filter(|line| !line.contains("(/")).map(|line| line.replace(" (*)", "")).collect();
    crates.sort();
    crates.dedup();
    crates
}

#[test]
fn the_first_build_leaves_out_what_few_need() {
    let crates = external_crates("hearth-sim");
    for heavy in ["parquet", "resvg", "usvg", "skrifa", "rustybuzz", "object_store", "reqwest", "rustls", "tokio"] {
        assert!(!crates.iter().any(|line| line.starts_with(&format!("{heavy} "))), "{heavy} is in the first build");
    }
    // Each takes seconds of a newcomer's time: look at `cargo build --release --timings` before raising this.
    assert!(crates.len() <= 170, "{} external crates: {crates:?}", crates.len());
    for package in packages().iter().filter(|package| is_published(package)) {
        let kinds =
            package["targets"].as_array().unwrap().iter().flat_map(|target| target["crate_types"].as_array().unwrap());
        let is_library = |kind: &Value| ["cdylib", "dylib", "staticlib"].iter().any(|name| kind == name);
        assert!(!kinds.into_iter().any(is_library), "{} is linked as a library that nobody asked for", package["name"]);
    }
}
