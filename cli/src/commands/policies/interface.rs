//! Where a new policy finds `hearth-policy-api`, and whether it will do.

use std::path::{Path, PathBuf};
use std::process::Command;

use hearth_policy_api::boundary::interface_version;
use serde_json::Value;

use crate::error::CommandError;
use crate::program;

const NAME: &str = "hearth-policy-api";

/// The folder of the interface: the one that is given, or the one that this program was built from, or the one beside it; nothing
/// if neither of these is there. It must be one that libraries for this program can be built against.
pub fn find(given: Option<&Path>) -> Result<Option<PathBuf>, CommandError> {
    let Some(folder) = given.map(Path::to_owned).or_else(|| first(known())) else { return Ok(None) };
    let unusable = |problem: String| CommandError::Usage(format!("--policy-api {}: {problem}", folder.display()));
    let absolute = folder.canonicalize().map_err(|error| unusable(error.to_string()))?;
    check(&describe(&absolute).map_err(unusable)?).map_err(unusable)?;
    Ok(Some(absolute))
}

fn known() -> Vec<PathBuf> {
    let built_from = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../policy-api")).to_owned();
    let beside = program::beside("policy-api");
    [built_from].into_iter().chain(beside).collect()
}

fn first(candidates: Vec<PathBuf>) -> Option<PathBuf> {
    candidates.into_iter().find(|folder| folder.is_dir())
}

/// What Cargo says of the crate in a folder.
fn describe(folder: &Path) -> Result<Value, String> {
    let manifest = folder.join("Cargo.toml");
    if !manifest.is_file() {
        return Err("there is no Cargo.toml in it".to_owned());
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"]).arg(&manifest);
    let output = cargo.output().map_err(|error| format!("cargo cannot be run ({error}): policies need Rust"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let is_here = |package: &&Value| package["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest);
    packages.iter().find(is_here).cloned().ok_or_else(|| "it is a workspace and no crate".to_owned())
}

fn check(package: &Value) -> Result<(), String> {
    let (name, version) =
        (package["name"].as_str().unwrap_or_default(), package["version"].as_str().unwrap_or_default());
    if name != NAME {
        return Err(format!("it is the crate {name}, not {NAME}"));
    }
    let (major, minor) = interface_version();
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    let (theirs, their_minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    if theirs != major || their_minor > minor {
        return Err(format!("it is version {version}; this hearth loads policies of {major}.0 to {major}.{minor}"));
    }
    if package["features"]["testkit"].is_null() {
        return Err(format!("version {version} has no test kit: take {major}.{minor}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_an_interface_that_this_program_loads_will_do() {
        let crate_of =
            |name: &str, version: &str| json!({"name": name, "version": version, "features": {"testkit": []}});
        let (major, minor) = interface_version();
        let ours = format!("{major}.{minor}.7");
        assert_eq!(check(&crate_of(NAME, &ours)), Ok(()));
        let loads = format!("this hearth loads policies of {major}.0 to {major}.{minor}");
        for version in [format!("{}.0.0", major + 1), format!("{major}.{}.0", minor + 1)] {
            assert_eq!(check(&crate_of(NAME, &version)), Err(format!("it is version {version}; {loads}")));
        }
        assert_eq!(check(&crate_of("lru", &ours)), Err(format!("it is the crate lru, not {NAME}")));
        let bare = json!({"name": NAME, "version": ours, "features": {}});
        assert_eq!(check(&bare), Err(format!("version {ours} has no test kit: take {major}.{minor}")));
    }
}
