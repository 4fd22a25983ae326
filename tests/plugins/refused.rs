//! Files that cannot be used as libraries of policies, each refused before it runs with what is wrong with it; and
//! libraries of an older interface, which are not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::workshop::{built, cargo, carried_interface, write_crate};
use super::{failure, hearth, misbehaving, project_path, quickstart, text};

fn refusal(choice: &str) -> String {
    let (code, message) = failure(&["run", &quickstart(), "--policy", choice]);
    assert_eq!(code, 2, "{message}");
    message.split_once("policies.node_allocation: ").expect(&message).1.to_owned()
}

/// Compiles a library of one file with nothing of Hearth in it.
fn compile(folder: &Path, name: &str, source: &str) -> String {
    let (file, library) = (folder.join(format!("{name}.rs")), folder.join(format!("lib{name}.so")));
    fs::write(&file, source).unwrap();
    let compiler =
        Command::new("rustc").args(["--crate-type", "cdylib", "-o"]).args([&library, &file]).output().unwrap();
    assert!(compiler.status.success(), "{}", text(&compiler.stderr));
    library.display().to_string()
}

#[test]
fn files_that_are_no_libraries_of_policies_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let refused = |file: &str| refusal(&format!("node_allocation={file}")).replace(file, "FILE");
    assert_eq!(refused(&path("none.so")), "FILE cannot be read: No such file or directory (os error 2)");
    let not_a_library = "FILE is not a shared library: build the policy as one (crate-type = [\"cdylib\"], or cc -shared -fPIC) and name the \
         file it makes";
    for (name, bytes) in [("empty.so", &b""[..]), ("text.so", b"no library"), ("short.so", b"\x7fELF")] {
        fs::write(folder.path().join(name), bytes).unwrap();
        assert_eq!(refused(&path(name)), not_a_library, "{name}");
    }
    assert_eq!(
        refused(env!("CARGO_BIN_EXE_hearth")).split(':').next(),
        Some("FILE is a library, but exports no policies")
    );
    let other = compile(folder.path(), "other", "#[unsafe(no_mangle)] pub extern \"C\" fn hello() -> u32 { 7 }");
    let no_policies = "FILE is a library, but exports no policies: call hearth_policy_api::export_policies! in it, or \
                       HEARTH_EXPORT_POLICIES of hearth_policy.h";
    assert_eq!(refused(&other), no_policies);
    // The processor that an ELF file is for stands in its bytes 18 and 19; 183 is AArch64, 62 x86-64.
    let mut bytes = fs::read(misbehaving()).unwrap();
    if bytes.starts_with(b"\x7fELF") {
        let other = if cfg!(target_arch = "aarch64") { 62_u16 } else { 183 };
        bytes[18..20].copy_from_slice(&other.to_ne_bytes());
        fs::write(folder.path().join("other-machine.so"), &bytes).unwrap();
        let said = refused(&path("other-machine.so"));
        let ours = std::env::consts::ARCH;
        let found = if cfg!(target_arch = "aarch64") { "x86_64" } else { "aarch64" };
        assert_eq!(said, format!("FILE is built for {found}, this machine is {ours}: build it for this one"));
        for (name, machine) in [("unknown.so", 0x1234_u16), ("riscv.so", 243)] {
            bytes[18..20].copy_from_slice(&machine.to_ne_bytes());
            fs::write(folder.path().join(name), &bytes).unwrap();
        }
        let unknown = "FILE is built for a processor that ELF calls 4660, this machine is ";
        assert!(refused(&path("unknown.so")).starts_with(unknown), "{}", refused(&path("unknown.so")));
        assert!(refused(&path("riscv.so")).starts_with("FILE is built for riscv64, this machine is "));
    }
    let newer = compile(
        folder.path(),
        "newer",
        "#[unsafe(no_mangle)] #[allow(non_upper_case_globals)] pub static hearth_policies_3__newer: [u64; 64] = [0; 64];",
    );
    let ours = "this hearth has 2.1: build it with hearth-policy-api 2.1";
    assert_eq!(refused(&newer), format!("FILE is built for policy interface 3.x; {ours}"));
    let spoofed = compile(
        folder.path(),
        "spoofed",
        "#[unsafe(no_mangle)] #[allow(non_upper_case_globals)] pub static hearth_policies_2__spoofed: [u64; 64] = [7; 64];",
    );
    assert_eq!(refused(&spoofed), format!("FILE is built for policy interface 0.7; {ours}"));
}

#[test]
fn names_kinds_and_parameters_that_a_library_does_not_have_are_refused() {
    let library = misbehaving();
    let has = "it has misplaces (node allocation), misplans (node allocation), misevicts (eviction), misadmits (admission), miskeeps (keep-alive)";
    assert_eq!(
        refusal(&format!("node_allocation={library}:best")),
        format!("{library} has no node allocation policy \"best\": {has}")
    );
    assert_eq!(
        refusal(&format!("node_allocation={library}:misevicts")),
        format!("{library} has no node allocation policy \"misevicts\": {has}")
    );
    let parameters = [
        (json!({"hwo": "well"}), "unknown parameter \"hwo\": the policy takes how, limit"),
        (json!({"how": "badly"}), "parameter \"how\": found \"badly\", expected one of well, refuse, "),
        (json!({"how": 3}), "parameter \"how\": found 3, expected one of well, "),
        (json!({"limit": 11}), "parameter \"limit\": found 11, expected a whole number from 1 to 10"),
        (json!({"limit": null}), "parameter \"limit\": found null, expected a whole number from 1 to 10"),
    ];
    for (given, expected) in parameters {
        let section = json!({"use": "misplaces", "library": library, "parameters": given});
        let set = format!("policies.node_allocation={section}");
        let (code, message) = failure(&["validate", &quickstart(), "--set", &set]);
        let prefix = format!("policies.node_allocation: node allocation policy \"misplaces\" of {library}: ");
        assert!(message.contains(&(prefix + expected)), "{given}: {message}");
        assert_eq!(code, 2);
    }
}

/// A copy of the interface in which something stands instead of something else.
fn changed_interface(folder: &Path, file: &str, from: &str, to: &str) -> PathBuf {
    let copy = carried_interface(folder);
    let changed = copy.join(file);
    let source = fs::read_to_string(&changed).unwrap();
    assert!(source.contains(from), "{from:?} is not in {file}");
    fs::write(&changed, source.replacen(from, to, 1)).unwrap();
    copy
}

/// Builds the crate of four policies against an interface and gives its library.
fn build_against(folder: &Path, name: &str, interface: &Path, more: &[&str]) -> String {
    write_crate(folder, name, "0.3.1", interface);
    cargo(folder, &[&["rustc", "--lib"], more].concat());
    built(name).display().to_string()
}

#[test]
fn a_library_built_against_the_interface_that_the_program_carries_runs() {
    let folder = tempfile::tempdir().unwrap();
    let library = build_against(&folder.path().join("plugin"), "of-2-0", &carried_interface(folder.path()), &[]);
    let arguments = ["admission", "node_allocation", "keep_alive", "eviction.containers", "eviction.images_in_ram"];
    let choices: Vec<String> = arguments.iter().map(|slot| format!("{slot}={library}")).collect();
    // A link that is degraded and not down: every invocation ends as it would.
    let faults = r#"faults={"scripted": [{"at": 1, "link": "lan", "bandwidth": 0.5, "for": 60}]}"#;
    let mut command: Vec<String> = ["run", &quickstart(), "--json", "--set", faults].map(str::to_owned).into();
    choices.into_iter().for_each(|choice| command.extend(["--policy".to_owned(), choice]));
    let output = hearth(&command.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["policies"]["node_allocation"]["version"], "0.3.1");
    assert_eq!((&summary["invocations"], &summary["faults"]["count"]), (&json!(34), &json!(1)));
}

#[test]
fn two_versions_of_a_policy_serve_in_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let older = build_against(&folder.path().join("older"), "of-old", &carried_interface(folder.path()), &[]);
    let newer = folder.path().join("newer");
    write_crate(&newer, "of-today", "0.4.0", &project_path("policy-api"));
    cargo(&newer, &["build"]);
    let (older, newer) = (
        format!("eviction.containers={older}:evict"),
        format!("eviction.images_in_ram={}:evict", built("of-today").display()),
    );
    let output = hearth(&["run", &quickstart(), "--json", "--policy", &older, "--policy", &newer]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let version = |slot: &str| summary["policies"][format!("eviction.{slot}")]["version"].clone();
    assert_eq!((version("containers"), version("images_in_ram")), (json!("0.3.1"), json!("0.4.0")));
}

#[test]
fn a_library_built_against_a_changed_interface_is_refused_with_what_differs() {
    let folder = tempfile::tempdir().unwrap();
    let changed = changed_interface(folder.path(), "src/cluster.rs", "pub free_cores: u32", "pub free_cores: u64");
    let library = build_against(&folder.path().join("plugin"), "changed-layout", &changed, &[]);
    let message = refusal(&format!("node_allocation={library}:place")).replace(&library, "FILE");
    assert_eq!(
        message,
        "FILE has another layout of running in hearth_node: it begins at byte 12 here, at byte 16 there. Build it with \
         hearth-policy-api or hearth_policy.h of 2.1, as published"
    );
}

/// What the numbers of the layout do not show: as many bytes of another type.
#[test]
fn a_library_that_takes_a_field_for_another_type_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let changed = changed_interface(folder.path(), "src/cluster.rs", "pub speed: f64", "pub speed: u64");
    let zero = changed.join("src/cluster.rs");
    fs::write(&zero, fs::read_to_string(&zero).unwrap().replace("speed: 0.0", "speed: 0")).unwrap();
    let library = build_against(&folder.path().join("plugin"), "changed-type", &changed, &[]);
    let message = refusal(&format!("node_allocation={library}:place")).replace(&library, "FILE");
    assert_eq!(
        message,
        "FILE has another layout of speed in NodeView: f64 here, u64 there. Build it with hearth-policy-api or \
         hearth_policy.h of 2.1, as published"
    );
}

#[test]
fn a_library_built_against_a_newer_interface_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (now, later) = ("INTERFACE_MINOR: u32 = 1", "INTERFACE_MINOR: u32 = 9");
    let newer = changed_interface(folder.path(), "src/abi/header.rs", now, later);
    let library = build_against(&folder.path().join("plugin"), "newer-minor", &newer, &[]);
    let message = refusal(&format!("node_allocation={library}:place")).replace(&library, "FILE");
    assert_eq!(
        message,
        "FILE is built for policy interface 2.9; this hearth has 2.1: build it with hearth-policy-api 2.1"
    );
}

#[test]
fn a_library_that_aborts_on_panic_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let interface = carried_interface(folder.path());
    let library = build_against(&folder.path().join("plugin"), "aborting", &interface, &["--", "-C", "panic=abort"]);
    let message = refusal(&format!("node_allocation={library}:place")).replace(&library, "FILE");
    assert_eq!(
        message,
        "FILE is built with panic = \"abort\", so that a panic in it would end hearth: build it with panic = \"unwind\""
    );
}
