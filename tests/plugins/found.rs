//! Where policies are looked for, and what results say of them.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::{Value, json};

use super::{failure, hearth, library, misbehaving, quickstart, text};

fn summary(arguments: &[&str]) -> Value {
    let output = hearth(&[&["run", quickstart().as_str(), "--json"], arguments].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_library_is_found_by_path_with_and_without_a_name_and_its_hash_is_recorded() {
    let path = library("hearth-eviction-fifo");
    let path = path.to_str().unwrap();
    for choice in [format!("eviction.containers={path}"), format!("eviction.containers={path}:fifo")] {
        let policy = summary(&["--policy", &choice])["policies"]["eviction.containers"].take();
        let hash = policy["library_sha256"].as_str().unwrap();
        assert_eq!(
            (policy["name"].as_str(), policy["version"].as_str()),
            (Some("fifo"), Some(env!("CARGO_PKG_VERSION")))
        );
        assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
        assert_eq!(hash, sha256(path));
    }
    assert_eq!(summary(&[])["policies"]["eviction.containers"]["library_sha256"], Value::Null);
}

fn sha256(path: &str) -> String {
    let output = std::process::Command::new("sha256sum").arg(path).output().unwrap();
    text(&output.stdout).split_whitespace().next().unwrap().to_owned()
}

#[test]
fn paths_in_a_scenario_are_relative_to_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("mine")).unwrap();
    fs::copy(library("hearth-eviction-fifo"), folder.path().join("mine/first.so")).unwrap();
    let mut scenario: Value = serde_json::from_str(&fs::read_to_string(quickstart()).unwrap()).unwrap();
    scenario["policies"]["eviction"] = json!({"containers": {"library": "mine/first.so"}});
    let file = folder.path().join("scenario.json");
    fs::write(&file, scenario.to_string()).unwrap();
    let output = hearth(&["run", file.to_str().unwrap(), "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    // On the command line they are relative to the current folder.
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
    command.current_dir(folder.path()).args(["run", &quickstart(), "--policy", "eviction.containers=mine/first.so"]);
    assert!(command.output().unwrap().status.success());
}

/// A folder with a library whose policies are not built in, a text that calls itself a library, and one that is none.
fn plugin_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(misbehaving(), folder.path().join("libmine.so")).unwrap();
    fs::write(folder.path().join("libbroken.so"), "not a library").unwrap();
    fs::write(folder.path().join("README"), "nor is this").unwrap();
    folder
}

#[test]
fn names_are_looked_for_in_plugin_folders() {
    let folder = plugin_folder();
    let path = folder.path().to_str().unwrap();
    let choice = ["--policy", "keep_alive=miskeeps"];
    assert_eq!(summary(&[&choice[..], &["--plugin-dir", path]].concat())["policies"]["keep_alive"]["name"], "miskeeps");
    let run = |program: &Path, folders: Option<&str>| {
        let mut command = Command::new(program);
        command.env_remove("HEARTH_PLUGIN_PATH").envs(folders.map(|folders| ("HEARTH_PLUGIN_PATH", folders)));
        command.args(["run", &quickstart(), "--json"]).args(choice).output().unwrap()
    };
    let program = Path::new(env!("CARGO_BIN_EXE_hearth"));
    assert!(run(program, Some(&format!("/nowhere:{path}"))).status.success());
    let unknown = text(&run(program, None).stderr);
    assert!(
        unknown.contains("unknown keep-alive policy \"miskeeps\": there are adaptive, chain-prewarming, fixed"),
        "{unknown}"
    );
    // The folder `plugins` beside the program.
    let home = tempfile::tempdir().unwrap();
    let moved = home.path().join("hearth");
    fs::copy(program, &moved).unwrap();
    fs::create_dir(home.path().join("plugins")).unwrap();
    fs::copy(misbehaving(), home.path().join("plugins/libmine.so")).unwrap();
    assert!(run(&moved, None).status.success());
}

#[test]
fn the_list_shows_what_is_loaded_and_what_cannot_be_used() {
    let folder = plugin_folder();
    let path = folder.path().to_str().unwrap();
    let list = text(&hearth(&["policies", "--plugin-dir", path]).stdout).replace(path, "PLUGINS");
    for line in [
        "  misplaces                0.1.0    loaded    node allocation that goes wrong\n    from PLUGINS/libmine.so\n",
        "    limit              a number that is in a range; a whole number from 1 to 10; default 5\n",
        "libraries that cannot be used\n  PLUGINS/libbroken.so is not a shared library: ",
    ] {
        assert!(list.contains(line), "{line:?} is not in {list}");
    }
    assert!(!list.contains("README"));
}

#[test]
fn a_name_that_is_nowhere_is_answered_with_what_there_is() {
    let folder = plugin_folder();
    let path = folder.path().to_str().unwrap();
    let arguments = ["run", &quickstart(), "--policy", "admission=open-door", "--plugin-dir", path];
    let (code, message) = failure(&arguments);
    let expected = format!(
        "policies.admission: unknown admission policy \"open-door\": there are always, concurrency-limit, misadmits, \
         queue-limit, slo-shedding, token-bucket; \
         {path}/libbroken.so is not a shared library"
    );
    assert!(message.contains(&expected), "{message}");
    assert_eq!(code, 2);
}

#[test]
fn two_libraries_serve_in_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one.so"), folder.path().join("other.so"));
    fs::copy(library("hearth-eviction-fifo"), &one).unwrap();
    fs::copy(library("hearth-eviction-ram"), &other).unwrap();
    let choice = |slot: &str, path: &Path| format!("eviction.{slot}={}", path.display());
    let (containers, images) = (choice("containers", &one), choice("images_in_ram", &other));
    let policies = summary(&["--policy", &containers, "--policy", &images])["policies"].take();
    assert_eq!(policies["eviction.containers"]["name"], "fifo");
    assert_eq!(policies["eviction.images_in_ram"]["name"], "ram");
    assert_eq!(policies["eviction.images_on_disk"]["library_sha256"], Value::Null);
}

/// Libraries by a path that starts from the scenario, and by name from a plugin folder that is named by a relative path.
#[test]
fn a_folder_of_results_finds_its_libraries_again() {
    let folder = tempfile::tempdir().unwrap();
    let (lib, plugins) = (folder.path().join("mine"), folder.path().join("plugins"));
    [&lib, &plugins].iter().for_each(|folder| fs::create_dir(folder).unwrap());
    fs::copy(library("hearth-eviction-fifo"), lib.join("first.so")).unwrap();
    fs::copy(misbehaving(), plugins.join("libmine.so")).unwrap();
    let mut scenario: Value = serde_json::from_str(&fs::read_to_string(quickstart()).unwrap()).unwrap();
    scenario["policies"]["eviction"] = json!({"containers": {"library": "mine/first.so"}});
    scenario["policies"]["node_allocation"] = json!({"use": "misplaces", "parameters": {"how": "well"}});
    fs::write(folder.path().join("scenario.json"), scenario.to_string()).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
        command.current_dir(folder.path()).env_remove("HEARTH_PLUGIN_PATH").args(arguments).output().unwrap()
    };
    let output = run(&["run", "scenario.json", "--plugin-dir", "plugins", "--output", "results"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let results = folder.path().join("results").display().to_string();
    let output = hearth(&["run", &results]);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).ends_with("5 files are the same, byte for byte.\n"));
    // Another library in the place of that one.
    fs::copy(library("hearth-eviction-lru"), lib.join("first.so")).unwrap();
    let output = hearth(&["run", &results]);
    let message = text(&output.stderr);
    assert!(message.starts_with("warning: ") && message.contains("first.so is not what it was: "), "{message}");
    assert!(output.status.code() == Some(2) && message.contains("has no eviction policy \"fifo\""), "{message}");
}

#[test]
fn a_run_that_a_policy_ended_ends_so_again() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results").display().to_string();
    let set = format!(
        r#"policies.eviction.containers={{"library": {:?}, "use": "misevicts", "parameters": {{"how": "panic_choose"}}}}"#,
        misbehaving()
    );
    let (code, _) = failure(&["run", &quickstart(), "--output", &results, "--set", &set]);
    assert_eq!(code, 1);
    let output = hearth(&["run", &results]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}
