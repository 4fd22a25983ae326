//! What was made for interface 2.0 runs: policies as they were written, and the library that they were compiled to then.

use std::path::PathBuf;
use std::process::Command;

use super::languages::gives_the_built_in_bytes;
use super::trial::trial;
use super::{hearth, project_path, quickstart, text};

fn frozen(name: &str) -> PathBuf {
    project_path("tests/frozen/interface-2.0").join(name)
}

#[test]
fn a_library_that_was_compiled_for_2_0_runs() {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        println!("left out: it was compiled for Linux on x86-64");
        return;
    }
    gives_the_built_in_bytes("interface 2.0, compiled", &frozen("policies-x86_64-linux.so"), 4);
}

#[test]
fn policies_that_were_written_for_2_0_run() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("policies.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-shared", "-fPIC", "-I"]).arg(frozen("")).arg("-o").arg(&library).arg(frozen("policies.c"));
    let Ok(output) = compiler.output() else {
        println!("left out: there is no C compiler");
        return;
    };
    assert!(output.status.success(), "{}", text(&output.stderr));
    gives_the_built_in_bytes("interface 2.0, as source", &library, 4);
}

/// In 2.0 there was no slot of this name, so that a parameter could be called so.
#[test]
fn a_parameter_of_2_0_may_be_called_as_a_slot_that_came_later() {
    let folder = tempfile::tempdir().unwrap();
    let header = frozen("hearth_policy.h");
    let arguments = ["-include", header.to_str().unwrap(), "-DPARAMETERS=CHOICE(\"autoscaling\")"];
    let Some(library) = trial(folder.path(), "trial.so", &arguments) else { return };
    let choice = format!("admission={}", library.display());
    let set = "policies.admission.parameters.autoscaling=well";
    let output = hearth(&["run", &quickstart(), "--policy", &choice, "--set", set]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}
