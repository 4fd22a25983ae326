//! `hearth debug`, line by line.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{failure, hearth, printed};

/// Two nodes with two cores, and eight requests.
pub fn scenario() -> Value {
    let at = |at: f64, function: &str| json!({"at": at, "function": function});
    json!({
        "format": "hearth-scenario/1", "name": "photos", "seed": 7,
        "platform": {"hosts": [{"name": "head", "cores": 4, "speed": "10Gf"},
                               {"name": "node", "count": 2, "cores": 2, "speed": "10Gf", "ram": "2GB"}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"], "container_startup_overhead": 2},
        "functions": [{"name": "resize", "ram_limit": "512MB", "body": [{"sleep": 1}]},
                      {"name": "index", "ram_limit": "1GB", "body": [{"sleep": 5}]}],
        "workload": {"invocations": [at(0.0, "resize"), at(1.0, "index"), at(1.0, "index"), at(1.5, "index"), at(2.0, "index"),
                                     at(3.0, "resize"), at(30.0, "resize"), at(40.0, "index")]},
        "prices": {},
    })
}

/// That scenario, as a file.
pub fn scenario_file(folder: &Path) -> PathBuf {
    let path = folder.join("photos.json");
    std::fs::write(&path, scenario().to_string()).unwrap();
    path
}

/// One that takes longer than anybody waits.
pub fn endless_scenario(folder: &Path) -> PathBuf {
    let mut scenario = scenario();
    scenario["workload"] = json!({"generate": {
        "arrivals": {"poisson": {"rate": 1}}, "requests": 1_000_000_000_u64,
        "functions": {"count": 2, "ram": {"constant": 1e8}, "cold_start": {"constant": 1}},
        "run_time": {"exponential": {"mean": 0.5}}}});
    scenario["functions"] = json!([]);
    let path = folder.join("endless.json");
    std::fs::write(&path, scenario.to_string()).unwrap();
    path
}

/// What is printed for these commands.
fn debugged(scenario: &Path, commands: &str) -> String {
    printed(hearth().arg("debug").arg(scenario).write_stdin(commands))
}

#[test]
fn commands_give_what_there_is_to_see() {
    let folder = tempfile::tempdir().unwrap();
    let commands = "# up to the first that waits\nrun until queue > 0\nnodes\nnode node-0\nqueue\ninvocation 4\ninvocation 0\ncontainers\n\
                    containers of index on node-0\nevents\nevents 1\npolicies\npolicy node_allocation\npolicy admission\nstep decision\n\
                    where\npolicy eviction.containers\nstep 2\nstep date\nsummary\nbreak cold start of resize\nbreaks\nrun\ndelete 1\n\
                    run for 1.5\nrun to 35\nqueue\nexpect queue = 0 and not node node-0 down\nrun to invocation 7 ended\ninvocation 7\n\
                    run\nevents\nsummary\nquit\nnever";
    insta::assert_snapshot!(debugged(&scenario_file(folder.path()), commands));
}

/// The number of a call that is shown is the one that it has in the log of decisions.
#[test]
fn calls_have_the_numbers_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let (file, log) = (scenario_file(folder.path()), folder.path().join("decisions.jsonl"));
    printed(hearth().arg("run").arg(&file).arg("--decisions").arg(&log).arg("--quiet"));
    let log = std::fs::read_to_string(log).unwrap();
    let log: Vec<Value> = log.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    let slots = ["node_allocation", "keep_alive", "eviction.containers"];
    let look = slots.map(|slot| format!("policy {slot}\n")).concat();
    let shown = debugged(&file, &format!("step decision\n{look}").repeat(12));
    let lines: Vec<&str> = shown.lines().collect();
    let calls = lines.windows(2).filter_map(|pair| Some((pair[0].strip_prefix("call ")?, pair[1])));
    let mut numbers = std::collections::BTreeSet::new();
    for (call, said) in calls {
        let number: u64 = call.split_once(" at ").unwrap().0.parse().unwrap();
        let logged = log.iter().find(|line| line["call"] == number).unwrap();
        let of = |name: &str| logged[name].as_str().unwrap();
        assert!(said.starts_with(&format!("  {} {} ", of("slot"), of("method"))), "{said}: {logged}");
        if let Some(invocation) = logged["about"]["invocation"].as_u64() {
            assert!(said.contains(&format!(" about invocation {invocation} of ")), "{said}: {logged}");
        }
        numbers.insert(number);
    }
    assert!(numbers.len() > 12, "{shown}");
}

#[test]
fn branches_go_on_apart_and_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let commands = "run until queue > 0\nbranch none\nset keep_alive=no-keep-alive\nset keep_alive=no-keep-alive\nbranch best\n\
                    set node_allocation=best-fit,keep_alive=fixed,timeout=8\nrun\nswitch none\npolicies\nrun\nswitch main\nrun\nbranches\n\
                    compare\ncompare best\ndrop none\nbranches";
    insta::assert_snapshot!(debugged(&scenario_file(folder.path()), commands));
}

#[test]
fn help_says_what_can_be_said() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(debugged(&scenario_file(folder.path()), "help\nhelp run\nhelp s\nhelp conditions"));
}

#[test]
fn a_script_ends_with_the_first_command_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_file(folder.path());
    let script = folder.path().join("script.txt");
    let run = |commands: &str| {
        std::fs::write(&script, commands).unwrap();
        let (code, message) = failure(hearth().arg("debug").arg(&scenario).arg("--commands").arg(&script));
        (code, message.replace(&script.display().to_string(), "SCRIPT"))
    };
    let said = |code: i32, message: &str| (code, format!("error: SCRIPT:{message}"));
    assert_eq!(run("run\n\nfly"), said(2, "3: unknown command \"fly\": `help` lists the commands"));
    let wrong = "1: found \"x\", expected a number\n  queue > x\n          ^";
    assert_eq!(run("run until queue > x"), said(2, wrong));
    let wrong = "2: expected queue > 3, which does not hold at 2 s, after event 6";
    assert_eq!(run("run until queue > 0\nexpect queue > 3"), said(1, wrong));
    assert_eq!(run("run to 5\nrun to 4").0, 2);
    assert_eq!(run("node node-7"), said(2, "1: there is no node \"node-7\": did you mean \"node-0\"?"));
    assert_eq!(run("invocation 7"), said(2, "1: invocation 7 has not been requested by 0 s"));
    assert_eq!(run("switch elsewhere"), said(2, "1: there is no branch \"elsewhere\": there are main"));
    assert_eq!(run("compare"), said(2, "1: there is nothing to compare with: `branch NAME` makes another future"));
    assert_eq!(run("drop main"), said(2, "1: the last branch stays: `quit` ends"));
    assert_eq!(run("branch a\nbranch a"), said(2, "2: there is a branch \"a\" already: choose another name"));
    let wrong = "1: set \"keep_alive\": expected SLOT=NAME or SLOT=LIBRARY";
    assert_eq!(run("set keep_alive"), said(2, wrong));
    let (code, message) = run("set keep_alive=forever");
    assert!(code == 2 && message.contains("unknown keep-alive policy \"forever\""), "{message}");
    let (code, message) = run("set controller=knative-autoscaler");
    assert!(code == 2 && message.contains("it is a controller"), "{message}");
    let (code, message) = run("run\nset keep_alive=no-keep-alive");
    assert!(code == 2 && message.contains("the simulation has ended"), "{message}");
    let (code, message) = failure(hearth().arg("debug").arg(&scenario).args(["--commands", "nowhere.txt"]));
    assert!(code == 2 && message.starts_with("error: --commands nowhere.txt: cannot be read"), "{message}");
    let (code, message) = failure(hearth().args(["debug", "nowhere.json"]).write_stdin("run"));
    assert!(code == 2 && message.starts_with("error: nowhere.json"), "{message}");
    let (code, message) = failure(hearth().args(["debug", "-"]).write_stdin("{}"));
    assert!(code == 2 && message.contains("commands cannot: name a file with --commands"), "{message}");
    let (code, message) =
        failure(hearth().arg("debug").arg(&scenario).args(["--policy", "keep_alive=forever"]).write_stdin("run"));
    assert!(code == 2 && message.contains("unknown keep-alive policy"), "{message}");
}

#[test]
fn a_scenario_from_standard_input_is_debugged_with_commands_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script.txt");
    std::fs::write(&script, "run until queue > 0\nexpect queue = 1").unwrap();
    let mut command = hearth();
    command.args(["debug", "-", "--commands"]).arg(&script).write_stdin(scenario().to_string());
    assert!(printed(&mut command).contains("at 2 s, after event 6"));
}

/// Stopped, looked at and branched wherever, in processes of their own: each branch comes to the very bytes of the run.
#[test]
fn every_branch_comes_to_the_bytes_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace.csv");
    let mut rows = String::from("arrival_s,function,duration_s,note\n");
    // A trace that is longer than what is read of it at once, so that branches read on by themselves.
    let note = "x".repeat(150);
    for request in 0..4000_u32 {
        let at = f64::from(request) * 0.9 + f64::from(request * 7919 % 1000) / 2000.0;
        rows += &format!("{at},f{},{},{note}\n", request * 31 % 7, f64::from(request * 13 % 97) / 20.0);
    }
    std::fs::write(&trace, &rows).unwrap();
    for (number, policies) in [
        json!({"node_allocation": {"use": "random"}, "keep_alive": {"use": "hybrid-histogram"}}),
        json!({"node_allocation": {"use": "least-loaded"}, "admission": {"use": "token-bucket", "parameters": {"rate": 2, "burst": 5}},
               "eviction": {"containers": {"use": "gdsf"}}}),
    ]
    .into_iter()
    .enumerate()
    {
        let mut scenario = scenario();
        scenario["functions"] = json!([]);
        scenario["policies"] = policies;
        scenario["workload"] = json!({"trace": {"format": "csv", "path": "trace.csv", "default_ram": "400MB"}});
        let file = folder.path().join(format!("{number}.json"));
        std::fs::write(&file, scenario.to_string()).unwrap();
        let output = folder.path().join(format!("out{number}"));
        printed(hearth().arg("run").arg(&file).arg("--output").arg(&output).arg("--quiet"));
        let expected = std::fs::read(output.join("invocations.csv")).unwrap();
        let saved = |branch: &str| folder.path().join(format!("{branch}{number}.csv"));
        let mut commands = String::from("step 13\nrun until queue > 1\nbranch a\nnodes\nstep decision 50\nevents\nqueue\nbranch b\n");
        commands += "run to 1111\nsummary\nbranch c\nrun to invocation 2000 ended\nswitch a\nrun for 100\nbranch d\npolicies\nrun\n";
        for branch in ["main", "a", "b", "c", "d"] {
            commands += &format!("switch {branch}\nrun\nsave {}\n", saved(branch).display());
        }
        let shown = debugged(&file, &commands);
        for branch in ["main", "a", "b", "c", "d"] {
            assert!(std::fs::read(saved(branch)).unwrap() == expected, "branch {branch} of {number}:\n{shown}");
        }
    }
}

#[test]
fn what_cannot_be_read_twice_is_not_branched() {
    let folder = tempfile::tempdir().unwrap();
    let mut scenario = scenario();
    scenario["workload"] = json!({"trace": {"format": "csv", "path": "/dev/stdin"}});
    let file = folder.path().join("piped.json");
    std::fs::write(&file, scenario.to_string()).unwrap();
    let script = folder.path().join("script.txt");
    std::fs::write(&script, "step\nbranch other").unwrap();
    let mut command = hearth();
    command
        .arg("debug")
        .arg(&file)
        .arg("--commands")
        .arg(&script)
        .write_stdin("arrival_s,function,duration_s\n0,resize,1\n");
    let (code, message) = failure(&mut command);
    assert!(code == 2 && message.contains("/dev/stdin can be read once, and not by two branches"), "{message}");
}

/// The walk of docs/debugging.md: its blocks, one after the other, are what the commands in them print.
#[test]
fn the_walk_of_the_documentation_is_what_is_printed() {
    let document = std::fs::read_to_string(super::project_path("docs/debugging.md")).unwrap();
    let blocks = document.split("```text\n").skip(1).filter_map(|block| block.split("```").next());
    let walk: String = blocks.filter(|block| block.starts_with("> ")).collect();
    let commands: Vec<&str> = walk.lines().filter_map(|line| line.strip_prefix("> ")).collect();
    assert!(commands.len() > 10, "{walk}");
    assert_eq!(debugged(&super::project_path("examples/quickstart.json"), &commands.join("\n")), walk);
}

/// Every condition of the documentation's grammar is one: the words there are those of the parser.
#[test]
fn the_grammar_of_the_documentation_is_that_of_the_help_and_the_parser() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_file(folder.path());
    let document = std::fs::read_to_string(super::project_path("docs/debugging.md")).unwrap();
    let quantities = document.split("QUANTITY   = ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let mut commands = String::new();
    for quantity in quantities.split(" | ") {
        for comparison in ["<", "<=", "=", "!=", ">=", ">"] {
            commands += &format!("break {quantity} {comparison} 3\n");
        }
    }
    for condition in [
        "node node-0 up",
        "node node-0 down",
        "node node-0 draining",
        "invocation 1 requested",
        "invocation 1 submitted",
        "invocation 1 dispatched",
        "invocation 1 started",
        "invocation 1 ended",
        "cold start of index",
        "warm start",
        "eviction of index on node-1",
        "latency > 2s of resize",
        "completed",
        "failed of index",
        "timed_out",
        "lost",
        "rejected",
        "policy answered Wait",
        "policy node_allocation answered Node",
        "policy answered wait",
        "policy answered run_warm",
        "not (queue > 1 or running < 2) and idle = 0",
    ] {
        commands += &format!("break {condition}\n");
    }
    assert!(debugged(&scenario, &commands).contains("breakpoint 88: "));
}
