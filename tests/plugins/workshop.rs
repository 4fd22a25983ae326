//! Builds libraries: of the policies of this project, and of small crates as an author would, offline and with the
//! versions of this project.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use hearth_policy_api::carried;
use serde_json::Value;

use super::{project_path, text};

/// One build at a time, since all share a target folder: what they depend on is built once.
static BUILDING: Mutex<()> = Mutex::new(());

/// A policy of this project as a library, made of the source that is built in as well.
pub fn library(package: &str) -> PathBuf {
    static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(|error| error.into_inner());
    if let Some(path) = built.get(package) {
        return path.clone();
    }
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(project_path(".")).env("CARGO_TARGET_DIR", own_target());
    command.args(["rustc", "--offline", "--package", package, "--lib", "--crate-type", "cdylib"]);
    let output = command.arg("--message-format=json").output().unwrap();
    assert!(output.status.success(), "cargo rustc --package {package}:\n{}", text(&output.stderr));
    let path = text(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["crate_types"] == serde_json::json!(["cdylib"]))
        .find_map(|message| Some(PathBuf::from(message["filenames"][0].as_str()?)))
        .unwrap_or_else(|| panic!("{package} has made no library"));
    built.insert(package.to_owned(), path.clone());
    path
}

/// The target folder that this test was built in: what libraries depend on is there.
fn own_target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}

/// Runs Cargo in a folder and gives what it said on standard error; fails with it.
pub fn cargo(folder: &Path, arguments: &[&str]) -> String {
    let _turn = BUILDING.lock().unwrap_or_else(|error| error.into_inner());
    let lock = folder.join("Cargo.lock");
    if !lock.exists() {
        fs::copy(project_path("Cargo.lock"), lock).unwrap();
    }
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(folder).args(arguments);
    command.env("CARGO_TARGET_DIR", target()).env("CARGO_NET_OFFLINE", "true");
    // A test runs under Cargo, whose variables are not for the crates that it builds.
    for variable in ["RUSTFLAGS", "CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION", "CARGO_CRATE_NAME"] {
        command.env_remove(variable);
    }
    let output = command.output().unwrap();
    let said = text(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?} in {}:\n{said}\n{}", folder.display(), text(&output.stdout));
    said
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins")
}

/// The library of a crate that was built without optimisation.
pub fn built(package: &str) -> PathBuf {
    let name = package.replace('-', "_");
    target().join("debug").join(format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))
}

/// Writes the interface as the program carries it, without the test kit and the loader, with types described; gives its folder.
pub fn carried_interface(folder: &Path) -> PathBuf {
    let interface = folder.join("policy-api");
    let (major, minor) = hearth_policy_api::boundary::interface_version();
    let manifest = format!(
        "[package]\nname = \"hearth-policy-api\"\nversion = \"{major}.{minor}.0\"\nedition = \"2024\"\n\n[features]\n\
         default = [\"abi_stable\"]\n\n[dependencies]\nabi_stable = {{ version = \"0.11\", default-features = false, \
         optional = true }}\n\n[lints.rust]\nunexpected_cfgs = \"allow\"\n\n[workspace]\n"
    );
    for (file, text) in carried::SOURCES {
        let file = interface.join("src").join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    fs::write(interface.join("Cargo.toml"), manifest).unwrap();
    interface
}

/// Writes a crate with a policy of each kind, against the interface in `policy_api`.
pub fn write_crate(folder: &Path, name: &str, version: &str, policy_api: &Path) {
    let manifest = format!(
        "[package]\nname = {name:?}\nversion = {version:?}\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n\
         [dependencies]\nhearth-policy-api = {{ path = {policy_api:?} }}\n\n[workspace]\n"
    );
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("src/lib.rs"), include_str!("four_kinds.rs")).unwrap();
}

/// Copies a folder with all that is in it.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
