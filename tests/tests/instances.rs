//! Functions that are served by instances (the timing model, section 15): dates worked out by hand, and a slow exact model.

use std::io::Write;
use std::sync::{Arc, Mutex};

use hearth_policy_api::{Autoscaling, Policy, PolicyContext, PolicyDescriptor, PolicyError, Scale, ScaleView};
use hearth_serverless::experiment::Experiment;
use hearth_serverless::invocation::{InvocationRecord, Start};
use hearth_serverless::metrics::Metrics;
use hearth_serverless::policy::Catalog;
use hearth_serverless::prelude::*;
use hearth_serverless::scenario::Scenario;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Two nodes, and a function f with containers of 1 GB that start in 1 s and bodies of 2 s; `changes` are merged into it.
fn scenario(changes: &Value) -> Scenario {
    let mut scenario = json!({
        "format": "hearth-scenario/1",
        "platform": {"hosts": [
            {"name": "head", "cores": 1, "speed": "1Gf", "ram": "1GB"},
            {"name": "node", "count": 2, "cores": 2, "speed": "1Gf", "ram": "8GB"}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"], "container_startup_overhead": "1s"},
        "functions": [{"name": "f", "ram_limit": "1GB", "body": [{"sleep": "2s"}]}],
        "workload": {"invocations": []},
    });
    merge(&mut scenario, changes);
    Scenario::from_json(&scenario.to_string()).unwrap()
}

fn merge(into: &mut Value, changes: &Value) {
    match (into, changes) {
        (Value::Object(into), Value::Object(changes)) => {
            for (key, value) in changes {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Object(changes)) => {
            for (position, value) in changes {
                merge(&mut into[position.parse::<usize>().unwrap()], value);
            }
        }
        (into, changes) => *into = changes.clone(),
    }
}

fn run(changes: &Value) -> (Metrics, Vec<InvocationRecord>) {
    let catalog = Catalog::new(hearth_plugins::BUILT_IN);
    let results = Experiment::prepare(&scenario(changes), &catalog).unwrap().run().unwrap();
    (results.metrics, results.records)
}

/// Invocations of f at dates in s.
fn at(dates: &[f64]) -> Value {
    json!(dates.iter().map(|date| json!({"at": date, "function": "f"})).collect::<Vec<_>>())
}

/// When each began, in s, on which node, and how.
fn begins(records: &[InvocationRecord]) -> Vec<(f64, u32, Start)> {
    let begin = |record: &InvocationRecord| {
        (record.started_at.unwrap().as_secs_f64(), record.node.unwrap(), record.start.unwrap())
    };
    records.iter().map(begin).collect()
}

#[test]
fn an_instance_serves_several_requests_at_once_and_others_wait_in_the_queue() {
    let instances = json!({"concurrency": 2, "min_scale": 1, "max_scale": 1});
    let (metrics, records) = run(&json!({
        "functions": {"0": {"instances": instances}},
        "workload": {"invocations": at(&[0.5, 0.5, 0.5, 4.0])},
    }));
    // It is up at 1 s. The third waits for the first two; the last finds it idle but for that one.
    let (cold, warm) = (Start::Cold, Start::Warm);
    assert_eq!(begins(&records), [(1.0, 0, cold), (1.0, 0, cold), (3.0, 0, cold), (4.0, 0, warm)]);
    assert_eq!((metrics.instances, metrics.cold_starts, metrics.warm_starts), (1, 3, 1));
    // Busy from 1 s to 6 s; from the first request at 0.5 s on it starts until 1 s.
    assert_eq!((metrics.busy_byte_seconds(), metrics.idle_byte_seconds()), (5e9, 0.5e9));
}

#[test]
fn requests_may_wait_at_an_instance_or_before_all() {
    let run = |queue_at_instance: u32| {
        let instances =
            json!({"min_scale": 2, "max_scale": 2, "queue_at_instance": queue_at_instance, "routing": "first"});
        let bodies = ["9s", "1s", "1s"].map(|time| json!({"at": 2, "function": "f", "body": [{"sleep": time}]}));
        let (_, records) = run(&json!({
            "functions": {"0": {"instances": instances}}, "workload": {"invocations": bodies},
        }));
        begins(&records).into_iter().map(|(begin, ..)| begin).collect::<Vec<_>>()
    };
    // Before all: the third gets the instance that is free first. At the instances: the second is sent behind the first.
    assert_eq!(run(0), [2.0, 2.0, 3.0]);
    assert_eq!(run(1), [2.0, 11.0, 2.0]);
}

#[test]
fn routing_spreads_or_keeps_together() {
    let nodes = |routing: &str| {
        let instances = json!({"concurrency": 4, "min_scale": 2, "max_scale": 2, "routing": routing});
        let (_, records) = run(&json!({
            "functions": {"0": {"instances": instances}},
            "policies": {"node_allocation": {"use": "round-robin"}},
            "workload": {"invocations": at(&[2.0, 2.1, 2.2, 2.3, 2.4])},
        }));
        begins(&records).into_iter().map(|(_, node, _)| node).collect::<Vec<_>>()
    };
    assert_eq!(nodes("first"), [0, 0, 0, 0, 1]);
    assert_eq!(nodes("least_loaded"), [0, 1, 0, 1, 0]);
    assert_eq!(nodes("round_robin"), [0, 1, 0, 1, 0]);
    let drawn = nodes("random_of_two");
    // Of two instances both are drawn, so the one with fewer requests is taken; of two alike the older one.
    assert_eq!(drawn, [0, 1, 0, 1, 0]);
}

#[test]
fn instances_pass_the_stations_of_the_control_plane() {
    let ready = |control_plane: &Value| {
        let instances = json!({"min_scale": 4, "max_scale": 4});
        let (_, records) = run(&json!({
            "service": {"control_plane": control_plane},
            "functions": {"0": {"instances": instances}},
            "policies": {"node_allocation": {"use": "round-robin"}},
            "workload": {"invocations": at(&[0.0; 4])},
        }));
        begins(&records).into_iter().map(|(begin, node, _)| (begin, node)).collect::<Vec<_>>()
    };
    let (half, one) = (json!({"constant": 0.5}), json!({"constant": 1}));
    assert_eq!(ready(&json!({})), [(1.0, 0), (1.0, 1), (1.0, 0), (1.0, 1)]);
    // One is created every half a second; two at once.
    assert_eq!(ready(&json!({"creation": {"time": half}})), [(1.5, 0), (2.0, 1), (2.5, 0), (3.0, 1)]);
    assert_eq!(ready(&json!({"creation": {"time": half, "at_once": 2}})), [(1.5, 0), (1.5, 1), (2.0, 0), (2.0, 1)]);
    // The agents of the two nodes work beside each other.
    assert_eq!(ready(&json!({"node_agent": {"time": one}})), [(2.0, 0), (2.0, 1), (3.0, 0), (3.0, 1)]);
    let both = json!({"creation": {"time": half}, "node_agent": {"time": one}});
    // Created at 0.5, 1, 1.5, 2 s; the agent of node 0 has the first from 0.5 s and the third from 1.5 s on.
    assert_eq!(ready(&both), [(2.5, 0), (3.0, 1), (3.5, 0), (4.0, 1)]);
}

#[test]
fn the_phases_of_a_start_follow_each_other() {
    let start = json!([{"phase": "runtime", "time": {"constant": 0.25}}, {"phase": "code", "time": {"constant": 0.5}}]);
    let (metrics, records) = run(&json!({
        "functions": {"0": {"instances": {"min_scale": 1, "start": start}}},
        "workload": {"invocations": at(&[0.0])},
    }));
    assert_eq!(begins(&records), [(1.75, 0, Start::Cold)]);
    assert_eq!(metrics.cold_start_delay.mean(), 1.75);
}

/// Disks of 1 GB/s behind a link as fast, and an image of 1 GB that f needs.
fn with_image(changes: &Value) -> Value {
    let disk = json!({"capacity": "100GB", "read_bandwidth": "1GBps", "write_bandwidth": "1GBps"});
    let mut scenario = json!({
        "platform": {"hosts": [
            {"name": "head", "cores": 1, "speed": "1Gf", "ram": "1GB", "disk": disk},
            {"name": "node", "count": 2, "cores": 2, "speed": "1Gf", "ram": "8GB", "disk": disk}],
            "links": [{"name": "net", "bandwidth": "1GBps", "latency": 0}],
            "routes": [{"from": "head", "to": "node-0", "links": ["net"]}, {"from": "head", "to": "node-1", "links": ["net"]}]},
        "network_model": "ideal",
        "images": [{"name": "image", "size": "1GB"}],
        "service": {"simulate_image_downloads": false},
        "functions": {"0": {"image": "image"}},
    });
    merge(&mut scenario, changes);
    scenario
}

#[test]
fn an_image_is_brought_to_the_node_of_an_instance() {
    let (metrics, records) = run(&with_image(&json!({
        "functions": {"0": {"instances": {"min_scale": 2}}},
        "workload": {"invocations": at(&[0.0, 0.0])},
    })));
    assert_eq!((metrics.copies.count, metrics.loads.count, metrics.instances), (1, 1, 2));
    let begins = begins(&records);
    assert!(begins.iter().all(|(begin, ..)| *begin > 2.0 && *begin < 5.0), "{begins:?}");
    assert_eq!(begins[0], begins[1], "one copy is for both");
}

#[test]
fn a_copy_that_is_cut_begins_anew_for_the_instance_that_waits_for_it() {
    let run = |faults: &Value| {
        run(&with_image(&json!({
            "functions": {"0": {"instances": {"min_scale": 1, "max_scale": 1}}},
            "faults": faults,
            "workload": {"invocations": at(&[0.0])},
        })))
    };
    let whole = run(&json!({})).1[0].started_at.unwrap().as_secs_f64();
    let (metrics, records) = run(&json!({"scripted": [{"at": 0.25, "for": 0.5, "link": "net"}]}));
    assert_eq!(begins(&records), [(whole + 0.75, 0, Start::Cold)], "from when the link is back");
    assert_eq!((metrics.copies.count, metrics.instances), (1, 1));
}

#[test]
fn an_instance_waits_for_its_image_beyond_a_failure_of_the_head_that_loses_the_queue() {
    let run = |faults: &Value, date: f64| {
        run(&with_image(&json!({
            "functions": {"0": {"instances": {"min_scale": 1, "max_scale": 1}}},
            "faults": faults,
            "workload": {"invocations": at(&[date])},
        })))
    };
    let whole = run(&json!({}), 0.0).1[0].started_at.unwrap().as_secs_f64();
    let down = json!({"head_queue": "lost", "scripted": [{"at": 0.25, "for": 0.5, "host": "head"}]});
    let (_, records) = run(&down, 1.0);
    assert_eq!(begins(&records), [(whole + 0.75, 0, Start::Cold)], "from when the head is back");
}

#[test]
fn instances_of_a_node_that_fails_are_replaced_and_their_requests_lost() {
    let (metrics, records) = run(&json!({
        "functions": {"0": {"instances": {"concurrency": 2, "min_scale": 1, "max_scale": 1}}},
        "faults": {"scripted": [{"at": 2.5, "for": 100, "host": "node-0"}]},
        "workload": {"invocations": at(&[0.0, 2.0, 2.2, 3.0])},
    }));
    let outcomes: Vec<Outcome> = records.iter().map(|record| record.outcome).collect();
    // The first two run on node 0 when it goes down. The third waits for one of them, and gets the instance that is up on node 1 at
    // 3.5 s.
    assert_eq!(outcomes, [Outcome::Lost, Outcome::Lost, Outcome::Completed, Outcome::Completed]);
    assert_eq!(begins(&records[2..]), [(3.5, 1, Start::Cold), (3.5, 1, Start::Cold)]);
    assert_eq!(metrics.instances, 2);
}

#[test]
fn a_time_limit_frees_the_place_and_not_the_instance() {
    let (metrics, records) = run(&json!({
        "functions": {"0": {"time_limit": "1s", "instances": {"min_scale": 1, "max_scale": 1}}},
        "workload": {"invocations": at(&[0.0, 0.0])},
    }));
    assert_eq!(begins(&records), [(1.0, 0, Start::Cold), (2.0, 0, Start::Cold)]);
    assert!(records.iter().all(|record| record.outcome == Outcome::TimedOut) && metrics.instances == 1);
}

/// What is written, to be read afterwards.
#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Write for Text {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Text {
    /// The rows below the first line, and of each what is in these columns.
    fn rows(&self, columns: &[&str]) -> Vec<Vec<String>> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let header = lines.next().unwrap();
        let position = |column: &&str| header.iter().position(|other| other == column).unwrap();
        let positions: Vec<usize> = columns.iter().map(position).collect();
        lines.map(|line| positions.iter().map(|position| line[*position].to_owned()).collect()).collect()
    }
}

#[test]
fn a_crash_takes_all_requests_of_the_instance_with_it() {
    let bodies = ["2s", "9s"].map(|time| json!({"at": 0, "function": "f", "body": [{"sleep": time}]}));
    let instances = json!({"concurrency": 2, "min_scale": 1, "max_scale": 1, "removal": {"constant": 5}});
    let scenario = scenario(&json!({
        "functions": {"0": {"instances": instances}},
        "faults": {"containers": {"crash_per_invocation": 1.0}},
        "workload": {"invocations": bodies},
    }));
    let table = Text::default();
    let experiment = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
    let results = experiment.write_instances(Box::new(table.clone())).unwrap().run().unwrap();
    let end = |record: &InvocationRecord| (record.outcome, record.finished_at.unwrap().as_secs_f64());
    let ends: Vec<(Outcome, f64)> = results.records.iter().map(end).collect();
    assert_eq!(ends, [(Outcome::Lost, 3.0), (Outcome::Lost, 3.0)]);
    assert_eq!(results.metrics.instances, 2, "another one is started in its place");
    let rows = table.rows(&["instance", "stopped_at", "ended_at", "why"]);
    assert_eq!(rows, [["1", "", "3.000000000", "crashed"], ["2", "", "", ""]], "what has crashed takes no time to go");
}

#[test]
fn who_finds_no_instance_for_ever_is_told_why() {
    let scenario = scenario(&json!({
        "functions": {"0": {"ram_limit": "5GB", "instances": {"min_scale": 3}}},
        "workload": {"invocations": at(&[0.0, 0.0, 0.0])},
        "horizon": 2.5,
    }));
    let results = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap().run().unwrap();
    let reason = results.records[2].failure.as_deref().unwrap().to_owned();
    assert!(reason.contains("2 are up, 1 are starting, of which 1 have found no node with room"), "{reason}");
}

/// Wants as many instances as there are requests, and is asked at ticks alone.
struct AtTicks;

impl Policy for AtTicks {
    const NAME: &'static str = "at-ticks";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "wants an instance for each request, every two seconds";
    type Parameters = ();
    fn new(_parameters: (), _context: &PolicyContext) -> Result<Self, PolicyError> {
        Ok(Self)
    }
}

impl Autoscaling for AtTicks {
    fn scale(&mut self, view: &ScaleView) -> Scale {
        Scale { wanted: view.in_flight() as u32 }
    }
}

#[test]
fn a_request_that_comes_while_the_last_instance_is_removed_is_served_after_the_next_tick() {
    let scenario = scenario(&json!({
        "functions": {"0": {"instances": {"removal": {"constant": 1}}}},
        "policies": {"autoscaling": {"use": "at-ticks"}},
        "workload": {"invocations": at(&[0.0, 4.5])},
    }));
    let policies = [&[PolicyDescriptor::autoscaling::<AtTicks>()], hearth_plugins::BUILT_IN].concat();
    let results = Experiment::prepare(&scenario, &Catalog::new(&policies)).unwrap().run().unwrap();
    // The first ends at 3 s; at 4 s none is wanted, and the instance is removed by 5 s, while nothing else happens. The tick of 6 s
    // wants one for the second.
    assert_eq!(begins(&results.records), [(1.0, 0, Start::Cold), (7.0, 0, Start::Cold)]);
}

#[test]
fn requests_of_an_instance_share_its_processors() {
    let ends = |processors: &str, limit: f64| {
        let (_, records) = run(&json!({
            "service": {"processors": processors},
            "functions": {"0": {
                "processors": if processors == "shared" { json!({"limit": limit, "threads": 4}) } else { Value::Null },
                "instances": {"concurrency": 4, "min_scale": 1, "max_scale": 1}, "body": [{"compute": "2Gf"}],
            }},
            "workload": {"invocations": at(&[1.0, 1.0])},
        }));
        records.iter().map(|record| record.finished_at.unwrap().as_secs_f64()).collect::<Vec<_>>()
    };
    // 2 Gf on a core of 1 Gf/s. A core for each; one for both; both cores of the node; half a core for both.
    assert_eq!(ends("dedicated", 0.0), [3.0, 3.0]);
    assert_eq!(ends("shared", 1.0), [5.0, 5.0]);
    assert_eq!(ends("shared", 2.0), [3.0, 3.0]);
    assert_eq!(ends("shared", 0.5), [9.0, 9.0]);
}

#[test]
fn cores_that_are_kept_for_an_instance_are_not_kept_for_another_one() {
    let (_, records) = run(&with_image(&json!({
        "service": {"processors": "shared"},
        "functions": [
            {"name": "f", "ram_limit": "1GB", "image": "image", "processors": {"request": 1.5, "limit": 2},
             "instances": {"min_scale": 2}, "body": [{"sleep": "2s"}]},
            {"name": "small", "processors": {"request": 0.5, "limit": 1}, "body": []}],
        "policies": {"node_allocation": {"use": "first-fit"}},
        "workload": {"invocations": at(&[0.0, 0.0])},
    })));
    let begins = begins(&records);
    // The node that has half a core left is shown as with one. The image comes to both nodes at once.
    assert_eq!((begins[0].1, begins[1].1), (0, 1));
    assert_eq!(begins[0].0, begins[1].0);
}

#[test]
fn functions_of_an_application_wait_for_each_other() {
    let scenario = scenario(&json!({
        "applications": [{"name": "shop", "ram_limit": "1GB", "instances": {"min_scale": 1, "max_scale": 1}}],
        "functions": [
            {"name": "f", "application": "shop", "body": [{"sleep": "2s"}]},
            {"name": "alone", "ram_limit": "1GB", "instances": {"min_scale": 1}, "body": [{"sleep": "2s"}]},
            {"name": "g", "application": "shop", "time_limit": "1s", "body": [{"sleep": "5s"}]},
        ],
        "workload": {"invocations": [
            {"at": 0, "function": "f"}, {"at": 0, "function": "alone"}, {"at": 0, "function": "g"}, {"at": 3, "function": "f"},
        ]},
    }));
    let table = Text::default();
    let experiment = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
    let results = experiment.write_instances(Box::new(table.clone())).unwrap().run().unwrap();
    // One instance is up at 1 s: f until 3 s, g until its limit at 4 s, then f again.
    let begins = begins(&results.records).into_iter().map(|(begin, ..)| begin).collect::<Vec<_>>();
    assert_eq!(begins, [1.0, 1.0, 3.0, 4.0]);
    assert_eq!(results.records[2].outcome, Outcome::TimedOut);
    // Functions are counted by themselves, instances for the application.
    let of = |function: usize| results.metrics.functions[function].invocations();
    assert_eq!((of(0), of(1), of(2)), (2, 1, 1));
    assert_eq!(table.rows(&["function", "requests"]), [["shop", "3"], ["alone", "1"]]);
}

#[test]
fn functions_of_an_application_of_a_trace_are_served_together() {
    let mut file = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
    // Each comes 2 s before its end.
    file.write_all(b"app,func,end_timestamp,duration\na,f,4,2\na,g,4,2\nb,f,4,2\n").unwrap();
    let run = |applications: bool| {
        let scenario = scenario(&json!({
            "service": {"instances": {"min_scale": 1, "max_scale": 1}},
            "functions": [],
            "workload": {"trace": {"format": "azure-functions-2021", "path": file.path(), "applications": applications}},
        }));
        let table = Text::default();
        let experiment = Experiment::prepare(&scenario, &Catalog::new(hearth_plugins::BUILT_IN)).unwrap();
        let results = experiment.write_instances(Box::new(table.clone())).unwrap().run().unwrap();
        let begins = begins(&results.records).into_iter().map(|(begin, ..)| begin).collect::<Vec<_>>();
        (begins, table.rows(&["function", "requests"]))
    };
    let (begins, instances) = run(false);
    assert_eq!((begins, instances.len()), (vec![2.0, 2.0, 2.0], 3));
    let (begins, instances) = run(true);
    assert_eq!(begins, [2.0, 4.0, 2.0], "g waits for f, which is of its application");
    assert_eq!(instances, [["a", "2"], ["b", "1"]]);
}

/// When each of some requests begins on so many places, all free from a date on, first come, first served.
fn on_places(places: usize, from: f64, requests: &[(u64, u64)]) -> Vec<u64> {
    let mut free = vec![(from * 1e9) as u64; places];
    let begin = |(at, length): &(u64, u64)| {
        let first = free.iter_mut().min().unwrap();
        let begin = (*first).max(*at);
        *first = begin + length;
        begin
    };
    requests.iter().map(begin).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However requests are sent to instances: where they wait before all of them, places are alike, and each begins when the
    /// first of all places is free.
    #[test]
    fn dates_are_those_of_so_many_places(
        gaps in proptest::collection::vec((0..2_000_000_000_u64, 1..4_000_000_000_u64), 1..60),
        (scale, concurrency) in (1..4_u32, 1..5_u32),
        routing in 0..4_usize,
    ) {
        let routing = ["least_loaded", "first", "round_robin", "random_of_two"][routing];
        let mut now = 0;
        let requests: Vec<(u64, u64)> = gaps.iter().map(|(gap, length)| { now += gap; (now, *length) }).collect();
        let invocation = |(at, length): &(u64, u64)| json!({
            "at": format!("{at}ns"), "function": "f", "body": [{"sleep": format!("{length}ns")}],
        });
        let invocations: Vec<Value> = requests.iter().map(invocation).collect();
        let instances = json!({
            "concurrency": concurrency, "min_scale": scale, "max_scale": scale, "routing": routing,
        });
        let (metrics, records) = run(&json!({
            "functions": {"0": {"instances": instances}}, "workload": {"invocations": invocations},
        }));
        let begins: Vec<u64> = records.iter().map(|record| record.started_at.unwrap().as_nanos()).collect();
        prop_assert_eq!(begins, on_places((scale * concurrency) as usize, 1.0, &requests));
        prop_assert_eq!(metrics.instances, u64::from(scale));
    }
}
