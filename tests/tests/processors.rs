//! Processors that containers share, in whole simulations, with dates worked out by hand.

use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::policy::Catalog;
use hearth_serverless::prelude::*;
use hearth_serverless::results::Summary;
use hearth_serverless::scenario::Scenario;
use hearth_tests::Text;
use serde_json::{Value, json};

/// So many nodes of so many cores of 1 Gf/s, and functions that are asked for at dates.
fn scenario(nodes: u32, cores: u32, functions: &Value, requests: &[(f64, &str)]) -> Value {
    let requests: Vec<Value> = requests.iter().map(|(at, function)| json!({"at": at, "function": function})).collect();
    json!({
        "format": "hearth-scenario/1",
        "platform": {"hosts": [{"name": "head", "cores": 1, "speed": "1Gf"},
                               {"name": "node", "count": nodes, "cores": cores, "speed": "1Gf", "ram": "16GB",
                                "power": {"idle": 0, "busy": cores}}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"], "processors": "shared"},
        "functions": functions, "workload": {"invocations": requests},
    })
}

fn prepare(scenario: &Value) -> Result<Experiment, String> {
    let scenario = Scenario::from_json(&scenario.to_string()).map_err(|error| error.to_string())?;
    Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).map_err(|error| error.to_string())
}

fn run(scenario: &Value) -> Results {
    prepare(scenario).unwrap().run().unwrap()
}

fn seconds(date: Option<SimTime>) -> f64 {
    date.map_or(f64::NAN, |date| date.as_nanos() as f64 / 1e9)
}

/// When invocations began and ended, in the order of their numbers.
fn dates(results: &Results) -> Vec<(f64, f64)> {
    let mut records: Vec<_> = results.records.iter().collect();
    records.sort_by_key(|record| record.invocation);
    records.iter().map(|record| (seconds(record.started_at), seconds(record.finished_at))).collect()
}

#[test]
fn bodies_share_a_core_by_weight_and_sleepers_need_none() {
    let functions = json!([
        {"name": "heavy", "processors": {"weight": 2}, "body": [{"compute": "2Gf"}]},
        {"name": "light", "body": [{"compute": "2Gf"}]},
        {"name": "sleeper", "body": [{"sleep": "5s"}]}]);
    let mut requests = vec![(0.0, "heavy"), (0.0, "light")];
    requests.extend([(0.0, "sleeper"); 10]);
    let results = run(&scenario(1, 1, &functions, &requests));
    // Two thirds of the core up to 3 s; by then the other has half of its work done.
    assert_eq!(dates(&results)[..2], [(0.0, 3.0), (0.0, 4.0)]);
    assert!(dates(&results)[2..].iter().all(|dates| *dates == (0.0, 5.0)));
    let summary = Summary::new(&results);
    let used = summary.processors.unwrap();
    assert_eq!((used.core_seconds, used.utilisation), (4.0, 0.8));
    // A watt for each core.
    assert_eq!(summary.energy.unwrap().busy_joules, 4.0);
    let of = |function| results.metrics.processors.as_deref().unwrap().seconds_of(function);
    assert_eq!([of(0), of(1), of(2)], [2.0, 2.0, 0.0]);
}

#[test]
fn limits_are_fractions_of_a_core_given_or_by_memory_and_threads_use_several() {
    let functions = json!([
        {"name": "half", "processors": {"limit": 0.5}, "body": [{"compute": "1Gf"}]},
        {"name": "small", "ram_limit": "250MB", "processors": {"per_memory": "1GB"}, "body": [{"compute": "1Gf"}]},
        {"name": "wide", "processors": {"threads": 3}, "body": [{"compute": "3Gf"}]},
        {"name": "capped", "processors": {"threads": 3, "limit": 1.5}, "body": [{"compute": "3Gf"}]}]);
    let requests = [(0.0, "half"), (0.0, "small"), (10.0, "wide"), (20.0, "capped")];
    let results = run(&scenario(1, 4, &functions, &requests));
    assert_eq!(dates(&results), [(0.0, 2.0), (0.0, 4.0), (10.0, 11.0), (20.0, 22.0)]);
}

#[test]
fn a_start_takes_no_longer_in_a_small_container_whose_body_does() {
    let startup = json!({"work": "2Gf", "limit": 2});
    let of_limit = |name: &str, limit: f64| {
        json!({"name": name, "container_startup_overhead": "1s",
               "processors": {"limit": limit, "startup": startup}, "body": [{"compute": "1Gf"}]})
    };
    let functions = json!([of_limit("small", 0.25), of_limit("large", 1.0)]);
    let requests = [(0.0, "small"), (100.0, "large"), (200.0, "small"), (200.0, "large")];
    let results = run(&scenario(1, 2, &functions, &requests));
    // The overhead, and 2 Gf on two cores.
    assert_eq!(dates(&results)[..2], [(2.0, 6.0), (102.0, 103.0)]);
    // Warm ones do not start.
    assert_eq!(dates(&results)[2..], [(200.0, 204.0), (200.0, 201.0)]);
    assert_eq!(Summary::new(&results).processors.unwrap().core_seconds, 8.0);
}

#[test]
fn a_slow_node_is_slow_for_what_is_under_way() {
    let functions = json!([{"name": "f", "body": [{"compute": "3Gf"}]}]);
    let mut scenario = scenario(1, 1, &functions, &[(0.0, "f")]);
    scenario["faults"] = json!({"scripted": [{"at": 1, "host": "node-0", "slow": 2, "for": 2}]});
    let results = run(&scenario);
    assert_eq!(dates(&results), [(0.0, 4.0)]);
    assert_eq!(Summary::new(&results).processors.unwrap().core_seconds, 4.0, "it was busy all the time");
}

#[test]
fn what_ends_before_its_time_leaves_its_part_to_others() {
    let functions = json!([
        {"name": "endless", "time_limit": "2s", "body": [{"compute": "1000Gf"}]},
        {"name": "f", "body": [{"compute": "3Gf"}]}]);
    let results = run(&scenario(1, 1, &functions, &[(0.0, "endless"), (0.0, "f")]));
    assert_eq!(dates(&results), [(0.0, 2.0), (0.0, 4.0)]);
    assert_eq!(Summary::new(&results).processors.unwrap().core_seconds, 4.0);
    // The same when a node goes down.
    let mut scenario = scenario(2, 1, &functions, &[(0.0, "f"), (0.0, "f")]);
    scenario["policies"] = json!({"node_allocation": {"use": "round-robin"}});
    scenario["faults"] = json!({"scripted": [{"at": 1, "host": "node-0", "for": 1}]});
    let results = run(&scenario);
    assert_eq!(dates(&results), [(0.0, 1.0), (0.0, 3.0)]);
    assert_eq!(Summary::new(&results).processors.unwrap().core_seconds, 4.0);
}

/// Containers of three quarters of a core on a node of two: the third has no room, and takes the first that is idle.
#[test]
fn requests_are_kept_as_long_as_containers_are_there() {
    let functions = json!([
        {"name": "f", "processors": {"request": 0.75}, "body": [{"sleep": "1s"}]},
        {"name": "g", "processors": {"request": 1}, "body": [{"sleep": "1s"}]}]);
    let requests = [(0.0, "f"), (0.0, "f"), (0.0, "f"), (0.5, "g"), (5.0, "g"), (5.0, "g")];
    let results = run(&scenario(1, 2, &functions, &requests));
    let started: Vec<f64> = dates(&results).iter().map(|(started, _)| *started).collect();
    // At 1 s one is idle for the third, and the other ends for the first `g`; at 2 s that of the third is idle, and ends at 5 s.
    assert_eq!(started, [0.0, 0.0, 1.0, 1.0, 5.0, 5.0]);
    let metrics = &results.metrics;
    assert_eq!((metrics.cold_starts, metrics.warm_starts, metrics.evicted_containers), (4, 2, 2));
}

/// A node that is too full for one is not offered to it, though others find room there.
#[test]
fn who_needs_much_is_shown_the_nodes_that_have_it() {
    let functions = json!([
        {"name": "small", "processors": {"request": 0.5}, "body": [{"sleep": "9s"}]},
        {"name": "large", "processors": {"request": 1.75}, "body": [{"sleep": "9s"}]}]);
    let requests = [(0.0, "small"), (0.0, "small"), (1.0, "large"), (2.0, "small"), (3.0, "large")];
    for policy in ["fcfs", "first-fit", "hermod"] {
        let mut scenario = scenario(2, 2, &functions, &requests);
        scenario["policies"] = json!({"node_allocation": {"use": policy}});
        let results = run(&scenario);
        let started: Vec<f64> = dates(&results).iter().map(|(started, _)| *started).collect();
        assert_eq!(started[..4], [0.0, 0.0, 1.0, 2.0], "{policy}");
        // Warm, where the other large one has been.
        assert_eq!(started[4], 10.0, "{policy}");
    }
    // In the strict order of coming the last small one does not pass.
    let mut scenario = scenario(2, 2, &functions, &[(0.0, "small"), (0.0, "large"), (1.0, "large"), (2.0, "small")]);
    scenario["policies"] = json!({"node_allocation": {"use": "first-fit"}});
    for (backfilling, last) in [("unlimited", 2.0), ("none", 9.0)] {
        scenario["service"]["backfilling"] = json!(backfilling);
        let started: Vec<f64> = dates(&run(&scenario)).iter().map(|(started, _)| *started).collect();
        assert_eq!(started, [0.0, 0.0, 9.0, last], "{backfilling}");
    }
}

/// At the end of each interval as many are used as up to then, whatever ends or begins at that date.
#[test]
fn the_series_shows_the_cores_in_use_where_they_are_shared() {
    let functions = json!([
        {"name": "half", "processors": {"limit": 0.5}, "body": [{"compute": "1Gf"}]},
        {"name": "f", "body": [{"compute": "1500Mf"}, {"sleep": 1}, {"compute": "1Gf"}]}]);
    let column = |scenario: &Value, name: &str| {
        let text = Text::default();
        let experiment = prepare(scenario).unwrap();
        experiment.write_time_series(secs(1), 1000, Box::new(text.clone())).unwrap().run().unwrap();
        let text = text.written();
        let rows: Vec<Vec<String>> = text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
        let position = rows[0].iter().position(|column| column == name)?;
        Some(rows[1..6].iter().map(|row| row[position].parse().unwrap()).collect::<Vec<f64>>())
    };
    let mut scenario = scenario(1, 2, &functions, &[(0.0, "half"), (0.0, "f"), (4.0, "half")]);
    assert_eq!(column(&scenario, "processors_used").unwrap(), [1.5, 0.5, 1.0, 0.0, 0.5]);
    // Without, the table is as it was.
    scenario["service"]["processors"] = json!("dedicated");
    scenario["functions"][0]["processors"] = Value::Null;
    assert_eq!(column(&scenario, "processors_used"), None);
    assert!(column(&scenario, "idle_memory_bytes").is_some());
}

/// Two computations of one closure share the limit of its container.
#[test]
fn what_a_closure_computes_at_once_shares_its_container() {
    let platform = PlatformBuilder::new().host("node", HostSpec::new(4, 1e9).ram(GB)).build().unwrap();
    let mut simulation = Simulation::new(platform, 0);
    let service = ServerlessComputeService::builder("node")
        .nodes(&["node"])
        .policies(PolicySet::defaults(&Catalog::new(hearth_plugins::BUILT_IN)).unwrap())
        .processors(ProcessorSharing::Shared)
        .keep_records(true)
        .start(&mut simulation)
        .unwrap();
    let body = Body::closure(async |call: Call| {
        join_all([call.compute(1e9), call.compute(2e9)]).await;
        call.compute(0.5e9).await;
        Ok(Output::new(()))
    });
    let processors = Some(Processors { limit: 1.5, ..Processors::default() });
    let limits = Limits { processors, ..Limits::default() };
    let function = Function { name: "f".to_owned(), image: None, limits, startup_overhead: None, body };
    let callee = service.register(&mut simulation, function).unwrap().into();
    let planned = PlannedInvocation { at: None, after: vec![], delay: SimDuration::ZERO, callee, body: None };
    service.set_workload(&mut simulation, vec![planned]).unwrap();
    simulation.run().unwrap();
    let (metrics, records) = service.close(&mut simulation);
    // Three quarters of a core each up to 4/3 s, then one for what is left, and one for the last half.
    let end = seconds(records[0].finished_at);
    assert!((end - (4.0 / 3.0 + 1.0 + 0.5)).abs() < 3e-9, "{end}");
    assert!((metrics.processors.unwrap().seconds() - 3.5).abs() < 1e-8);
}

#[test]
fn what_makes_no_sense_is_refused_with_a_place_and_a_cure() {
    let message = |processors: Value, sharing: &str| {
        let functions = json!([{"name": "f", "ram_limit": "1GB", "processors": processors}]);
        let mut scenario = scenario(1, 2, &functions, &[(0.0, "f")]);
        scenario["service"]["processors"] = json!(sharing);
        prepare(&scenario).err().unwrap_or_default()
    };
    let dedicated = "functions[0].processors: the processors of the service are dedicated, a core for each invocation: set \
                     service.processors to \"shared\", or take this out";
    assert_eq!(message(json!({}), "dedicated"), dedicated);
    assert_eq!(
        message(json!({"request": 2.5}), "shared"),
        "functions[0]: function \"f\" cannot be registered: its processors request 2.5 cores of one node; the most that nodes have is 2"
    );
    assert_eq!(message(json!({"request": 2}), "shared"), "");
}
