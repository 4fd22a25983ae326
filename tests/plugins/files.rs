//! What becomes of the file of a library while it is used, and files that are damaged.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::trial::trial;
use super::{failure, hearth, misbehaving, quickstart, text};

/// A run whose policy takes its time: 34 requests of 50 ms each.
fn slow(library: &Path, output: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
    let policy = format!("admission={},how=sleep", library.display());
    command.args(["run", &quickstart(), "--policy", &policy, "--output"]).arg(output);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn json_of(folder: &Path, file: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join(file)).unwrap()).unwrap()
}

#[test]
fn a_library_may_be_written_over_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (undisturbed, disturbed) = (folder.path().join("undisturbed"), folder.path().join("disturbed"));
    let Some(library) = trial(folder.path(), "trial.so", &[]) else { return };
    let bytes = fs::read(&library).unwrap();
    assert!(slow(&library, &undisturbed).output().unwrap().status.success());
    let child = slow(&library, &disturbed).spawn().unwrap();
    // Into the same file, as `cp` does: shorter, of zeros, of noise, and away.
    for contents in [vec![0; bytes.len()], b"short".to_vec(), vec![0xcc; 2 * bytes.len()]] {
        thread::sleep(Duration::from_millis(300));
        fs::write(&library, contents).unwrap();
    }
    fs::remove_file(&library).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?} {}", output.status, text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    for file in ["summary.json", "invocations.csv"] {
        assert_eq!(fs::read(undisturbed.join(file)).unwrap(), fs::read(disturbed.join(file)).unwrap(), "{file}");
    }
    let of_policy = json_of(&disturbed, "summary.json")["policies"]["admission"]["library_sha256"].clone();
    let inputs = json_of(&disturbed, "run.json")["inputs"].clone();
    assert!(inputs.as_array().unwrap().iter().any(|input| input["sha256"] == of_policy), "{inputs}");
}

/// Each run of a sweep is in a process of its own, and all are of the library that the sweep began with.
#[test]
fn a_sweep_goes_on_with_the_library_that_it_began_with() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = trial(folder.path(), "trial.so", &[]) else { return };
    let sweep = |target: &str| {
        let mut command = slow(&library, &folder.path().join(target));
        let arguments: Vec<_> = command.get_args().skip(1).map(ToOwned::to_owned).collect();
        command = Command::new(command.get_program());
        command.arg("sweep").args(arguments).args(["--seeds", "1..4", "--jobs", "1", "-q"]).stderr(Stdio::piped());
        command.stdout(Stdio::null());
        command
    };
    assert!(sweep("undisturbed").output().unwrap().status.success());
    let child = sweep("disturbed").spawn().unwrap();
    // The first run takes longer than this.
    thread::sleep(Duration::from_millis(1500));
    trial(folder.path(), "trial.so", &["-DVERSION=\"2.0.0\""]);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = |target: &str| fs::read_to_string(folder.path().join(target).join("results.csv")).unwrap();
    assert_eq!(table("undisturbed"), table("disturbed"));
    let runs: Vec<_> = fs::read_dir(folder.path().join("disturbed/runs")).unwrap().map(Result::unwrap).collect();
    assert_eq!(runs.len(), 4);
    for run in runs {
        assert_eq!(json_of(&run.path(), "summary.json")["policies"]["admission"]["version"], "1.0.0");
    }
}

#[test]
fn a_path_with_a_colon_a_comma_and_a_quote_can_be_said() {
    let folder = tempfile::tempdir().unwrap();
    let name = "a:b,c\"d[e=f.so";
    let Some(library) = trial(folder.path(), name, &[]) else { return };
    let library = library.display().to_string().replace('"', "\"\"");
    for choice in ["", ":trial", ":trial,how=1", ",how=null,keep_alive=fixed"] {
        let policy = format!("admission=\"{library}\"{choice}");
        let output = hearth(&["run", &quickstart(), "--json", "--policy", &policy]);
        assert!(output.status.success(), "{policy}: {}", text(&output.stderr));
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(summary["policies"]["admission"]["name"], "trial");
    }
}

#[test]
fn messages_name_the_file_and_not_the_copy() {
    let folder = tempfile::tempdir().unwrap();
    let undefined = ["-Dusleep=not_there_at_all", "-Wl,-z,now"];
    let Some(library) = trial(folder.path(), "trial.so", &undefined) else { return };
    let (code, message) = failure(&["run", &quickstart(), "--policy", &format!("admission={}", library.display())]);
    let expected =
        format!("policies.admission: {} cannot be loaded: undefined symbol: not_there_at_all", library.display());
    assert!(code == 2 && message.contains(&expected), "{message}");
}

#[test]
fn a_library_that_is_not_there_is_named_with_a_cure() {
    let folder = tempfile::tempdir().unwrap();
    let (lib, other) = (folder.path().join("lib"), folder.path().join("other"));
    [&lib, &other].iter().for_each(|folder| fs::create_dir(folder).unwrap());
    if trial(&lib, "libneighbour.so", &["-DNAME=\"neighbour\""]).is_none() {
        return;
    }
    let lib_argument = format!("-L{}", lib.display());
    let link = [lib_argument.as_str(), "-Wl,--no-as-needed", "-lneighbour"];
    let Some(library) = trial(&other, "trial.so", &link) else { return };
    let run =
        |library: &Path| hearth(&["run", &quickstart(), "-q", "--policy", &format!("admission={}", library.display())]);
    let said = text(&run(&library).stderr);
    let expected = format!(
        "{} needs libneighbour.so, which is not found: install it, name its folder in LD_LIBRARY_PATH, or link it into the policy",
        library.display()
    );
    assert!(said.contains(&expected), "{said}");
    // One that looks for it beside itself finds it there, also through a link.
    let Some(library) = trial(&lib, "trial.so", &[&link[..], &["-Wl,-rpath,$ORIGIN"]].concat()) else { return };
    let link = folder.path().join("link.so");
    std::os::unix::fs::symlink(&library, &link).unwrap();
    for library in [&library, &link] {
        let output = run(library);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let mut left: Vec<String> =
        fs::read_dir(&lib).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, ["libneighbour.so", "trial.so"]);
}

/// Of each way to damage a file one is in a plugin folder, whose other library is found all the same.
#[test]
fn damaged_libraries_in_a_plugin_folder_are_said_and_harm_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(misbehaving()).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("whole.so", &whole);
    for (number, end) in [100, 3_000, whole.len() / 2, whole.len() - 1].into_iter().enumerate() {
        write(&format!("cut-{number}.so"), &whole[..end]);
    }
    // The tables that the system's loader reads are at the beginning and at the end.
    let mut zeroed = whole.clone();
    zeroed[1_000..20_000].fill(0);
    write("zeroed.so", &zeroed);
    let mut noisy = whole.clone();
    noisy[4_000..12_000].iter_mut().enumerate().for_each(|(number, byte)| *byte ^= (number * 37 % 251) as u8);
    write("noisy.so", &noisy);
    let output = hearth(&["policies", "--plugin-dir", folder.path().to_str().unwrap()]);
    let list = text(&output.stdout);
    assert!(output.status.success() && list.contains("whole.so"), "{:?} {list}", output.status);
    let broken = list.split_once("libraries that cannot be used").unwrap().1;
    assert_eq!(broken.matches(" is damaged or cut short: ").count(), 6, "{broken}");
}
