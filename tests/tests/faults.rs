//! Hosts, links and containers that fail, with dates worked out by hand (the timing model, section 11).

use hearth_policy_api::boundary::AdmissionObject;
use hearth_policy_api::{Admission, AdmissionDecision, AdmissionView, RequestView};
use hearth_serverless::experiment::{Experiment, Results};
use hearth_serverless::prelude::*;
use hearth_serverless::results::Summary;
use hearth_serverless::scenario::Scenario;
use serde_json::{Value, json};

/// Two nodes of one core; containers start in 1 s, bodies sleep for 10 s.
fn scenario() -> Value {
    let disk = json!({"capacity": "10GB", "read_bandwidth": "100MBps", "write_bandwidth": "100MBps"});
    json!({
        "format": "hearth-scenario/1", "network_model": "ideal",
        "platform": {
            "hosts": [{"name": "head", "cores": 1, "speed": "1Gf", "disk": disk},
                      {"name": "node", "count": 2, "cores": 1, "speed": "1Gf", "ram": "8GB", "disk": disk}],
            "links": [{"name": "lan", "bandwidth": "100MBps", "latency": 0}],
            "routes": [{"from": "head", "to": "node-*", "links": ["lan"]}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"], "container_startup_overhead": "1s",
                    "simulate_image_downloads": false},
        "files": [{"name": "in", "size": "1GB"}],
        "functions": [{"name": "f", "ram_limit": "1GB", "disk_limit": "2GB", "body": [{"sleep": "10s"}]}],
        "workload": {"invocations": [{"at": 0, "function": "f"}]},
        "policies": {"node_allocation": {"use": "first-fit"}},
    })
}

fn run(scenario: &Value) -> Results {
    let scenario = Scenario::from_json(&scenario.to_string()).unwrap();
    Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap()
}

/// Outcome, node and end in s of each invocation.
fn ends(results: &Results) -> Vec<(Outcome, Option<u32>, f64)> {
    let of = |record: &hearth_serverless::invocation::InvocationRecord| {
        (record.outcome, record.node, record.finished_at.map_or(f64::NAN, |date| date.as_secs_f64()))
    };
    results.records.iter().map(of).collect()
}

#[test]
fn an_invocation_is_lost_with_its_node_and_the_next_runs_elsewhere() {
    let mut scenario = scenario();
    scenario["workload"]["invocations"] = json!([{"at": 0, "function": "f"}, {"at": 6, "function": "f"}]);
    scenario["faults"] = json!({"scripted": [{"at": 5, "host": "node-0", "for": 60}]});
    let results = run(&scenario);
    assert_eq!(ends(&results), [(Outcome::Lost, Some(0), 5.0), (Outcome::Completed, Some(1), 17.0)]);
    assert_eq!(results.records[0].failure.as_deref(), Some("host \"node-0\" went down"));
    assert_eq!((results.metrics.faults, results.metrics.lost_core_seconds()), (1, 5.0));
}

#[test]
fn who_waits_runs_when_a_node_is_back() {
    let mut scenario = scenario();
    scenario["workload"]["invocations"] = json!([{"at": 6, "function": "f"}]);
    scenario["faults"] = json!({"scripted": [{"at": 5, "host": "node-*"}, {"at": 20, "host": "node-*", "up": true}]});
    assert_eq!(ends(&run(&scenario)), [(Outcome::Completed, Some(0), 31.0)]);
    // For ever: the simulation ends, and says who is left.
    scenario["faults"]["scripted"][1] = json!({"at": 1, "host": "node-1", "slow": 2, "for": 1});
    let results = run(&scenario);
    assert_eq!(results.records[0].outcome, Outcome::Unfinished);
}

#[test]
fn a_retry_comes_after_its_pause_and_an_invocation_has_one_outcome() {
    let mut scenario = scenario();
    scenario["faults"] =
        json!({"scripted": [{"at": 5, "host": "node-0", "for": 60}, {"at": 10, "host": "node-1", "for": 1}]});
    scenario["recovery"] =
        json!({"retry": {"max_attempts": 3, "backoff": {"exponential": {"initial": 2, "factor": 3}}}});
    // Lost at 5, again from 7 on node 1, lost at 10, again from 16 on, when node 1 is back.
    let results = run(&scenario);
    assert_eq!(ends(&results), [(Outcome::Completed, Some(1), 27.0)]);
    assert_eq!((results.metrics.retries, results.metrics.invocations()), (2, 1));
    assert_eq!(results.metrics.lost_core_seconds(), 8.0);
    scenario["recovery"]["retry"]["max_attempts"] = json!(2);
    assert_eq!(ends(&run(&scenario)), [(Outcome::Lost, Some(1), 10.0)]);
    scenario["recovery"]["retry"]["max_attempts"] = json!(3);
    scenario["recovery"]["retry"]["deadline"] = json!(15);
    assert_eq!(ends(&run(&scenario)), [(Outcome::Lost, Some(1), 10.0)], "the third would begin at 16");
}

#[test]
fn another_attempt_goes_on_after_the_last_checkpoint() {
    let mut scenario = scenario();
    // 4 s of work, 5 s to save 500 MB at 100 MB/s, 4 s of work.
    scenario["functions"][0]["body"] = json!([{"sleep": 4}, {"checkpoint": "500MB"}, {"sleep": 4}]);
    scenario["faults"] = json!({"scripted": [{"at": 11, "host": "node-0", "for": 60}]});
    scenario["recovery"] = json!({"retry": {"max_attempts": 2}});
    // Saved at 10, lost at 11; started at 12, 5 s to read the state, 4 s of work.
    assert_eq!(ends(&run(&scenario)), [(Outcome::Completed, Some(1), 21.0)]);
    scenario["faults"]["scripted"][0]["at"] = json!(9.5);
    // Lost while it was being saved: from the start.
    assert_eq!(ends(&run(&scenario)), [(Outcome::Completed, Some(1), 23.5)]);
}

#[test]
fn a_hedged_attempt_goes_on_after_what_the_other_has_saved() {
    let mut scenario = scenario();
    scenario["functions"][0]["body"] = json!([{"sleep": 4}, {"checkpoint": "500MB"}, {"sleep": 4}]);
    scenario["faults"] = json!({"scripted": [{"at": 9, "host": "node-0", "slow": 10, "for": 100}]});
    scenario["recovery"] = json!({"hedge": {"after": 11}});
    // Saved at 10, the rest would take 40 s; the other starts at 12, reads the state for 5 s and works for 4.
    assert_eq!(ends(&run(&scenario)), [(Outcome::Completed, Some(1), 21.0)]);
    // It begins before anything is saved: with the first step.
    scenario["recovery"]["hedge"]["after"] = json!(8);
    assert_eq!(ends(&run(&scenario)), [(Outcome::Completed, Some(1), 22.0)]);
}

#[test]
fn a_link_that_goes_down_fails_the_body_that_uses_it_and_delays_none_that_does_not() {
    let mut scenario = scenario();
    scenario["functions"][0]["body"] = json!([{"ingress": {"file": "in"}}]);
    scenario["faults"] = json!({"scripted": [{"at": 5, "link": "lan", "for": 10}]});
    let results = run(&scenario);
    assert_eq!(ends(&results), [(Outcome::Failed, Some(0), 5.0)]);
    let failure = results.records[0].failure.as_deref();
    assert_eq!(failure, Some("a transfer was interrupted: a host or link went down"));
    scenario["workload"]["invocations"][0]["at"] = json!(6);
    assert_eq!(run(&scenario).records[0].failure.as_deref(), Some("link \"lan\" is down"));
    scenario["functions"][0]["body"] = json!([{"sleep": 10}]);
    assert_eq!(ends(&run(&scenario)), [(Outcome::Completed, Some(0), 17.0)]);
}

#[test]
fn an_image_on_its_way_is_fetched_again_when_the_link_is_back() {
    let mut scenario = scenario();
    scenario["images"] = json!([{"name": "img", "size": "1GB"}]);
    scenario["functions"][0]["image"] = json!("img");
    // 10 s to copy, 10 s to load, 1 s to start, 10 s to run.
    assert_eq!(ends(&run(&scenario)), [(Outcome::Completed, Some(0), 31.0)]);
    scenario["faults"] = json!({"scripted": [{"at": 5, "link": "lan", "for": 3}]});
    assert_eq!(ends(&run(&scenario)), [(Outcome::Completed, Some(0), 39.0)]);
    // A node that goes down with its disk kept need not copy again, only load.
    scenario["faults"] = json!({"scripted": [{"at": 15, "host": "node-*", "for": 5}]});
    assert_eq!(ends(&run(&scenario)), [(Outcome::Completed, Some(0), 41.0)]);
    scenario["faults"]["scripted"][0]["disk_content"] = json!("lost");
    assert_eq!(ends(&run(&scenario)), [(Outcome::Completed, Some(0), 51.0)]);
}

#[test]
fn a_head_that_is_down_admits_and_places_nobody_while_running_work_goes_on() {
    let mut scenario = scenario();
    scenario["workload"]["invocations"] =
        json!([{"at": 0, "function": "f"}, {"at": 6, "function": "f"}, {"at": 7, "function": "f"}]);
    scenario["faults"] = json!({"scripted": [{"at": 5, "host": "head", "for": 20}]});
    // The head reads its messages in order: the request of 6 s, which goes to the other node, before the end of 11 s.
    let expected =
        [(Outcome::Completed, Some(0), 11.0), (Outcome::Completed, Some(1), 36.0), (Outcome::Completed, Some(0), 35.0)];
    assert_eq!(ends(&run(&scenario)), expected);
    // Who waits when it goes down is lost if the queue is; requests on their way come when it is back.
    scenario["faults"] = json!({"scripted": [{"at": 8, "host": "head", "for": 20}], "head_queue": "lost"});
    scenario["workload"]["invocations"][1]["at"] = json!(1);
    let outcomes: Vec<Outcome> = ends(&run(&scenario)).iter().map(|end| end.0).collect();
    assert_eq!(outcomes, [Outcome::Completed, Outcome::Completed, Outcome::Lost]);
}

#[test]
fn a_body_that_fails_with_the_head_frees_its_core_when_the_head_is_back() {
    let mut scenario = scenario();
    scenario["platform"]["hosts"][1]["count"] = json!(1);
    let reads = json!({"name": "reads", "ram_limit": "1GB", "body": [{"read_remote": {"file": "in"}}]});
    scenario["functions"].as_array_mut().unwrap().push(reads);
    scenario["workload"]["invocations"] = json!([{"at": 0, "function": "reads"}, {"at": 1, "function": "f"}]);
    scenario["faults"] = json!({"scripted": [{"at": 5, "host": "head", "for": 20}]});
    let failed = (Outcome::Failed, Some(0), 5.0);
    assert_eq!(ends(&run(&scenario)), [failed, (Outcome::Completed, Some(0), 36.0)]);
    scenario["faults"]["head_queue"] = json!("lost");
    assert_eq!(ends(&run(&scenario)), [failed, (Outcome::Lost, None, 5.0)]);
}

#[test]
fn a_slow_node_takes_longer_for_what_begins_on_it() {
    let mut scenario = scenario();
    scenario["faults"] = json!({"scripted": [{"at": 0.5, "host": "node-0", "slow": 3, "for": 100}]});
    // The start of the container began before.
    assert_eq!(ends(&run(&scenario)), [(Outcome::Completed, Some(0), 31.0)]);
}

#[test]
fn containers_crash_as_often_as_is_said() {
    let mut scenario = scenario();
    let requests: Vec<Value> = (0..1000).map(|number| json!({"at": 20 * number, "function": "f"})).collect();
    scenario["workload"]["invocations"] = json!(requests);
    let lost = |faults: Value| {
        let mut scenario = scenario.clone();
        scenario["faults"] = json!({"containers": faults});
        run(&scenario).metrics.outcome(Outcome::Lost)
    };
    assert!((160..240).contains(&lost(json!({"crash_per_invocation": 0.2}))));
    // 1 - e^(-0.5): in ten seconds, at a rate of one in twenty.
    assert!((350..440).contains(&lost(json!({"crash_per_second": 0.05}))));
    assert_eq!(lost(json!({})), 0);
}

#[test]
fn the_first_of_two_attempts_to_complete_counts_and_the_other_is_stopped() {
    let mut scenario = scenario();
    scenario["faults"] = json!({"scripted": [{"at": 0, "host": "node-0", "slow": 5, "for": 100}]});
    scenario["workload"]["invocations"] = json!([{"at": 1, "function": "f"}]);
    assert_eq!(ends(&run(&scenario)), [(Outcome::Completed, Some(0), 56.0)], "5 s to start, 50 s to run");
    // Another attempt from 5 s on, on the other node.
    scenario["recovery"] = json!({"hedge": {"after": 4}});
    let results = run(&scenario);
    assert_eq!(ends(&results), [(Outcome::Completed, Some(1), 16.0)]);
    assert_eq!((results.metrics.hedges, results.metrics.invocations()), (1, 1));
    assert_eq!(results.metrics.lost_core_seconds(), 15.0, "the first held its core from 1 to 16 s");
    // One that ends in time has no other beside it.
    scenario["recovery"]["hedge"]["after"] = json!(60);
    assert_eq!(run(&scenario).metrics.hedges, 0);
}

#[test]
fn images_that_were_lost_are_copied_to_other_nodes() {
    let mut scenario = scenario();
    scenario["platform"]["hosts"][1]["count"] = json!(3);
    scenario["images"] = json!([{"name": "img", "size": "1GB", "ram_footprint": "1GB"}]);
    scenario["functions"][0]["image"] = json!("img");
    // The first copy arrives at 10, is loaded at 20, and its node is down from 40 to 100, with the image on its disk.
    scenario["workload"]["invocations"] = json!([{"at": 0, "function": "f"}, {"at": 80, "function": "f"}]);
    scenario["faults"] = json!({"scripted": [{"at": 40, "host": "node-0", "for": 60}]});
    let results = run(&scenario);
    assert_eq!(
        ends(&results)[1],
        (Outcome::Completed, Some(1), 111.0),
        "10 s to copy, 10 to load, 1 to start, 10 to run"
    );
    assert_eq!(results.metrics.copies.count, 2);
    // Copied to the two others from 40 on: both copies share the head's disk and are there at 60.
    scenario["network_model"] = json!("fluid");
    scenario["recovery"] = json!({"replicate": {"copies": 2}});
    let results = run(&scenario);
    let end = ends(&results)[1].2;
    assert!((end - 101.0).abs() < 1e-6, "10 s to load, 1 to start, 10 to run: {end}");
    assert_eq!((results.metrics.copies.count, results.metrics.replications.count), (3, 2));
    // No more than asked for, and nothing where enough is left.
    scenario["recovery"]["replicate"]["copies"] = json!(1);
    assert_eq!(run(&scenario).metrics.replications.count, 1);
    scenario["faults"] = json!({"scripted": [{"at": 40, "disk": "node-*"}]});
    assert_eq!(run(&scenario).metrics.replications.count, 0, "the idle container needs the image: it is not lost");
    scenario["policies"]["keep_alive"] = json!({"parameters": {"timeout": 0}});
    assert_eq!(run(&scenario).metrics.replications.count, 1);
}

#[test]
fn a_simulation_that_cannot_go_on_says_who_waits_for_what() {
    let stall = |scenario: &Value| run(scenario).stall.map(|stall| stall.to_string());
    let mut down = scenario();
    assert_eq!(stall(&down), None);
    down["workload"]["invocations"] = json!([{"at": 0, "function": "f"}, {"at": 20, "function": "f"}, {"at": 21, "function": "f"},
                                             {"after": [2], "function": "f"}]);
    down["faults"] = json!({"scripted": [{"at": 15, "host": "node-*"}]});
    let nodes =
        "nothing is left to happen, but invocation 1 waits in the queue: all nodes are down (2 more have not ended)";
    assert_eq!(stall(&down).as_deref(), Some(nodes));
    let failures: Vec<_> = run(&down).records.into_iter().map(|record| record.failure).collect();
    assert_eq!(failures[3].as_deref(), Some("waits for others that it follows"));
    // Up to a horizon nothing is stuck that goes on later.
    down["horizon"] = json!(14);
    assert_eq!(stall(&down), None);
    let because = |fault: Value, change: &dyn Fn(&mut Value)| {
        let mut scenario = scenario();
        scenario["workload"]["invocations"] = json!([{"at": 5, "function": "f"}]);
        scenario["faults"] = json!({"scripted": [fault]});
        change(&mut scenario);
        run(&scenario).stall.unwrap().reason
    };
    assert_eq!(because(json!({"at": 1, "host": "head"}), &|_| {}), "waits for the head: host \"head\" is down");
    let with_image = |scenario: &mut Value| {
        scenario["images"] = json!([{"name": "img", "size": "1GB", "ram_footprint": "1GB"}]);
        scenario["functions"][0]["image"] = json!("img");
    };
    let link = json!({"at": 1, "link": "lan"});
    assert_eq!(because(link.clone(), &with_image), "waits on node \"node-0\" for image \"img\": link \"lan\" is down");
    let with_registry = |scenario: &mut Value| {
        with_image(scenario);
        let disk = scenario["platform"]["hosts"][0]["disk"].clone();
        let hosts = scenario["platform"]["hosts"].as_array_mut().unwrap();
        hosts.push(json!({"name": "user", "cores": 1, "speed": "1Gf", "disk": disk}));
        scenario["service"]["registry"] = json!("user");
        scenario["service"]["simulate_image_downloads"] = json!(true);
        let routes = scenario["platform"]["routes"].as_array_mut().unwrap();
        routes.push(json!({"from": "user", "to": "head", "links": ["lan"]}));
    };
    assert_eq!(
        because(link, &with_registry),
        "waits for image \"img\" to be downloaded to the head: link \"lan\" is down"
    );
}

/// Lets nobody in, but says each time to ask again.
struct Never;

impl Admission for Never {
    fn admit(&mut self, _request: &RequestView, _load: &AdmissionView<'_>) -> AdmissionDecision {
        AdmissionDecision::Delay(1_000_000)
    }
}

#[test]
fn a_simulation_ends_in_which_requests_are_delayed_for_ever() {
    let platform = PlatformBuilder::new().host("all", HostSpec::new(1, 1e9).ram(GB)).build().unwrap();
    let mut simulation = Simulation::new(platform, 0);
    let mut policies = PolicySet::defaults(&Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
    policies.admission = Factory::<AdmissionObject>::in_place("never", |_| Never);
    let builder = ServerlessComputeService::builder("all").nodes(&["all"]).policies(policies).keep_records(true);
    let service = builder.start(&mut simulation).unwrap();
    let (name, limits) = ("f".to_owned(), Limits::default());
    let function = Function { name, image: None, limits, startup_overhead: None, body: Body::Sleep(secs(1)) };
    let callee = service.register(&mut simulation, function).unwrap().into();
    let planned = PlannedInvocation { at: None, after: vec![], delay: SimDuration::ZERO, callee, body: None };
    service.set_workload(&mut simulation, vec![planned; 3]).unwrap();
    simulation.run().unwrap();
    let (_, records) = service.close(&mut simulation);
    let reason = "waits to be admitted: policies.admission, \"never\", has delayed it";
    assert!(records.iter().all(|record| record.failure.as_deref() == Some(reason)), "{records:?}");
}

/// Delays by a nanosecond while somebody runs.
struct Impatient;

impl Admission for Impatient {
    fn admit(&mut self, _request: &RequestView, load: &AdmissionView<'_>) -> AdmissionDecision {
        if load.running > 0 { AdmissionDecision::Delay(1) } else { AdmissionDecision::Admit }
    }
}

#[test]
fn a_simulation_in_which_a_request_asks_again_and_again_stops_and_says_so() {
    let run = |limit: u64| {
        let platform = PlatformBuilder::new().host("all", HostSpec::new(1, 1e9).ram(GB)).build().unwrap();
        let mut simulation = Simulation::new(platform, 0);
        let mut policies = PolicySet::defaults(&Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
        policies.admission = Factory::<AdmissionObject>::in_place("impatient", |_| Impatient);
        let builder = ServerlessComputeService::builder("all").nodes(&["all"]).policies(policies);
        let service = builder.start(&mut simulation).unwrap();
        service.set_max_events_without_progress(&mut simulation, limit);
        let body = Body::Sleep(SimDuration::from_nanos(5000));
        let function =
            Function { name: "f".to_owned(), image: None, limits: Limits::default(), startup_overhead: None, body };
        let callee = service.register(&mut simulation, function).unwrap().into();
        let planned = PlannedInvocation { at: None, after: vec![], delay: SimDuration::ZERO, callee, body: None };
        service.set_workload(&mut simulation, vec![planned; 2]).unwrap();
        simulation.run().map_err(|error| error.to_string())
    };
    let stopped = "4998 events in a row, since 0.000000000 s, have moved no invocation on: invocation 1 waits to be admitted: \
                   policies.admission, \"impatient\", has delayed it (1 more have not ended): mend that, or allow more of them \
                   with --set max_events_without_progress=N (0: any number)";
    assert_eq!(run(4998), Err(stopped.to_owned()));
    assert_eq!(run(4999), Ok(()), "the other ends at 5000, before the next question");
    assert_eq!(run(0), Ok(()), "for ever, if need be");
}

/// A link that fails every 7 s, and an image that needs 10 s to come over it.
fn with_a_failing_link() -> Value {
    let mut scenario = scenario();
    scenario["images"] = json!([{"name": "img", "size": "1GB", "ram_footprint": "1GB"}]);
    scenario["functions"] = json!([{"name": "f", "image": "img"}, {"name": "sleeper", "body": [{"sleep": "1d"}]}]);
    scenario["faults"] = json!({"drawn": [
        {"links": "lan", "time_between_failures": {"constant": 7}, "time_to_repair": {"constant": 1}}]});
    scenario
}

#[test]
fn a_simulation_in_which_a_copy_begins_again_and_again_stops_and_says_so() {
    let mut scenario = with_a_failing_link();
    scenario["max_events_without_progress"] = json!(3000);
    let stopped = |scenario: &Value| {
        let scenario = Scenario::from_json(&scenario.to_string()).unwrap();
        let experiment = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
        let (results, stopped) = experiment.run_until_stopped();
        (results, stopped.map(|error| error.to_string()))
    };
    scenario["workload"]["invocations"] = json!([{"at": 0, "function": "f"}]);
    let (results, why) = stopped(&scenario);
    let why = why.unwrap();
    let begin = "3000 events in a row, since 0.000000000 s, have moved no invocation on: invocation 0 waits on node \"node-0\" \
                 for image \"img\"";
    assert!(why.starts_with(begin), "{why}");
    assert_eq!(results.records[0].outcome, Outcome::Unfinished);
    // Somebody sleeps for a day, which 21 600 failures and repairs do not disturb. It does not matter that this is known.
    scenario["workload"]["invocations"] = json!([{"at": 0, "function": "sleeper"}]);
    assert!(stopped(&scenario).1.is_some());
    scenario["max_events_without_progress"] = json!(22_000);
    assert_eq!(stopped(&scenario).1, None);
    scenario["max_events_without_progress"] = json!(0);
    assert_eq!(stopped(&scenario).1, None);
    scenario.as_object_mut().unwrap().remove("max_events_without_progress");
    assert_eq!(stopped(&scenario).1, None, "ten million, if nothing is said");
}

#[test]
fn a_link_that_is_not_shared_cannot_be_degraded() {
    let folder = tempfile::tempdir().unwrap();
    let platform = r#"<?xml version='1.0'?><!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd"><platform version="4.1">
        <zone id="z" routing="Full"><host id="head" speed="1Gf"/><host id="node" speed="1Gf"><prop id="ram" value="8GB"/></host>
        <link id="fat" bandwidth="1GBps" latency="0us" sharing_policy="FATPIPE"/>
        <route src="head" dst="node"><link_ctn id="fat"/></route></zone></platform>"#;
    std::fs::write(folder.path().join("platform.xml"), platform).unwrap();
    let mut scenario = scenario();
    scenario["platform"] = json!({"simgrid_xml": "platform.xml"});
    scenario["service"]["nodes"] = json!(["node"]);
    scenario["network_model"] = json!("fluid");
    scenario["functions"] = json!([{"name": "f"}]);
    scenario["files"] = json!([]);
    scenario["faults"] = json!({"scripted": [{"at": 1, "link": "fat", "bandwidth": 0.5, "for": 1}]});
    let file = folder.path().join("scenario.json");
    std::fs::write(&file, scenario.to_string()).unwrap();
    let read = Scenario::read(&file, &[]).unwrap();
    let error = Experiment::prepare(&read, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap_err().to_string();
    assert!(error.starts_with("faults.scripted[0].link: link \"fat\" is a FATPIPE"), "{error}");
}

#[test]
fn each_attempt_is_a_row() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let rows = |scenario: &Value| -> Vec<String> {
        let scenario = Scenario::from_json(&scenario.to_string()).unwrap();
        let experiment = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
        experiment.write_attempts(Box::new(std::fs::File::create(file.path()).unwrap())).unwrap().run().unwrap();
        std::fs::read_to_string(file.path()).unwrap().lines().map(|row| row.replace(".000000000", "")).collect()
    };
    let mut retried = scenario();
    retried["faults"] = json!({"scripted": [{"at": 5, "host": "node-0", "for": 60}]});
    retried["recovery"] = json!({"retry": {"max_attempts": 2}});
    let columns =
        "invocation,attempt,function,submitted_at,dispatched_at,started_at,finished_at,node,start,outcome,failure";
    let lost = "0,1,f,0,0,1,5,node-0,cold,lost,\"host \"\"node-0\"\" went down\"";
    assert_eq!(rows(&retried), [columns, lost, "0,2,f,5,5,6,16,node-1,cold,completed,"]);
    // What has not ended comes last; what was to be tried again later is no attempt yet.
    retried["horizon"] = json!(10);
    assert_eq!(rows(&retried)[2], "0,2,f,5,5,6,,node-1,cold,unfinished,\"was running on node \"\"node-1\"\"\"");
    retried["recovery"]["retry"]["backoff"] = json!({"constant": 20});
    assert_eq!(rows(&retried).len(), 2);
    let mut hedged = scenario();
    hedged["faults"] = json!({"scripted": [{"at": 0, "host": "node-0", "slow": 5, "for": 100}]});
    hedged["workload"]["invocations"] = json!([{"at": 1, "function": "f"}]);
    hedged["recovery"] = json!({"hedge": {"after": 4}});
    let stopped = "0,1,f,1,1,6,16,node-0,cold,stopped,another attempt completed first";
    assert_eq!(rows(&hedged)[1..], ["0,2,f,5,5,6,16,node-1,cold,completed,", stopped]);
    // The second is lost, the first decides: each keeps its number, and the next has one of its own.
    let slow = hedged["faults"]["scripted"][0].clone();
    let second = json!({"at": 10, "host": "node-1", "for": 10});
    hedged["faults"]["scripted"] = json!([slow, second]);
    let lost = "0,2,f,5,5,6,10,node-1,cold,lost,\"host \"\"node-1\"\" went down\"";
    assert_eq!(rows(&hedged)[1..], [lost, "0,1,f,1,1,6,56,node-0,cold,completed,"]);
    hedged["faults"]["scripted"] = json!([slow, second, {"at": 30, "host": "node-0"}]);
    hedged["recovery"]["retry"] = json!({"max_attempts": 3});
    let first = "0,1,f,1,1,6,30,node-0,cold,lost,\"host \"\"node-0\"\" went down\"";
    let third = ["0,3,f,30,30,31,41,node-1,cold,completed,", "0,4,f,34,,,41,,,stopped,another attempt completed first"];
    assert_eq!(rows(&hedged)[1..], [lost, first, third[0], third[1]]);
}

#[test]
fn a_simulation_of_many_hosts_that_fail_ends_with_its_work() {
    let mut scenario = scenario();
    scenario["platform"]["hosts"][1]["count"] = json!(50);
    let drawn = json!({"hosts": "node-*", "time_between_failures": {"exponential": {"mean": 100}},
                       "time_to_repair": {"exponential": {"mean": 100}}});
    scenario["faults"] = json!({"drawn": [drawn]});
    scenario["recovery"] = json!({"retry": {"max_attempts": 100}});
    scenario["policies"]["keep_alive"] = json!({"use": "no-keep-alive"});
    scenario["max_events_without_progress"] = json!(1000);
    // About half of them are down at any time, so that an end of a fault is always to come.
    let results = run(&scenario);
    assert_eq!(results.records[0].outcome, Outcome::Completed);
    assert!(results.metrics.faults < 200, "{} faults", results.metrics.faults);
}

#[test]
fn the_queue_has_recovered_when_no_more_wait_than_before() {
    let mut scenario = scenario();
    let at = |seconds: u32| json!({"at": seconds, "function": "f"});
    scenario["workload"]["invocations"] = json!([at(0), at(22), at(22), at(22)]);
    scenario["functions"][0]["deadline"] = json!(20);
    scenario["faults"] = json!({"scripted": [{"at": 20, "host": "node-*", "for": 10}]});
    // All three wait at 22; two begin at 30 and end at 41, when the third begins, in a warm container, up to 51.
    let metrics = run(&scenario).metrics;
    assert_eq!((metrics.time_to_recover.count(), metrics.unrecovered), (2, 0), "two nodes, two faults");
    assert_eq!((metrics.time_to_recover.mean(), metrics.time_to_recover.max()), (21.0, 21.0));
    let results = run(&scenario);
    let level = Summary::new(&results).service_level;
    assert_eq!((level.availability, level.within_deadline, level.goodput), (1.0, 0.75, 3.0 / 51.0));
    // One that ends while nobody waits has been recovered from with its end; before it ends nobody can tell.
    scenario["workload"]["invocations"] = json!([at(0), at(50)]);
    assert_eq!(run(&scenario).metrics.time_to_recover.max(), 10.0);
    scenario["horizon"] = json!(25);
    let metrics = run(&scenario).metrics;
    assert_eq!((metrics.time_to_recover.count(), metrics.unrecovered), (0, 2));
}
