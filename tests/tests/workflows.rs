//! Workflows, with dates worked out by hand (the timing model, section 13).

use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::invocation::Outcome;
use hearth_serverless::policy::Catalog;
use hearth_serverless::scenario::Scenario;
use hearth_serverless::workflow::{WorkflowOutcome, WorkflowRecord};
use serde_json::{Value, json};

/// Two nodes of one core, of which the first is asked first; `f` fits both, `g` the second alone. Containers start in 1 s.
fn scenario(tasks: &Value) -> Value {
    let disk = json!({"capacity": "10GB", "read_bandwidth": "100MBps", "write_bandwidth": "100MBps"});
    json!({
        "format": "hearth-scenario/1", "network_model": "ideal",
        "platform": {
            "hosts": [{"name": "head", "cores": 1, "speed": "1Gf", "disk": disk},
                      {"name": "small", "cores": 1, "speed": "1Gf", "ram": "2GB", "disk": disk},
                      {"name": "big", "cores": 1, "speed": "1Gf", "ram": "8GB", "disk": disk}],
            "links": [{"name": "lan", "bandwidth": "100MBps", "latency": 0}],
            "routes": [{"from": "head", "to": "small", "links": ["lan"]}, {"from": "head", "to": "big", "links": ["lan"]},
                       {"from": "small", "to": "big", "links": ["lan"]}]},
        "service": {"head": "head", "registry": "head", "nodes": ["small", "big"], "container_startup_overhead": "1s"},
        "functions": [{"name": "f", "ram_limit": "1GB", "body": [{"sleep": "2s"}]},
                      {"name": "g", "ram_limit": "4GB", "body": [{"sleep": "3s"}]}],
        "workflows": [{"name": "w", "tasks": tasks}],
        "workload": {"invocations": [{"at": 0, "workflow": "w"}]},
        "policies": {"node_allocation": {"use": "first-fit"}},
    })
}

fn run(scenario: &Value) -> Results {
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap();
    Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap()
}

/// Waiting, starting, data, running, and all together, in s.
fn times(record: &WorkflowRecord) -> [f64; 5] {
    let times = record.times;
    let makespan = record.makespan().unwrap_or_default();
    [times.waiting, times.starting, times.transfer, times.running, makespan].map(|time| time.as_secs_f64())
}

#[test]
fn data_moves_between_nodes_and_not_within_one() {
    let tasks = |second: &str| {
        json!([{"name": "a", "function": "f", "output": "500MB"},
               {"name": "b", "function": second, "after": ["a"]}])
    };
    // Started at 1, ended at 3; the other begins at once in the same container.
    let results = run(&scenario(&tasks("f")));
    assert_eq!(times(&results.workflows[0]), [0.0, 1.0, 0.0, 4.0, 5.0]);
    assert_eq!(results.metrics.workflows.data.count, 0);
    // On the other node: started at 4, 5 s for the data, ended at 12.
    let results = run(&scenario(&tasks("g")));
    assert_eq!(times(&results.workflows[0]), [0.0, 2.0, 5.0, 5.0, 12.0]);
    assert_eq!(results.workflows[0].critical_path, ["a", "b"]);
    let data = results.metrics.workflows.data;
    assert_eq!((data.count, data.bytes), (1, 500_000_000));
    // The edge says otherwise.
    let mut scenario = scenario(&tasks("g"));
    scenario["workflows"][0]["tasks"][1]["after"] = json!([{"task": "a", "data": "100MB"}]);
    assert_eq!(times(&run(&scenario).workflows[0]), [0.0, 2.0, 1.0, 5.0, 8.0]);
}

#[test]
fn a_task_fans_out_and_who_follows_waits_for_all_of_it() {
    let results = run(&scenario(&json!([
        {"name": "split", "function": "f"},
        {"name": "work", "function": "f", "after": ["split"], "map": 3, "body": [{"sleep": "4s"}], "output": "100MB"},
        {"name": "join", "function": "f", "after": ["work"], "run_time": {"constant": 1}}])));
    // split 1 to 3; work 3 to 7 and 7 to 11 on the first node, 4 to 8 on the other; join has data of the other for 1 s.
    let record = &results.workflows[0];
    assert_eq!(record.critical_path, ["split", "work[2]", "join"]);
    assert_eq!(times(record), [4.0, 1.0, 1.0, 7.0, 13.0]);
    assert_eq!((record.tasks, record.not_run, record.outcome), (5, 0, WorkflowOutcome::Completed));
    assert_eq!(results.records.len(), 5);
    // The invocations of a workflow have numbers in a row, after those of the listed ones.
    assert_eq!((record.first_invocation, results.records[0].invocation), (1, 1));
}

#[test]
fn bytes_of_the_registry_come_before_the_body() {
    let results = run(&scenario(&json!([{"name": "a", "function": "f", "input": "300MB"}])));
    assert_eq!(times(&results.workflows[0]), [0.0, 1.0, 3.0, 2.0, 6.0]);
}

#[test]
fn of_a_choice_one_is_done_and_nobody_waits_for_what_is_not() {
    let tasks = |small: f64| {
        json!([{"name": "look", "function": "f"},
               {"name": "small", "function": "f", "after": ["look"], "choice": "size", "probability": small},
               {"name": "large", "function": "f", "after": ["look"], "choice": "size", "probability": 1.0 - small, "map": 2},
               {"name": "more", "function": "f", "after": ["large"]},
               {"name": "join", "function": "f", "after": ["small", "more"]},
               {"name": "never", "function": "f", "probability": 0.0}])
    };
    let record = |small: f64| run(&scenario(&tasks(small))).workflows.remove(0);
    let small = record(1.0);
    assert_eq!(small.critical_path, ["look", "small", "join"]);
    assert_eq!((small.tasks, small.not_run), (3, 4));
    let large = record(0.0);
    assert_eq!((large.tasks, large.not_run), (5, 2));
    // Drawn again for each run, with the chance that was given.
    let mut scenario = scenario(&tasks(0.3));
    scenario["workload"] =
        json!({"generate": {"arrivals": {"constant": {"rate": 0.05}}, "requests": 1000, "workflows": ["w"]}});
    let runs = run(&scenario).workflows;
    let small = runs.iter().filter(|run| run.tasks == 3).count();
    assert!((260..340).contains(&small), "{small}");
}

#[test]
fn once_a_task_has_failed_nothing_more_begins_and_what_runs_ends() {
    let results = run(&scenario(&json!([
        {"name": "bad", "function": "f", "body": [{"sleep": 1}, {"fail": "no"}]},
        {"name": "long", "function": "g", "body": [{"sleep": 9}]},
        {"name": "after", "function": "f", "after": ["bad"]},
        {"name": "later", "function": "f", "after": ["long"], "map": 3}])));
    let record = &results.workflows[0];
    assert_eq!((record.outcome, record.tasks, record.not_run), (WorkflowOutcome::Failed, 2, 4));
    assert_eq!(record.failure.as_deref(), Some("task \"bad\" failed: no"));
    assert_eq!((record.finished_at.unwrap().as_secs_f64(), record.makespan()), (10.0, None));
    assert_eq!(results.metrics.outcome(Outcome::Completed), 1);
    assert!(record.critical_path.is_empty());
}

#[test]
fn a_retried_task_does_not_fail_its_workflow() {
    let mut scenario =
        scenario(&json!([{"name": "a", "function": "f"}, {"name": "b", "function": "f", "after": ["a"]}]));
    scenario["faults"] = json!({"scripted": [{"at": 2, "host": "small", "for": 100}]});
    scenario["recovery"] = json!({"retry": {"max_attempts": 2}});
    // Lost at 2 after 1 s of starting and 1 s of running, on the other node from 2: started at 3, ended at 5; then 5 to 7.
    assert_eq!(times(&run(&scenario).workflows[0]), [2.0, 1.0, 0.0, 4.0, 7.0]);
}

#[test]
fn data_is_lost_with_the_node_that_held_it() {
    let tasks = json!([
        {"name": "a", "function": "f", "output": "100MB"},
        {"name": "b", "function": "g", "body": [{"sleep": 10}]},
        {"name": "c", "function": "g", "after": ["a", "b"]}]);
    let mut scenario = scenario(&tasks);
    // a ends at 3 on the first node, which is down from 5 to 6; b ends at 11.
    scenario["faults"] = json!({"scripted": [{"at": 5, "host": "small", "for": 1}]});
    let record = run(&scenario).workflows.remove(0);
    let failure = "task \"c\" failed: the data of task \"a\" was lost with node \"small\"";
    assert_eq!((record.failure.as_deref(), record.outcome), (Some(failure), WorkflowOutcome::Failed));
    // Nothing is lost of a task that hands nothing on.
    scenario["workflows"][0]["tasks"][0]["output"] = json!(0);
    assert_eq!(run(&scenario).workflows[0].outcome, WorkflowOutcome::Completed);
}

#[test]
fn others_follow_a_workflow_and_a_workflow_follows_others() {
    let mut scenario =
        scenario(&json!([{"name": "a", "function": "f"}, {"name": "b", "function": "f", "after": ["a"]}]));
    scenario["workflows"][0]["deadline"] = json!(5);
    scenario["workload"]["invocations"] = json!([
        {"at": 0, "workflow": "w"}, {"after": [0], "function": "f"}, {"after": [1], "delay": 10, "workflow": "w"}]);
    // The run ends at 5, the invocation at 7; the next run begins at 17, and its first container is warm.
    let results = run(&scenario);
    let requested: Vec<_> = results.workflows.iter().map(|run| run.requested_at.unwrap().as_secs_f64()).collect();
    assert_eq!(requested, [0.0, 17.0]);
    assert_eq!(results.workflows.iter().map(times).map(|times| times[4]).collect::<Vec<_>>(), [5.0, 4.0]);
    assert_eq!(results.metrics.workflows.within_deadline, 2);
    scenario["workflows"][0]["deadline"] = json!(4.5);
    assert_eq!(run(&scenario).metrics.workflows.within_deadline, 1);
    // At a horizon: one run has ended, the other was to come.
    scenario["horizon"] = json!(12);
    let results = run(&scenario);
    let outcomes: Vec<_> = results.workflows.iter().map(|run| (run.run, run.outcome, run.tasks)).collect();
    assert_eq!(outcomes, [(0, WorkflowOutcome::Completed, 2), (1, WorkflowOutcome::Unfinished, 0)]);
    // In the middle of a run.
    scenario["horizon"] = json!(2);
    let results = run(&scenario);
    assert_eq!((results.workflows[0].outcome, results.workflows[0].not_run), (WorkflowOutcome::Unfinished, 1));
    assert_eq!(results.metrics.invocations(), 2, "what was begun, and the one that is listed");
}

#[test]
fn traces_and_generators_ask_for_workflows_by_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), "arrival_s,function,duration_s\n0,w,0\n1,f,2\n30,w,0\n").unwrap();
    let mut scenario = scenario(&json!([{"name": "a", "function": "f", "map": 2}]));
    scenario["workload"] = json!({"trace": {"format": "csv", "path": "t.csv"}});
    let file = folder.path().join("scenario.json");
    std::fs::write(&file, scenario.to_string()).unwrap();
    let read = Scenario::read(&file, &[]).unwrap();
    let results = Experiment::prepare(&read, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap();
    let numbers: Vec<u64> = results.records.iter().map(|record| record.invocation).collect();
    assert_eq!((results.workflows.len(), numbers), (2, vec![0, 1, 2, 3, 4]));
}

#[test]
fn a_measured_workflow_runs_as_long_as_it_did_on_one_node() {
    let folder = tempfile::tempdir().unwrap();
    let measured = json!({
        "name": "measured", "schemaVersion": "1.5",
        "workflow": {
            "specification": {
                "tasks": [{"name": "g_1", "id": "g_1", "parents": [], "children": ["x_2"], "inputFiles": ["raw"], "outputFiles": ["part"]},
                          {"name": "x_2", "id": "x_2", "parents": ["g_1"], "children": [], "inputFiles": ["part"]}],
                "files": [{"id": "raw", "sizeInBytes": 100_000_000}, {"id": "part", "sizeInBytes": 200_000_000}]},
            "execution": {"makespanInSeconds": 9, "executedAt": "2026-01-01T00:00:00Z",
                "tasks": [{"id": "g_1", "runtimeInSeconds": 5}, {"id": "x_2", "runtimeInSeconds": 2.5}]}}});
    std::fs::write(folder.path().join("measured.json"), measured.to_string()).unwrap();
    let mut scenario = scenario(&json!([]));
    scenario["workflows"] = json!([{"name": "w", "wfcommons": "measured.json", "function": "f"}]);
    let file = folder.path().join("scenario.json");
    let prepare = |scenario: &Value| {
        std::fs::write(&file, scenario.to_string()).unwrap();
        Experiment::prepare(&Scenario::read(&file, &[]).unwrap(), &Catalog::new(hearth_plugins::BUILT_IN))
    };
    let results = prepare(&scenario).unwrap().run().unwrap();
    // g_1 is of kind g, on the second node: 1 s to start, 1 s for its data, 5 s; x_2 is f, on the first: 1 s, 2 s, 2.5 s.
    assert_eq!(times(&results.workflows[0]), [0.0, 2.0, 3.0, 7.5, 12.5]);
    scenario["workflows"][0].as_object_mut().unwrap().remove("function");
    let error = prepare(&scenario).unwrap_err().to_string();
    assert!(error.contains("no function is called \"x_2\" or \"x\" for task \"x_2\""), "{error}");
}

#[test]
fn each_run_is_a_row() {
    let mut scenario = scenario(&json!([
        {"name": "a", "function": "f", "output": "500MB"}, {"name": "b", "function": "g", "after": ["a"], "map": 2}]));
    scenario["workflows"][0]["deadline"] = json!(20);
    scenario["workload"]["invocations"] = json!([{"at": 0, "workflow": "w"}, {"at": 100, "workflow": "w"}]);
    scenario["faults"] = json!({"scripted": [{"at": 101, "host": "small", "for": 10}]});
    scenario["horizon"] = json!(200);
    let file = tempfile::NamedTempFile::new().unwrap();
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap();
    let experiment = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
    experiment.write_workflows(Box::new(std::fs::File::create(file.path()).unwrap())).unwrap().run().unwrap();
    let text = std::fs::read_to_string(file.path()).unwrap().replace(".000000000", "");
    // The two instances follow each other on one core: 1 s to start, 5 s for the data, 3 s; again 5 s and 3 s.
    let expected = "run,workflow,requested_at,finished_at,outcome,failure,makespan_s,within_deadline,tasks,not_run,\
                    first_invocation,waiting_s,starting_s,transfer_s,running_s,critical_path\n\
                    0,w,0,20,completed,,20,true,3,0,2,9,1,5,5,a > b[1]\n\
                    1,w,100,101,failed,\"task \"\"a\"\" lost: host \"\"small\"\" went down\",,false,1,2,5,,,,,\n";
    assert_eq!(text, expected);
}
