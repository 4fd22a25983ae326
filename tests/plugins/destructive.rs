//! Whatever a library does to the process that it is in, one message names library, policy, call and date, and what there was of
//! results is there. The table of docs/writing-a-policy.md says what comes of what.

#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::workshop::library;
use super::{quickstart, text};

fn destructive() -> String {
    library("hearth-test-destructive").display().to_string()
}

fn choice(how: &str) -> String {
    format!("node_allocation={},how={how}", destructive())
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
    command.env_remove("HEARTH_PLUGIN_PATH").env_remove("RUST_BACKTRACE").args(arguments);
    command
}

fn run(how: &str, more: &[&str]) -> Output {
    let (scenario, policy) = (quickstart(), choice(how));
    command(&[&["run", &scenario, "--policy", &policy], more].concat()).output().unwrap()
}

/// The error that is said last; what else is on standard error comes from the library.
fn error_of(output: &Output) -> String {
    let said = text(&output.stderr);
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{said}");
    assert!(said.ends_with(&format!("{}\n", errors[0])), "{said}");
    errors[0].trim_start_matches("error: ").to_owned()
}

fn state_of(folder: &Path) -> Value {
    let run: Value = serde_json::from_str(&fs::read_to_string(folder.join("run.json")).unwrap()).unwrap();
    run["state"].clone()
}

fn rows_of(folder: &Path) -> Vec<String> {
    let table = fs::read_to_string(folder.join("invocations.csv")).unwrap();
    table.lines().skip(1).map(str::to_owned).collect()
}

/// Without a policy that destroys anything: the rows of all invocations.
fn rows_of_a_whole_run() -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("o");
    assert!(run("well", &["--output", output.to_str().unwrap()]).status.success());
    rows_of(&output)
}

#[test]
fn who_brings_the_process_down_in_a_call_is_named_and_what_came_before_is_there() {
    let whole = rows_of_a_whole_run();
    let rows = [
        ("exit", "exit with code 0"),
        ("exit_3", "exit with code 3"),
        ("exit_at_once", "exit with code 0"),
        ("abort", "signal 6 (SIGABRT: abort)"),
        ("no_memory_there", "signal 11 (SIGSEGV: memory that is not there)"),
        ("stack", "signal 6 (SIGABRT: abort)"),
        ("panic_twice", "signal 6 (SIGABRT: abort)"),
        ("memory", "signal 6 (SIGABRT: abort)"),
        ("thread_exit", "signal 6 (SIGABRT: abort)"),
        ("alarm", "signal 14 (SIGALRM: an alarm)"),
        ("kill", "signal 9 (SIGKILL: killed, perhaps for want of memory)"),
    ];
    for (how, status) in rows {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("o");
        let ended = run(how, &["--output", output.to_str().unwrap(), "--json"]);
        assert_eq!(ended.status.code(), Some(1), "{how}");
        assert!(ended.stdout.is_empty(), "{how}");
        let expected = format!(
            "the simulation stopped: policies.node_allocation: \"destroys\" of {} ended the process in place: {status}, at \
             45.008 s, about invocation 19",
            destructive()
        );
        assert_eq!(error_of(&ended), expected, "{how}");
        assert_eq!(state_of(&output), "stopped", "{how}");
        // Who had ended by then has the row of the whole run; the others are there as they stood.
        let there = rows_of(&output);
        let unfinished = there.iter().filter(|row| row.contains("unfinished")).count();
        assert_eq!(there.len(), whole.len(), "{how}");
        assert_eq!(there.iter().filter(|row| whole.contains(row)).count(), there.len() - unfinished, "{how}");
        assert!(unfinished > 10 && unfinished < there.len(), "{how}: {unfinished}");
        let summary: Value = serde_json::from_str(&fs::read_to_string(output.join("summary.json")).unwrap()).unwrap();
        assert!(summary["stopped_by"].as_str().unwrap().contains(status), "{how}: {}", summary["stopped_by"]);
    }
}

#[test]
fn a_scenario_from_a_pipe_is_there_for_whoever_runs_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let (output, policy) = (folder.path().join("o"), choice("kill"));
    let mut command = command(&["run", "-", "--policy", &policy, "--output", output.to_str().unwrap()]);
    command.stdin(fs::File::open(quickstart()).unwrap());
    let ended = command.output().unwrap();
    assert!(error_of(&ended).ends_with(", at 45.008 s, about invocation 19"), "{}", text(&ended.stderr));
    assert_eq!((state_of(&output), rows_of(&output).len()), ("stopped".into(), 34));
}

#[test]
fn what_harms_others_in_the_process_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let json = |output: &Output| {
        let mut summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        summary["policies"]["node_allocation"]["parameters"]["how"].take();
        summary
    };
    let expected = json(&run("well", &["--json"]));
    let whole = rows_of_a_whole_run();
    for how in ["print", "close_output", "elsewhere", "fork", "thread_panics", "own_hook", "variable", "slow"] {
        let name = folder.path().join(how);
        // A relative path is of the folder that the command was started in.
        let mut command = command(&["run", &quickstart(), "--policy", &choice(how), "--json", "--output", how]);
        let output = command.current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{how}: {}", text(&output.stderr));
        assert_eq!(json(&output), expected, "{how}");
        assert_eq!(rows_of(&name), whole, "{how}");
        let said = text(&output.stderr);
        assert_eq!(said.contains("{this is no JSON}"), how == "print", "{how}: {said}");
    }
}

#[test]
fn ends_outside_of_calls_name_all_libraries_and_leave_what_can_be_made_again() {
    for how in ["thread_aborts", "close_all"] {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("o");
        let ended = run(how, &["--output", output.to_str().unwrap()]);
        assert_eq!(ended.status.code(), Some(1), "{how}");
        let error = error_of(&ended);
        assert!(error.contains(&format!("\"destroys\" of {}", destructive())), "{how}: {error}");
        // A thread may come to it when all is written already.
        let state = if error.ends_with("all results had been written") { "finished" } else { "stopped" };
        assert_eq!((state_of(&output), rows_of(&output).len()), (state.into(), 34), "{how}");
    }
}

#[test]
fn what_happens_after_the_results_takes_nothing_of_them() {
    let whole = rows_of_a_whole_run();
    let rows = [
        (
            "abort_in_drop",
            "ended the process in its destructor: signal 6 (SIGABRT: abort); all results had been written",
        ),
        ("hang_in_drop", "has not come back from its destructor for 1 s"),
        ("panic_in_thread_local", "the process ended outside of calls to policies: signal 6 (SIGABRT: abort)"),
        ("hang_in_thread_local", "the process did not end within 1 s"),
        ("hang_at_exit", "the process did not end within 1 s"),
    ];
    for (how, expected) in rows {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("o");
        let arguments = ["--output", output.to_str().unwrap(), "--policy-timeout", "1s", "--json"];
        let ended = run(how, &arguments);
        assert_eq!(ended.status.code(), Some(1), "{how}");
        let error = error_of(&ended);
        assert!(error.contains(expected) && error.contains("\"destroys\" of "), "{how}: {error}");
        assert!(serde_json::from_slice::<Value>(&ended.stdout).is_ok(), "{how}");
        assert_eq!((state_of(&output), rows_of(&output)), ("finished".into(), whole.clone()), "{how}");
    }
}

#[test]
fn what_happens_before_the_simulation_is_said() {
    let rows = [
        ("exit_in_new", "ended the process in new: exit with code 0"),
        ("hang_in_new", "has not come back from new for 1 s: mend it, or allow more with --policy-timeout"),
    ];
    for (how, expected) in rows {
        for command in ["run", "validate", "compare"] {
            let (scenario, policy) = (quickstart(), choice(how));
            let mut arguments = vec![command, &scenario, "--policy", &policy];
            if command == "compare" {
                arguments.extend(["--policy", "node_allocation=first-fit"]);
            }
            if command != "validate" {
                arguments.extend(["--policy-timeout", "1s"]);
            } else if how.starts_with("hang") {
                continue;
            }
            let ended = self::command(&arguments).output().unwrap();
            assert_eq!(ended.status.code(), Some(1), "{how}");
            let error = error_of(&ended);
            assert!(error.contains(expected) && error.contains("\"destroys\" of "), "{command} {how}: {error}");
        }
    }
}

#[test]
fn initialisers_are_watched() {
    let open = |what: &str| {
        let (scenario, policy) = (quickstart(), choice("well"));
        let mut command = command(&["run", &scenario, "--policy", &policy, "--policy-timeout", "1s", "--json"]);
        command.env("HEARTH_TEST_INITIALISER", what).output().unwrap()
    };
    for (what, expected) in [
        ("abort", "ended the process in its initialisers: signal 6 (SIGABRT: abort)"),
        ("hang", "has not come back from its initialisers for 1 s"),
    ] {
        let ended = open(what);
        assert_eq!(ended.status.code(), Some(1), "{what}");
        let error = error_of(&ended);
        assert!(error.contains(expected) && error.contains(&destructive()), "{error}");
    }
    let printed = open("print");
    assert!(serde_json::from_slice::<Value>(&printed.stdout).is_ok() && printed.status.success());
    assert_eq!(text(&printed.stderr), "from an initialiser\n");
}

#[test]
fn one_library_in_a_folder_does_not_hide_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let plugins = folder.path().to_str().unwrap();
    fs::copy(destructive(), folder.path().join("destructive.so")).unwrap();
    fs::copy(library("hearth-test-misbehaving"), folder.path().join("misbehaving.so")).unwrap();
    let with = |arguments: &[&str]| command(arguments).env("HEARTH_TEST_INITIALISER", "abort").output().unwrap();
    let listed = with(&["policies", "--plugin-dir", plugins]);
    let list = text(&listed.stdout);
    assert!(listed.status.success() && list.contains("misplaces"), "{list}");
    let broken = "libraries that cannot be used\n  ";
    assert!(list.contains(broken) && list.contains("destructive.so ended the process in its initialisers"), "{list}");
    let ran = with(&["run", &quickstart(), "--plugin-dir", plugins, "--policy", "node_allocation=misplaces"]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
}

#[test]
fn a_sweep_marks_the_run_failed_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("o");
    let sweep = |more: &[&str]| {
        let (scenario, target) = (quickstart(), output.to_str().unwrap().to_owned());
        let policies = ["exit", "well", "kill"].map(choice);
        let mut arguments =
            vec!["sweep", &scenario, "--output", &target, "--seeds", "1..2", "--policy-timeout", "1s", "--json"];
        policies.iter().for_each(|policy| arguments.extend(["--policy", policy]));
        arguments.extend(more);
        command(&arguments).output().unwrap()
    };
    for more in [&[][..], &["--resume"]] {
        let ended = sweep(more);
        assert_eq!(ended.status.code(), Some(1), "{}", text(&ended.stderr));
        let error = error_of(&ended);
        assert!(
            error.contains("4 of 6 runs failed, the first with") && error.contains("ended the process in place"),
            "{error}"
        );
        assert!(serde_json::from_slice::<Value>(&ended.stdout).is_ok());
        let results = fs::read_to_string(output.join("results.csv")).unwrap();
        assert_eq!(results.lines().count(), 3, "{results}");
    }
}

#[test]
fn a_call_that_hangs_ends_its_run_of_a_sweep_alone() {
    let (scenario, hang, well) = (quickstart(), choice("hang"), choice("well"));
    let arguments =
        ["compare", &scenario, "--policy", &well, "--policy", &hang, "--seeds", "1..2", "--policy-timeout", "1s"];
    let ended = command(&arguments).output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let error = error_of(&ended);
    assert!(error.contains("2 of 4 runs failed") && error.contains("has not come back from place for 1 s"), "{error}");
}

#[test]
fn statics_of_a_library_are_of_one_run() {
    let (scenario, policy) = (quickstart(), choice("well"));
    let compare = |jobs: &str| {
        let arguments =
            ["compare", &scenario, "--policy", &policy, "--policy", "node_allocation=first-fit", "--seeds", "1..3"];
        let output = command(&[&arguments[..], &["--json", "--jobs", jobs]].concat()).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    assert_eq!(compare("1"), compare("3"));
}

#[test]
fn the_check_of_a_library_is_in_processes_of_its_own() {
    let check = |how: &str| {
        let (library, how) = (destructive(), format!("how={how}"));
        let waived = ["--waive", "respects_capacity", "--waive", "work_conserving", "--waive", "starves_nobody"];
        // By then any clock of three seconds has moved on, by an odd number.
        let later = ["--later", "3s"];
        let waived = [&later[..], &waived].concat();
        let arguments = ["policies", "check", &library, "--cases", "64", "--timeout", "100s", "--parameter", &how];
        command(&[&arguments[..], &waived].concat()).output().unwrap()
    };
    let well = check("well");
    assert!(well.status.success(), "{}", text(&well.stdout));
    let differs = check("process_number");
    let said = text(&differs.stdout);
    assert!(said.contains("does not do the same in a second process") && differs.status.code() == Some(1), "{said}");
    let clock = check("slow_clock");
    let said = text(&clock.stdout);
    assert!(said.contains("does not do the same ") && clock.status.code() == Some(1), "{said}");
    let exits = check("exit");
    let error = error_of(&exits);
    assert!(
        error.contains("exit with code 0, while destroys was checked") && exits.status.code() == Some(1),
        "{error}"
    );
}

#[test]
fn who_wants_to_look_from_within_can() {
    let (scenario, policy) = (quickstart(), choice("abort"));
    let run = |value: &str| {
        let mut command = command(&["run", &scenario, "--policy", &policy]);
        command.env("HEARTH_ISOLATION", value).output().unwrap()
    };
    assert_eq!(run("off").status.code(), None, "it is this process that aborts");
    assert_eq!(run("on").status.code(), Some(1));
}

#[test]
fn a_second_interrupt_ends_what_does_not_hear_the_first() {
    let (scenario, policy) = (quickstart(), choice("ignore_interrupt"));
    let mut child =
        command(&["run", &scenario, "--policy", &policy, "--policy-timeout", "0", "--json"]).spawn().unwrap();
    let begin = Instant::now();
    let pid = child.id().to_string();
    while begin.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(500));
        if child.try_wait().unwrap().is_some() {
            break;
        }
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }
    // It has ended long before.
    let _ = child.kill();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
