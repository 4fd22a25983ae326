//! Bundles with libraries of policies, for one platform and for several.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::archive::{change, entries};
use super::{failure, hearth, library, quickstart, text};

/// Packs a run with a library that lies in a folder, and another one of the same name for another platform.
fn packed(folder: &Path, more: &[&str]) -> PathBuf {
    let (file, bundle) = (folder.join("libmine.so"), folder.join("study.hearth"));
    fs::copy(library("hearth-eviction-lru"), &file).unwrap();
    let policy = format!("eviction.containers={}:lru", file.display());
    let output =
        hearth(&[&["pack", &quickstart(), "--policy", &policy, "-o", bundle.to_str().unwrap()], more].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    fs::remove_file(file).unwrap();
    bundle
}

fn verified(bundle: &Path) -> String {
    let output = hearth(&["run", bundle.to_str().unwrap(), "--verify"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn a_library_is_packed_and_used_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = packed(folder.path(), &[]);
    let names: Vec<String> = entries(&bundle).into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"inputs/1/libmine.so".to_owned()), "{names:?}");
    assert!(verified(&bundle).ends_with(" files are the same, byte for byte.\n"));
    // On a machine of another kind it would not run.
    change(&bundle, |contents| contents["files"][1]["platform"] = json!("plan9-mips"));
    let (code, message) = failure(&["run", bundle.to_str().unwrap(), "--verify"]);
    let this = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    assert_eq!(code, 2, "{message}");
    let expected =
        format!("inputs/1/libmine.so is for plan9-mips, and not for {this}: pack it with --library {this}=FILE");
    assert!(message.contains(&expected), "{message}");
}

#[test]
fn the_library_for_this_platform_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("mine.so");
    // The same policy in another file, as another compiler would have made it.
    let bytes = fs::read(library("hearth-eviction-lru")).unwrap();
    fs::write(&other, [bytes.as_slice(), b"\0"].concat()).unwrap();
    let more = format!("plan9-mips={}", other.display());
    let bundle = packed(folder.path(), &["--library", &more]);
    assert!(verified(&bundle).ends_with(" files are the same, byte for byte.\n"));
    let native = entries(&bundle).into_iter().find(|(name, _)| name == "inputs/1/libmine.so").unwrap();
    assert!(native.1 == bytes, "it is the one that was run");
    // As seen from there, this one is the foreign one.
    change(&bundle, |contents| {
        let files = contents["files"].as_array_mut().unwrap();
        let here = files[1]["platform"].take();
        assert_eq!(files[2]["stands_for"], files[1]["name"]);
        (files[1]["platform"], files[2]["platform"]) = (json!("plan9-mips"), here);
    });
    assert!(verified(&bundle).ends_with(" files are the same, byte for byte.\n"), "but for the library's own hash");
    let (code, message) =
        failure(&["pack", &quickstart(), "--library", &more, "-o", folder.path().join("x").to_str().unwrap()]);
    assert!(code == 2 && message.contains("no library is read"), "{message}");
}
